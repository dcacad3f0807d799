package origin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/origin"
)

// TestNextHosts (M33): a "next" leads to the hosts that are named beside the visitor's own, and to nothing that only looks like one of them.
func TestNextHosts(t *testing.T) {
	t.Parallel()
	o, err := origin.New(origin.Config{
		AllowedHosts: []string{".example.com"}, InsecureHTTP: true,
		NextHosts: []string{"Wiki.example.com", "odd.example.com:8443"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(target, candidate string) bool {
		safe := false
		h := o.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, safe = origin.From(r).SafeNext(candidate) }))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
		return safe
	}
	for candidate, want := range map[string]bool{
		"https://wiki.example.com/x":                  true,
		"//wiki.example.com/x":                        false,
		"https://odd.example.com:8443/":               true,
		"https://login.example.com/":                  true,
		"/x":                                          true,
		"http://wiki.example.com/x":                   false,
		"https://wiki.example.com:8443/":              false,
		"https://odd.example.com/":                    false,
		"https://other.example.com/":                  false,
		"https://example.com/":                        false,
		"https://wiki.example.com@evil.example/":      false,
		"https://evil.example@wiki.example.com/":      false,
		"https://wiki.example.com.evil.example/":      false,
		`https://evil.example\@wiki.example.com/`:     false,
		"https:///wiki.example.com/":                  false,
		"https://wiki.example.com%2eevil.example/":    false,
		"javascript://wiki.example.com/%0aalert(1)":   false,
		"https://wiki.example.com\uff0f.evil.example": false,
	} {
		if got := ask("https://login.example.com/", candidate); got != want {
			t.Errorf("%s: %v, want %v", candidate, got, want)
		}
	}
	if !ask("http://login.example.com/", "http://wiki.example.com/x") {
		t.Error("control: over HTTP the other host is refused")
	}
	for _, host := range []string{"evil.example", "", "https://wiki.example.com", "wiki.example.com/", ".example.com", "a@wiki.example.com"} {
		_, err := origin.New(origin.Config{AllowedHosts: []string{".example.com"}, NextHosts: []string{host}})
		if err == nil || !strings.Contains(err.Error(), "NextHosts") {
			t.Errorf("%q: %v", host, err)
		}
	}
	if _, err := origin.New(origin.Config{NextHosts: []string{"app.localhost:8000"}}); err != nil {
		t.Error(err)
	}
}
