// Package sessiontest holds the rules of a [sessions.Store] as tests. A store that passes can be put under any site:
//
//	func TestStore(t *testing.T) {
//		clock := sessiontest.NewClock()
//		sessiontest.Run(t, func(t *testing.T) sessions.Store { return mystore.New(clock.Now) }, sessiontest.WithClock(clock))
//	}
package sessiontest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// Run tests the store that open makes, an empty one each time. What the store says it can do beyond [sessions.Store], by
// implementing Sweeper, Toucher, Tracer or Stateless, is tested too.
func Run(t *testing.T, open func(t *testing.T) sessions.Store, options ...Option) {
	t.Helper()
	var s suite
	for _, o := range options {
		o(&s)
	}
	s.open = open
	if s.owner == nil {
		s.owner = func(*testing.T, sessions.Store) string { return "42" }
	}
	if s.clock == nil {
		s.now = time.Now
	} else {
		s.now = s.clock.Now
	}
	probe := open(t)
	if _, ok := probe.(sessions.Stateless); ok {
		s.run(t, statelessRules)
		return
	}
	s.run(t, keyRules)
	s.run(t, dataRules)
	s.run(t, saveRules)
	s.run(t, rotateRules)
	s.run(t, expiryRules)
	if !s.bare {
		s.run(t, factRules)
	}
	if _, ok := probe.(sessions.Sweeper); ok {
		s.run(t, sweepRules)
	}
	if _, ok := probe.(sessions.Toucher); ok {
		s.run(t, touchRules)
	}
	if _, ok := probe.(sessions.Tracer); ok {
		s.run(t, traceRules)
	}
}

// An Option tells Run something about the store.
type Option func(*suite)

// WithClock says that the store goes by clock, which Run will move. Without it, the rules about exact moments are left out.
func WithClock(clock *Clock) Option { return func(s *suite) { s.clock = clock } }

// Bare says that the store has no place for Created, Owner and Client.
func Bare() Option { return func(s *suite) { s.bare = true } }

// WithOwner says how to make a user who can own sessions, for a store that knows its users, and returns the id. Without it, the
// store is asked to keep the owner "42".
func WithOwner(makeUser func(t *testing.T, store sessions.Store) (id string)) Option {
	return func(s *suite) { s.owner = makeUser }
}

// A Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a Clock that shows the present, to the microsecond.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Microsecond)} }

// Now returns what the Clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the Clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type suite struct {
	open  func(t *testing.T) sessions.Store
	clock *Clock
	bare  bool
	owner func(*testing.T, sessions.Store) string
	now   func() time.Time
}

// A rule is a sentence about stores, and how to see that it holds.
type rule struct {
	text  string
	check func(s *subject)
}

func (s *suite) run(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.text, func(t *testing.T) {
			r.check(&subject{T: t, suite: s, store: s.open(t), ctx: t.Context()})
		})
	}
}

// A subject is one store under test.
type subject struct {
	*testing.T
	*suite
	store sessions.Store
	ctx   context.Context
}

// record returns a record with this data that lives for an hour.
func (s *subject) record(json string) sessions.Record {
	s.Helper()
	data, err := sessions.ParseData([]byte(json))
	if err != nil {
		s.Fatalf("ParseData(%q): %v", json, err)
	}
	return sessions.Record{Data: data, Expires: s.now().Add(time.Hour)}
}

func (s *subject) create(json string) (key string) {
	s.Helper()
	key, err := s.store.Save(s.ctx, "", s.record(json))
	if err != nil {
		s.Fatalf("Save of a new session: %v", err)
	}
	return key
}

func (s *subject) load(key string) sessions.Record {
	s.Helper()
	rec, err := s.store.Load(s.ctx, key)
	if err != nil {
		s.Fatalf("Load(%q): %v", key, err)
	}
	return rec
}

func (s *subject) delete(key string) {
	s.Helper()
	if err := s.store.Delete(s.ctx, key); err != nil {
		s.Fatalf("Delete(%q): %v", key, err)
	}
}

func (s *subject) rotate(key string) (next string) {
	s.Helper()
	next, err := s.store.Rotate(s.ctx, key, s.load(key))
	if err != nil {
		s.Fatalf("Rotate(%q): %v", key, err)
	}
	return next
}

// wantData checks what is stored under key.
func (s *subject) wantData(key, want string) {
	s.Helper()
	if got := text(s.T, s.load(key).Data); got != want {
		s.Errorf("stored under %q:\n got %.300s\nwant %.300s", key, got, want)
	}
}

// wantDead checks that nothing can be done with key any more.
func (s *subject) wantDead(key, why string) {
	s.Helper()
	if _, err := s.store.Load(s.ctx, key); !errors.Is(err, sessions.ErrNotFound) {
		s.Errorf("Load of %s key %.60q: got %v, want ErrNotFound", why, key, err)
	}
	if _, err := s.store.Save(s.ctx, key, s.record(`{"revived":1}`)); !errors.Is(err, sessions.ErrNotFound) {
		s.Errorf("Save under %s key %.60q: got %v, want ErrNotFound", why, key, err)
	}
	if next, err := s.store.Rotate(s.ctx, key, s.record(`{"revived":1}`)); !errors.Is(err, sessions.ErrNotFound) {
		s.Errorf("Rotate of %s key %.60q: got %q and %v, want ErrNotFound", why, key, next, err)
	}
	if _, err := s.store.Load(s.ctx, key); !errors.Is(err, sessions.ErrNotFound) {
		s.Errorf("%s key %.60q was revived", why, key)
	}
}

func text(t *testing.T, d sessions.Data) string {
	t.Helper()
	b, err := d.AppendJSON(nil)
	if err != nil {
		t.Fatalf("AppendJSON: %v", err)
	}
	return string(b)
}
