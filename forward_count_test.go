package cardea_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/forwardauth"
	"github.com/cardea-go/cardea/auth/remoteuser"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// TestProxiesCostOneStatement: a proxy's question is one statement, with groups and permissions too, and none where all is public; a
// request whose proxy names the user who is logged in already costs no more than one without a proxy.
func TestProxiesCostOneStatement(t *testing.T) {
	t.Parallel()
	db, statements := countedDB(t)
	users := db.Users()
	proxied, err := remoteuser.New(remoteuser.Config{
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Find:    func(ctx context.Context, name string) (auth.User, error) { return users.ByName(ctx, name) },
		Create: func(ctx context.Context, name string) (auth.User, bool, error) {
			return users.ByNameOrCreate(ctx, name, "")
		},
		Username: func(u auth.User) string { return u.(*userdb.User).Username },
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := cardeatest.Config()
	cfg.TrustedProxies, cfg.Backends = []string{"127.0.0.1"}, []auth.Backend{proxied}
	site, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := forwardauth.New(site.Auth, forwardauth.Config{
		Rules: []forwardauth.Rule{
			{Host: "app.localhost", Path: "/public", Public: true},
			{Host: "app.localhost", Path: "/perm", Permissions: []string{"wiki.view_page", "wiki.add_page"}},
			{Host: "app.localhost", Path: "/group", Groups: []string{"editors"}},
			{Host: "app.localhost"},
		},
		Describe: func(ctx context.Context, user auth.User) (p forwardauth.Person, err error) {
			p.Username = user.(*userdb.User).Username
			p.Groups, err = users.Groups().Names(ctx, user.(*userdb.User))
			return p, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/verify", verify)
	mux.Handle("/", proxied.Handler(site.Auth, site.Auth.Required(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))))
	server := httptest.NewServer(site.Handler(mux))
	defer server.Close()
	b := cardeatest.Open(t, server.URL)
	ask := func(path, uri string, status int) int64 {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, b.URL(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if uri != "" {
			for name, value := range map[string]string{"Host": "app.localhost", "Uri": uri, "Method": "GET", "Proto": "http"} {
				req.Header.Set("X-Forwarded-"+name, value)
			}
		} else {
			req.Header.Set("Remote-User", "ada")
		}
		before := statements.Load()
		b.Do(req).HasStatus(status)
		return statements.Load() - before
	}
	if n := ask("/", "", http.StatusOK); n < 3 {
		t.Fatalf("control: the first login took %d statements", n)
	}
	ada, err := users.ByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := users.Groups().Create(t.Context(), "editors"); err != nil {
		t.Fatal(err)
	}
	if err := users.Groups().Add(t.Context(), "editors", ada); err != nil {
		t.Fatal(err)
	}
	if err := db.EnsurePermissions(t.Context(), "wiki", userdb.Model{Name: "page"}); err != nil {
		t.Fatal(err)
	}
	if err := users.Groups().Grant(t.Context(), "editors", "wiki.view_page"); err != nil {
		t.Fatal(err)
	}
	if err := users.Grant(t.Context(), ada, "wiki.add_page"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, c := range []struct {
			path, uri string
			want      int64
		}{{"/", "", 1}, {"/auth/verify", "/", 1}, {"/auth/verify", "/group", 1}, {"/auth/verify", "/perm", 1}, {"/auth/verify", "/public", 0}} {
			if n := ask(c.path, c.uri, http.StatusOK); n != c.want {
				t.Errorf("%s %s: %d statements, want %d", c.path, c.uri, n, c.want)
			}
		}
	}
}
