// Package redisstore keeps sessions in Redis, as Django's engine django.contrib.sessions.backends.cache does over
// django.core.cache.backends.redis.RedisCache: Django reads what it writes and the other way round. What Django has no place for
// stands beside it, under a key of our own.
//
// A session is as safe there as Redis keeps it: without persistence a restart logs everybody out, and a maxmemory-policy of allkeys-…
// logs people out one by one. One server is asked, with replicas of its own if you like, as by Django; not a Redis Cluster.
//
// Django keeps Python pickles in its caches, which may hold any object of its programs. Here they may hold plain data only, what JSON
// has: anything else is refused and nothing of it is run.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A Client runs Lua scripts on a Redis server. [Open] gives one, [Wrap] makes one of a client of go-redis.
type Client interface {
	// Eval runs script with its KEYS and ARGV, at once or not at all, and never twice. Of what the script returns, numbers are
	// int64, texts are string, lists are []any and nothing is nil. It may be called concurrently.
	Eval(ctx context.Context, script string, keys []string, args ...any) (any, error)
}

// Config says how a Store works. Its zero value is right for a cache of Django's without KEY_PREFIX and VERSION.
type Config struct {
	// Prefix and Version are KEY_PREFIX and VERSION of Django's cache. Version defaults to 1.
	Prefix  string
	Version int
	// HashKeys stores a hash of each key, see sessions.HashKey, so that a copy of Redis opens no session. Django does not find
	// such sessions. Defaults to the key as it is.
	HashKeys bool
	// Age is how long a session lives that somebody stored without an end. Defaults to 14 days.
	Age time.Duration
	// Now is the clock. Only differences count: it is Redis that lets a session expire. Defaults to time.Now.
	Now func() time.Time
	// Logger hears of sessions that cannot be read. Defaults to slog.Default().
	Logger *slog.Logger
}

// Store is a [sessions.Store] in Redis. It is safe for concurrent use.
type Store struct {
	client Client
	cfg    Config
}

var (
	_ sessions.Store   = (*Store)(nil)
	_ sessions.Toucher = (*Store)(nil)
	_ sessions.Tracer  = (*Store)(nil)
)

// New returns a Store that keeps its sessions where client leads.
func New(client Client, cfg Config) (*Store, error) {
	if client == nil {
		return nil, errors.New("redisstore: New without a Client")
	}
	if cfg.Version == 0 {
		cfg.Version = 1
	}
	if cfg.Age == 0 {
		cfg.Age = 14 * 24 * time.Hour
	}
	if cfg.Age < 0 {
		return nil, fmt.Errorf("redisstore: Config.Age is %v, less than nothing", cfg.Age)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Store{client, cfg}, nil
}

// Load implements [sessions.Store]. A value that Python could not read either is ErrNotFound, as in Django. One that only Python can
// read is a [*PickleError], an outage: to take it for no session would log people out of the Django site.
func (s *Store) Load(ctx context.Context, key string) (sessions.Record, error) {
	id, ok := s.id(key)
	if !ok {
		return sessions.Record{}, notFound(ctx, "load")
	}
	got, err := s.client.Eval(ctx, loadScript, s.keys(id))
	if err != nil {
		return sessions.Record{}, failed("load", err)
	}
	list, ok := got.([]any)
	switch {
	case ok && len(list) == 0:
		return sessions.Record{}, sessions.ErrNotFound
	case !ok || len(list) != 3:
		return sessions.Record{}, failed("load", errStrange)
	}
	value, okValue := list[0].(string)
	left, okLeft := list[1].(int64)
	fields, okFields := list[2].([]any)
	if !okValue || !okLeft || !okFields {
		return sessions.Record{}, failed("load", errStrange)
	}
	return s.record(ctx, value, left, fields)
}

// record makes a session of a value, the milliseconds that are left to it, and the fields of its note.
func (s *Store) record(ctx context.Context, value string, left int64, fields []any) (sessions.Record, error) {
	now := s.cfg.Now()
	rec := sessions.Record{Version: value}
	rec.Expires = now.Add(time.Duration(left) * time.Millisecond)
	if left < 0 { // stored without an end
		rec.Expires = now.Add(s.cfg.Age)
	}
	readNote(fields, &rec)
	if !rec.Expires.After(now) {
		return sessions.Record{}, sessions.ErrNotFound
	}
	data, err := decode(value)
	var foreign *PickleError
	switch {
	case errors.As(err, &foreign):
		return sessions.Record{}, err
	case err != nil:
		s.cfg.Logger.WarnContext(ctx, "redisstore: a session's value cannot be read", "error", err)
		return sessions.Record{}, sessions.ErrNotFound
	}
	rec.Data = data
	return rec, nil
}

// Save implements [sessions.Store].
func (s *Store) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	value, err := encode(rec.Data)
	if err != nil {
		return "", failed("save", err)
	}
	if key == "" {
		return s.create(ctx, value, rec)
	}
	id, ok := s.id(key)
	if !ok {
		return "", notFound(ctx, "save")
	}
	got, err := s.client.Eval(ctx, saveScript, s.keys(id), s.args(rec, value)...)
	if err := outcome("save", got, err); err != nil {
		return "", err
	}
	return key, nil
}

func (s *Store) create(ctx context.Context, value string, rec sessions.Record) (string, error) {
	for range tries {
		key := sessions.NewKey()
		id, _ := s.id(key)
		got, err := s.client.Eval(ctx, createScript, s.keys(id), s.args(rec, value)...)
		err = outcome("save", got, err)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, errTaken) {
			return "", err
		}
	}
	return "", failed("save", errTaken)
}

// Rotate implements [sessions.Store].
func (s *Store) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	value, err := encode(rec.Data)
	if err != nil {
		return "", failed("rotate", err)
	}
	old, ok := s.id(key)
	if !ok {
		return "", notFound(ctx, "rotate")
	}
	for range tries {
		next := sessions.NewKey()
		id, _ := s.id(next)
		keys := append(s.keys(old), s.keys(id)...)
		got, err := s.client.Eval(ctx, rotateScript, keys, append(s.args(rec, value), id, sessions.Grace.Milliseconds())...)
		err = outcome("rotate", got, err)
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, errTaken) {
			return "", err
		}
	}
	return "", failed("rotate", errTaken)
}

// tries is how often a key is drawn that exists already, which none of the next billion years will see.
const tries = 3

// Delete implements [sessions.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	id, ok := s.id(key)
	for ok {
		got, err := s.client.Eval(ctx, deleteScript, s.keys(id))
		if err != nil {
			return failed("delete", err)
		}
		if id, ok = got.(string); !ok {
			return failed("delete", errStrange)
		}
		ok = s.ours(id)
	}
	return nil
}

// Touch implements [sessions.Toucher].
func (s *Store) Touch(ctx context.Context, key string, expires, now time.Time) error {
	id, ok := s.id(key)
	if !ok {
		return notFound(ctx, "touch")
	}
	got, err := s.client.Eval(ctx, touchScript, s.keys(id), s.left(expires), micro(expires), micro(now))
	return outcome("touch", got, err)
}

// Rotated implements [sessions.Tracer].
func (s *Store) Rotated(ctx context.Context, key string) (bool, error) {
	id, ok := s.id(key)
	if !ok {
		return false, nil
	}
	got, err := s.client.Eval(ctx, rotatedScript, s.keys(id))
	if err != nil {
		return false, failed("look for the successor of", err)
	}
	return got == int64(1), nil
}

// id returns what Redis keeps for a key, and false for one that neither we nor Django make: with other characters in it, a key could
// name what is not a session.
func (s *Store) id(key string) (string, bool) {
	if !s.ours(key) {
		return "", false
	}
	if s.cfg.HashKeys {
		return sessions.HashKey(key), true
	}
	return key, true
}

func (*Store) ours(key string) bool {
	return key != "" && len(key) <= maxKey && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

const maxKey = 64

// keys are the names of what belongs to a session: its value, where Django looks for it, our note, and what it was rotated into.
func (s *Store) keys(id string) []string {
	value := sessions.DjangoCacheKey(s.cfg.Prefix, s.cfg.Version, sessions.DjangoCacheEngine, id)
	return []string{value, value + ":cardea", value + ":cardea:rotated"}
}

// args are the arguments of a script that writes rec.
func (s *Store) args(rec sessions.Record, value string) []any {
	return append([]any{rec.Version, value, s.left(rec.Expires)}, note(rec)...)
}

// left is the time to a moment in milliseconds, rounded up.
func (s *Store) left(expires time.Time) int64 {
	left := expires.Sub(s.cfg.Now())
	if left <= 0 {
		return 0
	}
	return int64(min(left, maxLeft)/time.Millisecond) + 1
}

// maxLeft keeps what Redis adds to its clock within its numbers.
const maxLeft = 200 * 365 * 24 * time.Hour

var (
	errStrange = errors.New("the server's answer makes no sense")
	errTaken   = errors.New("every new key is taken")
)

// outcome is what a script that writes has answered.
func outcome(op string, got any, err error) error {
	if err != nil {
		return failed(op, err)
	}
	switch got {
	case int64(done):
		return nil
	case int64(absent):
		return sessions.ErrNotFound
	case int64(changed):
		return sessions.ErrConflict
	case int64(taken):
		return errTaken
	}
	return failed(op, errStrange)
}

// notFound is ErrNotFound for a key that needs no look at Redis; a context that has ended comes first all the same.
func notFound(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return failed(op, err)
	}
	return sessions.ErrNotFound
}

func failed(op string, err error) error { return fmt.Errorf("redisstore: %s a session: %w", op, err) }
