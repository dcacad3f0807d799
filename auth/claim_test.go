package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
)

// keys is a back end for credentials in a header of requests.
type keys struct {
	stub
	header string
}

func (k *keys) Credentials(r *http.Request) (any, bool) {
	value := r.Header.Get(k.header)
	return "key " + value, strings.Contains(value, "key")
}

// claiming opens a site with such a back end, whose owner is ada.
func claiming(t *testing.T, k *keys, change ...func(*site, *auth.Config)) *site {
	t.Helper()
	k.name = "keys"
	if k.id == nil && k.err == nil {
		k.id = &auth.Identity{UserID: "1"}
	}
	s := open(t, append([]func(*site, *auth.Config){func(s *site, cfg *auth.Config) { cfg.Backends = append(cfg.Backends, k) }}, change...)...)
	return s
}

// TestClaims: what a request carries is what it is known by; a session beside it is not even looked at.
func TestClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		keys   *keys
		stack  func(auth.Backend) auth.Backend
		header string
		method string
		who    string
		status int
	}{
		{"bearer", &keys{header: "Authorization"}, nil, "Bearer key", "POST", "ada", 200},
		{"bearer, behind SkipIfDown", &keys{header: "Authorization"}, auth.SkipIfDown, "Bearer key", "POST", "ada", 200},
		{"nothing claimed", &keys{header: "Authorization"}, nil, "Bearer other", "GET", "bob", 200},
		{"nothing claimed, POST", &keys{header: "Authorization"}, nil, "Bearer other", "POST", "", 403},
		{"another scheme may be a browser's", &keys{header: "Authorization"}, nil, "Negotiate key", "POST", "", 403},
		{"another scheme, GET", &keys{header: "Authorization"}, nil, "Negotiate key", "GET", "ada", 200},
		{"another header may be a browser's", &keys{header: "X-Client"}, nil, "key", "POST", "", 403},
		{"another header, GET", &keys{header: "X-Client"}, nil, "key", "GET", "ada", 200},
		{"refused", &keys{header: "Authorization", stub: stub{err: auth.ErrNoMatch}}, nil, "Bearer key", "GET", "", 401},
		{"denied", &keys{header: "Authorization", stub: stub{err: auth.ErrDenied}}, nil, "Bearer key", "GET", "", 401},
		{"of nobody", &keys{header: "Authorization", stub: stub{id: &auth.Identity{UserID: "77"}}}, nil, "Bearer key", "GET", "", 401},
		{"of somebody inactive", &keys{header: "Authorization", stub: stub{id: &auth.Identity{UserID: "3"}}}, nil, "Bearer key", "GET", "", 401},
		{"broken", &keys{header: "Authorization", stub: stub{err: errors.New("down")}}, nil, "Bearer key", "GET", "", 503},
		{"broken, behind SkipIfDown", &keys{header: "Authorization", stub: stub{err: errors.New("down")}}, auth.SkipIfDown, "Bearer key", "GET", "", 503},
	} {
		s := claiming(t, c.keys, func(_ *site, cfg *auth.Config) {
			if c.stack != nil {
				cfg.Backends[1] = c.stack(cfg.Backends[1])
			}
		})
		bob := s.browser()
		bob.signIn("bob", "builder")
		before := s.store.loads.Load()
		bob.header.Set(c.keys.header, c.header)
		who, own := "", false
		res := bob.method(c.method, func(_ http.ResponseWriter, r *http.Request) {
			if u, ok := s.auth.User(r); ok {
				who = u.name
			}
			own = auth.OwnCredentials(r)
		})
		if who != c.who || res.StatusCode != c.status {
			t.Errorf("%s: the user is %q, status %d, want %q, %d", c.name, who, res.StatusCode, c.who, c.status)
		}
		if own != (c.who == "ada") {
			t.Errorf("%s: OwnCredentials is %v", c.name, own)
		}
		if reads := s.store.loads.Load() - before; reads != 0 && c.who != "bob" {
			t.Errorf("%s: the session was read", c.name)
		}
		if got := res.Header["Set-Cookie"]; got != nil {
			t.Errorf("%s: Set-Cookie %q", c.name, got)
		}
	}
}

// TestClaimsLayer: a stack that needs the layer says so, and one that does not is left as it was.
func TestClaimsLayer(t *testing.T) {
	t.Parallel()
	s := claiming(t, &keys{header: "Authorization"})
	plain := open(t)
	for _, c := range []struct {
		s    *site
		want string
	}{{s, "Auth.Claims"}, {plain, ""}} {
		c.s.wrap = c.s.layersWithout(c.s.auth)
		res := c.s.browser().request(func(http.ResponseWriter, *http.Request) {})
		if got := c.s.logs.String(); (c.want == "") != (res.StatusCode == 200) || !strings.Contains(got, c.want) {
			t.Errorf("status %d, log %s", res.StatusCode, got)
		}
	}
}

// TestClaimedIdentity: proofs, limits and sessions of a request with a token.
func TestClaimedIdentity(t *testing.T) {
	t.Parallel()
	limit := perm.NewSet("blog.view_post")
	k := &keys{header: "Authorization", stub: stub{id: &auth.Identity{UserID: "1", Limit: &limit, Methods: []string{"hwk"}}}}
	s := claiming(t, k, func(_ *site, cfg *auth.Config) {
		cfg.Permissions = []perm.Source{gives{"blog.view_post", "blog.add_post"}}
	})
	b := s.browser()
	b.header.Set("Authorization", "Bearer key")
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		p := s.auth.Proofs(r)
		if len(p) != 1 || p[0].Backend != "keys" || !p[0].At.IsZero() {
			t.Errorf("the proofs are %+v", p)
		}
		set, limited := s.auth.Limit(r)
		if !limited || set.Len() != 1 {
			t.Errorf("the limit is %v, %v", set, limited)
		}
		all, err := s.auth.Permissions(r).All()
		if err != nil || all.Len() != 1 || !all.Has("blog.view_post") {
			t.Errorf("the permissions are %v and %v", all.Names(), err)
		}
		u, _ := s.auth.User(r)
		for name, err := range map[string]error{
			"Login": s.auth.Login(r, s.auth.Trust(u, "")), "Logout": s.auth.Logout(r), "Refresh": s.auth.Refresh(r, u),
			"Renew": s.auth.Renew(r, u.password), "Flush": s.manager.Session(r).Flush(), "Rotate": s.manager.Session(r).Rotate(),
			"Set": s.manager.Session(r).Set("a", 1), "Delete": s.manager.Session(r).Delete("a"), "SetOwner": s.manager.Session(r).SetOwner("1"),
		} {
			if !errors.Is(err, sessions.ErrNoSession) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := s.auth.Pending(r); !errors.Is(err, auth.ErrAnonymous) {
			t.Errorf("Pending: %v", err)
		}
		if u, ok := s.auth.User(r); !ok || u.name != "ada" {
			t.Error("the user is another afterwards")
		}
	})

	// The same credentials by hand: they verify, and log nobody in.
	b = s.browser()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if _, limited := s.auth.Limit(r); limited {
			t.Error("a visitor is limited")
		}
		v, err := s.auth.Authenticate(r, "key")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.auth.Login(r, v); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("Login: %v", err)
		}
		if err := s.auth.Login(r, s.auth.Trust(v.User(), "keys")); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("Login of somebody trusted by that back end: %v", err)
		}
		if err := s.auth.Login(r, s.auth.Trust(v.User(), "")); err != nil {
			t.Errorf("control: %v", err)
		}
	})
}

// gives is a source that gives everybody who is active these permissions.
type gives []string

func (g gives) Permissions(_ context.Context, s perm.Subject) (perm.Grants, error) {
	if !s.Active {
		return perm.Grants{}, nil
	}
	return perm.Grants{Direct: perm.NewSet(g...)}, nil
}

// TestSeveralHeaders: two Authorization headers are refused, whatever stands in them, and the session that came with them is no answer.
func TestSeveralHeaders(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{{"Bearer key", "Bearer key"}, {"Bearer key", ""}, {"Digest a", "Token b"}, {"Bearer key"}} {
		s := claiming(t, &keys{header: "Authorization"})
		bob := s.browser()
		bob.signIn("bob", "builder")
		bob.header["Authorization"] = lines
		ran := false
		res := bob.request(func(http.ResponseWriter, *http.Request) { ran = true })
		want := http.StatusBadRequest
		if len(lines) == 1 { // the control
			want = http.StatusOK
		}
		if res.StatusCode != want || ran != (want == http.StatusOK) {
			t.Errorf("%q: status %d, the program ran: %v, want %d", lines, res.StatusCode, ran, want)
		}
	}
}

// TestGuardsOfTokens: a token passes a guard that asks whether somebody is there, and none that asks for a person.
func TestGuardsOfTokens(t *testing.T) {
	t.Parallel()
	limit := perm.NewSet("blog.view_post")
	for name, k := range map[string]*keys{
		"all":     {header: "Authorization"},
		"limited": {header: "Authorization", stub: stub{id: &auth.Identity{UserID: "1", Limit: &limit}}},
	} {
		s := claiming(t, k)
		b := s.browser()
		b.header.Set("Authorization", "Bearer key")
		yes := func(*http.Request, *member) bool { return true }
		for guard, c := range map[string]struct {
			h            http.Handler
			all, limited string
		}{
			"Required":       {s.auth.Required(page), "200", "200"},
			"RequireTest":    {s.auth.RequireTest("x", yes)(page), "200", "403"},
			"Fresh":          {s.auth.Fresh(time.Hour)(page), "403", "403"},
			"RequireSession": {s.auth.RequireSession(page), "403", "403"},
		} {
			res, _ := b.ask(c.h, "POST", "/x", "Authorization", "Bearer key")
			want(t, name+" at "+guard, res, map[string]string{"all": c.all, "limited": c.limited}[name])
			ada := s.browser()
			ada.signIn("ada", "engine")
			res, _ = ada.ask(c.h, "GET", "/x")
			want(t, "control: a person at "+guard, res, "200")
		}
	}
}
