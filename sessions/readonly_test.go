package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// TestReadOnly: a request that only looks reads what there is, once, and neither it nor what it tries writes anything or touches the
// cookie, not even that of a session that is gone. The same tries without the promise are writes.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*sessions.Session) error{
		"set":     set("b", 2),
		"delete":  func(s *sessions.Session) error { return s.Delete("a") },
		"clear":   func(s *sessions.Session) error { return s.Clear() },
		"owner":   func(s *sessions.Session) error { return s.SetOwner("7") },
		"rotate":  func(s *sessions.Session) error { return s.Rotate() },
		"flush":   func(s *sessions.Session) error { return s.Flush() },
		"expire":  func(s *sessions.Session) error { return s.ExpireAfter(time.Minute) },
		"abandon": func(s *sessions.Session) error { s.Abandon(); return sessions.ErrReadOnly },
		"nothing": func(*sessions.Session) error { return sessions.ErrReadOnly },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, looks := range []bool{true, false} {
				site := newSite(t, sessions.Config{Idle: time.Hour, SaveEveryRequest: looks})
				b := site.browser()
				b.act(set("a", 1))
				site.clock.Advance(30 * time.Minute) // a touch is due
				site.spy.took()
				type key struct{}
				var asked context.Context
				site.spy.seen = func(ctx context.Context) { asked = ctx }
				answer := b.visit(func(_ http.ResponseWriter, r *http.Request) {
					s := sessions.From(r)
					if looks {
						s.ReadOnly(context.WithValue(r.Context(), key{}, "mine"))
					}
					if !s.Has("a") {
						t.Error("the session is not read")
					}
					if err := do(s); looks && !errors.Is(err, sessions.ErrReadOnly) {
						t.Errorf("got %v, want ErrReadOnly", err)
					}
					if looks && !s.Has("a") {
						t.Error("the session has changed")
					}
				})
				calls := site.spy.took()
				if looks {
					answer.wantCookie("kept").wantVary(true)
					if calls != "load" || asked.Value(key{}) != "mine" {
						t.Errorf("the store was asked to %s", calls)
					}
				} else if calls == "load" && name != "abandon" {
					t.Error("control: nothing was written")
				}
			}
		})
	}
	site := newSite(t, sessions.Config{})
	b := site.browser()
	b.cookie = "abcdefghijklmnopqrstuvwxyz012345"
	look := func(_ http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.ReadOnly(r.Context())
		_ = s.Has("a")
	}
	b.visit(look).wantStatus(http.StatusOK).wantCookie("kept")
	site.spy.fail = errDown
	b.visit(look).wantStatus(http.StatusServiceUnavailable)
}
