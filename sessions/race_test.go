package sessions_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// between answers a request of b; its handler stops after reading the session, while meanwhile runs, and goes on with then.
func (b *browser) between(meanwhile func(), then func(s *sessions.Session) error) *answer {
	b.Helper()
	return b.act(func(s *sessions.Session) error {
		s.Get("anything")
		meanwhile()
		return then(s)
	})
}

const list = sessions.Key[[]int]("list")

func appending(n int) func(*sessions.Session) error {
	return func(s *sessions.Session) error {
		return list.Update(s, func(l []int) []int { return append(l, n) })
	}
}

func TestOverlappingRequestsLoseNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slow, fast func(*sessions.Session) error
		key, want  string
	}{
		"each sets a key, slow": {set("slow", 1), set("fast", 2), "slow", "1"},
		"each sets a key, fast": {set("slow", 1), set("fast", 2), "fast", "2"},
		"both set one key":      {set("a", "slow"), set("a", "fast"), "a", `"slow"`},
		"both append":           {appending(2), appending(1), "list", "[0,1,2]"},
		"one deletes":           {func(s *sessions.Session) error { return s.Delete("list") }, set("fast", 2), "list", ""},
		"one deletes, fast":     {func(s *sessions.Session) error { return s.Delete("list") }, set("fast", 2), "fast", "2"},
		"clear is replayed":     {func(s *sessions.Session) error { return s.Clear() }, set("fast", 2), "fast", ""},
		"set after clear": {func(s *sessions.Session) error {
			if err := s.Clear(); err != nil {
				return err
			}
			return s.Set("slow", 1)
		}, set("fast", 2), "slow", "1"},
		"the expiry is a value too": {(*sessions.Session).ExpireAtBrowserClose, set("fast", 2), "fast", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSite(t, sessions.Config{}).browser()
			b.act(set("list", []int{0}))
			b.between(func() { b.twin().act(test.fast) }, test.slow).wantStatus(200).wantCookie("set")
			b.want(test.key, test.want)
		})
	}
}

func TestARotationKeepsWhatAParallelRequestSaved(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	old := b.cookie
	b.between(func() { b.twin().act(set("cart", 7)) }, func(s *sessions.Session) error {
		if err := s.Set("mine", 1); err != nil {
			return err
		}
		return s.Cycle(func(d *sessions.Data) { d.Set("login", []byte(`"ada"`)) })
	}).wantCookie("set")
	if b.cookie == old {
		t.Error("the key is the same")
	}
	for key, want := range map[string]string{"a": "1", "cart": "7", "mine": "1", "login": `"ada"`} {
		b.want(key, want)
	}
}

func TestALoggedOutSessionStaysDead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sessions.Session) error{
		"set":    set("a", 2),
		"update": appending(1),
		"clear":  func(s *sessions.Session) error { return s.Clear() },
	} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		slow := b.twin()
		slow.between(func() { b.act((*sessions.Session).Flush).wantCookie("deleted") }, change).wantStatus(400).wantCookie("kept")
		if n := b.mem.Len(); n != 0 {
			t.Errorf("%s: %d records", name, n)
		}
	}
}

func TestARotationOfALoggedOutSessionIsInterrupted(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	logout := b.twin()
	b.between(func() { logout.act((*sessions.Session).Flush) }, func(s *sessions.Session) error {
		err := s.Cycle(func(d *sessions.Data) { d.Set("login", []byte("1")) })
		if !errors.Is(err, sessions.ErrInterrupted) {
			t.Errorf("got %v, want ErrInterrupted", err)
		}
		if s.Has("login") || s.Modified() {
			t.Error("the rotation that failed left something behind")
		}
		return nil
	}).wantStatus(200).wantCookie("kept")
	if n := b.mem.Len(); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestOfTwoRotationsOneWins(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	fast := b.twin()
	b.between(func() { fast.act((*sessions.Session).Rotate).wantCookie("set") }, func(s *sessions.Session) error {
		if err := s.Rotate(); !errors.Is(err, sessions.ErrInterrupted) {
			t.Errorf("got %v, want ErrInterrupted", err)
		}
		return nil
	}).wantCookie("kept")
	fast.want("a", "1")
}

func TestALogoutThatRacesARotationEndsLoggedOut(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	rotating := b.twin()
	b.between(func() { rotating.act((*sessions.Session).Rotate) }, (*sessions.Session).Flush).wantCookie("deleted")
	rotating.want("a", "")

	// And when the logout only begins after the rotation.
	b.act(set("a", 1))
	rotating, late := b.twin(), b.twin()
	rotating.act((*sessions.Session).Rotate)
	late.act(func(s *sessions.Session) error {
		s.Get("a")
		return s.Flush()
	}).wantCookie("deleted")
	rotating.want("a", "")
}

func TestParallelRequestsAtALoginLogNobodyOut(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("cart", 7))
	early, late, writing, saving := b.twin(), b.twin(), b.twin(), b.twin()
	early.between(func() { b.act((*sessions.Session).Rotate).wantCookie("set") }, func(*sessions.Session) error { return nil }).wantCookie("kept")
	late.act(func(s *sessions.Session) error { s.Get("cart"); return nil }).wantStatus(200).wantCookie("kept").wantVary(true)
	writing.act(set("a", 1)).wantStatus(400).wantCookie("kept")
	saving.act(func(s *sessions.Session) error { return s.Clear() }).wantStatus(400).wantCookie("kept")
	b.want("cart", "7")

	b.clock.Advance(sessions.Grace + time.Second)
	late.act(func(s *sessions.Session) error { s.Get("cart"); return nil }).wantCookie("deleted")
}

func TestWithoutATracerAnUnknownKeyIsForgotten(t *testing.T) {
	t.Parallel()
	b := newSiteOver(t, sessions.Config{}, func(s *spy) sessions.Store { return plainStore{s} }).browser()
	b.act(set("a", 1))
	late := b.twin()
	b.act((*sessions.Session).Rotate)
	late.act(func(s *sessions.Session) error { s.Get("a"); return nil }).wantCookie("deleted")
}

func TestNothingIsMergedIntoAnotherLogin(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"_auth_user_id", "_auth_user_hash"} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set(key, "1"))
		for name, other := range map[string]func(*sessions.Session) error{
			"changed": set(key, "2"), "removed": func(s *sessions.Session) error { return s.Delete(key) },
		} {
			b.between(func() { b.twin().act(other) }, set("cart", 7)).wantStatus(400).wantCookie("kept")
			if got := b.get("cart"); got != "" {
				t.Errorf("%s %s: merged %s", key, name, got)
			}
			b.act(set(key, "1"))
		}
	}
}

func TestThreeConflictsAreReplayedAndAFourthIsAnOutage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ conflicts, status int }{{3, 200}, {4, 503}} {
		s := newSite(t, sessions.Config{})
		b := s.browser()
		b.act(set("list", []int{0}))
		conflicts := 0
		s.spy.before = func(call string) {
			if call == "save" && conflicts < test.conflicts {
				conflicts++
				rec, err := s.mem.Load(context.Background(), b.cookie)
				if err == nil {
					_, err = s.mem.Save(context.Background(), b.cookie, rec)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
		b.act(appending(1)).wantStatus(test.status)
	}
}

func TestChangesThatNobodyAskedForAreDropped(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sessions.Config{
		"save every request": {SaveEveryRequest: true},
		"idle":               {Idle: 20 * time.Minute},
	} {
		for _, abilities := range []func(*spy) sessions.Store{
			func(s *spy) sessions.Store { return s },
			func(s *spy) sessions.Store { return plainStore{s} },
		} {
			s := newSiteOver(t, cfg, abilities)
			b := s.browser()
			b.act(set("a", 1))
			s.clock.Advance(10 * time.Minute)
			logout := b.twin()
			b.between(func() { logout.act((*sessions.Session).Flush) }, func(*sessions.Session) error { return nil }).wantStatus(200)
			if n := s.mem.Len(); n != 0 {
				t.Errorf("%s: %d records", name, n)
			}
			if strings.Contains(s.log.String(), "level=") {
				t.Errorf("%s: logged %s", name, s.log)
			}
		}
	}
}

func TestALoginWhoseAnswerFailsLeavesNoSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(http.ResponseWriter){
		"500":   func(w http.ResponseWriter) { w.WriteHeader(500) },
		"panic": func(http.ResponseWriter) { panic("boom") },
		"abort": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		func() {
			defer func() { recover() }() // the abort reaches the server
			b.visit(func(w http.ResponseWriter, r *http.Request) {
				if err := sessions.From(r).Rotate(); err != nil {
					t.Error(err)
				}
				end(w)
			}).wantCookie("kept")
		}()
		if n := b.mem.Len(); n != 0 {
			t.Errorf("%s: %d records that nobody has the key of", name, n)
		}
	}
}

func TestALogoutWithARotatedKeyMayBeginANewSession(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	late := b.twin()
	b.act((*sessions.Session).Rotate)
	late.act(func(s *sessions.Session) error {
		s.Get("a")
		b.spy.took()
		if err := s.Flush(); err != nil {
			return err
		}
		return s.Set("a", 2)
	}).wantStatus(200).wantCookie("set")
	if got := b.spy.took(); got != "delete save" {
		t.Errorf("store calls: got %q, want a deletion and a save", got)
	}
	late.want("a", "2")
}

func TestALoginMayFollowAClearOfADeadSession(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.cookie = expiredKey
	b.act(func(s *sessions.Session) error {
		if err := s.Clear(); err != nil {
			return err
		}
		return s.Rotate()
	}).wantStatus(200).wantCookie("set")
}
