package cardea_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// TestAccountsURL: the pages live where the setting says, and lead to each other there.
func TestAccountsURL(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", "correct horse")
	cfg := cardeatest.Config()
	cfg.AccountsURL = "/members/area/"
	site, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/members/area/", site.Pages)
	mux.Handle("/", site.Auth.Required(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	b := cardeatest.NewBrowser(t, site.Handler(mux))
	b.Visit("/x?y=1").AtPath("/members/area/login/")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/x").HasStatus(200)
	b.Visit("/members/area/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/members/area/profile/").Sees("ada@example.com")
	b.Press("Log out").AtPath("/members/area/logout/").Sees("Logged out")
	b.Visit("/members/area/profile").AtPath("/members/area/login/")
	b.Visit("/members/area/nowhere/").HasStatus(404)
}

// TestBehindPrefix: the site works under a path, whether the program takes that away before or a proxy does.
func TestBehindPrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*cardea.Config)
		serve  func(h http.Handler) http.Handler // as the visitor sees it
	}{
		{
			"http.StripPrefix",
			func(cfg *cardea.Config) { cfg.Prefix = "/app" },
			func(h http.Handler) http.Handler { return http.StripPrefix("/app", h) },
		},
		{
			"a proxy that strips",
			func(cfg *cardea.Config) { cfg.Prefix = "/app" },
			strippingProxy,
		},
		{
			"a proxy that strips and says so",
			func(cfg *cardea.Config) {
				cfg.UseXForwardedPrefix, cfg.TrustedProxies = true, []string{"127.0.0.1"}
			},
			strippingProxy,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(cfg *cardea.Config) { tt.change(cfg) })
			outer := http.NewServeMux()
			outer.Handle("/app/", tt.serve(g.site.Handler(application(g.site))))
			outer.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				t.Errorf("the visitor was led out of the prefix, to %s", r.URL)
				http.NotFound(w, r)
			})
			b := cardeatest.NewBrowser(t, outer)
			b.Visit("/app/").AtPath("/app/accounts/login/")
			b.Fill("username", "ada").Fill("password", "wrong").Submit().AtPath("/app/accounts/login/").Sees("do not match")
			b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/app/").Sees("Hello, ada")
			b.Visit("/app/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/app/accounts/profile/")
			for _, at := range assetPath.FindAllStringSubmatch(b.Body, -1) {
				if b.Another().Visit(at[1]).Status != http.StatusOK {
					t.Errorf("the page asks for %s, which is not there", at[1])
				}
			}
			b.Press("Log out").AtPath("/app/accounts/logout/").Sees("Logged out")
			b.Visit("/app/accounts/profile").AtPath("/app/accounts/login/")
		})
	}
}

// strippingProxy is a proxy that takes /app away, within the process.
func strippingProxy(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := r.Clone(r.Context())
		inner.URL.Path = strings.TrimPrefix(r.URL.Path, "/app")
		inner.RequestURI = strings.TrimPrefix(r.RequestURI, "/app")
		inner.Header.Set("X-Forwarded-Prefix", "/app")
		h.ServeHTTP(w, inner)
	})
}

// TestDefaultProfileOverTLS: over HTTPS every cookie is locked to the host and to HTTPS, and the browser is told to stay with it.
func TestDefaultProfileOverTLS(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	secure := httptest.NewTLSServer(g.site.Handler(application(g.site)))
	t.Cleanup(secure.Close)
	plain := g.person()
	g.server = secure // for its client, which knows the certificate
	p := g.person()
	p.header.Set("Referer", secure.URL+"/accounts/login/")

	p.get("/note")
	a := p.logIn("ada", "correct horse")
	if !a.redirects() || !p.isIn() {
		t.Fatalf("log-in over HTTPS: status %d\n%s", a.status, a.body)
	}
	p.get("/note")
	for _, base := range []string{"sessionid", "csrftoken", "messages"} {
		if _, ok := p.cookies["__Host-"+base]; !ok {
			t.Errorf("no cookie __Host-%s among %v", base, p.cookies)
		}
	}
	for _, line := range append(a.header["Set-Cookie"], p.get("/accounts/login/").header["Set-Cookie"]...) {
		if strings.Contains(line, "; Max-Age=0;") {
			continue // a deletion needs no more than the name, the path and Secure
		}
		for _, want := range []string{"__Host-", "; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"} {
			if !strings.Contains(line, want) {
				t.Errorf("Set-Cookie lacks %q: %s", want, line)
			}
		}
		if strings.Contains(line, "Domain") {
			t.Errorf("Set-Cookie of a __Host- cookie has a domain: %s", line)
		}
	}
	if got := a.header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("Strict-Transport-Security = %q", got)
	}

	// A cookie of plain HTTP, which anybody on the way could have set, counts for nothing here.
	stranger := g.person()
	stranger.cookies["cardea_sessionid"], stranger.cookies["sessionid"] = p.cookie("sessionid"), p.cookie("sessionid")
	if stranger.isIn() {
		t.Error("over HTTPS a session under a name of plain HTTP was accepted")
	}
	stranger.cookies["__Host-sessionid"] = p.cookie("sessionid")
	if !stranger.isIn() {
		t.Error("control: the session under its own name was not accepted")
	}

	g.server = httptest.NewServer(g.site.Handler(application(g.site)))
	t.Cleanup(g.server.Close)
	plain.base = g.server.URL
	a = plain.logIn("ada", "correct horse")
	if _, ok := plain.cookies["cardea_sessionid"]; !ok || a.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("over plain HTTP on loopback: cookies %v, Strict-Transport-Security %q", plain.cookies, a.header.Get("Strict-Transport-Security"))
	}
}

// TestTwoSites: two sites in one process, each with users of its own, know nothing of each other.
func TestTwoSites(t *testing.T) {
	t.Parallel()
	one := newRig(t, nil)
	two := newRig(t, func(cfg *cardea.Config) { cfg.SecretKey = "another secret key, of the second site, as long as need be" })
	if _, err := two.db.CreateUser(t.Context(), userdb.NewUser{Username: "bea", PasswordHash: mustMake(t, two, "other horse")}); err != nil {
		t.Fatal(err)
	}
	p, q := one.person(), two.person()
	if !p.logIn("ada", "correct horse").redirects() || !p.isIn() {
		t.Fatal("control: ada cannot log in to the first site")
	}
	if !q.logIn("bea", "other horse").redirects() || !q.isIn() {
		t.Fatal("control: bea cannot log in to the second site")
	}
	if a := one.person().logIn("bea", "other horse"); a.redirects() {
		t.Error("a user of the second site logs in to the first")
	}
	p.get("/note")
	visitor := two.person()
	for name, value := range p.cookies {
		visitor.cookies[name] = value
	}
	if visitor.isIn() {
		t.Error("the second site takes a session of the first")
	}
	if a := visitor.get("/notes"); a.body != "" {
		t.Errorf("the second site shows a message of the first: %q", a.body)
	}

	// One inside the other: each asks about its own user.
	inner := one.site.Handler(application(one.site))
	both := httptest.NewServer(two.site.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, ok := two.site.Auth.User(r); ok {
			w.Header().Set("X-Outer", u.Username)
		}
		inner.ServeHTTP(w, r)
	})))
	t.Cleanup(both.Close)
	nested := &person{rig: two, base: both.URL, cookies: map[string]string{"cardea_sessionid": q.cookie("sessionid")}, header: http.Header{"Accept": {"text/html"}}}
	if a := nested.get("/"); a.header.Get("X-Outer") != "bea" || a.status == http.StatusOK {
		t.Errorf("bea's session of the outer site: X-Outer %q, status %d of the inner one", a.header.Get("X-Outer"), a.status)
	}
	nested.cookies["cardea_sessionid"] = p.cookie("sessionid")
	if a := nested.get("/"); a.header.Get("X-Outer") != "" || a.status != http.StatusOK || !strings.Contains(a.body, "Hello, ada") {
		t.Errorf("ada's session of the inner site: X-Outer %q, status %d of the inner one: %s", a.header.Get("X-Outer"), a.status, a.body)
	}
}

func mustMake(t *testing.T, g *rig, plain string) string {
	t.Helper()
	encoded, err := g.site.Hashers.Make(t.Context(), plain)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// TestLoginPageLoop: the log-in page that redirects people who are logged in does not redirect them to itself.
func TestLoginPageLoop(t *testing.T) {
	t.Parallel()
	g := redirectRig(t)
	p := g.person()
	p.logIn("ada", "correct horse")
	if a := p.get("/accounts/login/?next=" + url.QueryEscape("/accounts/login/")); a.redirects() {
		t.Errorf("redirected to %q", a.header.Get("Location"))
	}
	if a := p.get("/accounts/login/?next=/x/"); a.header.Get("Location") != "/x/" {
		t.Errorf("control: redirected to %q", a.header.Get("Location"))
	}
}
