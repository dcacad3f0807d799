// Package memstore keeps sessions in the memory of one process, for tests and for programs that may forget. It has no limit of
// its own: run Sweep now and then.
package memstore

import (
	"context"
	"iter"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// Config says how a Store works.
type Config struct {
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Store is a [sessions.Store] in memory, with every ability that a store may have. It is safe for concurrent use.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	records map[string]sessions.Record
	rotated map[string]successor
	version uint64
}

// successor is what became of a key that was rotated away.
type successor struct {
	key   string
	until time.Time
}

var (
	_ sessions.Store   = (*Store)(nil)
	_ sessions.Sweeper = (*Store)(nil)
	_ sessions.Toucher = (*Store)(nil)
	_ sessions.Tracer  = (*Store)(nil)
)

// New returns an empty Store.
func New(cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Store{now: cfg.Now, records: map[string]sessions.Record{}, rotated: map[string]successor{}}
}

// Load implements [sessions.Store].
func (s *Store) Load(_ context.Context, key string) (sessions.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live(key)
}

// Save implements [sessions.Store].
func (s *Store) Save(_ context.Context, key string, rec sessions.Record) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == "" {
		key = sessions.NewKey()
	} else if err := s.unchanged(key, rec.Version); err != nil {
		return "", err
	}
	s.put(key, rec)
	return key, nil
}

// Rotate implements [sessions.Store].
func (s *Store) Rotate(_ context.Context, key string, rec sessions.Record) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unchanged(key, rec.Version); err != nil {
		return "", err
	}
	delete(s.records, key)
	next := sessions.NewKey()
	s.put(next, rec)
	s.rotated[key] = successor{next, s.now().Add(sessions.Grace)}
	return next, nil
}

// Delete implements [sessions.Store].
func (s *Store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		delete(s.records, key)
		next, ok := s.remembered(key)
		if !ok {
			return nil
		}
		delete(s.rotated, key)
		key = next.key
	}
}

// Sweep implements [sessions.Sweeper].
func (s *Store) Sweep(_ context.Context, now time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.records)
	maps.DeleteFunc(s.records, func(_ string, rec sessions.Record) bool { return rec.Expires.Before(now) })
	maps.DeleteFunc(s.rotated, func(_ string, next successor) bool { return next.until.Before(now) })
	return before - len(s.records), nil
}

// Touch implements [sessions.Toucher].
func (s *Store) Touch(_ context.Context, key string, expires, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, err := s.live(key)
	if err != nil {
		return err
	}
	rec.Expires, rec.Seen = micro(expires), micro(now)
	s.records[key] = rec
	return nil
}

// Rotated implements [sessions.Tracer].
func (s *Store) Rotated(_ context.Context, key string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.remembered(key)
	return ok, nil
}

// Put stores rec under a key of the caller's choice, over whatever is there. It is for tests that begin with a session.
func (s *Store) Put(key string, rec sessions.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, rec)
}

// All ranges over a copy of what the Store holds, expired records too.
func (s *Store) All() iter.Seq2[string, sessions.Record] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.All(maps.Clone(s.records))
}

// Len returns how many records the Store holds, expired ones too.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

func (s *Store) live(key string) (sessions.Record, error) {
	rec, ok := s.records[key]
	if !ok || !rec.Expires.After(s.now()) {
		return sessions.Record{}, sessions.ErrNotFound
	}
	return rec, nil // its Data is never changed in place, here or by the caller
}

// unchanged reports as an error that key is dead, or no longer at version.
func (s *Store) unchanged(key, version string) error {
	rec, err := s.live(key)
	if err == nil && version != "" && version != rec.Version {
		err = sessions.ErrConflict
	}
	return err
}

func (s *Store) put(key string, rec sessions.Record) {
	s.version++
	rec.Version = strconv.FormatUint(s.version, 36)
	rec.Data = rec.Data.Clone()
	rec.Expires, rec.Created, rec.Seen = micro(rec.Expires), micro(rec.Created), micro(rec.Seen)
	rec.Attached = nil
	s.records[key] = rec
}

func (s *Store) remembered(key string) (successor, bool) {
	next, ok := s.rotated[key]
	return next, ok && next.until.After(s.now())
}

// micro drops what databases do not keep.
func micro(t time.Time) time.Time { return t.Round(0).Truncate(time.Microsecond) }
