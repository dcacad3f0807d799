package manage

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/cached"
	"github.com/cardea-go/cardea/sessions/cookiestore"
	"github.com/cardea-go/cardea/sessions/filestore"
	"github.com/cardea-go/cardea/sessions/redisstore"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// engineSettings say where sessions are kept: Django's settings of its engines, and of the cache that SESSION_CACHE_ALIAS names.
type engineSettings struct {
	SessionEngine     string `setting:"session_engine"`
	SessionFilePath   string `setting:"session_file_path" fallback:"(the folder for temporary files)"`
	SessionCacheAlias string `setting:"session_cache_alias"` // read, so that settings can be carried over: redis_url says where that is
	RedisURL          string `setting:"redis_url"`
	RedisKeyPrefix    string `setting:"redis_key_prefix"`
	RedisKeyVersion   int    `setting:"redis_key_version" fallback:"1"`
}

// The engines, by the last part of Django's dotted paths.
const (
	engineDB       = "db"
	engineCachedDB = "cached_db"
	engineCache    = "cache"
	engineFile     = "file"
	engineCookies  = "signed_cookies"
)

func (s *Settings) engine() string {
	if s.SessionEngine == "" {
		return engineDB
	}
	return strings.TrimPrefix(s.SessionEngine, "django.contrib.sessions.backends.")
}

// checkEngine refuses an engine that there is not, and what it cannot do.
func (s *Settings) checkEngine() error {
	engine := s.engine()
	redis := engine == engineCache || engine == engineCachedDB
	switch {
	case engine != engineDB && !redis && engine != engineFile && engine != engineCookies:
		return s.wrong("session_engine", "can only be db, cached_db, cache, file or signed_cookies, or Django's dotted path of one of them")
	case redis && s.RedisURL == "":
		return s.wrong("session_engine", "\""+engine+"\" needs redis_url, such as \"redis://127.0.0.1:6379/0\": the LOCATION of Django's cache")
	case !redis && s.RedisURL != "":
		return s.wrong("redis_url", "counts only with session_engine \"cache\" or \"cached_db\"; set that, or leave it out")
	case s.RedisKeyVersion < 0:
		return s.wrong("redis_key_version", "must be the VERSION of Django's cache, 1 or more")
	case (engine == engineCachedDB || engine == engineFile || engine == engineCookies) && s.Profile != cardea.Django:
		return s.wrong("session_engine", "\""+engine+"\" is for sharing sessions with Django: name profile = \"django\", or choose \"db\" or \"cache\"")
	case (engine == engineFile || engine == engineCookies) && s.SessionAbsolute > 0:
		return s.wrong("session_absolute", "cannot be kept with session_engine \""+engine+"\", where nothing says when a session began; leave it out, or choose another engine")
	case engine == engineCookies && s.SessionIdle > 0:
		return s.wrong("session_idle", "cannot be kept with session_engine \"signed_cookies\", where nothing notes that a session is in use; leave it out, or choose another engine")
	}
	return nil
}

// A keeper is where the sessions are kept, when that is not the database alone.
type keeper struct {
	store sessions.Store // nil: in the database
	redis *redisstore.Server
}

// keeper opens what the engine needs. The secret key has to be known.
func (s *Settings) keeper(ctx context.Context, db *userdb.DB) (k keeper, err error) {
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	engine := s.engine()
	if engine == engineCache || engine == engineCachedDB {
		if k.redis, err = s.openRedis(); err != nil {
			return k, err
		}
		if err := s.greet(ctx, k.redis, engine); err != nil {
			return k, err
		}
	}
	switch engine {
	case engineCache:
		k.store, err = redisstore.New(k.redis, redisstore.Config{
			Prefix: s.RedisKeyPrefix, Version: s.RedisKeyVersion, HashKeys: s.Profile != cardea.Django, Age: s.SessionCookieAge, Now: s.Now, Logger: s.Logger,
		})
	case engineCachedDB:
		codec, failed := s.codec()
		if failed != nil {
			return k, failed
		}
		rows := db.Sessions(codec, userdb.SessionsConfig{Users: db.Users(), Now: s.Now, Logger: s.Logger})
		k.store, err = cached.New(rows, k.redis, cached.Config{Prefix: s.RedisKeyPrefix, Version: s.RedisKeyVersion, Now: s.Now, Logger: s.Logger})
	case engineFile:
		k.store, err = s.files()
	case engineCookies:
		k.store, err = cookiestore.New(s.keys(), cookiestore.Config{CookieName: s.SessionCookieName, Age: s.SessionCookieAge, Now: s.Now})
	}
	return k, err
}

func (s *Settings) openRedis() (*redisstore.Server, error) {
	redisstore.Silence() // what happens is in our own log
	server, err := redisstore.Open(s.RedisURL)
	if err != nil {
		return nil, s.wrong("redis_url", "cannot be used: "+strings.TrimPrefix(err.Error(), "redisstore: "))
	}
	return server, nil
}

// greet asks whether Redis is there. Where it holds the sessions nothing works without; where it holds copies, much does.
func (s *Settings) greet(ctx context.Context, redis *redisstore.Server, engine string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := redis.Ping(ctx)
	switch {
	case err == nil:
		return nil
	case engine == engineCache:
		return fmt.Errorf("cannot use the Redis %s: %w; check that it runs and that redis_url is redis://[:PASSWORD@]HOST:PORT/NUMBER", hidePassword(s.RedisURL), err)
	}
	logger := s.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.ErrorContext(ctx, "Redis does not answer; sessions go on from the database, and Django may read old copies", "redis_url", hidePassword(s.RedisURL), "error", err)
	return nil
}

func (s *Settings) files() (*filestore.Store, error) {
	codec, err := s.codec()
	if err != nil {
		return nil, err
	}
	dir := s.SessionFilePath
	if dir == "" {
		dir = os.TempDir() // as Django
	}
	store, err := filestore.New(dir, codec, filestore.Config{CookieName: s.SessionCookieName, Age: s.SessionCookieAge, Now: s.Now, Logger: s.Logger})
	if err != nil {
		return nil, s.wrong("session_file_path", "cannot be used: "+strings.TrimPrefix(err.Error(), "filestore: "))
	}
	return store, nil
}

func (s *Settings) keys() signing.Keys {
	return signing.Keys{Current: s.SecretKey, Fallbacks: s.SecretKeyFallbacks}
}

func (s *Settings) codec() (*sessions.Codec, error) { return sessions.NewCodec(s.keys(), "", true) }

// ping asks what holds the sessions beside the database. What only holds copies may be away.
func (k keeper) ping(ctx context.Context) error {
	if _, held := k.store.(*redisstore.Store); held {
		return k.redis.Ping(ctx)
	}
	return nil
}

func (k keeper) close() {
	if k.redis != nil {
		_ = k.redis.Close()
	}
}

// listable refuses to list and end sessions where nobody can tell whose they are.
func (s *Settings) listable() error {
	if err := s.check(); err != nil {
		return err
	}
	if engine := s.engine(); engine != engineDB && engine != engineCachedDB {
		return fmt.Errorf("session_engine %q keeps no list of sessions; a new password or \"cardea user deactivate\" ends those of one user", engine)
	}
	return nil
}

// dropCopies lets what store ends lose its copy in the cache of Django, where there are copies.
func (s *Settings) dropCopies(store *userdb.SessionStore) error {
	if s.engine() != engineCachedDB || s.RedisURL == "" {
		return nil
	}
	server, err := s.openRedis()
	if err != nil {
		return err
	}
	_, err = cached.New(store, server, cached.Config{Prefix: s.RedisKeyPrefix, Version: s.RedisKeyVersion, Now: s.Now, Logger: s.Logger})
	return err
}

// sweepSessions deletes the expired sessions, wherever they are.
func (s *Settings) sweepSessions(ctx context.Context) (int, error) {
	switch s.engine() {
	case engineCache, engineCookies: // they go by themselves
		return 0, nil
	case engineFile:
		if err := s.findSecretKey(); err != nil { // when a session expires may stand in it
			return 0, err
		}
		store, err := s.files()
		if err != nil {
			return 0, err
		}
		return store.Sweep(ctx, time.Now())
	}
	db, err := s.open(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return db.Sessions(nil, userdb.SessionsConfig{}).Sweep(ctx, time.Now())
}
