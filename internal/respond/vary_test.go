package respond_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

func TestVaryByCookie(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":                         "Cookie",
		"Accept":                   "Accept, Cookie",
		"cookie":                   "cookie",
		"Accept-Encoding,  COOKIE": "Accept-Encoding,  COOKIE",
		"*":                        "*",
		"X-Cookie":                 "X-Cookie, Cookie",
	} {
		h := respond.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if before != "" {
				w.Header().Set("Vary", before)
			}
			respond.From(r.Context()).VaryByCookie()
			respond.From(r.Context()).VaryByCookie()
		}), respond.Config{})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := strings.Join(w.Header()["Vary"], ", "); got != want {
			t.Errorf("after Vary: %q: got %q, want %q", before, got, want)
		}
	}
}
