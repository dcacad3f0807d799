package ldapauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// How a connection is protected.
const (
	noTLS = iota
	startTLS
	implicitTLS
)

// A conn is a connection to a server. The library underneath waits for answers without end; every wait here ends with the context,
// because the deadline of the socket itself is moved.
type conn struct {
	*ldap.Conn
	raw    *meter
	reused bool
	dead   bool // an answer is still due, or the server has gone
	since  time.Time
}

// maxAnswer is how many bytes of a server's answer are read.
const maxAnswer = 8 << 20

// A meter is a socket from which only so much is read.
type meter struct {
	net.Conn
	left atomic.Int64
}

var errTooMuch = errors.New("the server says more than is read")

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	left := m.left.Load()
	if left <= 0 {
		return 0, errTooMuch
	}
	n, err := m.Conn.Read(p[:min(int64(len(p)), left)])
	m.left.Add(int64(-n))
	return n, err
}

// A lostError says that a server did not answer, or not in LDAP: another one may.
type lostError struct {
	op  string
	err error
}

func (e *lostError) Error() string { return e.op + ": " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// connect opens a connection and protects it.
func (s *server) connect(ctx context.Context, config *tls.Config) (*conn, error) {
	var d net.Dialer
	socket, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return nil, lost(ctx, "connect", err)
	}
	raw := &meter{Conn: socket}
	raw.left.Store(maxAnswer)
	c := &conn{raw: raw}
	config = config.Clone()
	config.ServerName = s.host
	if s.tls == implicitTLS {
		secure := tls.Client(raw, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, lost(ctx, "TLS", err)
		}
		c.Conn = ldap.NewConn(secure, true)
	} else {
		c.Conn = ldap.NewConn(raw, false)
	}
	c.Start()
	if s.tls == startTLS {
		if err := c.do(ctx, "STARTTLS", func() error { return c.StartTLS(config) }); err != nil {
			c.close()
			var silent *lostError
			if !errors.As(err, &silent) { // the server has said no: another one may say yes, and this one gets no password
				err = &lostError{"STARTTLS", err}
			}
			return nil, err
		}
	}
	return c, nil
}

// do runs one exchange with the server, which is over when the context is.
func (c *conn) do(ctx context.Context, op string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return &lostError{op, err}
	}
	c.raw.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() {
		c.dead = true
	}
	if err == nil || answered(err) {
		return err
	}
	c.dead = true
	return lost(ctx, op, err)
}

// lost says that nothing came, and if that is so because the time was over. The socket may know that before the context does.
func lost(ctx context.Context, op string, err error) error {
	over := ctx.Err()
	if over == nil && errors.Is(err, os.ErrDeadlineExceeded) {
		over = context.DeadlineExceeded
	}
	if over != nil {
		err = fmt.Errorf("%w (%w)", over, err)
	}
	return &lostError{op, err}
}

// answered reports whether an error is the answer of a server, and not the lack of one.
func answered(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork
}

// close takes leave of a server that is there, and closes the connection, the socket first: then nothing waits for the other side.
func (c *conn) close() {
	if !c.dead {
		_ = c.raw.SetDeadline(time.Now().Add(50 * time.Millisecond))
		_ = c.Unbind()
	}
	_ = c.raw.Close()
	_ = c.Conn.Close()
}

// bind proves a name by a password, which is never empty.
func (c *conn) bind(ctx context.Context, dn, password string) error {
	if dn == "" || password == "" {
		return errors.New("a bind needs a name and a password")
	}
	return c.do(ctx, "bind", func() error {
		_, err := c.SimpleBind(ldap.NewSimpleBindRequest(dn, password, nil))
		return err
	})
}

// search looks for entries, of which there may be limit at the most (0: as many as there are).
func (c *conn) search(ctx context.Context, base string, scope, limit int, filter string, attributes []string) (found *ldap.SearchResult, err error) {
	err = c.do(ctx, "search", func() error {
		found, err = c.Search(&ldap.SearchRequest{
			BaseDN: base, Scope: scope, DerefAliases: ldap.NeverDerefAliases, SizeLimit: limit, EnforceSizeLimit: limit > 0,
			TimeLimit: seconds(ctx), Filter: filter, Attributes: attributes,
		})
		if errors.Is(err, ldap.ErrSizeLimitExceeded) { // more entries than were asked for, from a server that does not count
			c.dead = true
			err = ldap.NewError(ldap.LDAPResultSizeLimitExceeded, err)
		}
		return err
	})
	if found == nil {
		found = &ldap.SearchResult{}
	}
	return found, err
}

// seconds is how much time the server may take for a search, so that it does not go on with what nobody waits for.
func seconds(ctx context.Context) int {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int(time.Until(deadline)/time.Second)+1)
}
