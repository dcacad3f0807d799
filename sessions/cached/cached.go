// Package cached shares sessions with a Django site whose engine is django.contrib.sessions.backends.cached_db: the database holds
// the sessions, and a cache holds copies of them that Django reads first, asking nobody whether they still hold.
//
// Here the database is what counts. A session is read from it, in the one statement that also brings its user, and never from the
// cache: a copy that is stale logs nobody in. What changes or ends here is changed in the database and its copy is dropped, so that
// Django's next request reads the database and puts a true copy into the cache itself. Copies are dropped and never written: of two
// processes that write copies, the slower one would leave the older data.
//
// Dropping is done twice. A session that ends is dropped before its row goes, so that a crash in between cannot leave a copy
// without a row, and after. And each copy is dropped once more a little later, with a later request or with Sweep: a request in
// Django may have read the row before the change and write its copy after we dropped the old one.
//
// When the cache does not answer, requests go on from the database and the log says so. What could not be dropped is remembered in
// this process, and tried again each second with the requests that come. Until it succeeds, a Django that does get an answer from
// the cache may read the old copy; so it may if this process ends before.
package cached

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A Database keeps the sessions: userdb.SessionStore does, with keys as they are.
type Database interface {
	sessions.Store
	sessions.Sweeper
	sessions.Toucher
	sessions.Tracer
	sessions.Lister
	// OnEnd has ended called with the keys of sessions that Delete, End or EndAll has ended, those that others were rotated into
	// among them.
	OnEnd(ended func(ctx context.Context, keys []string))
}

// A Cache is where Django keeps its copies: redisstore.Server is one.
type Cache interface {
	// Delete removes keys, whether they are there or not. It may be called concurrently.
	Delete(ctx context.Context, keys ...string) error
}

// Config says how a Store works. Its zero value is right for a cache of Django's without KEY_PREFIX and VERSION.
type Config struct {
	// Prefix and Version are KEY_PREFIX and VERSION of Django's cache. Version defaults to 1.
	Prefix  string
	Version int
	// Timeout bounds the wait for the cache. Defaults to half a second.
	Timeout time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger hears when the cache does not answer, and when it does again. Defaults to slog.Default().
	Logger *slog.Logger
}

// Store is a [sessions.Store] in a database with copies in a cache. It is safe for concurrent use.
type Store struct {
	db    Database
	cfg   Config
	drops *drops
}

var (
	_ sessions.Store   = (*Store)(nil)
	_ sessions.Sweeper = (*Store)(nil)
	_ sessions.Toucher = (*Store)(nil)
	_ sessions.Tracer  = (*Store)(nil)
	_ sessions.Matcher = (*Store)(nil)
)

// New returns a Store over db, whose copies are in cache. Sessions that end by other ways of db, such as userdb's EndEvery, lose their
// copies too.
func New(db Database, cache Cache, cfg Config) (*Store, error) {
	if db == nil || cache == nil {
		return nil, errors.New("cached: New needs a Database and a Cache")
	}
	if cfg.Version == 0 {
		cfg.Version = 1
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 500 * time.Millisecond
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("cached: Config.Timeout is %v, less than nothing", cfg.Timeout)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Store{db, cfg, newDrops(cache, cfg)}
	db.OnEnd(func(ctx context.Context, keys []string) {
		copies := make([]string, 0, len(keys))
		for _, key := range keys {
			copies = append(copies, s.copy(key))
		}
		s.drops.drop(ctx, copies...)
	})
	return s, nil
}

// Load implements [sessions.Store], from the database.
func (s *Store) Load(ctx context.Context, key string) (sessions.Record, error) {
	s.drops.due(ctx)
	return s.db.Load(ctx, key)
}

// Save implements [sessions.Store]. The copy is dropped also of a session that is gone, or of which nobody knows whether it changed.
func (s *Store) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	saved, err := s.db.Save(ctx, key, rec)
	if key != "" && !errors.Is(err, sessions.ErrConflict) {
		s.drops.drop(ctx, s.copy(key))
	}
	return saved, err
}

// Rotate implements [sessions.Store].
func (s *Store) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	s.drops.now(ctx, s.copy(key))
	next, err := s.db.Rotate(ctx, key, rec)
	if !errors.Is(err, sessions.ErrConflict) {
		s.drops.drop(ctx, s.copy(key))
	}
	return next, err
}

// Delete implements [sessions.Store]. The database tells what has ended.
func (s *Store) Delete(ctx context.Context, key string) error {
	s.drops.now(ctx, s.copy(key))
	return s.db.Delete(ctx, key)
}

// List implements [sessions.Lister].
func (s *Store) List(ctx context.Context, owner, current string) ([]sessions.Listed, error) {
	return s.db.List(ctx, owner, current)
}

// End implements [sessions.Lister]. The database tells what has ended.
func (s *Store) End(ctx context.Context, owner, id string) error { return s.db.End(ctx, owner, id) }

// EndAll implements [sessions.Lister]. The database tells what has ended.
func (s *Store) EndAll(ctx context.Context, owner, except string) (int, error) {
	return s.db.EndAll(ctx, owner, except)
}

// EndMatching implements [sessions.Matcher], where the database does; else it is errors.ErrUnsupported. The database tells what has
// ended.
func (s *Store) EndMatching(ctx context.Context, owner string, match func(sessions.Data) bool) (int, error) {
	m, ok := s.db.(sessions.Matcher)
	if !ok {
		return 0, fmt.Errorf("cached: %w: the database cannot look into sessions", errors.ErrUnsupported)
	}
	return m.EndMatching(ctx, owner, match)
}

// Touch implements [sessions.Toucher]. The copy stays: Django reads the row again when the copy has run out.
func (s *Store) Touch(ctx context.Context, key string, expires, now time.Time) error {
	return s.db.Touch(ctx, key, expires, now)
}

// Rotated implements [sessions.Tracer].
func (s *Store) Rotated(ctx context.Context, key string) (bool, error) { return s.db.Rotated(ctx, key) }

// Sweep implements [sessions.Sweeper]: copies run out by themselves, but for those that are still to be dropped.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int, error) {
	s.drops.due(ctx)
	return s.db.Sweep(ctx, now)
}

// longestKey is the width of Django's column.
const longestKey = 40

// copy is the key of Django's copy of a session, or "" for what cannot be the key of one.
func (s *Store) copy(key string) string {
	if len(key) > longestKey {
		return ""
	}
	return sessions.DjangoCacheKey(s.cfg.Prefix, s.cfg.Version, sessions.DjangoCachedDBEngine, key)
}
