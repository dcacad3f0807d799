package sessions_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/sessions"
)

func TestAPageThatDoesNotAskCostsNothing(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Idle: time.Hour}).browser()
	b.visit(nothing).wantCookie("kept").wantVary(false)
	b.act(set("a", 1)).wantCookie("set").wantVary(true)
	b.spy.took()
	b.visit(nothing).wantCookie("kept").wantVary(false)
	if got := b.spy.took(); got != "" {
		t.Errorf("store calls: got %q, want none", got)
	}
}

func TestAPlainReadIsOneLoad(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.spy.took()
	b.act(func(s *sessions.Session) error {
		s.Get("a")
		s.Has("b")
		s.Keys()
		s.Age()
		return nil
	}).wantCookie("kept").wantVary(true)
	if got := b.spy.took(); got != "load" {
		t.Errorf("store calls: got %q, want one load", got)
	}
}

func TestValuesLiveOnAndPassThrough(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{})
	data, err := sessions.ParseData([]byte(`{"z":1.0,"big":123456789012345678901234567890,"unknown":{"b":[1,2.50],"a":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	s.mem.Put(goodKey, sessions.Record{Data: data, Expires: s.clock.Now().Add(time.Hour)})
	b := s.browser()
	b.cookie = goodKey
	b.act(set("name", "é<b>"))
	rec, err := s.mem.Load(t.Context(), goodKey)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"z":1.0,"big":123456789012345678901234567890,"unknown":{"b":[1,2.5],"a":null},"name":"\u00e9<b>"}`
	if got := jsonOf(rec.Data); got != want {
		t.Errorf("stored:\n got %s\nwant %s", got, want)
	}
}

func TestADeletedValueIsGone(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	b.act(set("b", 2))
	b.act(func(s *sessions.Session) error { return s.Delete("a") }).wantCookie("set")
	b.want("a", "")
	b.want("b", "2")
	b.spy.took()
	b.act(func(s *sessions.Session) error { return s.Delete("absent") }).wantCookie("kept")
	if got := b.spy.took(); got != "load" {
		t.Errorf("deleting what is not there: got store calls %q, want one load", got)
	}
}

func TestNothingIsStoredForAnAnonymousVisitor(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{})
	b := s.browser()
	for name, do := range map[string]func(*sessions.Session) error{
		"read":  func(s *sessions.Session) error { s.Get("a"); return nil },
		"flush": func(s *sessions.Session) error { return s.Flush() },
		"clear": func(s *sessions.Session) error { return s.Clear() },
		"set and delete": func(s *sessions.Session) error {
			if err := s.Set("a", 1); err != nil {
				return err
			}
			return s.Delete("a")
		},
	} {
		b.act(do).wantCookie("kept")
		if n := s.mem.Len(); n != 0 {
			t.Errorf("%s: %d records", name, n)
		}
	}
}

func TestAKeyThatNobodyGaveOutIsNeverAdopted(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	planted := strings.Repeat("x", 32)
	b.cookie = planted
	b.act(set("a", 1)).wantCookie("set")
	if b.cookie == planted {
		t.Error("the planted key was adopted")
	}
	b.want("a", "1")
}

func TestServerErrorsSaveNothing(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	for name, end := range map[string]func(http.ResponseWriter){
		"500":   func(w http.ResponseWriter) { w.WriteHeader(500) },
		"503":   func(w http.ResponseWriter) { w.WriteHeader(503) },
		"panic": func(http.ResponseWriter) { panic("boom") },
		"abort": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		func() {
			defer func() { recover() }() // the abort reaches the server
			b.visit(func(w http.ResponseWriter, r *http.Request) {
				if err := sessions.From(r).Set("a", 2); err != nil {
					t.Error(err)
				}
				end(w)
			}).wantCookie("kept").wantVary(true)
		}()
		if got := b.get("a"); got != "1" {
			t.Errorf("after %s: got a = %s, want 1", name, got)
		}
	}
}

func TestLogoutHoldsWhateverBecomesOfTheResponse(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(http.ResponseWriter, *http.Request){
		"200":                  nothing,
		"500":                  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"500 with new data":    func(w http.ResponseWriter, r *http.Request) { _ = sessions.From(r).Set("b", 1); w.WriteHeader(500) },
		"500 with a new login": func(w http.ResponseWriter, r *http.Request) { _ = sessions.From(r).Rotate(); w.WriteHeader(500) },
		"panic":                func(http.ResponseWriter, *http.Request) { panic("boom") },
	} {
		b := newSite(t, sessions.Config{}).browser()
		b.act(set("a", 1))
		stolen := b.twin()
		b.visit(func(w http.ResponseWriter, r *http.Request) {
			if err := sessions.From(r).Flush(); err != nil {
				t.Error(err)
			}
			if n := b.mem.Len(); n != 0 {
				t.Errorf("%s: the session was not deleted at once", name)
			}
			end(w, r)
		}).wantCookie("deleted").wantVary(true)
		if n := b.mem.Len(); n != 0 {
			t.Errorf("%s: %d records are left", name, n)
		}
		stolen.want("a", "")
	}
}

func TestWhatIsSetAfterFlushBeginsANewSession(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	old := b.cookie
	b.act(func(s *sessions.Session) error {
		if err := s.Flush(); err != nil {
			return err
		}
		if s.Has("a") || s.Key() != "" || !s.IsEmpty() {
			t.Error("the flushed session is not empty")
		}
		return s.Set("b", 2)
	}).wantCookie("set")
	if b.cookie == old {
		t.Error("the new session has the old key")
	}
	b.want("a", "")
	b.want("b", "2")
}

func TestClearKeepsTheKey(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("a", 1))
	old := b.cookie
	b.act(func(s *sessions.Session) error { return s.Clear() }).wantCookie("set")
	if b.cookie != old {
		t.Error("Clear changed the key")
	}
	b.want("a", "")
}

func TestClearOfASessionThatHasDiedIsInterrupted(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.cookie = strings.Repeat("x", 32)
	b.act(func(s *sessions.Session) error { return s.Clear() }).wantStatus(400).wantCookie("deleted")
	if n := b.mem.Len(); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestTestCookie(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	worked := func() (ok bool) {
		b.act(func(s *sessions.Session) error { ok = s.TestCookieWorked(); return nil })
		return ok
	}
	if worked() {
		t.Error("worked before it was set")
	}
	b.act((*sessions.Session).SetTestCookie)
	b.want("testcookie", `"worked"`)
	if !worked() {
		t.Error("did not work")
	}
	b.act((*sessions.Session).DeleteTestCookie)
	if worked() {
		t.Error("worked after it was deleted")
	}
}

func TestTheStoreLearnsWhoseSessionItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{})
	b := s.browser()
	b.act(set("a", 1))
	first := s.clock.Now()
	record := func() sessions.Record {
		t.Helper()
		rec, err := s.mem.Load(t.Context(), b.cookie)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	if rec := record(); !rec.Created.Equal(first) || rec.Owner != "" || rec.Client.Address != "192.0.2.1" || rec.Client.UserAgent != "Browser/1" {
		t.Errorf("a new session: got %+v", rec)
	}
	s.clock.Advance(time.Hour)
	b.act(set("a", 2))
	if rec := record(); !rec.Created.Equal(first) {
		t.Errorf("a save moved Created to %v", rec.Created)
	}
	b.act(func(s *sessions.Session) error {
		if err := s.SetOwner("7"); err != nil {
			return err
		}
		return s.Rotate()
	})
	if rec := record(); !rec.Created.Equal(s.clock.Now()) || rec.Owner != "7" {
		t.Errorf("a login: got owner %q since %v, want 7 since %v", rec.Owner, rec.Created, s.clock.Now())
	}
	b.act(func(s *sessions.Session) error {
		if s.Owner() != "7" || s.Created().IsZero() {
			t.Errorf("got owner %q since %v", s.Owner(), s.Created())
		}
		return s.SetOwner("")
	})
	if rec := record(); rec.Owner != "" {
		t.Errorf("an owner who left: got %q", rec.Owner)
	}
}

func TestWhatTheStoreAttachesIsHandedOn(t *testing.T) {
	t.Parallel()
	s := newSiteOver(t, sessions.Config{}, func(s *spy) sessions.Store { return attaching{plainStore{s}} })
	b := s.browser()
	b.act(set("a", 1))
	b.act(func(s *sessions.Session) error {
		if s.Attached() != "the user" {
			t.Errorf("got %v", s.Attached())
		}
		if err := s.Rotate(); err != nil || s.Attached() != "the user" {
			t.Errorf("after Rotate: got %v and %v", s.Attached(), err)
		}
		if err := s.SetOwner("2"); err != nil {
			return err
		}
		if err := s.Rotate(); err != nil || s.Attached() != nil {
			t.Errorf("after a login: got %v and %v", s.Attached(), err)
		}
		return nil
	})
	b.act(func(s *sessions.Session) error {
		s.Get("a")
		if err := s.Flush(); err != nil || s.Attached() != nil {
			t.Errorf("after Flush: got %v and %v", s.Attached(), err)
		}
		return nil
	})
}

func TestWithoutTheMiddlewareItPanicsWithTheCure(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{})
	other, err := sessions.New(s.mem, sessions.Config{})
	if err != nil {
		t.Fatal(err)
	}
	bare := respond.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sessions.From(r) }), respond.Config{})
	for name, call := range map[string]func(r *http.Request){
		"From":            func(r *http.Request) { sessions.From(r.WithContext(t.Context())) },
		"another Manager": func(r *http.Request) { other.Session(r) },
		"Handler":         func(r *http.Request) { other.Handler(bare).ServeHTTP(nil, r.WithContext(t.Context())) },
	} {
		s.browser().visit(func(_ http.ResponseWriter, r *http.Request) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "sessions: ") || !strings.Contains(text, "wrap") {
					t.Errorf("%s: got %q", name, text)
				}
			}()
			call(r)
		})
	}
}

func TestTwoManagersDoNotMeet(t *testing.T) {
	t.Parallel()
	outer, inner := newSite(t, sessions.Config{}), newSite(t, sessions.Config{Cookie: cookieNamed("inner")})
	b := outer.browser()
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		if err := outer.m.Session(r).Set("a", "outer"); err != nil {
			t.Error(err)
		}
		inner.m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if sessions.From(r) != inner.m.Session(r) || sessions.From(r) == outer.m.Session(r) {
				t.Error("From is not the innermost")
			}
			if err := sessions.From(r).Set("a", "inner"); err != nil {
				t.Error(err)
			}
		})).ServeHTTP(w, r)
	})
	b.want("a", `"outer"`)
	if outer.mem.Len() != 1 || inner.mem.Len() != 1 {
		t.Errorf("got %d and %d records, want one each", outer.mem.Len(), inner.mem.Len())
	}
}

func TestWhatTheBrowserSaysOfItselfIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{})
	b := s.browser()
	b.visit(func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("User-Agent", "nul\x00 bad\xff "+strings.Repeat("é", 200))
		m := s.m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if err := sessions.From(r).Set("a", 1); err != nil {
				t.Error(err)
			}
		}))
		m.ServeHTTP(httptest.NewRecorder(), r)
	})
	rec, err := s.mem.Load(t.Context(), b.cookie)
	if err != nil {
		t.Fatal(err)
	}
	if got := rec.Client.UserAgent; len(got) > 255 || len(got) < 250 || !strings.HasPrefix(got, "nul bad éé") || !utf8.ValidString(got) {
		t.Errorf("got %q, %d bytes", got, len(got))
	}
}

func TestASessionOfUnknownAgeBeginsWithItsFirstSave(t *testing.T) {
	t.Parallel()
	s := newSite(t, sessions.Config{Absolute: time.Hour})
	s.mem.Put(goodKey, sessions.Record{Expires: s.clock.Now().Add(24 * time.Hour)}) // as Django makes them
	b := s.browser()
	b.cookie = goodKey
	b.act(set("a", 1))
	if rec, err := s.mem.Load(t.Context(), goodKey); err != nil || !rec.Created.Equal(s.clock.Now()) {
		t.Errorf("got Created %v and %v", rec.Created, err)
	}
	s.clock.Advance(time.Hour)
	b.want("a", "")
}
