package beside

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A Front is the one address at which people find the site. It passes requests on as they are: what is below /dj/ to Django, what is
// below /go/ to a program that uses Cardea, without that prefix, and everything else to Cardea.
type Front struct {
	URL string

	mu     sync.Mutex
	routes map[string]*url.URL
}

// The parts of a site that a Front leads to, by the beginning of the path.
const (
	ToDjango = "/dj/"
	ToProbe  = "/go/"
	ToCardea = "/"
)

// NewFront opens an address for as long as the test lasts.
func NewFront(t testing.TB, django, cardea, probe string) *Front {
	t.Helper()
	f := &Front{routes: map[string]*url.URL{}}
	f.Lead(t, ToDjango, django)
	f.Lead(t, ToCardea, cardea)
	f.Lead(t, ToProbe, probe)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		part, target := f.route(r.In.URL.Path)
		if part == ToProbe {
			r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, strings.TrimSuffix(ToProbe, "/"))
			r.Out.URL.RawPath = ""
		}
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Lead has a part of the site be served from another address from now on.
func (f *Front) Lead(t testing.TB, part, address string) {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[part] = target
}

func (f *Front) route(path string) (part string, target *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, part := range []string{ToDjango, ToProbe} {
		if strings.HasPrefix(path, part) {
			return part, f.routes[part]
		}
	}
	return ToCardea, f.routes[ToCardea]
}
