package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/perm"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// says is what Has says, as text.
func says(p *perm.Perms, name string) string {
	ok, err := p.Has(name)
	return fmt.Sprint(ok, " ", err)
}

// TestPermissions: the user's, asked once a request and user, and forgotten with the request.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s, source := guarded(t)
	source.set("1", "a.x")
	source.set("2", "a.y")
	ada := s.browser()
	ada.request(func(_ http.ResponseWriter, r *http.Request) {
		check := func(who, x, y string) {
			t.Helper()
			for range 2 {
				if p := s.auth.Permissions(r); says(p, "a.x") != x || says(p, "a.y") != y {
					t.Errorf("%s: a.x %s, a.y %s, want %s, %s", who, says(p, "a.x"), says(p, "a.y"), x, y)
				}
			}
		}
		const yes, no = "true <nil>", "false <nil>"
		check("a visitor", no, no)
		for _, who := range []struct{ name, password, x, y string }{{"ada", "engine", yes, no}, {"bob", "builder", no, yes}, {"root", "toor", yes, yes}} {
			if err := s.auth.SignIn(r, auth.Password{Username: who.name, Password: who.password}); err != nil {
				t.Fatal(err)
			}
			check(who.name, who.x, who.y)
		}
		if err := s.auth.Logout(r); err != nil {
			t.Fatal(err)
		}
		check("a visitor again", no, no)
	})
	if source.asked != 4 {
		t.Errorf("the source was asked %d times, want 4: twice for a visitor, ada and bob once, never for a superuser", source.asked)
	}
	ada.signIn("ada", "engine")
	before := source.asked
	ada.request(func(_ http.ResponseWriter, r *http.Request) {
		s.auth.Permissions(r)
		s.auth.Permissions(r)
	})
	if source.asked != before {
		t.Error("a source was asked before any question")
	}
}

// TestPermissionsSubject: sources and object hooks are given the user itself.
func TestPermissionsSubject(t *testing.T) {
	t.Parallel()
	var got []perm.Subject
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.Permissions = []perm.Source{perm.Func(func(_ context.Context, who perm.Subject, _ string, obj any) (bool, error) {
			got = append(got, who)
			m, ok := who.User.(*member)
			return ok && m.email == obj, nil
		})}
	})
	b := s.browser()
	ask := func(_ http.ResponseWriter, r *http.Request) {
		mine := says(s.auth.Permissions(r).On("ada@example.com"), "a.x")
		theirs := says(s.auth.Permissions(r).On("bob@example.com"), "a.x")
		_, known := s.auth.User(r)
		if mine != fmt.Sprint(known, " <nil>") || theirs != "false <nil>" {
			t.Errorf("logged in %v: mine %s, theirs %s", known, mine, theirs)
		}
	}
	b.request(ask)
	b.signIn("ada", "engine")
	b.request(ask)
	if got[0] != (perm.Subject{}) || got[2].ID != "1" || !got[2].Active || got[2].Superuser {
		t.Errorf("got %+v", got)
	}
}

// TestPermissionsOutage: who cannot be looked up is not known to have, or not to have, anything.
func TestPermissionsOutage(t *testing.T) {
	t.Parallel()
	s, source := guarded(t)
	ada := s.browser()
	ada.signIn("ada", "engine")
	s.store.set(func(s *shim) { s.down = errors.New("down") })
	ada.request(func(_ http.ResponseWriter, r *http.Request) {
		ok, err := s.auth.Permissions(r).Has("a.x")
		var outage *auth.OutageError
		if ok || !errors.As(err, &outage) {
			t.Errorf("got %v, %v, want an OutageError", ok, err)
		}
	})
	if source.asked != 0 {
		t.Error("a source was asked about somebody unknown")
	}
}

// A registry is a user table that knows permissions too.
type registry struct{ *table }

func (registry) Permissions(_ context.Context, s perm.Subject) (perm.Grants, error) {
	return perm.Grants{Direct: perm.NewSet("of." + s.ID)}, nil
}

// TestPermissionsDefault: a table of users that is a source of permissions is asked, unless the configuration says otherwise.
func TestPermissionsDefault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sources []perm.Source
		want    string
	}{{nil, "true <nil>"}, {[]perm.Source{}, "false <nil>"}} {
		s := open(t)
		a, err := auth.New(registry{s.users}, s.manager, auth.Config{Backends: []auth.Backend{s.backend}, Keys: keysOf(secret), Permissions: c.sources})
		if err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		b.signIn("ada", "engine")
		b.request(func(w http.ResponseWriter, r *http.Request) {
			a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if got := says(a.Permissions(r), "of.1"); got != c.want {
					t.Errorf("with %v: got %s, want %s", c.sources, got, c.want)
				}
			})).ServeHTTP(w, r)
		})
	}
}
