package cached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/internal/testredis"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/cached"
	"github.com/cardea-go/cardea/sessions/redisstore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// database returns a store of sessions in a new SQLite database.
func database(t testing.TB, now func() time.Time) *userdb.SessionStore {
	t.Helper()
	db, err := userdb.OpenURL(t.Context(), testdb.New(t, "sqlite").URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	codec, err := sessions.NewCodec(signing.Keys{Current: "a secret for tests alone"}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	return db.Sessions(codec, userdb.SessionsConfig{Now: now})
}

func open(t testing.TB, db cached.Database, cache cached.Cache, cfg cached.Config) *cached.Store {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := cached.New(db, cache, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(t testing.TB, json string) sessions.Record {
	t.Helper()
	d, err := sessions.ParseData([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return sessions.Record{Data: d, Expires: time.Now().Add(time.Hour)}
}

func create(t testing.TB, s sessions.Store) string {
	t.Helper()
	key, err := s.Save(t.Context(), "", record(t, `{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A cache in memory, which can be down.
type cache struct {
	mu      sync.Mutex
	copies  map[string]bool
	down    bool
	asked   int
	deleted []string
	before  func() // runs before a deletion
}

func newCache() *cache { return &cache{copies: map[string]bool{}} }

func (c *cache) Delete(ctx context.Context, keys ...string) error {
	if c.before != nil {
		c.before()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.down {
		return errors.New("the cache is down")
	}
	c.deleted = append(c.deleted, keys...)
	for _, key := range keys {
		delete(c.copies, key)
	}
	return ctx.Err()
}

func copyOf(key string) string { return ":1:django.contrib.sessions.cached_db" + key }

// fill does what a reading Django does.
func (c *cache) fill(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		c.copies[copyOf(key)] = true
	}
}

func (c *cache) has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copies[copyOf(key)]
}

func TestStore(t *testing.T) {
	t.Parallel()
	t.Run("with Redis", func(t *testing.T) {
		t.Parallel()
		sessiontest.Run(t, func(t *testing.T) sessions.Store {
			part := testredis.New(t)
			server, err := redisstore.Open(part.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { server.Close() })
			return open(t, database(t, nil), server, cached.Config{Prefix: part.Prefix})
		}, sessiontest.Bare()) // its owners would have to be users
	})
	t.Run("with the cache down", func(t *testing.T) {
		t.Parallel()
		clock := sessiontest.NewClock()
		sessiontest.Run(t, func(t *testing.T) sessions.Store {
			c := newCache()
			c.down = true
			return open(t, database(t, clock.Now), c, cached.Config{Now: clock.Now})
		}, sessiontest.WithClock(clock), sessiontest.Bare())
	})
}

// TestCopiesGo: whatever changes or ends a session drops Django's copy before the answer goes out; what only reads does not.
func TestCopiesGo(t *testing.T) {
	t.Parallel()
	c := newCache()
	s := open(t, database(t, nil), c, cached.Config{})
	for _, step := range []struct {
		name string
		gone bool
		do   func(key string, rec sessions.Record) error
	}{
		{"Load", false, func(key string, _ sessions.Record) error { return second(s.Load(t.Context(), key)) }},
		{"Touch", false, func(key string, rec sessions.Record) error {
			return s.Touch(t.Context(), key, rec.Expires, time.Now())
		}},
		{"Rotated", false, func(key string, _ sessions.Record) error { return second(s.Rotated(t.Context(), key)) }},
		{"Save", true, func(key string, rec sessions.Record) error { return second(s.Save(t.Context(), key, rec)) }},
		{"Rotate", true, func(key string, rec sessions.Record) error { return second(s.Rotate(t.Context(), key, rec)) }},
		{"Delete", true, func(key string, _ sessions.Record) error { return s.Delete(t.Context(), key) }},
	} {
		key, other := create(t, s), create(t, s)
		c.fill(key, other)
		rec, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if err := step.do(key, rec); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if c.has(key) == step.gone || !c.has(other) {
			t.Errorf("%s: there is a copy: %v, want %v; of another session: %v", step.name, c.has(key), !step.gone, c.has(other))
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestGhost: the copy of a session that somebody else removed from the database goes when a request meets it.
func TestGhost(t *testing.T) {
	t.Parallel()
	c, db := newCache(), database(t, nil)
	s := open(t, db, c, cached.Config{})
	for name, do := range map[string]func(key string) error{
		"Save":   func(key string) error { return second(s.Save(t.Context(), key, record(t, `{}`))) },
		"Rotate": func(key string) error { return second(s.Rotate(t.Context(), key, record(t, `{}`))) },
	} {
		key := create(t, s)
		c.fill(key)
		if err := db.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if err := do(key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
		if c.has(key) {
			t.Errorf("%s: the copy is still there", name)
		}
	}
}

// TestLogoutAfterRotation: a log-out by a key from before a rotation drops the copies of what it became, too.
func TestLogoutAfterRotation(t *testing.T) {
	t.Parallel()
	c := newCache()
	s := open(t, database(t, nil), c, cached.Config{})
	chain := []string{create(t, s)}
	for range 2 {
		next, err := s.Rotate(t.Context(), chain[len(chain)-1], record(t, `{}`))
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, next)
	}
	c.fill(chain...)
	if err := s.Delete(t.Context(), chain[0]); err != nil {
		t.Fatal(err)
	}
	for i, key := range chain {
		if c.has(key) {
			t.Errorf("the copy of key %d is still there", i)
		}
	}
}

// TestEndAll: sessions that are ended by their owner, or by who looks after the site, lose their copies, and others keep them.
func TestEndAll(t *testing.T) {
	t.Parallel()
	c, db := newCache(), database(t, nil)
	s := open(t, db, c, cached.Config{})
	var keys []string
	for _, json := range []string{`{"_auth_user_id":"1"}`, `{"_auth_user_id":"1"}`, `{"_auth_user_id":"1"}`, `{"_auth_user_id":"2"}`} {
		key, err := s.Save(t.Context(), "", record(t, json))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	c.fill(keys...)
	list, err := s.List(t.Context(), "1", keys[0])
	if err != nil || len(list) != 3 {
		t.Fatalf("List: %d sessions, %v", len(list), err)
	}
	copies := func() (n int) {
		for _, key := range keys {
			if c.has(key) {
				n++
			}
		}
		return n
	}
	i := slices.IndexFunc(list, func(l sessions.Listed) bool { return !l.Current })
	if err := s.End(t.Context(), "1", list[i].ID); err != nil || copies() != 3 || !c.has(keys[0]) {
		t.Errorf("End: %v, %d copies are left, want 3", err, copies())
	}
	if n, err := s.EndAll(t.Context(), "1", keys[0]); err != nil || n != 1 || copies() != 2 || !c.has(keys[0]) {
		t.Errorf("EndAll: %d, %v, %d copies are left, want 2", n, err, copies())
	}
	if n, err := db.EndEvery(t.Context()); err != nil || n != 2 || copies() != 0 {
		t.Errorf("EndEvery: %d, %v, %d copies are left, want none", n, err, copies())
	}
}

// TestOrder: at a log-out the copy goes first, so that a crash before the end leaves none without a row, and again afterwards.
func TestOrder(t *testing.T) {
	t.Parallel()
	c, db := newCache(), database(t, nil)
	s := open(t, db, c, cached.Config{})
	key := create(t, s)
	c.fill(key)
	var rows []bool
	c.before = func() {
		_, err := db.Load(context.Background(), key)
		rows = append(rows, err == nil)
		if err == nil { // Django reads between the two steps
			defer c.fill(key)
		}
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows, []bool{true, false}) {
		t.Errorf("at each deletion of the copy there was a row: %v, want [true false]", rows)
	}
	if c.has(key) {
		t.Error("a copy made in between is still there")
	}
}

// TestOnceMore: a copy that a slow Django writes after the change is dropped a few seconds later, by whatever comes.
func TestOnceMore(t *testing.T) {
	t.Parallel()
	for name, meet := range map[string]func(s *cached.Store){
		"a request": func(s *cached.Store) { _, _ = s.Load(context.Background(), "somebody") },
		"a sweep":   func(s *cached.Store) { _, _ = s.Sweep(context.Background(), time.Now()) },
	} {
		clock, c := sessiontest.NewClock(), newCache()
		s := open(t, database(t, clock.Now), c, cached.Config{Now: clock.Now})
		key := create(t, s)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		c.fill(key)
		meet(s)
		if !c.has(key) {
			t.Fatal("dropped again at once: the test proves nothing")
		}
		clock.Advance(5 * time.Second)
		meet(s)
		if c.has(key) {
			t.Errorf("%s after a while: the copy is still there", name)
		}
		asked := c.asked
		clock.Advance(time.Hour)
		meet(s)
		if c.asked != asked {
			t.Errorf("%s later: the cache is asked for nothing", name)
		}
	}
}

// TestCacheDown: while the cache is down, requests are answered from the database, the cache is asked once a second at most, one line
// says so; when it is back, what could not be dropped is, and one line says so.
func TestCacheDown(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clock, c := sessiontest.NewClock(), newCache()
	s := open(t, database(t, clock.Now), c, cached.Config{Now: clock.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	keys := make([]string, 20)
	for i := range keys {
		keys[i] = create(t, s)
	}
	c.fill(keys...)
	c.down = true
	for i, key := range keys {
		if i%2 == 0 {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
				t.Errorf("after the log-out: %v", err)
			}
		} else if _, err := s.Save(t.Context(), key, record(t, `{"b":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	if c.asked != 1 {
		t.Errorf("the cache was asked %d times, want once", c.asked)
	}
	for range 5 {
		clock.Advance(1100 * time.Millisecond)
		_, _ = s.Load(t.Context(), keys[1])
		_, _ = s.Load(t.Context(), keys[1])
	}
	if c.asked != 6 {
		t.Errorf("the cache was asked %d times, want once a second", c.asked)
	}
	c.down = false
	clock.Advance(1100 * time.Millisecond)
	if _, err := s.Load(t.Context(), keys[1]); err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if c.has(key) {
			t.Errorf("the copy of session %d is still there", i)
		}
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || strings.Count(text, "answers again") != 1 {
		t.Errorf("the log:\n%s", text)
	}
}

// TestManyOwed: however many copies are to be dropped, one request drops a bounded number, and all go.
func TestManyOwed(t *testing.T) {
	t.Parallel()
	clock, c := sessiontest.NewClock(), newCache()
	s := open(t, database(t, clock.Now), c, cached.Config{Now: clock.Now})
	c.down = true
	var keys []string
	for i := range 1200 {
		keys = append(keys, fmt.Sprintf("key%08d", i))
		if err := s.Delete(t.Context(), keys[i]); err != nil {
			t.Fatal(err)
		}
	}
	c.fill(keys...)
	c.down = false
	clock.Advance(2 * time.Second)
	most := 0
	for range 10 {
		before := len(c.deleted)
		_, _ = s.Load(t.Context(), "somebody")
		most = max(most, len(c.deleted)-before)
	}
	for _, key := range keys {
		if c.has(key) {
			t.Fatalf("the copy of %s is still there", key)
		}
	}
	if most > 500 {
		t.Errorf("one request dropped %d copies", most)
	}
}

// TestSlowCache: a cache that does not answer costs a request its time limit and no more.
func TestSlowCache(t *testing.T) {
	t.Parallel()
	s := open(t, database(t, nil), silent{}, cached.Config{Timeout: 50 * time.Millisecond})
	key := create(t, s)
	began := time.Now()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 50*time.Millisecond || took > time.Second {
		t.Errorf("took %v", took)
	}
}

// silent is a cache that never answers.
type silent struct{}

func (silent) Delete(ctx context.Context, _ ...string) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestTwoPrograms: of two programs on one database and one Redis, beside a Django that fills the cache all the time, a log-out in
// either leaves no copy once the copies that were due again have gone.
func TestTwoPrograms(t *testing.T) {
	t.Parallel()
	clock, c, db := sessiontest.NewClock(), newCache(), database(t, nil)
	one := open(t, db, c, cached.Config{Now: clock.Now})
	two := open(t, db, c, cached.Config{Now: clock.Now})
	for range 30 {
		key := create(t, one)
		next := ""
		var wg sync.WaitGroup
		wg.Go(func() { next, _ = one.Rotate(context.Background(), key, record(t, `{}`)) })
		wg.Go(func() {
			if err := two.Delete(context.Background(), key); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { // Django
			for range 20 {
				if _, err := db.Load(context.Background(), key); err == nil {
					c.fill(key)
				}
			}
		})
		wg.Wait()
		clock.Advance(5 * time.Second)
		_, _ = one.Load(t.Context(), "somebody")
		_, _ = two.Load(t.Context(), "somebody")
		if c.has(key) || next != "" && c.has(next) {
			t.Fatal("a copy is left")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	db, c := database(t, nil), newCache()
	if _, err := cached.New(nil, c, cached.Config{}); err == nil {
		t.Error("no database: no error")
	}
	if _, err := cached.New(db, nil, cached.Config{}); err == nil {
		t.Error("no cache: no error")
	}
	if _, err := cached.New(db, c, cached.Config{Timeout: -1}); err == nil {
		t.Error("a time limit less than nothing: no error")
	}
}
