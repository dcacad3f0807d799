package auth_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/cardea-go/cardea/auth"
)

// everybody is a back end that lets eve in, who is not active.
type everybody struct {
	stub
	admits bool
}

func (e *everybody) AdmitsInactive() bool { return e.admits }

func newEverybody(admits bool) *everybody {
	return &everybody{stub: stub{name: "all", id: &auth.Identity{UserID: "3"}}, admits: admits}
}

// TestInactive: a user who is not active logs in by, and has sessions of, a back end that says so, and no other; and never by SignIn.
func TestInactive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		stack func(b *everybody) auth.Backend
	}{
		{"by itself", func(b *everybody) auth.Backend { return b }},
		{"skipped when down", func(b *everybody) auth.Backend { return auth.SkipIfDown(b) }},
	} {
		for _, admits := range []bool{true, false} {
			s := open(t, func(s *site, cfg *auth.Config) {
				cfg.Backends = []auth.Backend{s.backend, c.stack(newEverybody(admits))}
			})
			b := s.browser()
			b.request(func(_ http.ResponseWriter, r *http.Request) {
				want := auth.ErrInactive
				if !admits {
					want = auth.ErrNoMatch
				}
				if err := s.auth.SignIn(r, nil); !errors.Is(err, auth.ErrInvalid) || errors.Is(err, auth.ErrInactive) != admits {
					t.Errorf("%s, admits %v: SignIn gave %v, want %v", c.name, admits, err, want)
				}
				v, err := s.auth.Authenticate(r, nil)
				if !admits {
					if !errors.Is(err, auth.ErrInvalid) {
						t.Errorf("%s: Authenticate gave %v", c.name, err)
					}
					if err := s.auth.Login(r, s.auth.Trust(s.users.change("3", func(*member) {}), "all")); !errors.Is(err, auth.ErrDenied) {
						t.Errorf("%s: Login gave %v", c.name, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := s.auth.Login(r, v); err != nil {
					t.Fatal(err)
				}
			})
			want := map[bool]string{true: "eve"}[admits]
			if got := b.who(); got != want {
				t.Errorf("%s, admits %v: the user is %q, want %q", c.name, admits, got, want)
			}
			hash := hash("plain$apple", secret)
			if got := s.plant(login(`"3"`, "all", hash)).who(); got != want {
				t.Errorf("%s, admits %v: the user of Django's session is %q, want %q", c.name, admits, got, want)
			}
			if got := s.plant(login(`"3"`, modelName, hash)).who(); got != "" {
				t.Errorf("%s, admits %v: the other back end's session counts", c.name, admits)
			}
		}
	}
}

// TestInactivePending: half a login of a user who is not active waits only where each of its back ends lets such users in.
func TestInactivePending(t *testing.T) {
	t.Parallel()
	for _, admits := range []bool{true, false} {
		backend := newEverybody(true)
		s := open(t, func(s *site, cfg *auth.Config) {
			cfg.Backends = []auth.Backend{s.backend, backend}
			cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error { return &auth.Incomplete{Need: []string{"otp"}} }
		})
		backend.id = &auth.Identity{UserID: "1"}
		b := s.browser()
		b.request(func(_ http.ResponseWriter, r *http.Request) {
			var creds any // which only the second back end takes
			if !admits {
				creds = auth.Password{Username: "ada", Password: "engine"}
			}
			v, err := s.auth.Authenticate(r, creds)
			if err != nil {
				t.Fatal(err)
			}
			var more *auth.Incomplete
			if err := s.auth.Login(r, v); !errors.As(err, &more) {
				t.Fatalf("Login gave %v", err)
			}
		})
		waits := func() (ok bool) {
			b.request(func(_ http.ResponseWriter, r *http.Request) {
				_, _, err := s.auth.Pending(r)
				ok = err == nil
			})
			return ok
		}
		if !waits() {
			t.Fatal("control: half a login of an active user does not wait")
		}
		s.users.change("1", func(m *member) { m.active = false })
		if got := waits(); got != admits {
			t.Errorf("admits %v: the half login waits: %v", admits, got)
		}
	}
}
