package cardea_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// securityHeaders are those of every response, whoever makes it.
var securityHeaders = map[string]string{
	"Content-Security-Policy":      "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"X-Frame-Options":              "DENY",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
}

// TestSecurityHeaders: each answer has them, whatever it is and however early it was made; a handler that sets one of its own has its
// way, for that answer alone. No answer lets another origin in.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	cfg := cardeatest.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	site, err := cardea.New(cardeatest.DB(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
	mux.HandleFunc("GET /own", func(w http.ResponseWriter, _ *http.Request) {
		for name := range securityHeaders {
			w.Header().Set(name, "our own")
		}
		w.Header().Add("X-Frame-Options", "and more")
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	mux.Handle("GET /private", site.Auth.Required(http.NotFoundHandler()))
	server := httptest.NewServer(site.Handler(mux))
	t.Cleanup(server.Close)
	send := func(method, path, host string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Origin", "https://evil.example")
		resp, err := server.Client().Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp
	}
	for _, c := range []struct {
		method, path, host string
		status             int
		own                bool
	}{
		{"GET", "/accounts/login/", "", 200, false},
		{"HEAD", "/accounts/login/", "", 200, false},
		{"OPTIONS", "/accounts/login/", "", 200, false},
		{"GET", "/accounts/login", "", 301, false},
		{"GET", "/accounts/nowhere/", "", 404, false},
		{"GET", "/accounts/logout/", "", 405, false},
		{"GET", "/accounts/profile/", "", 302, false},
		{"POST", "/accounts/login/", "", 403, false},
		{"GET", "/accounts/login/", "evil.example", 400, false},
		{"GET", "/plain", "", 200, false},
		{"GET", "/own", "", 200, true},
		{"GET", "/plain", "", 200, false},
		{"GET", "/panic", "", 500, false},
		{"GET", "/private", "", 302, false},
		{"GET", "/nowhere", "", 404, false},
	} {
		resp := send(c.method, c.path, c.host)
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, resp.StatusCode, c.status)
		}
		for name, want := range securityHeaders {
			if c.own {
				want = "our own"
				if name == "X-Frame-Options" {
					want = "our own and more"
				}
			}
			if got := strings.Join(resp.Header.Values(name), " "); got != want {
				t.Errorf("%s %s: %s: got %q, want %q", c.method, c.path, name, got, want)
			}
		}
		for name := range resp.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: %s lets others in", c.method, c.path, name)
			}
		}
	}
}
