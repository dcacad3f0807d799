package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Server is a [Client] by go-redis. It is safe for concurrent use.
type Server struct {
	client  redis.UniversalClient
	scripts sync.Map // text → *redis.Script
}

// timeout bounds the wait for an answer of Redis, or for a connection to it.
const timeout = 2 * time.Second

// Open returns a Server for a URL as Django's LOCATION has it: redis://[[user]:password@]host[:port][/number], rediss:// for TLS,
// unix:///path?db=number. It does not connect yet. Nothing is sent twice: a request whose answer got lost may have been carried out.
func Open(address string) (*Server, error) {
	o, err := redis.ParseURL(address)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) { // its text has the password in it
			err = parse.Err
		}
		return nil, fmt.Errorf("redisstore: the URL of Redis: %w; write redis://host:6379/0", err)
	}
	if o.TLSConfig != nil && o.TLSConfig.MinVersion == 0 {
		o.TLSConfig.MinVersion = tls.VersionTLS12
	}
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = timeout, timeout, timeout
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return Wrap(redis.NewClient(o)), nil
}

// Wrap makes a Server of a client that the app has configured itself. Let it not try again by itself (MaxRetries: -1): of a
// rotation whose answer got lost, the second try finds that the session is gone.
func Wrap(client redis.UniversalClient) *Server { return &Server{client: client} }

// Silence stops go-redis from writing to standard error, in the whole program: what it writes there comes back as an error too. It
// is for programs that log by themselves; the library leaves that alone. Call it before [Open].
func Silence() { redis.SetLogger(silent{}) }

type silent struct{}

// Printf says nothing.
func (silent) Printf(context.Context, string, ...any) {}

// Eval implements [Client]. The script is sent once and named by its hash from then on.
func (s *Server) Eval(ctx context.Context, script string, keys []string, args ...any) (any, error) {
	cached, ok := s.scripts.Load(script)
	if !ok {
		cached, _ = s.scripts.LoadOrStore(script, redis.NewScript(script))
	}
	got, err := cached.(*redis.Script).Run(ctx, s.client, keys, args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return got, err
}

// Delete removes keys, whether they are there or not.
func (s *Server) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return s.client.Del(ctx, keys...).Err()
}

// Ping asks whether Redis answers.
func (s *Server) Ping(ctx context.Context) error { return s.client.Ping(ctx).Err() }

// Close closes the connections.
func (s *Server) Close() error { return s.client.Close() }
