package sessions_test

import (
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

func (b *browser) read(s *sessions.Session) error { s.Get("a"); return nil }

func TestASessionExpiresAfterItsAge(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Age: time.Hour}).browser()
	b.act(set("a", 1))
	b.clock.Advance(time.Hour - time.Microsecond)
	b.want("a", "1")
	b.clock.Advance(time.Microsecond)
	b.act(b.read).wantCookie("deleted")
}

func TestReadingDoesNotProlongASession(t *testing.T) {
	t.Parallel()
	b := newSiteOver(t, sessions.Config{Age: time.Hour}, func(s *spy) sessions.Store { return plainStore{s} }).browser()
	b.act(set("a", 1))
	b.clock.Advance(40 * time.Minute)
	b.want("a", "1")
	b.clock.Advance(40 * time.Minute)
	b.want("a", "")
}

func TestSaveEveryRequestProlongsASession(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Age: time.Hour, SaveEveryRequest: true}).browser()
	b.act(set("a", 1))
	for range 3 {
		b.clock.Advance(40 * time.Minute)
		b.visit(nothing).wantCookie("set").wantVary(true)
	}
	b.want("a", "1")
	b.clock.Advance(time.Hour)
	b.visit(nothing).wantCookie("deleted").wantVary(true)
}

func TestAnIdleSessionEnds(t *testing.T) {
	t.Parallel()
	for name, abilities := range map[string]func(*spy) sessions.Store{
		"toucher": func(s *spy) sessions.Store { return s },
		"plain":   func(s *spy) sessions.Store { return plainStore{s} },
	} {
		b := newSiteOver(t, sessions.Config{Idle: 30 * time.Minute}, abilities).browser()
		b.act(set("a", 1))
		for range 10 { // used now and then, it lives
			b.clock.Advance(25 * time.Minute)
			b.want("a", "1")
		}
		b.clock.Advance(30 * time.Minute)
		if got := b.get("a"); got != "" {
			t.Errorf("%s: after half an hour of silence: got %s", name, got)
		}
	}
}

func TestAShortIdleLimitIsTouchedInTime(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Idle: time.Minute}).browser() // less than TouchEvery's default
	b.act(set("a", 1))
	for range 20 {
		b.clock.Advance(10 * time.Second)
		b.want("a", "1")
	}
}

func TestABusySessionIsSeldomTouched(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg       sessions.Config
		abilities func(*spy) sessions.Store
		want      string
	}{
		"idle":                 {sessions.Config{Idle: time.Hour}, func(s *spy) sessions.Store { return s }, "touch"},
		"idle, no Toucher":     {sessions.Config{Idle: time.Hour}, func(s *spy) sessions.Store { return plainStore{s} }, "save"},
		"last seen":            {sessions.Config{}, func(s *spy) sessions.Store { return s }, "touch"},
		"nobody wants to know": {sessions.Config{}, func(s *spy) sessions.Store { return plainStore{s} }, ""},
	} {
		b := newSiteOver(t, test.cfg, test.abilities).browser()
		b.act(set("a", 1))
		b.spy.took()
		writes := map[string]int{}
		for range 60 { // an hour, a page a minute
			b.clock.Advance(time.Minute)
			b.act(b.read).wantCookie("kept")
			calls := b.spy.took()
			writes[calls]++
		}
		want := map[string]int{"load": 60}
		if test.want != "" {
			want = map[string]int{"load": 48, "load " + test.want: 12}
		}
		if len(writes) != len(want) || writes["load"] != want["load"] {
			t.Errorf("%s: got %v, want %v", name, writes, want)
		}
	}
}

func TestLastSeenDoesNotMoveTheExpiry(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Age: time.Hour}).browser()
	b.act(set("a", 1))
	b.clock.Advance(59 * time.Minute)
	b.want("a", "1")
	rec, err := b.mem.Load(t.Context(), b.cookie)
	if err != nil || !rec.Seen.Equal(b.clock.Now()) || !rec.Expires.Equal(b.clock.Now().Add(time.Minute)) {
		t.Errorf("got seen %v and expires %v, error %v", rec.Seen, rec.Expires, err)
	}
}

func TestTheAbsoluteLimitEndsABusySession(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Idle: time.Hour, Absolute: 12 * time.Hour}).browser()
	b.act(set("a", 1))
	for range 23 {
		b.clock.Advance(30 * time.Minute)
		b.act(set("b", 1))
		b.want("a", "1")
	}
	b.clock.Advance(30 * time.Minute)
	b.act(b.read).wantCookie("deleted")
}

func TestALoginBeginsTheAbsoluteLimitAnew(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Absolute: 12 * time.Hour}).browser()
	b.act(set("a", 1))
	b.clock.Advance(11 * time.Hour)
	b.act((*sessions.Session).Rotate) // a new key alone does not
	b.clock.Advance(30 * time.Minute)
	b.act(func(s *sessions.Session) error {
		if err := s.SetOwner("7"); err != nil {
			return err
		}
		return s.Rotate()
	})
	b.clock.Advance(11 * time.Hour)
	b.want("a", "1")
	b.clock.Advance(time.Hour)
	b.want("a", "")
}

func TestASessionSavedWithALaxerLimitIsHeldToThePresentOne(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Absolute: time.Hour}).browser()
	b.mem.Put(goodKey, sessions.Record{Created: b.clock.Now().Add(-2 * time.Hour), Expires: b.clock.Now().Add(24 * time.Hour)})
	b.cookie = goodKey
	b.act(b.read).wantCookie("deleted")
}

func TestTheCookieOutlivesNoAbsoluteLimit(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{Age: 24 * time.Hour, Absolute: time.Hour}).browser()
	if got := b.act(set("a", 1)).Cookies()[0].MaxAge; got != 3600 {
		t.Errorf("Max-Age: got %d, want 3600", got)
	}
}

func TestKeepMeSignedIn(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	a := b.act(func(s *sessions.Session) error {
		if err := s.Rotate(); err != nil {
			return err
		}
		return s.ExpireAtBrowserClose()
	})
	if c := a.Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("got %v, want a cookie until the browser closes", c)
	}
	a = b.act((*sessions.Session).ExpireAsConfigured)
	if c := a.Cookies()[0]; c.MaxAge != 14*24*3600 {
		t.Errorf("got %v, want a cookie for 14 days", c)
	}
}

func TestASessionsOwnExpiry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set    func(s *sessions.Session, now time.Time) error
		maxAge int
		lives  time.Duration
	}{
		"after": {func(s *sessions.Session, _ time.Time) error { return s.ExpireAfter(90 * time.Second) }, 90, 90 * time.Second},
		"at":    {func(s *sessions.Session, now time.Time) error { return s.ExpireAt(now.Add(2500 * time.Millisecond)) }, 2, 2500 * time.Millisecond},
		"at, other zone": {func(s *sessions.Session, now time.Time) error {
			return s.ExpireAt(now.In(time.FixedZone("", 19800)).Add(time.Hour))
		}, 3600, time.Hour},
		"centuries ahead": {func(s *sessions.Session, _ time.Time) error { return s.Set("_session_expiry", 1e300) }, 100 * 365 * 24 * 3600, 99 * 365 * 24 * time.Hour},
		"not Django's":    {func(s *sessions.Session, _ time.Time) error { return s.Set("_session_expiry", []int{1}) }, 14 * 24 * 3600, 14 * 24 * time.Hour},
		"not a time":      {func(s *sessions.Session, _ time.Time) error { return s.Set("_session_expiry", "soon") }, 14 * 24 * 3600, 14 * 24 * time.Hour},
	} {
		b := newSite(t, sessions.Config{}).browser()
		a := b.act(func(s *sessions.Session) error { return test.set(s, b.clock.Now()) })
		if got := a.Cookies()[0].MaxAge; got != test.maxAge {
			t.Errorf("%s: Max-Age: got %d, want %d", name, got, test.maxAge)
		}
		b.clock.Advance(test.lives - time.Microsecond)
		if _, err := b.mem.Load(t.Context(), b.cookie); err != nil {
			t.Errorf("%s: dead before its time: %v", name, err)
		}
		b.clock.Advance(time.Microsecond)
		if _, err := b.mem.Load(t.Context(), b.cookie); err == nil && test.lives < 50*365*24*time.Hour {
			t.Errorf("%s: it outlived its time", name)
		}
	}
}

func TestACookieOfNoSecondsIsNotACookieUntilTheBrowserCloses(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	a := b.act(func(s *sessions.Session) error { return s.ExpireAt(b.clock.Now().Add(500 * time.Millisecond)) })
	if c := a.Cookies()[0]; c.MaxAge != -1 { // how net/http reads Max-Age=0
		t.Errorf("got %q", a.Header["Set-Cookie"])
	}
}

func TestDjangoFileLiveByAMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(expiry string) sessions.Data {
		d, err := sessions.ParseData([]byte(`{"_session_expiry":"` + expiry + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, test := range []struct {
		data     sessions.Data
		modified time.Time
		want     bool
	}{
		{at("2026-01-02T03:04:06+00:00"), now.Add(-time.Hour), true},
		{at("2026-01-02T03:04:05.999999+00:00"), now.Add(-time.Hour), false}, // less than a whole second
		{at("2026-01-02T04:04:04"), now.Add(-time.Hour), true},
		{sessions.Data{}, now.Add(-59 * time.Second), true},
		{sessions.Data{}, now.Add(-60 * time.Second), false},
	} {
		if got := sessions.DjangoFileLive(test.data, test.modified, now, time.Minute); got != test.want {
			t.Errorf("DjangoFileLive(%s, %v): got %v, want %v", jsonOf(test.data), test.modified, got, test.want)
		}
	}
}

func TestAgeIsRoundedDown(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(func(s *sessions.Session) error {
		for offset, want := range map[time.Duration]time.Duration{
			1500 * time.Millisecond: time.Second, 500 * time.Millisecond: 0, -500 * time.Millisecond: -time.Second, -2 * time.Second: -2 * time.Second,
		} {
			if err := s.ExpireAt(b.clock.Now().Add(offset)); err != nil {
				return err
			}
			if got := s.Age(); got != want {
				t.Errorf("%v from now: got %v, want %v", offset, got, want)
			}
		}
		return nil
	})
}

func TestWhereLastSeenIsNotKeptNothingIsTouched(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.mem.Put(goodKey, sessions.Record{Expires: b.clock.Now().Add(time.Hour)})
	b.cookie = goodKey
	b.act(b.read)
	if got := b.spy.took(); got != "load" {
		t.Errorf("store calls: got %q, want one load", got)
	}
}
