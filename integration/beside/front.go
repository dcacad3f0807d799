package beside

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A Front is the one address at which people find the site. It passes requests on as they are to the one that answers at the moment,
// Django or Cardea, which have the same pages at the same paths; what is below /go/, without that prefix, goes to a program that uses Cardea.
type Front struct {
	URL string

	mu            sync.Mutex
	target, probe *url.URL
}

// fronts counts them.
var fronts atomic.Uint32

// toProbe is the path below which the program that uses Cardea answers.
const toProbe = "/go/"

// NewFront opens an address for as long as the test lasts.
func NewFront(t testing.TB, target, probe string) *Front {
	t.Helper()
	f := &Front{probe: parse(t, probe)}
	f.Turn(t, target)
	// Each front's visitors come from an address of their own, so that those who count tries by address do not take them for one.
	n := fronts.Add(1)
	from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: f.rewrite, Transport: transport})
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Turn has all requests be answered at another address from now on. Requests that are on their way stay where they are.
func (f *Front) Turn(t testing.TB, address string) {
	t.Helper()
	target := parse(t, address)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.target = target
}

func (f *Front) rewrite(r *httputil.ProxyRequest) {
	f.mu.Lock()
	target := f.target
	f.mu.Unlock()
	if path, ok := strings.CutPrefix(r.In.URL.Path, toProbe); ok {
		r.Out.URL.Path, r.Out.URL.RawPath = "/"+path, ""
		target = f.probe
	}
	r.SetURL(target)
	r.Out.Host = r.In.Host
}

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
