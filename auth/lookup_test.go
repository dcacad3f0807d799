package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

func hash(password, secret string) string {
	return auth.SessionHash(password, signing.Keys{Current: secret})
}

// What becomes of a session whose user is asked for: Django's get_user, row by row.
func TestLookupTable(t *testing.T) {
	t.Parallel()
	const (
		untouched = "untouched"
		flushed   = "flushed"
		cycled    = "cycled"
	)
	good, old := hash("plain$engine", secret), hash("plain$engine", oldSecret)
	for _, c := range []struct {
		name      string
		data      string
		fallbacks []string
		who       string
		session   string
	}{
		{"good", login(`"1"`, modelName, good), nil, "ada", untouched},
		{"id as a number", login(`1`, modelName, good), nil, "ada", untouched},
		{"escaped text", strings.Replace(login(`"\u0031"`, modelName, good), "django.", `\u0064jango.`, 1), nil, "ada", untouched},
		{"other values pass through", `{"x":1.0,"big":12345678901234567890,` + login(`"1"`, modelName, good)[1:], nil, "ada", untouched},
		{"no id", strings.Replace(login(`"1"`, modelName, good), "_auth_user_id", "x", 1), nil, "", untouched},
		{"no back end", strings.Replace(login(`"1"`, modelName, good), "_auth_user_backend", "x", 1), nil, "", untouched},
		{"back end not configured", login(`"1"`, "x.y.Z", good), nil, "", untouched},
		{"no such user", login(`"999999"`, modelName, good), nil, "", untouched},
		{"not active", login(`"3"`, modelName, hash("plain$apple", secret)), nil, "", untouched},
		{"id does not convert", login(`"one"`, modelName, good), nil, "", untouched},
		{"id is null", login(`null`, modelName, good), nil, "", untouched},
		{"id is true", login(`true`, modelName, good), nil, "", untouched},
		{"id is a list", login(`["1"]`, modelName, good), nil, "", untouched},
		{"no hash", strings.Replace(login(`"1"`, modelName, good), "_auth_user_hash", "x", 1), nil, "", flushed},
		{"empty hash", login(`"1"`, modelName, ""), nil, "", flushed},
		{"wrong hash", login(`"1"`, modelName, good[:63]+"x"), nil, "", flushed},
		{"hash in capitals", login(`"1"`, modelName, strings.ToUpper(good)), nil, "", flushed},
		{"hash of another user's password", login(`"1"`, modelName, hash("plain$builder", secret)), nil, "", flushed},
		{"hash and more", login(`"1"`, modelName, good+"0"), nil, "", flushed},
		{"hash cut short", login(`"1"`, modelName, good[:32]), nil, "", flushed},
		{"hash is a number", strings.Replace(login(`"1"`, modelName, "7"), `"7"`, `7`, 1), nil, "", flushed},
		{"older key, which is no fallback", login(`"1"`, modelName, old), nil, "", flushed},
		{"older key", login(`"1"`, modelName, old), []string{oldSecret}, "ada", cycled},
		{"second older key", login(`"1"`, modelName, old), []string{"another old secret", oldSecret}, "ada", cycled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(_ *site, cfg *auth.Config) { cfg.Keys.Fallbacks = c.fallbacks })
			b := s.plant(c.data)
			before, text := b.key(), data(s.record(b))
			peeked := ""
			res := b.request(func(_ http.ResponseWriter, r *http.Request) {
				if u, err := s.auth.Peek(r); err == nil {
					peeked = u.(*member).name
				}
			})
			if peeked != c.who || b.key() != before || data(s.record(b)) != text || res.Header.Get("Set-Cookie") != "" || s.replaced() != nil {
				t.Errorf("a peek found %q, want %q, and must not touch the session: %s", peeked, c.who, data(s.record(b)))
			}
			if got := b.who(); got != c.who {
				t.Errorf("the user is %q, want %q", got, c.who)
			}
			if err := s.replaced(); err != nil {
				t.Errorf("the response was replaced: %v", err)
			}
			switch c.session {
			case untouched:
				if b.key() != before || data(s.record(b)) != text {
					t.Errorf("the session was touched: %s, was %s", data(s.record(b)), text)
				}
			case flushed:
				if s.live(before) || b.key() != "" {
					t.Error("the session or its cookie lives on, want both gone")
				}
			case cycled:
				want := strings.Replace(text, old, good, 1)
				if got := data(s.record(b)); b.key() == before || s.live(before) || got != want {
					t.Errorf("new key %v, old one live %v, data %s, want a new key and %s", b.key() != before, s.live(before), got, want)
				}
				if got := b.who(); got != c.who {
					t.Errorf("at the next request the user is %q, want %q", got, c.who)
				}
			}
		})
	}
}

func data(rec sessions.Record) string {
	b, err := rec.Data.AppendJSON(nil)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestNobodyCostsNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	if b.who() != "" || len(b.cookies) != 0 {
		t.Errorf("an anonymous visitor got cookies: %v", b.cookies)
	}
	b = s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	res := b.request(func(http.ResponseWriter, *http.Request) {})
	if n := s.store.loads.Load(); n != 0 || res.Header.Get("Vary") != "" || res.Header.Get("Cache-Control") != "" {
		t.Errorf("nobody asked for the user, yet: %d loads, Vary %q, Cache-Control %q", n, res.Header.Get("Vary"), res.Header.Get("Cache-Control"))
	}
}

// A user that the store loaded beside the session saves the query, but only the right user does.
func TestJoinedUser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		attach any
		who    string
		asked  int
	}{
		{"the right one", &member{id: "1", name: "ada, joined", password: "plain$engine", active: true}, "ada, joined", 0},
		{"another user", &member{id: "2", name: "bob", password: "plain$engine", active: true}, "ada", 1},
		{"not active", &member{id: "1", name: "ada", password: "plain$engine"}, "", 0},
		{"with another password", &member{id: "1", name: "ada", password: "plain$new", active: true}, "", 0},
		{"of another type", "ada", "ada", 1},
		{"none", nil, "ada", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.store.set(func(s *shim) { s.attach = func(sessions.Record) any { return c.attach } })
			b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
			if got := b.who(); got != c.who || s.users.asked != c.asked {
				t.Errorf("the user is %q after %d queries, want %q after %d", got, s.users.asked, c.who, c.asked)
			}
		})
	}
}

// A user is looked up once a request, and anew at each.
func TestLookupOncePerRequest(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		for range 3 {
			s.auth.User(r)
		}
		s.auth.Proofs(r)
	})
	if s.users.asked != 1 || s.store.loads.Load() != 1 {
		t.Errorf("%d user queries and %d session loads, want one of each", s.users.asked, s.store.loads.Load())
	}
	s.users.change("1", func(m *member) { m.name = "ada lovelace" })
	if got := b.who(); got != "ada lovelace" {
		t.Errorf("the next request sees %q: the user was kept", got)
	}
}

func TestCacheControl(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"reads the user", func(_ http.ResponseWriter, r *http.Request) { s.auth.User(r) }, "no-store, private"},
		{"reads the proofs", func(_ http.ResponseWriter, r *http.Request) { s.auth.Proofs(r) }, "no-store, private"},
		{"is guarded", func(w http.ResponseWriter, r *http.Request) {
			s.auth.Required(http.NotFoundHandler()).ServeHTTP(w, r)
		}, "no-store, private"},
		{"logs out", func(_ http.ResponseWriter, r *http.Request) { _ = s.auth.Logout(r) }, "no-store, private"},
		{"has its own", func(w http.ResponseWriter, r *http.Request) {
			s.auth.User(r)
			w.Header().Set("Cache-Control", "private, max-age=60")
		}, "private, max-age=60"},
		{"fails", func(w http.ResponseWriter, r *http.Request) {
			s.auth.User(r)
			w.WriteHeader(http.StatusInternalServerError)
		}, "no-store, private"},
		{"does not ask", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, ""},
	} {
		for name, b := range map[string]*browser{"": s.browser(), ", logged in": s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))} {
			if got := strings.Join(b.request(c.h).Header["Cache-Control"], "; "); got != c.want {
				t.Errorf("a response that %s%s: Cache-Control %q, want %q", c.name, name, got, c.want)
			}
		}
	}
}

// An outage never renders a page as anonymous.
func TestOutageFailsClosed(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	for _, c := range []struct {
		name string
		fail func(*site)
	}{
		{"of the users", func(s *site) { s.users.down = down }},
		{"of the sessions", func(s *site) { s.store.set(func(s *shim) { s.down = down }) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
			page := func(w http.ResponseWriter, r *http.Request) {
				if u, ok := s.auth.User(r); ok {
					_, _ = w.Write([]byte("hello " + u.name))
				} else {
					_, _ = w.Write([]byte("hello stranger"))
				}
			}
			if res := b.request(page); res.StatusCode != http.StatusOK { // the control
				t.Fatalf("without the outage: %s", res.Status)
			}
			key := b.key()
			c.fail(s)
			res := b.request(page)
			if err := s.replaced(); res.StatusCode != http.StatusServiceUnavailable || !errors.Is(err, down) {
				t.Errorf("User during the outage: %s because of %v, want 503", res.Status, err)
			}
			b.request(func(w http.ResponseWriter, r *http.Request) {
				_, err := s.auth.Lookup(r)
				var outage *auth.OutageError
				if !errors.As(err, &outage) || !errors.Is(err, down) || errors.Is(err, auth.ErrAnonymous) {
					t.Errorf("Lookup during the outage: %v, want an OutageError that wraps the cause", err)
				}
				if _, err := s.auth.Who(r); !errors.Is(err, down) {
					t.Errorf("Who during the outage: %v", err)
				}
			})
			s.replaced()
			guarded := b.request(s.auth.Required(http.NotFoundHandler()).ServeHTTP)
			if guarded.StatusCode != http.StatusServiceUnavailable || guarded.Header.Get("Location") != "" {
				t.Errorf("Required during the outage: %s, want 503 and no redirect", guarded.Status)
			}
			own := b.request(func(w http.ResponseWriter, r *http.Request) {
				s.auth.User(r)
				w.WriteHeader(http.StatusBadGateway)
			})
			if own.StatusCode != http.StatusBadGateway {
				t.Errorf("a handler's own error became %s", own.Status)
			}
			if strings.Contains(s.logs.String(), "second hook") {
				t.Errorf("one outage was reported twice: %s", s.logs)
			}
			s.users.down = nil
			s.store.set(func(s *shim) { s.down = nil })
			if got := b.who(); got != "ada" || b.key() != key {
				t.Errorf("after the outage the user is %q, want ada with the same cookie", got)
			}
		})
	}
}

func TestVisitorWentAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		_, err := s.auth.Lookup(r.WithContext(ctx))
		var outage *auth.OutageError
		if !errors.Is(err, context.Canceled) || errors.As(err, &outage) || errors.Is(err, auth.ErrAnonymous) {
			t.Errorf("Lookup after the visitor went away: %v, want context.Canceled, neither an outage nor ErrAnonymous", err)
		}
	})
}

// A page with the user's name is never sent without Vary and Cache-Control.
func TestTooLate(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	key := b.key()
	b.request(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		if _, ok := s.auth.User(r); ok {
			t.Error("User after the header found somebody")
		}
		if _, err := s.auth.Lookup(r); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("Lookup after the header: %v, want ErrTooLate", err)
		}
		bob := s.auth.Trust(s.users.change("2", func(*member) {}), "")
		if err := s.auth.Login(r, bob); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("Login after the header: %v, want ErrTooLate", err)
		}
		if err := s.auth.Logout(r); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("Logout after the header: %v, want ErrTooLate", err)
		}
		if err := s.auth.Refresh(r, bob.User()); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("Refresh after the header: %v, want ErrTooLate", err)
		}
		if _, _, err := s.auth.Pending(r); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("Pending after the header: %v, want ErrTooLate", err)
		}
	})
	contains(t, "log", s.logs.String(), "lookup_test.go:")
	if !s.live(key) || b.key() != key || b.who() != "ada" {
		t.Error("something was written although it was too late")
	}
	b.request(func(w http.ResponseWriter, r *http.Request) { // the control: asked before, answered after
		s.auth.User(r)
		w.WriteHeader(http.StatusOK)
		if _, ok := s.auth.User(r); !ok {
			t.Error("a user that was asked for before the header is gone after it")
		}
	})
}

// The session of an older key is not renewed when it can no longer be told to the browser.
func TestTooLateToRenew(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) { cfg.Keys.Fallbacks = []string{oldSecret} })
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", oldSecret)))
	key := b.key()
	b.request(func(w http.ResponseWriter, r *http.Request) {
		s.manager.Session(r).Get("cart")
		w.WriteHeader(http.StatusOK)
		s.auth.User(r)
	})
	if !s.live(key) || b.who() != "ada" || b.key() == key {
		t.Error("want the session left alone after the header, and renewed at the next request")
	}
}

func TestMissingLayerPanicsWithTheCure(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer func() {
		text, _ := recover().(string)
		contains(t, "panic", text, "site's Handler")
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.auth.User(r)
}

// Two sites in one process do not meet.
func TestTwoAuths(t *testing.T) {
	t.Parallel()
	s := open(t)
	other, err := auth.New(s.users, s.manager, auth.Config{Backends: []auth.Backend{&stub{name: "other"}}, Keys: signing.Keys{Current: secret}})
	if err != nil {
		t.Fatal(err)
	}
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	b.request(func(w http.ResponseWriter, r *http.Request) {
		other.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, ok := other.User(r); ok {
				t.Error("the other Auth knows a user whose back end it has not")
			}
			if u, ok := s.auth.User(r); !ok || u.name != "ada" {
				t.Error("inside the other Auth the first one knows its user no more")
			}
		})).ServeHTTP(w, r)
	})
}
