package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cardea-go/cardea/internal/testredis"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/redisstore"
)

// A line stands between a program and Redis, and can be cut.
type line struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
	dead  bool
}

func newLine(t *testing.T, part testredis.Part) (*line, string) {
	t.Helper()
	o, err := redis.ParseURL(part.URL)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Listener: ln, to: o.Addr}
	go l.serve()
	t.Cleanup(func() {
		ln.Close()
		l.cut()
	})
	return l, fmt.Sprintf("redis://%s/%d", ln.Addr(), o.DB)
}

func (l *line) serve() {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		dead := l.dead
		l.mu.Unlock()
		if dead {
			conn.Close()
			continue
		}
		up, err := net.Dial("tcp", l.to)
		if err != nil {
			conn.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, conn, up)
		l.mu.Unlock()
		go func() { _, _ = io.Copy(up, conn); up.Close() }()
		go func() { _, _ = io.Copy(conn, up); conn.Close() }()
	}
}

// cut ends all connections and refuses new ones until mend.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = false
}

// TestOutage: while Redis is away everything is an outage, within its time, and never a missing session; when it is back, the next
// request is answered.
func TestOutage(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	l, address := newLine(t, part)
	server, err := redisstore.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s := over(t, server, part, redisstore.Config{})
	key := create(t, s, `{"a":1}`)
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.cut()
		for op, do := range map[string]func(context.Context) error{
			"Load":    func(ctx context.Context) error { return second(s.Load(ctx, key)) },
			"Save":    func(ctx context.Context) error { return second(s.Save(ctx, key, rec)) },
			"new":     func(ctx context.Context) error { return second(s.Save(ctx, "", rec)) },
			"Rotate":  func(ctx context.Context) error { return second(s.Rotate(ctx, key, rec)) },
			"Delete":  func(ctx context.Context) error { return s.Delete(ctx, key) },
			"Touch":   func(ctx context.Context) error { return s.Touch(ctx, key, rec.Expires, time.Now()) },
			"Rotated": func(ctx context.Context) error { return second(s.Rotated(ctx, key)) },
		} {
			began := time.Now()
			err := do(t.Context())
			if err == nil || errors.Is(err, sessions.ErrNotFound) || errors.Is(err, sessions.ErrConflict) {
				t.Errorf("%s: got %v, want an outage", op, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s took %v", op, took)
			}
		}
		l.mend()
		if _, err := s.Load(t.Context(), key); err != nil {
			t.Errorf("when Redis is back: %v", err)
		}
	}
}

// TestDeadline: a server that accepts and says nothing is given up when the request's time is over.
func TestDeadline(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	server, err := redisstore.Open("redis://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s, err := redisstore.New(server, redisstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Load(ctx, "abcdefgh"); err == nil || errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("got %v, want an outage", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestOpenRefuses: a URL that cannot be used is an error that keeps the password to itself.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "127.0.0.1:6379", "http://:sesame@host", "redis://:sesame@ho st:1/", "redis://:sesame@host:port", "redis://:sesame@host/x", "redis://:sesame@host/%zz"} {
		_, err := redisstore.Open(address)
		if err == nil {
			t.Errorf("Open(%q): no error", address)
		} else if strings.Contains(err.Error(), "sesame") {
			t.Errorf("Open: the error tells the password: %v", err)
		}
	}
}

// TestWrap: a client that the app made serves as well.
func TestWrap(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := over(t, redisstore.Wrap(part.Client), part, redisstore.Config{})
	key := create(t, s, `{"a":1}`)
	if _, err := open(t, part, redisstore.Config{}).Load(t.Context(), key); err != nil {
		t.Error(err)
	}
}
