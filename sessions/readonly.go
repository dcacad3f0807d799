package sessions

import (
	"context"
	"errors"
)

// ErrReadOnly is the answer to changes of a session that the request promised only to look at.
var ErrReadOnly = errors.New("sessions: this request only looks at the session")

// ReadOnly makes this request only look at the session: nothing of it is saved, moved to another key, ended or noted as seen,
// changes are refused with [ErrReadOnly], and the response neither sets nor deletes the cookie. It is for answers to somebody else than
// the browser, such as a proxy that asks who is logged in. What has yet to be read is read with ctx.
func (s *Session) ReadOnly(ctx context.Context) { s.watched, s.reads = true, ctx }

// IsReadOnly reports whether ReadOnly was called.
func (s *Session) IsReadOnly() bool { return s.watched }

// reading returns a context for reading from the store.
func (s *Session) reading() (context.Context, context.CancelFunc) {
	if s.reads == nil {
		return s.manager.reading(s.request)
	}
	return context.WithTimeout(s.reads, s.manager.cfg.ReadTimeout)
}
