package auth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	var told []string
	s := open(t, func(s *site, cfg *auth.Config) {
		cfg.OnLogin = append(cfg.OnLogin, func(r *http.Request, u auth.User) {
			who, _ := s.auth.User(r)
			told = append(told, u.AuthID()+" "+who.name)
		})
	})
	b := s.plant(`{"cart":[1.0]}`)
	planted := b.key()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := s.auth.User(r); ok {
			t.Error("somebody is logged in before the login")
		}
		v, err := s.auth.Authenticate(r, auth.Password{Username: "ada", Password: "engine"})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.auth.User(r); ok {
			t.Error("Authenticate alone logged somebody in")
		}
		if err := s.auth.Login(r, v); err != nil {
			t.Fatal(err)
		}
		if u, ok := s.auth.User(r); !ok || u.name != "ada" {
			t.Errorf("right after Login the user is %v, %v, want ada", u, ok)
		}
		if got := s.auth.Proofs(r); len(got) != 1 || got[0].Backend != modelName || !slices.Equal(got[0].Methods, []string{"pwd"}) || !got[0].At.Equal(s.clock()) {
			t.Errorf("Proofs = %v, want the password, now", got)
		}
	})
	if s.users.asked != 0 {
		t.Errorf("%d user queries, though the back end attached the user", s.users.asked)
	}
	if b.key() == planted || s.live(planted) {
		t.Error("the key is the old one, or the old one lives on")
	}
	rec := s.record(b)
	want := []string{"cart", "_auth_user_id", "_auth_user_backend", "_auth_user_hash", "_cardea"}
	if got := rec.Data.Keys(); !slices.Equal(got, want) {
		t.Errorf("the session holds %q, want %q", got, want)
	}
	for key, want := range map[string]string{
		"cart": "[1.0]", "_auth_user_id": `"1"`, "_auth_user_backend": `"` + modelName + `"`, "_auth_user_hash": `"` + hash("plain$engine", secret) + `"`,
	} {
		if got, _ := rec.Data.Get(key); string(got) != want {
			t.Errorf("the session's %s is %s, want %s", key, got, want)
		}
	}
	var notes struct{ Proofs []auth.Proof }
	raw, _ := rec.Data.Get("_cardea")
	if err := json.Unmarshal(raw, &notes); err != nil || len(notes.Proofs) != 1 {
		t.Errorf("_cardea = %s, want one proof", raw)
	}
	if rec.Owner != "1" {
		t.Errorf("the session belongs to %q, want 1", rec.Owner)
	}
	if !slices.Equal(told, []string{"1 ada"}) {
		t.Errorf("OnLogin was told %q, want 1 ada once, as the request's user", told)
	}
	if got := s.users.members["1"].lastLogin; !got.Equal(s.clock()) {
		t.Errorf("last login = %v, want now", got)
	}
	if b.who() != "ada" {
		t.Error("the next request does not know the user")
	}
}

// Every login gives a new key; whose data it keeps depends on who was there.
func TestLoginOverASession(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		data string
		keep bool
	}{
		{"anonymous", `{"cart":[1]}`, true},
		{"the same user", login(`"1"`, modelName, hash("plain$engine", secret)), true},
		{"the same user, by number", login(`1`, modelName, hash("plain$engine", secret)), true},
		{"the same user, old password", login(`"1"`, modelName, hash("plain$old", secret)), false},
		{"the same user, no hash", strings.Replace(login(`"1"`, modelName, ""), "_auth_user_hash", "x", 1), false},
		{"another user", login(`"2"`, modelName, hash("plain$builder", secret)), false},
		{"another user of another back end", login(`"2"`, "x.y.Z", "x"), false},
		{"an id that nobody could have", login(`null`, modelName, "x"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			b := s.plant(c.data)
			before := b.key()
			b.signIn("ada", "engine")
			if b.key() == before || b.key() == "" || s.live(before) {
				t.Error("the key is the old one, or the old one lives on")
			}
			if _, kept := s.record(b).Data.Get("cart"); kept != c.keep {
				t.Errorf("the cart was kept: %v, want %v", kept, c.keep)
			}
			if b.who() != "ada" {
				t.Errorf("the user is %q, want ada", b.who())
			}
			first := b.key()
			b.signIn("ada", "engine")
			if b.key() == first || s.live(first) {
				t.Error("a login again kept the key")
			}
		})
	}
}

// An attacker who plants a session in a victim's browser gains nothing by the victim's login.
func TestAttackSessionFixation(t *testing.T) {
	t.Parallel()
	s := open(t)
	attacker := s.plant(`{"planted":true}`)
	victim := s.browser()
	victim.cookies["cardea_sessionid"] = attacker.key()
	victim.signIn("ada", "engine")
	if got := attacker.who(); got != "" {
		t.Errorf("the attacker is %q", got)
	}
	if got := victim.who(); got != "ada" { // the control
		t.Errorf("the victim is %q, want ada", got)
	}
	thief := s.browser()
	thief.cookies["cardea_sessionid"] = victim.key()
	if got := thief.who(); got != "ada" { // and the attack would work with the key of after the login
		t.Errorf("whoever has the new key is %q, want ada: the test proves nothing", got)
	}
}

// A login gives the visitor a new CSRF secret.
func TestLoginRotatesCSRF(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	res := b.signIn("ada", "engine")
	if !slices.ContainsFunc(res.Cookies(), func(c *http.Cookie) bool { return c.Name == "cardea_csrftoken" && c.Value != "" }) {
		t.Errorf("no new CSRF cookie among %v", res.Cookies())
	}
	before := b.cookies["cardea_csrftoken"]
	b.who()
	if b.cookies["cardea_csrftoken"] != before {
		t.Error("the secret changes without a login")
	}
	b.signIn("ada", "engine")
	if b.cookies["cardea_csrftoken"] == before {
		t.Error("a second login kept the CSRF secret")
	}
}

func TestVerifiedCannotBeForged(t *testing.T) {
	t.Parallel()
	s, elsewhere := open(t), open(t)
	ada := s.users.change("1", func(*member) {})
	eve := s.users.change("3", func(*member) {})
	b := s.browser()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		for _, c := range []struct {
			name string
			v    *auth.Verified[*member]
			want error
		}{
			{"nil", nil, auth.ErrUnverified},
			{"zero", &auth.Verified[*member]{}, auth.ErrUnverified},
			{"of another Auth", elsewhere.auth.Trust(ada, ""), auth.ErrUnverified},
			{"by a back end that is not configured", s.auth.Trust(ada, "x.y.Z"), auth.ErrUnverified},
			{"not active", s.auth.Trust(eve, ""), auth.ErrDenied},
		} {
			err := s.auth.Login(r, c.v)
			if _, ok := s.auth.User(r); !errors.Is(err, c.want) || ok {
				t.Errorf("Login with a Verified that is %s: %v, logged in %v, want %v", c.name, err, ok, c.want)
			}
		}
	})
	if b.key() != "" {
		t.Error("a session was made")
	}
	b.request(func(_ http.ResponseWriter, r *http.Request) { // the control
		if err := s.auth.Login(r, s.auth.Trust(ada, "", "otp")); err != nil {
			t.Errorf("Login of a trusted user: %v", err)
		}
	})
	if b.who() != "ada" {
		t.Errorf("the user is %q, want ada", b.who())
	}
	contains(t, "log", s.logs.String(), "login_test.go:")
	contains(t, "log", s.logs.String(), "trusted without credentials")
}

func TestTrustNeedsANameAmongSeveral(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) {
		cfg.Backends = append(cfg.Backends, &stub{name: "second", err: auth.ErrNoMatch})
	})
	ada := s.users.change("1", func(*member) {})
	s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
		if err := s.auth.Login(r, s.auth.Trust(ada, "")); !errors.Is(err, auth.ErrUnverified) {
			t.Errorf("without a name: %v, want ErrUnverified", err)
		}
		if err := s.auth.Login(r, s.auth.Trust(ada, "second")); err != nil {
			t.Errorf("with a name: %v", err)
		}
	})
}

func TestLoginDuringAnOutage(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(`{"cart":[1]}`)
	down := errors.New("connection refused")
	res := b.request(func(_ http.ResponseWriter, r *http.Request) {
		v := s.auth.Trust(s.users.change("1", func(*member) {}), "")
		s.auth.User(r)
		s.store.set(func(s *shim) { s.down = down })
		err := s.auth.Login(r, v)
		var outage *auth.OutageError
		if !errors.As(err, &outage) || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("Login: %v, want an OutageError", err)
		}
		if _, ok := s.auth.User(r); ok {
			t.Error("logged in although the session could not be written")
		}
	})
	s.store.set(func(s *shim) { s.down = nil })
	if res.StatusCode != http.StatusServiceUnavailable || b.who() != "" {
		t.Errorf("%s, then %q, want 503 and nobody", res.Status, b.who())
	}
}

// That the last login could not be noted does not undo a login.
func TestLastLoginFails(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		v := s.auth.Trust(s.users.change("1", func(*member) {}), "")
		s.users.down = errors.New("read-only")
		if err := s.auth.Login(r, v); err != nil {
			t.Error(err)
		}
		s.users.down = nil
	})
	if b.who() != "ada" {
		t.Error("the login is lost")
	}
	contains(t, "log", s.logs.String(), "record the last login")
}

// A response that fails after a login leaves nobody logged in, and no session behind.
func TestLoginThenFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"500":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"panic": func(http.ResponseWriter, *http.Request) { panic("a bug") },
	} {
		s := open(t)
		b := s.plant(`{"cart":[1]}`)
		before := b.key()
		b.request(func(w http.ResponseWriter, r *http.Request) {
			if err := s.auth.Login(r, s.auth.Trust(s.users.change("1", func(*member) {}), "")); err != nil {
				t.Error(err)
			}
			fail(w, r)
		})
		if b.who() != "" || s.live(before) {
			t.Errorf("%s after a login: the user is %q, the old key live %v, want neither", name, b.who(), s.live(before))
		}
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := open(t)
	here, there := s.browser(), s.browser()
	here.signIn("ada", "engine")
	there.signIn("ada", "engine")
	before := here.key()
	s.advance(time.Hour)
	here.request(func(_ http.ResponseWriter, r *http.Request) {
		s.auth.User(r)
		changed := s.users.change("1", func(m *member) { m.password = "plain$new" })
		if err := s.auth.Refresh(r, changed); err != nil {
			t.Fatal(err)
		}
		if u, ok := s.auth.User(r); !ok || u.password != "plain$new" {
			t.Error("right after Refresh the request does not know the changed user")
		}
	})
	if here.key() == before || s.live(before) {
		t.Error("the key is the old one, or the old one lives on")
	}
	if got := here.who(); got != "ada" {
		t.Errorf("the session that changed the password is %q, want ada", got)
	}
	key := there.key()
	if got := there.who(); got != "" || s.live(key) {
		t.Errorf("the other session is %q, live %v, want it ended", got, s.live(key))
	}
	here.request(func(_ http.ResponseWriter, r *http.Request) {
		if p := s.auth.Proofs(r); len(p) != 1 || !p[0].At.Equal(s.clock().Add(-time.Hour)) {
			t.Errorf("Proofs = %v, want the one of the login", p)
		}
	})
}

func TestRefreshOfOthers(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.signIn("ada", "engine")
	before := b.key()
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if err := s.auth.Refresh(r, s.users.change("2", func(*member) {})); err != nil {
			t.Error(err)
		}
	})
	if b.key() == before || b.who() != "ada" {
		t.Errorf("Refresh with another user: key kept %v, user %q, want a new key and ada", b.key() == before, b.who())
	}
	s.browser().request(func(_ http.ResponseWriter, r *http.Request) {
		if err := s.auth.Refresh(r, s.users.change("2", func(*member) {})); !errors.Is(err, auth.ErrAnonymous) {
			t.Errorf("Refresh of nobody: %v, want ErrAnonymous", err)
		}
	})
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		s.auth.User(r)
		if err := s.store.Delete(r.Context(), b.key()); err != nil { // a logout elsewhere
			t.Fatal(err)
		}
		if err := s.auth.Refresh(r, s.users.change("1", func(*member) {})); !errors.Is(err, sessions.ErrInterrupted) {
			t.Errorf("Refresh of a dead session: %v, want ErrInterrupted", err)
		}
	})
	if b.who() != "" {
		t.Error("Refresh brought a dead session back")
	}
}
