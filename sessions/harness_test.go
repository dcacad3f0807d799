package sessions_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
)

// A site is a handler under a Manager over a memstore that counts and can fail.
type site struct {
	*testing.T
	clock *sessiontest.Clock
	mem   *memstore.Store
	spy   *spy
	m     *sessions.Manager
	log   *lockedBuffer
	wrap  func(http.Handler) http.Handler
}

// newSite makes a site with Django's cookie names.
func newSite(t *testing.T, cfg sessions.Config) *site {
	t.Helper()
	return newSiteOver(t, cfg, func(s *spy) sessions.Store { return s })
}

func newSiteOver(t *testing.T, cfg sessions.Config, over func(*spy) sessions.Store) *site {
	t.Helper()
	s := &site{T: t, clock: sessiontest.NewClock(), log: &lockedBuffer{}}
	s.mem = memstore.New(memstore.Config{Now: s.clock.Now})
	s.spy = &spy{Store: s.mem}
	cfg.Now = s.clock.Now
	cfg.Cookie.Plain = true
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	if s.m, err = sessions.New(over(s.spy), cfg); err != nil {
		t.Fatal(err)
	}
	o, err := origin.New(origin.Config{AllowedHosts: []string{"example.com"}, InsecureHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	s.wrap = func(app http.Handler) http.Handler {
		return respond.Handler(o.Handler(s.m.Handler(app)), respond.Config{Error: errorPage, Logger: cfg.Logger})
	}
	return s
}

// A browser keeps one cookie, as a browser would.
type browser struct {
	*site
	cookie string
}

func (s *site) browser() *browser { return &browser{site: s} }

// twin is the same browser with the cookie of now: another tab, whose answer is still to come.
func (b *browser) twin() *browser { c := *b; return &c }

// visit makes a request that do answers, and keeps the cookie of the answer.
func (b *browser) visit(do func(w http.ResponseWriter, r *http.Request)) *answer {
	b.Helper()
	return b.send(context.Background(), do)
}

func (b *browser) send(ctx context.Context, do func(w http.ResponseWriter, r *http.Request)) *answer {
	b.Helper()
	r := httptest.NewRequest("GET", "http://example.com/", nil).WithContext(ctx)
	r.Header.Set("User-Agent", "Browser/1")
	if b.cookie != "" {
		r.Header.Set("Cookie", "sessionid="+b.cookie)
	}
	w := httptest.NewRecorder()
	b.wrap(http.HandlerFunc(do)).ServeHTTP(w, r)
	a := &answer{Response: w.Result(), t: b.T, body: w.Body.String()}
	for _, c := range a.Cookies() {
		if c.Name == "sessionid" {
			if b.cookie = c.Value; c.MaxAge < 0 {
				b.cookie = ""
			}
		}
	}
	return a
}

// act visits with a handler that only works on the session and must not fail.
func (b *browser) act(do func(s *sessions.Session) error) *answer {
	b.Helper()
	return b.visit(func(_ http.ResponseWriter, r *http.Request) {
		if err := do(sessions.From(r)); err != nil {
			b.Errorf("got the error %v", err)
		}
	})
}

// get reads a value in a request of its own.
func (b *browser) get(key string) (value string) {
	b.Helper()
	b.act(func(s *sessions.Session) error {
		raw, _ := s.Get(key)
		value = string(raw)
		return nil
	})
	return value
}

func (b *browser) want(key, want string) {
	b.Helper()
	if got := b.get(key); got != want {
		b.Errorf("session value %q: got %s, want %s", key, got, want)
	}
}

func set(key string, v any) func(*sessions.Session) error {
	return func(s *sessions.Session) error { return s.Set(key, v) }
}

func nothing(http.ResponseWriter, *http.Request) {}

// An answer is what the browser got.
type answer struct {
	*http.Response
	t interface {
		Helper()
		Errorf(format string, args ...any)
	}
	body string
}

func (a *answer) wantStatus(want int) *answer {
	a.t.Helper()
	if a.StatusCode != want {
		a.t.Errorf("status: got %d, want %d", a.StatusCode, want)
	}
	return a
}

// wantCookie checks what the answer does to the cookie: "kept", "set" or "deleted".
func (a *answer) wantCookie(want string) *answer {
	a.t.Helper()
	got := "kept"
	for _, c := range a.Cookies() {
		if got = "set"; c.MaxAge < 0 {
			got = "deleted"
		}
	}
	if got != want {
		a.t.Errorf("cookie: got it %s, want it %s: %q", got, want, a.Header["Set-Cookie"])
	}
	return a
}

func (a *answer) wantVary(want bool) *answer {
	a.t.Helper()
	if got := slices.Contains(a.Header["Vary"], "Cookie"); got != want {
		a.t.Errorf("Vary: got %q, want Cookie there: %v", a.Header["Vary"], want)
	}
	return a
}

// A spy is a store that counts what is asked of it, and fails and runs code on demand.
type spy struct {
	*memstore.Store
	mu     sync.Mutex
	calls  []string
	fail   error                 // of every call
	before func(call string)     // runs before each call reaches the store
	seen   func(context.Context) // sees each call's context
}

var errDown = errors.New("the database is down")

func (s *spy) call(ctx context.Context, name string) error {
	s.mu.Lock()
	s.calls = append(s.calls, name)
	before, seen, fail := s.before, s.seen, s.fail
	s.mu.Unlock()
	if seen != nil {
		seen(ctx)
	}
	if before != nil {
		before(name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fail
}

// took returns the calls since it was last asked.
func (s *spy) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := strings.Join(s.calls, " ")
	s.calls = nil
	return calls
}

func (s *spy) Load(ctx context.Context, key string) (sessions.Record, error) {
	if err := s.call(ctx, "load"); err != nil {
		return sessions.Record{}, err
	}
	return s.Store.Load(ctx, key)
}

func (s *spy) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := s.call(ctx, "save"); err != nil {
		return "", err
	}
	return s.Store.Save(ctx, key, rec)
}

func (s *spy) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := s.call(ctx, "rotate"); err != nil {
		return "", err
	}
	return s.Store.Rotate(ctx, key, rec)
}

func (s *spy) Delete(ctx context.Context, key string) error {
	if err := s.call(ctx, "delete"); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

func (s *spy) Touch(ctx context.Context, key string, expires, now time.Time) error {
	if err := s.call(ctx, "touch"); err != nil {
		return err
	}
	return s.Store.Touch(ctx, key, expires, now)
}

func (s *spy) Rotated(ctx context.Context, key string) (bool, error) {
	if err := s.call(ctx, "rotated"); err != nil {
		return false, err
	}
	return s.Store.Rotated(ctx, key)
}

// plainStore has none of the abilities beyond a Store's.
type plainStore struct{ sessions.Store }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// attaching is a store that loads something beside the session.
type attaching struct{ plainStore }

func (a attaching) Load(ctx context.Context, key string) (sessions.Record, error) {
	rec, err := a.plainStore.Load(ctx, key)
	rec.Attached = "the user"
	return rec, err
}

func cookieNamed(name string) origin.CookiePolicy { return origin.CookiePolicy{Name: name} }
