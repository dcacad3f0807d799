package authtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/auth"
)

// Users is a user table under test. It holds at least two users.
type Users[U auth.User] struct {
	Users auth.Users[U]

	Active   U      // a user who may log in
	Inactive U      // one who may not
	Missing  string // an id of the right form that nobody has

	// Email is the address of Active, if the table has addresses: an issuer that nobody listed must not log in as Active by
	// claiming it. Defaults to not checked.
	Email string

	// Outsider is an identity that ByIdentity resolves or provisions. Defaults to none: then it must know nobody.
	Outsider *auth.Identity

	// Break makes what the table depends on fail. Defaults to not checked.
	Break func()
}

// RunUsers checks that a user table keeps the promises of auth.Users. open makes a fresh subject.
func RunUsers[U auth.User](t *testing.T, open func(t *testing.T) Users[U]) {
	t.Helper()
	run(t, userRules[U](), open)
}

func userRules[U auth.User]() []rule[Users[U]] {
	ctx := context.Background()
	return []rule[Users[U]]{
		{"a user is found by id, active or not", func(t reporter, s Users[U]) {
			for _, want := range []U{s.Active, s.Inactive} {
				got, err := s.Users.ByID(ctx, want.AuthID())
				if err != nil {
					t.Errorf("ByID(%q): %v", want.AuthID(), err)
					continue
				}
				if got.AuthID() != want.AuthID() || got.PasswordHash() != want.PasswordHash() || got.Active() != want.Active() {
					t.Errorf("ByID(%q) = %q, active %v: another user, password or state", want.AuthID(), got.AuthID(), got.Active())
				}
			}
			if !s.Active.Active() || s.Inactive.Active() || s.Active.AuthID() == s.Inactive.AuthID() {
				t.Errorf("the subject's Active and Inactive are not what they are called")
			}
		}},
		{"nobody is ErrNoUser", func(t reporter, s Users[U]) {
			if _, err := s.Users.ByID(ctx, s.Missing); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("ByID(%q) = %v, want ErrNoUser", s.Missing, err)
			}
		}},
		{"an id that does not convert is ErrNoUser", func(t reporter, s Users[U]) {
			for _, id := range []string{
				"", " ", "x y", "1.5", "-", "1e9999", "\x00", "\xff", "' OR 1=1 --", strings.Repeat("9", 400), "99999999999999999999", "None",
			} {
				if u, err := s.Users.ByID(ctx, id); !errors.Is(err, auth.ErrNoUser) {
					t.Errorf("ByID(%.40q) = %v, %v, want ErrNoUser", id, u, err)
				}
			}
		}},
		{"an id that looks like another's is never another's", func(t reporter, s Users[U]) {
			id := s.Active.AuthID()
			for _, like := range []string{id + " ", " " + id, "0" + id, id + "\x00", strings.ToUpper(id), id + "0", "+" + id, id + ".0"} {
				u, err := s.Users.ByID(ctx, like)
				if err == nil && like != u.AuthID() && u.AuthID() != id {
					t.Errorf("ByID(%q) found %q", like, u.AuthID())
				}
				if err != nil && !errors.Is(err, auth.ErrNoUser) {
					t.Errorf("ByID(%q): %v, want ErrNoUser or the user", like, err)
				}
			}
		}},
		{"an identity that names nobody finds nobody", func(t reporter, s Users[U]) {
			for _, id := range []auth.Identity{{}, {Name: "ada"}, {Email: s.Email, EmailVerified: true}, {Subject: "1"}} {
				if u, err := s.Users.ByIdentity(ctx, &id); err == nil {
					t.Errorf("ByIdentity(%+v) found %q without an issuer and a subject", id, u.AuthID())
				}
			}
		}},
		{"an unlisted issuer takes over no account", func(t reporter, s Users[U]) {
			for _, id := range []auth.Identity{
				{Issuer: "https://attacker.invalid", Subject: s.Active.AuthID()},
				{Issuer: "https://attacker.invalid", Subject: "x", Email: s.Email, EmailVerified: true},
			} {
				u, err := s.Users.ByIdentity(ctx, &id)
				if err == nil && (u.AuthID() == s.Active.AuthID() || u.AuthID() == s.Inactive.AuthID()) {
					t.Errorf("ByIdentity(%+v) found %q", id, u.AuthID())
				}
				if err != nil && !errors.Is(err, auth.ErrNoUser) && !errors.Is(err, auth.ErrDenied) {
					t.Errorf("ByIdentity(%+v): %v, want ErrNoUser or ErrDenied", id, err)
				}
			}
		}},
		{"an identity is one user, also when it arrives in parallel", func(t reporter, s Users[U]) {
			if s.Outsider == nil {
				return
			}
			var mu sync.Mutex
			seen := map[string]bool{}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					id := *s.Outsider
					u, err := s.Users.ByIdentity(ctx, &id)
					if err != nil {
						t.Errorf("ByIdentity(%+v): %v", id, err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					seen[u.AuthID()] = true
				})
			}
			wg.Wait()
			if len(seen) > 1 {
				t.Errorf("one identity became %d users", len(seen))
			}
			for id := range seen {
				if _, err := s.Users.ByID(ctx, id); err != nil {
					t.Errorf("ByID(%q) of a provisioned user: %v", id, err)
				}
			}
		}},
		{"a visitor who went away is not a missing user", func(t reporter, s Users[U]) {
			if _, err := s.Users.ByID(canceled(), s.Active.AuthID()); errors.Is(err, auth.ErrNoUser) {
				t.Errorf("ByID with a canceled context: %v", err)
			}
		}},
		{"an outage is not a missing user", func(t reporter, s Users[U]) {
			if s.Break == nil {
				return
			}
			s.Break()
			if _, err := s.Users.ByID(ctx, s.Active.AuthID()); err == nil || errors.Is(err, auth.ErrNoUser) {
				t.Errorf("ByID while broken: %v, want an error that is not ErrNoUser", err)
			}
			id := auth.Identity{Issuer: "https://issuer.invalid", Subject: "x"}
			if s.Outsider == nil {
				return // a table that knows no outsiders need not look
			}
			if _, err := s.Users.ByIdentity(ctx, &id); err == nil || errors.Is(err, auth.ErrNoUser) {
				t.Errorf("ByIdentity while broken: %v, want an error that is not ErrNoUser", err)
			}
		}},
	}
}
