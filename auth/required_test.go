package auth_test

import (
	"net/http"
	"testing"

	"github.com/cardea-go/cardea/auth"
)

func TestRequired(t *testing.T) {
	t.Parallel()
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	for _, c := range []struct {
		name     string
		header   http.Header
		query    string
		loginURL string
		status   int
		location string
	}{
		{"a browser", http.Header{"Accept": {html}}, "", "", 302, "/accounts/login/?next=/page"},
		{"with a query", http.Header{"Accept": {html}}, "?a=1&b=%2F", "", 302, "/accounts/login/?next=/page%3Fa%3D1%26b%3D%252F"},
		{"two Accept lines", http.Header{"Accept": {"text/css", "TEXT/HTML"}}, "", "", 302, "/accounts/login/?next=/page"},
		{"own login page", http.Header{"Accept": {html}}, "", "/in/?x=1", 302, "/in/?x=1&next=/page"},
		{"login elsewhere", http.Header{"Accept": {html}}, "", "https://sso.example.com/in", 302, "https://sso.example.com/in?next=http%3A//localhost/page"},
		{"JSON", http.Header{"Accept": {"application/json"}}, "", "", 401, ""},
		{"JSON or HTML", http.Header{"Accept": {"application/json, text/html;q=0.5"}}, "", "", 401, ""},
		{"a script", http.Header{"Accept": {html}, "X-Requested-With": {"XMLHttpRequest"}}, "", "", 401, ""},
		{"a script's fetch", http.Header{"Accept": {"*/*"}, "Sec-Fetch-Dest": {"empty"}}, "", "", 401, ""},
		{"a credential", http.Header{"Accept": {"*/*"}, "Authorization": {"Bearer x"}}, "", "", 401, ""},
		{"an image", http.Header{"Accept": {"image/avif,image/webp"}}, "", "", 401, ""},
		{"anything", http.Header{"Accept": {"*/*"}}, "", "", 302, "/accounts/login/?next=/page"},
		{"no Accept", http.Header{}, "", "", 302, "/accounts/login/?next=/page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(_ *site, cfg *auth.Config) { cfg.LoginURL = c.loginURL })
			reached := false
			app := s.auth.Required(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP
			b := s.browser()
			b.header, b.query = c.header, c.query
			res := b.request(app)
			if res.StatusCode != c.status || res.Header.Get("Location") != c.location || reached {
				t.Errorf("got %s to %q, let through %v, want %d to %q", res.Status, res.Header.Get("Location"), reached, c.status, c.location)
			}
			if len(b.cookies) != 0 {
				t.Errorf("a refusal set cookies: %v", b.cookies)
			}
			b.signIn("ada", "engine")
			if res := b.request(app); res.StatusCode != http.StatusOK || !reached { // the control
				t.Errorf("logged in: %s, let through %v", res.Status, reached)
			}
		})
	}
}

func TestRequiredOwnAnswer(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.Error = func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("X-Error", err.Error())
			w.WriteHeader(http.StatusTeapot)
		}
	})
	b := s.browser()
	b.header = http.Header{"Accept": {"application/json"}}
	res := b.request(s.auth.Required(http.NotFoundHandler()).ServeHTTP)
	if res.StatusCode != http.StatusTeapot || res.Header.Get("X-Error") != auth.ErrAnonymous.Error() {
		t.Errorf("got %s, %q, want the answer of Config.Error to ErrAnonymous", res.Status, res.Header.Get("X-Error"))
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, c := range []struct {
		query string
		form  []string
		want  string
	}{
		{"", nil, "/accounts/profile/"},
		{"?next=/a", nil, "/a"},
		{"?next=/a&next=/b", nil, "/b"},
		{"?next=/a", []string{"/b"}, "/b"},
		{"?next=/a", []string{""}, "/accounts/profile/"},
		{"?next=//evil.example", nil, "/accounts/profile/"},
		{"?next=http://evil.example/", nil, "/accounts/profile/"},
		{"?next=/%5Cevil.example", nil, "/accounts/profile/"},
		{"?next=javascript:alert(1)", nil, "/accounts/profile/"},
		{"?next=http://localhost/a", nil, "http://localhost/a"},
	} {
		b := s.browser()
		b.query = c.query
		b.request(func(_ http.ResponseWriter, r *http.Request) {
			if c.form != nil {
				r.PostForm = map[string][]string{"next": c.form}
			}
			if got := s.auth.Next(r); got != c.want {
				t.Errorf("Next of %s, form %q = %q, want %q", c.query, c.form, got, c.want)
			}
		})
	}
}
