package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

func TestAnOutageIsNeverAnonymous(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do     func(s *sessions.Session) error
		cookie string
	}{
		"get":    {func(s *sessions.Session) error { s.Get("a"); return nil }, "kept"},
		"set":    {func(s *sessions.Session) error { _ = s.Set("a", 2); return nil }, "kept"},
		"rotate": {func(s *sessions.Session) error { _ = s.Rotate(); return nil }, "kept"},
		"flush":  {func(s *sessions.Session) error { _ = s.Flush(); return nil }, "deleted"},
	} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		again := b.twin()
		b.spy.fail = errDown
		b.visit(func(w http.ResponseWriter, r *http.Request) {
			s := sessions.From(r)
			_ = test.do(s)
			var outage *sessions.StoreError
			if err := s.Err(); !errors.As(err, &outage) || !errors.Is(err, errDown) {
				t.Errorf("%s: Err: got %v, want a StoreError", name, err)
			}
			_, _ = w.Write([]byte("Hello, whoever you are"))
		}).wantStatus(503).wantCookie(test.cookie)
		b.spy.fail = nil
		again.want("a", "1")
	}
}

func TestTheFirstFailureIsKeptAndTheStoreLeftAlone(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.spy.took()
	b.spy.fail = errDown
	b.visit(func(_ http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		first := s.Err()
		b.spy.fail = nil
		s.Get("a")
		if err := s.Set("a", 2); !errors.Is(err, first) || !errors.Is(s.Err(), first) {
			t.Errorf("Set: got %v, want %v", err, first)
		}
	}).wantStatus(503)
	if got := b.spy.took(); got != "load" {
		t.Errorf("store calls: got %q, want one load", got)
	}
}

func TestAnOutageAtTheSaveReplacesThePage(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	a := b.visit(func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.From(r).Set("a", 2); err != nil {
			t.Error(err)
		}
		b.spy.fail = errDown
		_, _ = w.Write([]byte("saved!"))
	}).wantStatus(503).wantCookie("kept")
	if a.body == "saved!" {
		t.Error("the page says that it was saved")
	}
}

func TestTheHandlersOwnErrorPageStands(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.spy.fail = errDown
	a := b.visit(func(w http.ResponseWriter, r *http.Request) {
		sessions.From(r).Get("a")
		http.Error(w, "back soon", http.StatusServiceUnavailable)
	}).wantStatus(503).wantCookie("kept")
	if a.body != "back soon\n" {
		t.Errorf("got %q", a.body)
	}
}

func TestAHangingStoreIsAnOutage(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{ReadTimeout: 10 * time.Millisecond, WriteTimeout: 10 * time.Millisecond}).browser()
	b.act(set("a", 1))
	b.spy.seen = func(ctx context.Context) { <-ctx.Done() }
	b.visit(func(_ http.ResponseWriter, r *http.Request) { sessions.From(r).Get("a") }).wantStatus(503)
	b.visit(func(_ http.ResponseWriter, r *http.Request) { _ = sessions.From(r).Flush() }).wantStatus(503)
}

func TestAPersonWhoGoesAwayIsNoOutage(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.send(ctx, func(_ http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		var outage *sessions.StoreError
		if err := s.Err(); !errors.Is(err, context.Canceled) || errors.As(err, &outage) {
			t.Errorf("got %v, want the cancellation and no StoreError", err)
		}
	})
}

func TestWhatAPersonDidHoldsWhenTheyGoAway(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(*sessions.Session) error
		want int
	}{
		"set":    {set("a", 2), 1},
		"rotate": {(*sessions.Session).Rotate, 1},
		"flush":  {(*sessions.Session).Flush, 0},
	} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		ctx, cancel := context.WithCancel(t.Context())
		b.send(ctx, func(_ http.ResponseWriter, r *http.Request) {
			s := sessions.From(r)
			s.Get("a")
			cancel()
			if err := test.do(s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if n := b.mem.Len(); n != test.want {
			t.Errorf("%s: %d records, want %d", name, n, test.want)
		}
		if name == "set" {
			b.want("a", "2")
		}
	}
}

func TestATouchThatFailsIsOnlyLogged(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Idle: 20 * time.Minute}).browser()
	b.act(set("a", 1))
	b.clock.Advance(10 * time.Minute)
	b.visit(func(_ http.ResponseWriter, r *http.Request) {
		sessions.From(r).Get("a")
		b.spy.fail = errDown
	}).wantStatus(200)
	if b.log.String() == "" {
		t.Error("nothing was logged")
	}
}

func TestNothingIsSavedAfterAnErrorPage(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	logout := b.twin()
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		if err := s.Set("a", 2); err != nil {
			t.Error(err)
		}
		logout.act((*sessions.Session).Flush)
		flush(w) // answers 400
		b.spy.took()
		_ = s.Set("a", 3)
	}).wantStatus(400)
	if got := b.spy.took(); got != "" {
		t.Errorf("store calls after the error page: %q", got)
	}
}

// A store that hangs after a login is an outage within one write's time, and little more for the session that nobody will know.
func TestAHangAfterARotationIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		began := time.Now()
		b.visit(func(_ http.ResponseWriter, r *http.Request) {
			s := sessions.From(r)
			if err := s.Rotate(); err != nil {
				t.Error(err)
			}
			b.spy.seen = func(ctx context.Context) { <-ctx.Done() }
			if err := s.Set("a", 2); err != nil {
				t.Error(err)
			}
		}).wantStatus(503)
		if took := time.Since(began); took > 3500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}
