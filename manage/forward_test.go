package manage_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/manage"
)

// TestServeForward: the server answers a proxy by the rules of its settings, in both profiles, also beside a proxy that logs people in.
func TestServeForward(t *testing.T) {
	t.Parallel()
	for _, extra := range []string{
		"profile = \"default\"", "profile = \"django\"",
		"authentication_backends = [\"remote_user\", \"django.contrib.auth.backends.ModelBackend\"]",
	} {
		t.Run(extra, func(t *testing.T) {
			t.Parallel()
			at := testdb.New(t, "sqlite")
			db := migrated(t, at)
			groups := db.Users().Groups()
			ada := proxiedUser(t, db, "ada")
			for _, name := range []string{"staff", "admins"} {
				if _, err := groups.Create(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
			if err := groups.Add(t.Context(), "staff", ada); err != nil {
				t.Fatal(err)
			}
			address, refusal := served(t, at, extra+`
allowed_hosts = [".localhost", "127.0.0.1"]
trusted_proxies = ["127.0.0.1"]
[[forward]]
host = "app.localhost"
path = "/admin"
groups = ["admins"]
[[forward]]
host = "app.localhost"
groups = ["staff"]
`)
			if refusal != "" {
				t.Fatal(refusal)
			}
			b := cardeatest.Open(t, address)
			b.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			ask := func(host, uri string) *cardeatest.Browser {
				return with(t, b, "/auth/verify", "X-Forwarded-Host: "+host, "X-Forwarded-Uri: "+uri, "X-Forwarded-Method: GET", "X-Forwarded-Proto: http",
					"Remote-User: root")
			}
			if ask("app.localhost", "/").HasStatus(http.StatusUnauthorized); b.Header.Get("Location") != "/accounts/login/?next=/" {
				t.Errorf("log in at %q", b.Header.Get("Location"))
			}
			b.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit()
			ask("app.localhost", "/").HasStatus(http.StatusOK)
			for name, want := range map[string]string{"Remote-User": "ada", "Remote-Groups": "staff", "Remote-Email": "ada@example.com", "Remote-Name": ""} {
				if got := b.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			ask("app.localhost", "/admin").HasStatus(http.StatusForbidden).Sees("not open to you")
			ask("other.localhost", "/").HasStatus(http.StatusForbidden)
			with(t, b, "/auth/verify").HasStatus(http.StatusForbidden)
		})
	}
}

// TestServeForwardRefuses: rules that could not work are an error at start, with the line and the cure.
func TestServeForwardRefuses(t *testing.T) {
	t.Parallel()
	const proxy = "trusted_proxies = [\"127.0.0.1\"]\nallowed_hosts = [\".example.com\"]\n"
	const apart = "site_url = \"https://login.example.com\"\n"
	rule := func(host string, more ...string) string {
		return "[[forward]]\nhost = \"" + host + "\"\n" + strings.Join(more, "\n") + "\n"
	}
	for toml, want := range map[string]string{
		rule("app.example.com"):                                                                         "site.toml:1: forward answers proxies only: name yours in trusted_proxies",
		proxy + rule("app.example.org"):                                                                 "site.toml:3: forward names the host \"app.example.org\", which is not in allowed_hosts",
		proxy + rule("app.example.com", "path = \"admin\""):                                             "the path \"admin\" is not one such as",
		proxy + rule("app.example.com", "hots = \"x\""):                                                 "site.toml:5: unknown setting \"forward.hots\"",
		proxy + rule("app.example.com", "groups = \"x\""):                                               "site.toml:5: forward",
		proxy + "forward = \"x\"\n":                                                                     "site.toml:3: forward must be",
		proxy + rule("app.example.com") + rule("app.example.com"):                                       "never reached",
		proxy + apart + rule("app.example.com"):                                                         "set session_cookie_domain",
		proxy + apart + "session_cookie_domain = \"other.example.com\"\n" + rule("app.example.com"):     "set session_cookie_domain",
		proxy + "site_url = \"https://login.example.org\"\n" + rule("app.example.com"):                  "at \"login.example.org\", which is not in allowed_hosts",
		proxy + "success_url_allowed_hosts = [\"example.org\"]\n":                                       "NextHosts: \"example.org\"",
		proxy + apart + "session_cookie_domain = \"example.com\"\n" + rule("app.example.com"):           "",
		proxy + apart + rule("login.example.com"):                                                       "",
		proxy + rule("app.example.com") + rule("wiki.example.com", "groups = [\"a\"]", "path = \"/x\""): "",
	} {
		at := testdb.New(t, "sqlite")
		migrated(t, at)
		address, refusal := served(t, at, toml)
		if (address != "") != (want == "") || !strings.Contains(refusal, want) || strings.Count(refusal, "\n") > 1 {
			t.Errorf("%q: started at %q, said %q, want %q", toml, address, refusal, want)
		}
	}
	if _, err := manage.Load("", []string{"CARDEA_FORWARD=x"}); err == nil || !strings.Contains(err.Error(), "in the file") {
		t.Errorf("in the environment: %v", err)
	}
}

// TestNextOnForwardHosts (M33): the log-in page leads to the hosts of the rules, and browsers are told that it may.
func TestNextOnForwardHosts(t *testing.T) {
	t.Parallel()
	at := testdb.New(t, "sqlite")
	proxiedUser(t, migrated(t, at), "ada")
	address, refusal := served(t, at, "trusted_proxies = [\"127.0.0.1\"]\nallowed_hosts = [\".localhost\", \"127.0.0.1\"]\n[[forward]]\nhost = \"app.localhost:8443\"\n")
	if refusal != "" {
		t.Fatal(refusal)
	}
	for next, want := range map[string]string{
		"http://app.localhost:8443/x?y=z":            "http://app.localhost:8443/x?y=z",
		"/accounts/":                                 "/accounts/",
		"http://app.localhost/x":                     "/accounts/profile/",
		"http://other.localhost:8443/":               "/accounts/profile/",
		"http://evil.example/":                       "/accounts/profile/",
		"http://app.localhost:8443@evil.example/":    "/accounts/profile/",
		"//evil.example/":                            "/accounts/profile/",
		"javascript://app.localhost:8443/%0aalert()": "/accounts/profile/",
	} {
		b := cardeatest.Open(t, address)
		b.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.Visit("/accounts/login/?next=" + strings.NewReplacer("?", "%3F", "%", "%25", "&", "%26").Replace(next))
		if policy := b.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' app.localhost:8443;") {
			t.Errorf("Content-Security-Policy: %s", policy)
		}
		b.Fill("username", "ada").Fill("password", "correct horse").Submit()
		if got := b.Header.Get("Location"); got != want {
			t.Errorf("next=%s leads to %q (status %d), want %q", next, got, b.Status, want)
		}
	}
}
