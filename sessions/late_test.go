package sessions_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// flush sends the header.
func flush(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }

func TestTheFirstTouchAfterTheHeaderIsTooLate(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.spy.took()
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		flush(w)
		s := sessions.From(r)
		if _, ok := s.Get("a"); ok || s.Has("a") || s.Keys() != nil || s.Attached() != nil || s.Owner() != "" || !s.Created().IsZero() {
			t.Error("the session is not empty")
		}
		for name, do := range map[string]func() error{
			"Set": func() error { return s.Set("a", 2) }, "Delete": func() error { return s.Delete("a") }, "Clear": s.Clear,
			"Rotate": s.Rotate, "SetOwner": func() error { return s.SetOwner("1") },
		} {
			if err := do(); !errors.Is(err, sessions.ErrTooLate) {
				t.Errorf("%s: got %v, want ErrTooLate", name, err)
			}
		}
	}).wantCookie("kept").wantVary(false)
	if got := b.spy.took(); got != "" {
		t.Errorf("store calls: got %q, want none", got)
	}
	if !strings.Contains(b.log.String(), "late_test.go:") {
		t.Errorf("the log does not name the place: %s", b.log)
	}
	b.want("a", "1")
}

func TestChangesAfterTheHeaderAreSavedIfTheyNeedNoCookie(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		flush(w)
		if err := s.Set("a", 2); err != nil {
			t.Error(err)
		}
	}).wantCookie("kept").wantVary(true)
	b.want("a", "2")
}

func TestChangesBeforeAndAfterTheHeaderAreBothSaved(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("list", []int{0}))
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		if err := appending(1)(s); err != nil {
			t.Error(err)
		}
		flush(w)
		b.twin().act(appending(2)) // the key is known outside by now
		if err := appending(3)(s); err != nil {
			t.Error(err)
		}
	})
	b.want("list", "[0,1,2,3]")
}

func TestANewSessionAfterTheHeaderIsTooLate(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		flush(w)
		if err := s.Set("a", 2); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("got %v, want ErrTooLate", err)
		}
	})
	if n := b.mem.Len(); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestRotateAfterTheHeaderIsTooLateAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		flush(w)
		if err := s.Rotate(); !errors.Is(err, sessions.ErrTooLate) {
			t.Errorf("got %v, want ErrTooLate", err)
		}
	})
	b.want("a", "1")
}

func TestALogoutAfterTheHeaderStillEndsTheSession(t *testing.T) {
	t.Parallel()
	for _, read := range []bool{true, false} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		b.visit(func(w http.ResponseWriter, r *http.Request) {
			s := sessions.From(r)
			if read {
				s.Get("a")
			}
			flush(w)
			if err := s.Flush(); !errors.Is(err, sessions.ErrTooLate) {
				t.Errorf("got %v, want ErrTooLate", err)
			}
		}).wantCookie("kept")
		if n := b.mem.Len(); n != 0 {
			t.Errorf("%d records", n)
		}
	}
}

func TestALateChangeToADeadSessionStaysLost(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	logout := b.twin()
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		flush(w)
		logout.act((*sessions.Session).Flush)
		if err := s.Set("a", 2); err != nil {
			t.Error(err)
		}
	})
	if n := b.mem.Len(); n != 0 {
		t.Errorf("%d records", n)
	}
	if !strings.Contains(b.log.String(), sessions.ErrInterrupted.Error()) {
		t.Errorf("nothing was logged: %s", b.log)
	}
}

func TestAPanicAfterTheHeaderSavesNothing(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Idle: time.Hour}).browser()
	b.act(set("a", 1))
	func() {
		defer func() { recover() }() // respond breaks the connection
		b.visit(func(w http.ResponseWriter, r *http.Request) {
			s := sessions.From(r)
			s.Get("a")
			flush(w)
			_ = s.Set("a", 2)
			panic("boom")
		})
	}()
	b.want("a", "1")
}
