package cardea_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/throttle"
)

// A faultyStore is a store of sessions of which chosen operations fail, or hang until their context ends.
type faultyStore struct {
	*memstore.Store
	broken atomic.Pointer[string] // the names of what fails
	hangs  atomic.Bool
}

func (s *faultyStore) fail(ctx context.Context, op string) error {
	broken := s.broken.Load()
	if broken == nil || !strings.Contains(*broken, op) {
		return nil
	}
	if s.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("the disk is on fire")
}

func (s *faultyStore) Load(ctx context.Context, key string) (sessions.Record, error) {
	if err := s.fail(ctx, "load"); err != nil {
		return sessions.Record{}, err
	}
	return s.Store.Load(ctx, key)
}

func (s *faultyStore) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := s.fail(ctx, "save"); err != nil {
		return "", err
	}
	return s.Store.Save(ctx, key, rec)
}

func (s *faultyStore) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := s.fail(ctx, "rotate"); err != nil {
		return "", err
	}
	return s.Store.Rotate(ctx, key, rec)
}

func (s *faultyStore) Delete(ctx context.Context, key string) error {
	if err := s.fail(ctx, "delete"); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

// A faultyThrottle is a throttle.Store that can fail.
type faultyThrottle struct {
	*throttle.Memory
	broken atomic.Bool
}

func (s *faultyThrottle) Take(ctx context.Context, key string, l throttle.Limit, now time.Time) (bool, time.Duration, error) {
	if s.broken.Load() {
		return false, 0, errors.New("the disk is on fire")
	}
	return s.Memory.Take(ctx, key, l, now)
}

// TestOutage: while something that a site depends on is down, nobody is anonymous and no password is wrong; afterwards
// everybody goes on with the cookie that they have.
func TestOutage(t *testing.T) {
	t.Parallel()
	ops := func(names string) func(w *outageWorld) { return func(w *outageWorld) { w.store.broken.Store(&names) } }
	for _, tt := range []struct {
		name    string
		down    func(w *outageWorld)
		profile bool // GET of the profile page is touched
		login   bool // POST of the log-in form is touched
		logout  bool // POST of the log-out form is touched
		within  time.Duration
	}{
		{name: "control: nothing is down", down: func(*outageWorld) {}},
		{name: "sessions cannot be read", down: ops("load"), profile: true, login: true},
		{name: "sessions cannot be written", down: ops("save rotate delete"), login: true, logout: true},
		{name: "no session can be reached", down: ops("load save rotate delete"), profile: true, login: true, logout: true},
		{name: "sessions hang", down: func(w *outageWorld) { w.store.hangs.Store(true); ops("load save rotate delete")(w) }, profile: true, login: true, logout: true, within: 5 * time.Second},
		{name: "users cannot be read", down: func(w *outageWorld) { err := errors.New("the disk is on fire"); w.list.fault.Store(&err) }, profile: true, login: true},
		{name: "tries cannot be counted", down: func(w *outageWorld) { w.counters.broken.Store(true) }, login: true},
		{name: "nothing is left", down: func(w *outageWorld) {
			ops("load save rotate delete")(w)
			err := errors.New("the disk is on fire")
			w.list.fault.Store(&err)
			w.counters.broken.Store(true)
		}, profile: true, login: true, logout: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newOutageWorld(t)
			ada, eve := w.person(), w.person()
			if a := ada.logIn("ada", "correct horse"); !a.redirects() {
				t.Fatalf("log-in: status %d", a.status)
			}
			key := ada.cookie("sessionid")
			eve.logIn("eve", "correct horse") // so that her next log-in has a session to read

			tt.down(w)
			check := func(what string, touched bool, a answer, healthy int) {
				t.Helper()
				if !touched {
					if a.status != healthy {
						t.Errorf("%s: status %d, want %d", what, a.status, healthy)
					}
					return
				}
				if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
					t.Errorf("%s: status %d, Retry-After %q, want 503 and a time", what, a.status, a.header.Get("Retry-After"))
				}
				if strings.Contains(a.body, "do not match") || strings.Contains(a.body, "fire") || a.header.Get("Location") != "" {
					t.Errorf("%s: Location %q\n%s", what, a.header.Get("Location"), a.body)
				}
				for _, line := range a.header["Set-Cookie"] {
					if strings.Contains(line, "sessionid") {
						t.Errorf("%s: Set-Cookie %q", what, line)
					}
				}
			}
			began := time.Now()
			check("the profile page", tt.profile, ada.get("/accounts/profile/"), http.StatusOK)
			if took := time.Since(began); tt.within > 0 && took > tt.within {
				t.Errorf("the profile page took %v", took)
			}
			if tt.within == 0 {
				check("a page of the program's", tt.profile, ada.get("/"), http.StatusOK)
			}
			began = time.Now()
			check("a log-in with the right password", tt.login, eve.logIn("eve", "correct horse"), http.StatusSeeOther)
			if took := time.Since(began); tt.within > 0 && took > tt.within {
				t.Errorf("the log-in took %v", took)
			}

			w.up()
			if ada.cookie("sessionid") != key {
				t.Errorf("the cookie was %q before and is %q after", key, ada.cookie("sessionid"))
			}
			if a := ada.get("/accounts/profile/"); a.status != http.StatusOK {
				t.Errorf("afterwards the profile page has status %d", a.status)
			}
			if p := w.person(); !p.logIn("eve", "correct horse").redirects() || !p.isIn() {
				t.Error("afterwards nobody can log in")
			}

			// Who wants to leave is out of this browser at any rate, and is told if that is all.
			tt.down(w)
			a := ada.post("/accounts/logout/", url.Values{})
			if tt.logout {
				if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "in this browser only") {
					t.Errorf("a log-out that did not reach the store: status %d\n%s", a.status, a.body)
				}
			} else if a.status != http.StatusOK {
				t.Errorf("the log-out: status %d", a.status)
			}
			w.up()
			if ada.cookie("sessionid") != "" || ada.isIn() {
				t.Error("after the log-out the browser still has the session")
			}
			thief := w.person()
			thief.cookies["cardea_sessionid"] = key
			if got := thief.isIn(); got != tt.logout {
				t.Errorf("after the log-out the session is good: %v", got)
			}
		})
	}
}

// An outageWorld is a site of parts that can fail.
type outageWorld struct {
	*rig
	store    *faultyStore
	list     *memberList
	counters *faultyThrottle
}

func newOutageWorld(t *testing.T) *outageWorld {
	t.Helper()
	c := &clock{}
	w := &outageWorld{
		store:    &faultyStore{Store: memstore.New(memstore.Config{Now: c.now})},
		list:     newMemberList(t, "ada", "eve"),
		counters: &faultyThrottle{Memory: throttle.NewMemory()},
	}
	_, handler := memberSite(t, cardea.Parts[*member]{
		Users: w.list, Backends: []auth.Backend{w.list}, Sessions: w.store, Throttle: w.counters,
	}, func(cfg *cardea.Config) { cfg.Now = c.now })
	w.rig = &rig{t: t, clock: c, server: httptest.NewServer(handler)}
	t.Cleanup(w.server.Close)
	return w
}

func (w *outageWorld) up() {
	w.store.broken.Store(nil)
	w.list.fault.Store(nil)
	w.counters.broken.Store(false)
}

// TestGateIsBusy: more log-ins at once than there is room to hash for are told to come back, and nobody's password is wrong.
func TestGateIsBusy(t *testing.T) {
	t.Parallel()
	gate := password.NewGate(password.GateConfig{Slots: 1, Queue: 1, Wait: 20 * time.Millisecond})
	g := newHashingRig(t, password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}, Gate: gate}, nil)
	leave, err := gate.Enter(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, username, plain string }{
		{"the right password", "ada", "correct horse"}, {"a wrong password", "ada", "x"}, {"nobody's name", "nobody", "x"},
	} {
		p := g.person()
		a := p.logIn(tt.username, tt.plain)
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || strings.Contains(a.body, "do not match") {
			t.Errorf("%s: status %d, Retry-After %q", tt.name, a.status, a.header.Get("Retry-After"))
		}
		if p.isIn() {
			t.Errorf("%s: logged in without a check", tt.name)
		}
	}
	leave()
	if p := g.person(); !p.logIn("ada", "correct horse").redirects() || !p.isIn() {
		t.Error("control: with room there is no log-in")
	}
}

// TestTooManyTries: after its tries an account waits, whether it exists or not, and the pages are the same to the byte.
func TestTooManyTries(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	try := func(p *person, username, plain string) answer {
		return p.post("/accounts/login/", url.Values{"username": {username}, "password": {plain}})
	}
	exhaust := func(username string) (tries int, last answer) {
		p := g.person()
		for tries < 50 {
			if last = try(p, username, "wrong"); last.status != http.StatusOK {
				break
			}
			tries++
		}
		return tries, last
	}
	g.work.take()
	triesKnown, known := exhaust("ada")
	if n := len(g.work.take()); n != triesKnown {
		t.Errorf("%d tries took %d hashes", triesKnown, n)
	}
	triesUnknown, unknown := exhaust("nobody")
	if known.status != http.StatusTooManyRequests || triesKnown != triesUnknown || triesKnown == 0 {
		t.Fatalf("after %d tries at a known account: %d; after %d at an unknown one: %d", triesKnown, known.status, triesUnknown, unknown.status)
	}
	if known.body != unknown.body || known.header.Get("Retry-After") != unknown.header.Get("Retry-After") || known.header.Get("Retry-After") == "" {
		t.Errorf("the refusals differ: Retry-After %q and %q\n%s\n%s", known.header.Get("Retry-After"), unknown.header.Get("Retry-After"), known.body, unknown.body)
	}
	p := g.person()
	if a := try(p, "ADA ", "correct horse"); a.status != http.StatusTooManyRequests || p.isIn() {
		t.Errorf("the right password of an account that waits, its name written otherwise: status %d", a.status)
	}
	g.clock.step(time.Hour)
	if a := try(p, "ada", "correct horse"); !a.redirects() || !p.isIn() {
		t.Errorf("control: an hour later: status %d", a.status)
	}
}
