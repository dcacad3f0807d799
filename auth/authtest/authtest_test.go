package authtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
)

// recorder collects what a rule complains of.
type recorder struct {
	mu   sync.Mutex
	said []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

// broken returns the names of the rules that s breaks.
func broken[S any](rules []rule[S], open func() S) []string {
	var names []string
	for _, rule := range rules {
		var r recorder
		rule.check(&r, open())
		if len(r.said) > 0 {
			names = append(names, rule.name)
		}
	}
	return names
}

func caught(t *testing.T, what string, got []string, want string) {
	t.Helper()
	for _, name := range got {
		if name == want {
			return
		}
	}
	t.Errorf("%s: the suite found %q, want %q among it", what, got, want)
}

// backend is a correct one, to be spoiled.
type backend struct {
	work  int
	down  bool
	spoil func(r *http.Request, creds any) (*auth.Identity, error, bool)
	mu    sync.Mutex
	names []string
}

func (b *backend) Name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := b.names[0]
	if len(b.names) > 1 {
		b.names = b.names[1:]
	}
	return name
}

func (b *backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spoil != nil {
		if id, err, ok := b.spoil(r, creds); ok {
			return id, err
		}
	}
	p, ok := creds.(auth.Password)
	switch {
	case !ok:
		return nil, auth.ErrNoMatch
	case b.down:
		return nil, errors.New("down")
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	}
	b.work++
	if p != (auth.Password{Username: "ada", Password: "engine"}) {
		return nil, auth.ErrNoMatch
	}
	return &auth.Identity{UserID: "1"}, nil
}

// The suite finds each broken promise, and nothing in a back end that keeps them all.
func TestRunBackendFinds(t *testing.T) {
	t.Parallel()
	subject := func(change func(*backend)) func() Backend {
		return func() Backend {
			b := &backend{names: []string{"b"}}
			change(b)
			return Backend{
				Backend: b, Good: auth.Password{Username: "ada", Password: "engine"}, Who: "1",
				Wrong:  map[string]any{"password": auth.Password{Username: "ada", Password: "c4n4ry"}, "name": auth.Password{Username: "x", Password: "c4n4ry"}},
				Secret: "c4n4ry",
				Work:   func() int { return b.work },
				Break:  func() { b.down = true },
			}
		}
	}
	if got := broken(backendRules, subject(func(*backend) {})); len(got) > 0 {
		t.Errorf("a good back end breaks %q", got)
	}
	answer := func(when func(auth.Password) bool, id *auth.Identity, err error) func(*backend) {
		return func(b *backend) {
			b.spoil = func(_ *http.Request, creds any) (*auth.Identity, error, bool) {
				p, ok := creds.(auth.Password)
				return id, err, ok && when(p)
			}
		}
	}
	good := func(p auth.Password) bool { return p.Password == "engine" }
	wrong := func(p auth.Password) bool { return p.Password != "engine" }
	match := &auth.Identity{UserID: "1"}
	for _, c := range []struct {
		what  string
		spoil func(*backend)
		rule  string
	}{
		{"no name", func(b *backend) { b.names = []string{" "} }, "the name is constant and can be recorded"},
		{"a name that changes", func(b *backend) { b.names = []string{"a", "b"} }, "the name is constant and can be recorded"},
		{"refuses all", answer(good, nil, auth.ErrNoMatch), "good credentials match"},
		{"names nobody", answer(good, &auth.Identity{Name: "ada"}, nil), "good credentials match"},
		{"names another", answer(good, &auth.Identity{UserID: "2"}, nil), "good credentials match"},
		{"names in two ways", answer(good, &auth.Identity{UserID: "1", Issuer: "i", Subject: "1"}, nil), "good credentials match"},
		{"from the future", answer(good, &auth.Identity{UserID: "1", At: time.Now().Add(time.Hour)}, nil), "a match says when, and not in the future"},
		{"takes all", answer(wrong, match, nil), "wrong credentials are refused, and tell nothing"},
		{"calls a refusal an outage", answer(wrong, nil, errors.New("no")), "wrong credentials are refused, and tell nothing"},
		{"repeats the secret", answer(wrong, nil, fmt.Errorf("c4n4ry: %w", auth.ErrNoMatch)), "wrong credentials are refused, and tell nothing"},
		{"refuses at once", answer(func(p auth.Password) bool { return p.Username == "x" }, nil, auth.ErrNoMatch), "wrong credentials cost what good ones cost"},
		{"does not count", answer(good, match, nil), "wrong credentials cost what good ones cost"},
		{"an outage is a refusal", func(b *backend) {
			b.spoil = func(*http.Request, any) (*auth.Identity, error, bool) { return nil, auth.ErrNoMatch, b.down }
		}, "an outage is not a wrong password"},
		{"canceled is a refusal", func(b *backend) {
			b.spoil = func(r *http.Request, _ any) (*auth.Identity, error, bool) {
				return nil, auth.ErrNoMatch, r.Context().Err() != nil
			}
		}, "a visitor who went away is not a wrong password"},
		{"breaks on foreign credentials", func(b *backend) {
			b.spoil = func(_ *http.Request, creds any) (*auth.Identity, error, bool) {
				_, ok := creds.(auth.Password)
				return nil, errors.New("what is this?"), !ok
			}
		}, "credentials of another kind are not mine"},
		{"reads the body", func(b *backend) {
			b.spoil = func(r *http.Request, _ any) (*auth.Identity, error, bool) {
				_, _ = io.ReadAll(r.Body)
				return nil, nil, false
			}
		}, "good credentials match"},
		{"mixes up parallel calls", func(b *backend) {
			calls := 0
			b.spoil = func(_ *http.Request, creds any) (*auth.Identity, error, bool) {
				calls++
				return match, nil, calls > 8
			}
		}, "parallel calls do not disturb each other"},
	} {
		caught(t, c.what, broken(backendRules, subject(c.spoil)), c.rule)
	}
}

type user struct {
	id     string
	active bool
}

func (u *user) AuthID() string       { return u.id }
func (u *user) PasswordHash() string { return "plain$x" }
func (u *user) Active() bool         { return u.active }

// users is a correct table, to be spoiled.
type users struct {
	mu      sync.Mutex
	down    bool
	byID    func(ctx context.Context, id string) (*user, error, bool)
	byIdent func(id *auth.Identity) (*user, error, bool)
}

func (s *users) ByID(ctx context.Context, id string) (*user, error) {
	if s.byID != nil {
		if u, err, ok := s.byID(ctx, id); ok {
			return u, err
		}
	}
	switch {
	case s.down:
		return nil, errors.New("down")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case id == "1", id == "2", id == "made":
		return &user{id, id != "2"}, nil
	}
	return nil, auth.ErrNoUser
}

func (s *users) ByIdentity(_ context.Context, id *auth.Identity) (*user, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byIdent != nil {
		if u, err, ok := s.byIdent(id); ok {
			return u, err
		}
	}
	switch {
	case s.down:
		return nil, errors.New("down")
	case id.Issuer != "https://issuer.example" || id.Subject == "":
		return nil, auth.ErrNoUser
	}
	return &user{"made", true}, nil
}

func TestRunUsersFinds(t *testing.T) {
	t.Parallel()
	subject := func(change func(*users)) func() Users[*user] {
		return func() Users[*user] {
			s := &users{}
			change(s)
			return Users[*user]{
				Users: s, Active: &user{"1", true}, Inactive: &user{"2", false}, Missing: "9", Email: "ada@example.com",
				Outsider: &auth.Identity{Issuer: "https://issuer.example", Subject: "s"},
				Break:    func() { s.down = true },
			}
		}
	}
	rules := userRules[*user]()
	if got := broken(rules, subject(func(*users) {})); len(got) > 0 {
		t.Errorf("a good table breaks %q", got)
	}
	byID := func(when func(ctx context.Context, id string) bool, u *user, err error) func(*users) {
		return func(s *users) {
			s.byID = func(ctx context.Context, id string) (*user, error, bool) { return u, err, when(ctx, id) }
		}
	}
	byIdentity := func(when func(id *auth.Identity) bool, u *user, err error) func(*users) {
		return func(s *users) {
			s.byIdent = func(id *auth.Identity) (*user, error, bool) { return u, err, when(id) }
		}
	}
	is := func(want string) func(context.Context, string) bool {
		return func(_ context.Context, id string) bool { return id == want }
	}
	n := 0
	for _, c := range []struct {
		what  string
		spoil func(*users)
		rule  string
	}{
		{"hides the inactive", byID(is("2"), nil, auth.ErrNoUser), "a user is found by id, active or not"},
		{"finds another", byID(is("1"), &user{"7", true}, nil), "a user is found by id, active or not"},
		{"breaks for nobody", byID(is("9"), nil, errors.New("no rows")), "nobody is ErrNoUser"},
		{"breaks for odd ids", byID(is("x y"), nil, errors.New("syntax")), "an id that does not convert is ErrNoUser"},
		{"trims", byID(is(" "), &user{"1", true}, nil), "an id that does not convert is ErrNoUser"},
		{"finds a neighbour", byID(is("1 "), &user{"2", false}, nil), "an id that looks like another's is never another's"},
		{"takes names for people", byIdentity(func(id *auth.Identity) bool { return id.Name == "ada" }, &user{"1", true}, nil), "an identity that names nobody finds nobody"},
		{"takes addresses for people", byIdentity(func(id *auth.Identity) bool { return id.Email != "" && id.Issuer == "" }, &user{"1", true}, nil), "an identity that names nobody finds nobody"},
		{"believes any issuer about addresses", byIdentity(func(id *auth.Identity) bool { return id.Email != "" && id.Issuer != "" }, &user{"1", true}, nil), "an unlisted issuer takes over no account"},
		{"takes subjects for ids", byIdentity(func(id *auth.Identity) bool { return id.Subject == "1" && id.Issuer != "" }, &user{"1", true}, nil), "an unlisted issuer takes over no account"},
		{"makes a user each time", func(s *users) {
			s.byIdent = func(id *auth.Identity) (*user, error, bool) {
				n++
				return &user{fmt.Sprint("made ", n), true}, nil, strings.HasPrefix(id.Issuer, "https://issuer.example")
			}
		}, "an identity is one user, also when it arrives in parallel"},
		{"canceled is nobody", byID(func(ctx context.Context, _ string) bool { return ctx.Err() != nil }, nil, auth.ErrNoUser), "a visitor who went away is not a missing user"},
		{"an outage is nobody", func(s *users) {
			s.byID = func(context.Context, string) (*user, error, bool) { return nil, auth.ErrNoUser, s.down }
		}, "an outage is not a missing user"},
		{"an outage knows nobody", func(s *users) {
			s.byIdent = func(*auth.Identity) (*user, error, bool) { return nil, auth.ErrNoUser, s.down }
		}, "an outage is not a missing user"},
	} {
		caught(t, c.what, broken(rules, subject(c.spoil)), c.rule)
	}
}
