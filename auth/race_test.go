package auth_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea/auth"
)

// meet makes the next n calls of op wait for each other after they are done, and lets all later ones pass.
func (s *shim) meet(op string, n int) {
	var wg sync.WaitGroup
	wg.Add(n)
	var left atomic.Int64
	left.Store(int64(n))
	s.set(func(s *shim) {
		s.after = func(did string) {
			if did == op && left.Add(-1) >= 0 {
				wg.Done()
				wg.Wait()
			}
		}
	})
}

// between runs f once, after the next call of op.
func (s *shim) between(op string, f func()) {
	var done atomic.Bool
	s.set(func(s *shim) {
		s.after = func(did string) {
			if did == op && !done.Swap(true) {
				f()
			}
		}
	})
}

// copied is another tab of the same browser at this moment.
func (b *browser) copied() *browser {
	c := b.s.browser()
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, v := range b.cookies {
		c.cookies[k] = v
	}
	return c
}

// Two log-ins at once in one browser, as by a double click, both hold, whichever answer the browser keeps; the key from before is
// dead.
func TestRaceTwoLogins(t *testing.T) {
	t.Parallel()
	for range 20 {
		s := open(t)
		b := s.plant(`{"cart":[1]}`)
		planted := b.key()
		tabs := []*browser{b.copied(), b.copied()}
		s.store.meet("load", 2)
		var wg sync.WaitGroup
		for _, tab := range tabs {
			wg.Go(func() {
				if res := tab.signIn("ada", "engine"); res.StatusCode != http.StatusOK {
					t.Errorf("a login in parallel with another: %s", res.Status)
				}
			})
		}
		wg.Wait()
		if s.live(planted) {
			t.Error("the key from before the logins lives on")
		}
		if tabs[0].key() == tabs[1].key() || tabs[0].who() != "ada" || tabs[1].who() != "ada" {
			t.Errorf("the tabs have the keys %.4s and %.4s and see %q and %q: want different keys, both ada's",
				tabs[0].key(), tabs[1].key(), tabs[0].who(), tabs[1].who())
		}
	}
}

// A log-out between a login's load and its write: the login stands, for it is newer, and nothing of the dead session comes back.
func TestRaceLogoutDuringLogin(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	before, other := b.key(), b.copied()
	s.store.between("load", func() {
		other.request(func(_ http.ResponseWriter, r *http.Request) {
			if err := s.auth.Logout(r); err != nil {
				t.Error(err)
			}
		})
	})
	if res := b.signIn("ada", "engine"); res.StatusCode != http.StatusOK {
		t.Errorf("the login: %s", res.Status)
	}
	if b.key() == before || s.live(before) || s.record(b).Data.Len() != 4 {
		t.Errorf("the session holds %q under a new key: %v, want only the login", s.record(b).Data.Keys(), b.key() != before)
	}
	if b.who() != "ada" {
		t.Errorf("the user is %q, want ada", b.who())
	}
}

// A login between a log-out's load and its delete ends logged out: of a race between the two, the log-out wins.
func TestRaceLoginDuringLogout(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	other := b.copied()
	s.store.between("load", func() { other.signIn("ada", "engine") })
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		s.auth.User(r)
		if err := s.auth.Logout(r); err != nil {
			t.Error(err)
		}
	})
	if b.who() != "" || other.who() != "" {
		t.Errorf("after the log-out the tabs see %q and %q", b.who(), other.who())
	}
}

// Requests in parallel to a login, with the cookie from before it, neither fail nor log anybody out.
func TestRaceRequestsAroundALogin(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.plant(`{"cart":[1]}`)
	old := b.copied()
	entered, release := make(chan struct{}, 5), make(chan struct{})
	page := func(_ http.ResponseWriter, r *http.Request) {
		s.auth.User(r)
		entered <- struct{}{}
		<-release
	}
	var wg sync.WaitGroup
	visit := func() {
		tab := old.copied()
		res := tab.request(page)
		if res.StatusCode != http.StatusOK || len(res.Cookies()) != 0 {
			t.Errorf("a request around a login: %s with cookies %v", res.Status, res.Cookies())
		}
	}
	for range 3 {
		wg.Go(visit) // before the login
	}
	for range 3 {
		<-entered
	}
	b.signIn("ada", "engine")
	for range 2 {
		wg.Go(visit) // after it
	}
	for range 2 {
		<-entered
	}
	close(release)
	wg.Wait()
	if b.who() != "ada" {
		t.Errorf("the user is %q, want ada", b.who())
	}
}

// Parallel requests of one browser after a change of the key: one renews the session, all are answered, none logs out.
func TestRaceRenewal(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) { cfg.Keys.Fallbacks = []string{oldSecret} })
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", oldSecret)))
	s.store.meet("load", 5)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			res := b.send(context.Background(), func(_ http.ResponseWriter, r *http.Request) {
				if u, ok := s.auth.User(r); !ok || u.name != "ada" {
					t.Error("a request in parallel to the renewal is anonymous")
				}
			})
			if res.StatusCode != http.StatusOK {
				t.Errorf("a request in parallel to the renewal: %s", res.Status)
			}
		})
	}
	wg.Wait()
	if b.who() != "ada" {
		t.Errorf("the user is %q, want ada", b.who())
	}
}
