package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
)

func has(proofs []auth.Proof, method string) bool {
	return slices.ContainsFunc(proofs, func(p auth.Proof) bool { return slices.Contains(p.Methods, method) })
}

// twoFactorsForBob is a policy under which bob needs a password and a code.
func twoFactorsForBob(_ *site, cfg *auth.Config) {
	cfg.Policy = func(_ *http.Request, u auth.User, proofs []auth.Proof) error {
		if u.AuthID() == "2" && !(has(proofs, "pwd") && has(proofs, "otp")) {
			return &auth.Incomplete{Need: []string{"otp"}, URL: "/accounts/code/"}
		}
		return nil
	}
}

// half logs bob in by his password alone.
func half(t *testing.T, s *site, b *browser) {
	t.Helper()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		err := s.auth.SignIn(r, auth.Password{Username: "bob", Password: "builder"})
		var more *auth.Incomplete
		if !errors.As(err, &more) || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("SignIn(bob): %v, want Incomplete, which is no ErrInvalid", err)
		}
		if _, ok := s.auth.User(r); ok {
			t.Error("half a login is a login")
		}
	})
}

// code is bob's second factor.
func code(t *testing.T, s *site, b *browser, want error) {
	t.Helper()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		err := s.auth.Login(r, s.auth.Trust(s.users.change("2", func(*member) {}), "", "otp"))
		if (err == nil) != (want == nil) || want != nil && !errors.Is(err, want) {
			t.Errorf("Login by code: %v, want %v", err, want)
		}
	})
}

func TestIncompleteLogin(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob)
	b := s.plant(`{"cart":[1]}`)
	planted := b.key()
	half(t, s, b)
	if b.key() == planted || s.live(planted) {
		t.Error("half a login kept the key")
	}
	rec := s.record(b)
	if got := rec.Data.Keys(); !slices.Equal(got, []string{"cart", "_cardea"}) || rec.Owner != "" {
		t.Errorf("half a login wrote %q, owner %q, want no _auth_ key and no owner", got, rec.Owner)
	}
	if !s.users.members["2"].lastLogin.IsZero() {
		t.Error("half a login counts as the last one")
	}
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		u, proofs, err := s.auth.Pending(r)
		if err != nil || u.name != "bob" || len(proofs) != 1 || !has(proofs, "pwd") {
			t.Errorf("Pending = %v, %v, %v, want bob by his password", u, proofs, err)
		}
	})
	between := b.key()
	code(t, s, b, nil)
	if b.key() == between || s.live(between) {
		t.Error("the rest of the login kept the key")
	}
	if got := s.record(b).Data.Keys(); !slices.Equal(got, []string{"cart", "_auth_user_id", "_auth_user_backend", "_auth_user_hash", "_cardea"}) {
		t.Errorf("the whole login wrote %q", got)
	}
	if b.who() != "bob" {
		t.Errorf("the user is %q, want bob", b.who())
	}
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if p := s.auth.Proofs(r); len(p) != 2 {
			t.Errorf("Proofs = %v, want password and code", p)
		}
		if _, _, err := s.auth.Pending(r); !errors.Is(err, auth.ErrAnonymous) {
			t.Errorf("Pending after the whole login: %v", err)
		}
	})
}

// What does not complete a login.
func TestIncompleteStaysIncomplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(*site, *browser)
		want bool
	}{
		{"at once", func(*site, *browser) {}, true}, // the control
		{"after 15 minutes", func(s *site, _ *browser) { s.advance(15 * time.Minute) }, true},
		{"later", func(s *site, _ *browser) { s.advance(15*time.Minute + time.Second) }, false},
		{"after a change of the password", func(s *site, _ *browser) {
			s.users.change("2", func(m *member) { m.password = "plain$new" })
		}, false},
		{"after a logout", func(s *site, b *browser) {
			b.request(func(_ http.ResponseWriter, r *http.Request) { _ = s.auth.Logout(r) })
		}, false},
		{"in another browser", func(_ *site, b *browser) { b.cookies = map[string]string{} }, false},
		{"after another user logged in", func(_ *site, b *browser) { b.signIn("ada", "engine") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, twoFactorsForBob)
			b := s.browser()
			half(t, s, b)
			c.then(s, b)
			want := error(nil)
			if !c.want {
				want = auth.ErrAnonymous // an Incomplete
			}
			code(t, s, b, want)
			if got := b.who() == "bob"; got != c.want {
				t.Errorf("bob is in: %v, want %v", got, c.want)
			}
		})
	}
}

// Half a login of another user ends the whole one that was there, in the same request too.
func TestHalfLoginOverALogin(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob)
	b := s.browser()
	b.signIn("ada", "engine")
	before := b.key()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if u, ok := s.auth.User(r); !ok || u.name != "ada" {
			t.Fatalf("the user is %v, want ada", u)
		}
		var more *auth.Incomplete
		if err := s.auth.SignIn(r, auth.Password{Username: "bob", Password: "builder"}); !errors.As(err, &more) {
			t.Errorf("SignIn(bob): %v, want Incomplete", err)
		}
		if u, ok := s.auth.User(r); ok {
			t.Errorf("right after half a login the user is %s, want nobody", u.name)
		}
	})
	if b.who() != "" || s.live(before) {
		t.Error("the login from before lives on")
	}
}

// Two users may have the same encoded password, such as an unusable one; half a login of one is still not the other's.
func TestHalfLoginOfAnotherWithTheSamePassword(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.Policy = func(_ *http.Request, _ auth.User, proofs []auth.Proof) error {
			if !has(proofs, "pwd") || !has(proofs, "otp") {
				return &auth.Incomplete{Need: []string{"otp"}}
			}
			return nil
		}
	})
	s.users.change("1", func(m *member) { m.password = "plain$builder" })
	b := s.browser()
	half(t, s, b)
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		err := s.auth.Login(r, s.auth.Trust(s.users.change("1", func(*member) {}), "", "otp"))
		var more *auth.Incomplete
		if !errors.As(err, &more) {
			t.Errorf("ada's code after bob's password: %v, want Incomplete", err)
		}
	})
	if got := b.who(); got != "" {
		t.Errorf("the user is %q, want nobody", got)
	}
}

// A half login waits in a session that another user's login at Django may take over, for Django keeps what it does not know:
// nothing of it may count for that user.
func TestHalfLoginUnderDjangosLogin(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob)
	b := s.browser()
	half(t, s, b)
	notes, _ := s.record(b).Data.Get("_cardea")
	b = s.plant(`{"_cardea":` + string(notes) + "," + login(`"1"`, modelName, hash("plain$engine", secret))[1:])
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if u, ok := s.auth.User(r); !ok || u.name != "ada" {
			t.Errorf("the user is %v, want ada", u)
		}
		if p := s.auth.Proofs(r); len(p) != 1 || !p[0].At.IsZero() {
			t.Errorf("Proofs = %v, want a password of unknown time", p)
		}
	})
	code(t, s, b, auth.ErrAnonymous)
}

// Proofs of one user never pass to another.
func TestProofsBelongToTheirUser(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob)
	b := s.browser()
	half(t, s, b)
	code(t, s, b, nil)
	text := strings.NewReplacer(`"_auth_user_id":"2"`, `"_auth_user_id":"1"`, hash("plain$builder", secret), hash("plain$engine", secret)).Replace(data(s.record(b)))
	b = s.plant(text)
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if u, ok := s.auth.User(r); !ok || u.name != "ada" {
			t.Fatalf("the user is %v, want ada", u)
		}
		if p := s.auth.Proofs(r); len(p) != 1 || has(p, "otp") || !p[0].At.IsZero() {
			t.Errorf("Proofs = %v, want a password of unknown time", p)
		}
	})
}

// The policy is asked at each request, about Django's logins too.
func TestPolicyAtEachRequest(t *testing.T) {
	t.Parallel()
	s := open(t, twoFactorsForBob)
	b := s.plant(login(`"2"`, modelName, hash("plain$builder", secret)))
	before := b.key()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		_, err := s.auth.Lookup(r)
		var more *auth.Incomplete
		if !errors.As(err, &more) || !errors.Is(err, auth.ErrAnonymous) {
			t.Errorf("Lookup: %v, want Incomplete, which is an ErrAnonymous", err)
		}
	})
	res := b.request(s.auth.Required(http.NotFoundHandler()).ServeHTTP)
	if got := res.Header.Get("Location"); got != "/accounts/code/?next=/page" {
		t.Errorf("Required sends to %q, want the page for the rest", got)
	}
	if b.key() != before || !s.live(before) {
		t.Error("the session was touched")
	}
	if got := s.plant(login(`"1"`, modelName, hash("plain$engine", secret))).who(); got != "ada" { // the control
		t.Errorf("ada, of whom no code is asked, is %q", got)
	}
}

func TestPolicyRefusesAndBreaks(t *testing.T) {
	t.Parallel()
	down := errors.New("the risk service is down")
	for _, c := range []struct {
		policy, login, lookup error
		status                int
	}{
		{auth.ErrDenied, auth.ErrInvalid, auth.ErrAnonymous, http.StatusOK},
		{down, down, down, http.StatusServiceUnavailable},
		{nil, nil, nil, http.StatusOK}, // the control
	} {
		s := open(t, func(_ *site, cfg *auth.Config) {
			cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error { return c.policy }
		})
		s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
			err := s.auth.SignIn(r, auth.Password{Username: "ada", Password: "engine"})
			if !errors.Is(err, c.login) {
				t.Errorf("policy %v: SignIn: %v, want %v", c.policy, err, c.login)
			}
		})
		s.replaced()
		res := s.plant(login(`"1"`, modelName, hash("plain$engine", secret))).request(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := s.auth.Lookup(r); !errors.Is(err, c.lookup) {
				t.Errorf("policy %v: Lookup: %v, want %v", c.policy, err, c.lookup)
			}
		})
		if res.StatusCode != c.status {
			t.Errorf("policy %v: %s, want %d", c.policy, res.Status, c.status)
		}
	}
}

// Proofs add up over logins of the same user and do not pile up.
func TestProofsAddUp(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	ada := s.users.change("1", func(*member) {})
	for i, method := range []string{"pwd", "otp", "pwd", "a", "b", "c", "d", "e", "f", "g"} {
		s.advance(time.Minute)
		b.request(func(_ http.ResponseWriter, r *http.Request) {
			if err := s.auth.Login(r, s.auth.Trust(ada, "", method)); err != nil {
				t.Error(err)
			}
			got := s.auth.Proofs(r)
			if want := min([]int{1, 2, 2, 3, 4, 5, 6, 7, 8, 8}[i], 8); len(got) != want {
				t.Errorf("after %d logins: %d proofs, want %d", i+1, len(got), want)
			}
			if newest := got[len(got)-1]; newest.Methods[0] != method || !newest.At.Equal(s.clock()) {
				t.Errorf("after %d logins the newest proof is %v, want %s now", i+1, newest, method)
			}
		})
	}
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if p := s.auth.Proofs(r); len(p) != 8 || has(p, "otp") {
			t.Errorf("at the next request: %v, want the newest eight", p)
		}
	})
}

// What somebody else wrote under our key is as good as nothing.
func TestOddNotes(t *testing.T) {
	t.Parallel()
	for _, notes := range []string{`null`, `[]`, `"x"`, `{}`, `{"user":1,"proofs":[]}`, `{"user":"1","proofs":"x"}`, `{"user":"1","proofs":[]}`, `{"pending":7}`} {
		s := open(t)
		b := s.plant(`{"_cardea":` + notes + "," + login(`"1"`, modelName, hash("plain$engine", secret))[1:])
		b.request(func(_ http.ResponseWriter, r *http.Request) {
			if p := s.auth.Proofs(r); len(p) != 1 || !p[0].At.IsZero() || p[0].Backend != modelName {
				t.Errorf("_cardea %s: Proofs = %v, want a password of unknown time", notes, p)
			}
			if _, _, err := s.auth.Pending(r); !errors.Is(err, auth.ErrAnonymous) {
				t.Errorf("_cardea %s: Pending: %v", notes, err)
			}
		})
		b.signIn("ada", "engine")
		if b.who() != "ada" {
			t.Errorf("_cardea %s: the login failed", notes)
		}
	}
}
