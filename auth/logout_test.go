package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/cardea-go/cardea/auth"
)

// A logout ends whatever there is, at each stage of a login.
func TestLogoutAtEachStage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		start func(*site) *browser
		told  string
	}{
		{"no session", func(s *site) *browser { return s.browser() }, "nobody"},
		{"an unknown cookie", func(s *site) *browser {
			b := s.browser()
			b.cookies["cardea_sessionid"] = "abcdefghijklmnopqrstuvwxyz012345"
			return b
		}, "nobody"},
		{"anonymous", func(s *site) *browser { return s.plant(`{"cart":[1]}`) }, "nobody"},
		{"half logged in", func(s *site) *browser {
			b := s.browser()
			b.request(func(_ http.ResponseWriter, r *http.Request) {
				var more *auth.Incomplete
				if err := s.auth.SignIn(r, auth.Password{Username: "bob", Password: "builder"}); !errors.As(err, &more) {
					t.Errorf("SignIn(bob): %v, want Incomplete", err)
				}
			})
			return b
		}, "nobody"},
		{"logged in", func(s *site) *browser {
			b := s.browser()
			b.signIn("ada", "engine")
			return b
		}, "1"},
		{"logged in by Django", func(s *site) *browser { return s.plant(login(`"1"`, modelName, hash("plain$engine", secret))) }, "1"},
		{"logged in by a back end we do not know", func(s *site) *browser { return s.plant(login(`"1"`, "x.y.Z", "x")) }, "nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var told []string
			s := open(t, twoFactorsForBob, func(s *site, cfg *auth.Config) {
				cfg.OnLogout = append(cfg.OnLogout, func(r *http.Request, u auth.User) {
					name := "nobody"
					if u != nil {
						name = u.AuthID()
						if !s.manager.Session(r).Has("_auth_user_id") {
							t.Error("OnLogout came after the session was cleared")
						}
					}
					told = append(told, name)
				})
			})
			b := c.start(s)
			key := b.key()
			b.request(func(_ http.ResponseWriter, r *http.Request) {
				if err := s.auth.Logout(r); err != nil {
					t.Error(err)
				}
				if key != "" && s.live(key) {
					t.Error("the session is in the store right after Logout")
				}
				if _, ok := s.auth.User(r); ok {
					t.Error("right after Logout somebody is logged in")
				}
				if _, _, err := s.auth.Pending(r); !errors.Is(err, auth.ErrAnonymous) {
					t.Errorf("right after Logout a half login is pending: %v", err)
				}
				if keys := s.manager.Session(r).Keys(); len(keys) != 0 {
					t.Errorf("right after Logout the session holds %q", keys)
				}
			})
			if !slices.Equal(told, []string{c.told}) {
				t.Errorf("OnLogout was told %q, want %q once", told, c.told)
			}
			if b.key() != "" {
				t.Error("the browser still has a session cookie")
			}
			b.cookies["cardea_sessionid"] = key // replayed
			if b.who() != "" {
				t.Error("the old cookie logs in again")
			}
		})
	}
}

// A logout is a logout, whatever becomes of the response.
func TestLogoutThenFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"500":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"panic": func(http.ResponseWriter, *http.Request) { panic("a bug") },
	} {
		s := open(t)
		b := s.browser()
		b.signIn("ada", "engine")
		key := b.key()
		b.request(func(w http.ResponseWriter, r *http.Request) {
			if err := s.auth.Logout(r); err != nil {
				t.Error(err)
			}
			fail(w, r)
		})
		if s.live(key) || b.who() != "" {
			t.Errorf("%s after a logout: session live %v, user %q", name, s.live(key), b.who())
		}
	}
}

func TestLogoutHookPanics(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.OnLogout = append(cfg.OnLogout, func(*http.Request, auth.User) { panic("the audit log is full") })
	})
	b := s.browser()
	b.signIn("ada", "engine")
	key := b.key()
	res := b.request(func(_ http.ResponseWriter, r *http.Request) { _ = s.auth.Logout(r) })
	if res.StatusCode < 500 || s.live(key) || b.who() != "" {
		t.Errorf("%s, session live %v, user %q, want a failure and a logout", res.Status, s.live(key), b.who())
	}
}

// A logout that could not be done says so.
func TestLogoutDuringAnOutage(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.signIn("ada", "engine")
	s.store.set(func(s *shim) { s.down = errors.New("connection refused") })
	res := b.request(func(_ http.ResponseWriter, r *http.Request) {
		var outage *auth.OutageError
		if err := s.auth.Logout(r); !errors.As(err, &outage) {
			t.Errorf("Logout: %v, want an OutageError", err)
		}
	})
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s, want 503", res.Status)
	}
}

// The user table is not needed to log out.
func TestLogoutWithoutUsers(t *testing.T) {
	t.Parallel()
	var told []auth.User
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.OnLogout = append(cfg.OnLogout, func(_ *http.Request, u auth.User) { told = append(told, u) })
	})
	b := s.browser()
	b.signIn("ada", "engine")
	key := b.key()
	s.users.down = errors.New("connection refused")
	res := b.request(func(_ http.ResponseWriter, r *http.Request) {
		if err := s.auth.Logout(r); err != nil {
			t.Error(err)
		}
	})
	if res.StatusCode != http.StatusOK || s.live(key) || len(told) != 1 || told[0] != nil {
		t.Errorf("%s, session live %v, told %v, want a logout of nobody known", res.Status, s.live(key), told)
	}
}
