//go:build !race

// Under the race detector sync.Pool forgets at random, so that allocations say nothing.

package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cardea-go/cardea/sessions"
)

// Asking for a user whom the store joined to the session costs few allocations beside those of the layers below.
func TestAllocations(t *testing.T) {
	s := open(t)
	joined := &member{id: "1", name: "ada", password: "plain$engine", active: true}
	s.store.set(func(s *shim) { s.attach = func(sessions.Record) any { return joined } })
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret)))
	count := func(ask func(r *http.Request)) float64 {
		h := s.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ask(r) }))
		return testing.AllocsPerRun(200, func() {
			r := httptest.NewRequest(http.MethodGet, "http://localhost/page", nil)
			r.RemoteAddr = "127.0.0.1:4711"
			r.AddCookie(&http.Cookie{Name: "cardea_sessionid", Value: b.key()})
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	below := count(func(r *http.Request) { s.manager.Session(r).Get("_auth_user_id") })
	with := count(func(r *http.Request) {
		if u, ok := s.auth.User(r); !ok || u != joined {
			t.Error("the user is not the joined one")
		}
	})
	if got := with - below; got > 5 {
		t.Errorf("User costs %.0f allocations above a read of the session, want at most 5", got)
	}
	if s.users.asked != 0 {
		t.Errorf("%d user queries, want none", s.users.asked)
	}
	t.Logf("a read of the session costs %.0f allocations, User %.0f more", below, with-below)
}
