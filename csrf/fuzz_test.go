package csrf_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/origin"
)

const knownSecret = "lcccccccX2kcccccccY2jcccccccssIC"

// FuzzToken posts any cookie with any token. Whatever passes carries two texts of the right form that stand for one secret.
func FuzzToken(f *testing.F) {
	f.Add(knownSecret, csrf.MaskWith(knownSecret, knownSecret))
	f.Add(knownSecret, knownSecret)
	f.Add(csrf.MaskWith(knownSecret, knownSecret), knownSecret)
	f.Add("", "")
	f.Add(`"`+knownSecret+`"`, knownSecret)
	f.Add(strings.Repeat("é", 32), strings.Repeat("é", 32))
	visitors, err := origin.New(origin.Config{AllowedHosts: []string{"*"}})
	if err != nil {
		f.Fatal(err)
	}
	layer, err := csrf.New(csrf.Config{Cookie: origin.CookiePolicy{Plain: true}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, cookie, token string) {
		testhang.Watch(t)
		reached := false
		app := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			reached = true
			if csrf.CheckFormat(csrf.Token(r)) != "" {
				t.Error("a malformed token is given out")
			}
		})
		r := httptest.NewRequest("POST", site+"/", strings.NewReader(url.Values{csrf.FieldName: {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", site)
		r.Header["Cookie"] = []string{"csrftoken=" + cookie}
		respond.Handler(visitors.Handler(layer.Handler(app)), respond.Config{}).ServeHTTP(httptest.NewRecorder(), r)
		sent, _ := (&origin.CookiePolicy{Name: "csrftoken", Plain: true}).Read(r)
		good := csrf.CheckFormat(sent) == "" && csrf.CheckFormat(token) == "" && secretOf(sent) == secretOf(token)
		if reached != good {
			t.Errorf("cookie %q, token %q: reached the app: %v, want %v", sent, token, reached, good)
		}
	})
}

func secretOf(s string) string {
	if len(s) == 64 {
		return csrf.Unmask(s)
	}
	return s
}

// FuzzOrigins asks about any Origin and Referer. What is accepted names, as text, the site or a trusted host.
func FuzzOrigins(f *testing.F) {
	for _, s := range []string{
		site, "https://other.example", "https://a.wild.example", "https://wild.example", "null", "", "https://wild.example.evil.example",
		"https://other.example\\@evil.example", "https://[::1", "//www.example.com", "https:/www.example.com", "HTTPS://a.wild.example/x?y#z",
	} {
		f.Add(s)
	}
	layer, err := csrf.New(csrf.Config{TrustedOrigins: []string{"https://other.example", "https://*.wild.example"}})
	if err != nil {
		f.Fatal(err)
	}
	wild := func(host string) bool { return host == "wild.example" || strings.HasSuffix(host, ".wild.example") }
	f.Fuzz(func(t *testing.T, s string) {
		testhang.Watch(t)
		if layer.AllowsOrigin(s, site) && s != site && s != "https://other.example" {
			if scheme, host := cut(s); scheme != "https" || !wild(host) {
				t.Errorf("the origin %q is accepted", s)
			}
		}
		if layer.RefererReason(s, "www.example.com") == "" {
			if scheme, host := cut(s); scheme != "https" || !wild(host) && host != "other.example" && host != "www.example.com" {
				t.Errorf("the referer %q is accepted", s)
			}
		}
	})
}

// cut takes scheme and host out of a URL by the plainest means.
func cut(s string) (scheme, host string) {
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimLeft(s, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "))
	scheme, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return strings.ToLower(scheme), rest
}
