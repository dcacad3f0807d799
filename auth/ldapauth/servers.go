package ldapauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// The rules of asking servers:
//
//  1. They are asked in their order; one that did not answer in the last few seconds comes last.
//  2. Each gets its share of the time that is left, so that a silent one leaves time for the next.
//  3. A connection that was kept may have died unheard: it gets half of that time, and what fails on one is tried again on a new one.
//  4. Who has answered, whatever it was, is believed; only who has not is passed over.

// downTime is how long a server that did not answer comes last.
const downTime = 10 * time.Second

// keptConns is how many connections of each sort are kept for the next log-in.
const keptConns = 4

// A server is one of Config.Servers.
type server struct {
	url           string
	network       string
	address, host string
	tls           int

	mu        sync.Mutex
	down      time.Time // when it last did not answer
	closed    bool
	readers   []*conn // bound as the account of the site
	passwords []*conn // bound as whoever was checked last, and used for the next check only
}

func joinHostPort(host, port string) string { return net.JoinHostPort(host, port) }

// servers are those of a directory.
type servers struct {
	list   []*server
	tls    *tls.Config
	idle   time.Duration
	now    func() time.Time
	logger *slog.Logger
}

// order returns the servers as they are to be asked.
func (s *servers) order() []*server {
	var up, down []*server
	for _, one := range s.list {
		one.mu.Lock()
		late := s.now().Sub(one.down) < downTime
		one.mu.Unlock()
		if late {
			down = append(down, one)
		} else {
			up = append(up, one)
		}
	}
	return append(up, down...)
}

// ask calls f for one server after the other until one answers.
func (s *servers) ask(ctx context.Context, f func(ctx context.Context, v *visit) error) error {
	order := s.order()
	var failures []error
	for i, one := range order {
		err := s.askOne(ctx, one, len(order)-i, f)
		var lost *lostError
		if !errors.As(err, &lost) {
			return err
		}
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
			return err
		}
		s.logger.WarnContext(ctx, "ldapauth: a server does not answer", "server", one.url, "error", err)
		one.mu.Lock()
		one.down = s.now()
		one.mu.Unlock()
		failures = append(failures, fmt.Errorf("%s: %w", one.url, err))
	}
	return errors.Join(failures...)
}

// askOne calls f for a server, which shares the time with as many as are left.
func (s *servers) askOne(ctx context.Context, one *server, left int, f func(ctx context.Context, v *visit) error) error {
	ctx, cancel := share(ctx, left)
	defer cancel()
	if !one.keeps() {
		_, err := s.visit(ctx, one, f)
		return err
	}
	kept, cancelKept := share(ctx, 2)
	reused, err := s.visit(kept, one, f)
	cancelKept()
	for lost := (*lostError)(nil); reused && errors.As(err, &lost) && ctx.Err() == nil; {
		reused, err = s.visit(ctx, one, f)
	}
	return err
}

// share is a part of the time that is left.
func share(ctx context.Context, parts int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || parts < 2 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(parts))
}

// visit calls f, and reports whether it used a connection that was kept. Where one connection is lost, so are the others.
func (s *servers) visit(ctx context.Context, one *server, f func(ctx context.Context, v *visit) error) (reused bool, err error) {
	v := &visit{servers: s, server: one}
	err = f(ctx, v)
	var lost *lostError
	gone := errors.As(err, &lost)
	reused = v.end(gone)
	if gone {
		one.drop()
	}
	return reused, err
}

// keeps reports whether there are connections from before.
func (s *server) keeps() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readers)+len(s.passwords) > 0
}

// drop closes what is kept.
func (s *server) drop() {
	s.mu.Lock()
	kept := append(s.readers, s.passwords...)
	s.readers, s.passwords = nil, nil
	s.mu.Unlock()
	for _, c := range kept {
		c.close()
	}
}

// close closes what is kept, and keeps nothing from now on.
func (s *servers) close() {
	for _, one := range s.list {
		one.mu.Lock()
		one.closed = true
		one.mu.Unlock()
		one.drop()
	}
}

// A visit is one log-in at one server: the connections that it uses.
type visit struct {
	*servers
	server           *server
	reader, password *conn
}

// end gives the connections back, unless they are to be lost, and reports whether one of them had been kept.
func (v *visit) end(lost bool) (reused bool) {
	for _, one := range [...]struct {
		conn *conn
		kept *[]*conn
	}{{v.reader, &v.server.readers}, {v.password, &v.server.passwords}} {
		if one.conn == nil {
			continue
		}
		reused = reused || one.conn.reused
		one.conn.since = v.now()
		v.server.mu.Lock()
		keep := !lost && !one.conn.dead && !v.server.closed && len(*one.kept) < keptConns
		if keep {
			*one.kept = append(*one.kept, one.conn)
		}
		v.server.mu.Unlock()
		if !keep {
			one.conn.close()
		}
	}
	return reused
}

// take returns a kept connection that is still young, or a new one.
func (v *visit) take(ctx context.Context, kept *[]*conn) (*conn, error) {
	var old []*conn
	var c *conn
	v.server.mu.Lock()
	for c == nil && len(*kept) > 0 {
		last := (*kept)[len(*kept)-1]
		*kept = (*kept)[:len(*kept)-1]
		if v.now().Sub(last.since) > v.idle || last.IsClosing() {
			old = append(old, last)
		} else {
			c = last
		}
	}
	v.server.mu.Unlock()
	for _, o := range old {
		o.close()
	}
	if c != nil {
		c.reused = true
		return c, nil
	}
	return v.server.connect(ctx, v.tls)
}

// forReading returns a connection that is bound as dn, or as nobody.
func (v *visit) forReading(ctx context.Context, dn, password string) (*conn, error) {
	if v.reader != nil {
		return v.reader, nil
	}
	c, err := v.take(ctx, &v.server.readers)
	if err != nil {
		return nil, err
	}
	if !c.reused && dn != "" {
		if err := c.bind(ctx, dn, password); err != nil {
			c.close()
			var lost *lostError
			if errors.As(err, &lost) {
				return nil, err
			}
			return nil, fmt.Errorf("the account of the site, %s, is refused: %s", dn, reason(err))
		}
	}
	v.reader = c
	return c, nil
}

// forPasswords returns a connection for a bind.
func (v *visit) forPasswords(ctx context.Context) (*conn, error) {
	if v.password != nil {
		return v.password, nil
	}
	c, err := v.take(ctx, &v.server.passwords)
	if err == nil {
		v.password = c
	}
	return c, err
}
