package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
)

// A Session is what a site remembers about one browser, for the time of one request. Nothing is read from the store until
// something asks; then the response says Vary: Cookie. What changes is saved just before the header goes out, unless the
// status is 500 or more, and what changes after that, when the handler returns.
//
// The first failure of the store is kept (Err) and turns the response into a 503: an outage never looks like nobody. Touched for
// the first time after the header, a Session is empty, and that is logged with the file and line.
//
// Like its http.ResponseWriter, a Session belongs to its request's handler: it is not safe for concurrent use.
type Session struct {
	manager  *Manager
	exchange *respond.Exchange
	request  *http.Request

	none   bool   // the request says by itself who sends it: there is no session
	sent   string // the cookie's value
	cookie bool   // the browser sent one
	key    string // what the store knows the session by; "" if there is none

	record  Record   // as loaded, or as last written
	data    Data     // with this request's changes; shared with record until something changes
	changes []change // not saved yet, to be replayed when another request was faster
	owner   string   // from SetOwner
	touched bool     // owner is to be written

	accessed bool // something asked for the data
	modified bool // something changed it
	loaded   bool // the store was asked
	missing  bool // and did not know the key
	own      bool // data is not shared with record any more
	unsaved  bool // there are changes to save
	fresh    bool // the response has to carry the cookie, though nothing is left to save
	claimed  bool // Rotate made the key in this request
	ended    bool // Flush was called
	lost     bool // a session that had died was cleared: ErrInterrupted
	written  bool // a save went through in this request
	sealed   bool // the header went out
	replaced bool // as an error page
	traced   tri  // whether the key sent was rotated away
	watched  bool // ReadOnly was called
	reads    context.Context

	err error
}

type tri uint8

const (
	unknown tri = iota
	yes
	no
)

// Get returns the JSON text stored under key, which is not to be changed. Key[T] gives it a type.
func (s *Session) Get(key string) (json.RawMessage, bool) {
	if s.open("sessions.Get") != nil {
		return nil, false
	}
	return s.data.Get(key)
}

// Has reports whether there is a value under key.
func (s *Session) Has(key string) bool {
	_, ok := s.Get(key)
	return ok
}

// Keys returns the names of the values in the order in which they were first set.
func (s *Session) Keys() []string {
	if s.open("sessions.Keys") != nil {
		return nil
	}
	return s.data.Keys()
}

// Key returns what the store knows the session by, which is the cookie's value; "" if there is no session (yet). Until the
// session has been read, it is what the browser claims. Who has the key is logged in: keep it out of logs.
func (s *Session) Key() string { return s.key }

// IsEmpty reports whether the session has neither a key nor data: whether the browser has no use for a cookie.
func (s *Session) IsEmpty() bool { return s.key == "" && s.data.Len() == 0 }

// Accessed reports whether this request read or changed the data.
func (s *Session) Accessed() bool { return s.accessed }

// Modified reports whether this request changed the data, rotated the key or ended the session.
func (s *Session) Modified() bool { return s.modified }

// Err returns the first failure of the store in this request: a *StoreError, or context.Canceled when the person went away
// during a read.
func (s *Session) Err() error { return s.err }

// Created returns when the session began, or the zero time for a new one or where the store does not keep it.
func (s *Session) Created() time.Time {
	if s.open("sessions.Created") != nil {
		return time.Time{}
	}
	return s.record.Created
}

// Owner returns whose the session is, as the store keeps it for its lists: the id given to SetOwner, or "". It proves nothing
// about who is logged in.
func (s *Session) Owner() string {
	if s.open("sessions.Owner") != nil {
		return ""
	}
	if s.touched {
		return s.owner
	}
	return s.record.Owner
}

// Attached returns what the store loaded beside the session, such as the row of its owner, or nil. It is a hint.
func (s *Session) Attached() any {
	if s.open("sessions.Attached") != nil {
		return nil
	}
	return s.record.Attached
}

// open lets the data be used: it loads it at the first call, and refuses a first call after the header.
func (s *Session) open(op string) error {
	if s.none {
		return fmt.Errorf("%s: %w", op, ErrNoSession)
	}
	if s.sealed && !s.accessed {
		return s.exchange.Late(op)
	}
	s.accessed = true
	if s.loaded {
		return s.err
	}
	return s.load()
}

func (s *Session) load() error {
	s.loaded = true
	if s.key == "" || s.err != nil {
		return s.err
	}
	ctx, cancel := s.reading()
	defer cancel()
	record, err := s.manager.store.Load(ctx, s.key)
	if err == nil && s.manager.outlived(&record) {
		err = ErrNotFound
	}
	switch {
	case err == nil:
		s.record, s.data = record, record.Data
	case errors.Is(err, ErrNotFound):
		s.key, s.missing = "", true
	default:
		return s.failReading(err)
	}
	return nil
}

// fail keeps the first failure of the store.
func (s *Session) fail(op string, err error) error {
	err = &StoreError{Op: op, Err: err}
	if s.err == nil {
		s.err = err
	}
	return err
}

// failReading is fail, unless the read ended because the person went away. That is no outage, and nobody sees the answer.
func (s *Session) failReading(err error) error {
	if gone := s.request.Context().Err(); errors.Is(gone, context.Canceled) {
		err = fmt.Errorf("sessions: load: the request was cancelled: %w", gone)
		if s.err == nil {
			s.err = err
		}
		return err
	}
	return s.fail("load", err)
}

// rotatedAway reports whether the browser's key was replaced a moment ago by a parallel request, whose cookie must live.
func (s *Session) rotatedAway() (bool, error) {
	if !s.missing || s.manager.tracer == nil {
		return false, nil
	}
	if s.traced == unknown {
		ctx, cancel := s.manager.reading(s.request)
		defer cancel()
		rotated, err := s.manager.tracer.Rotated(ctx, s.sent)
		if err != nil {
			return false, s.failReading(err)
		}
		s.traced = no
		if rotated {
			s.traced = yes
		}
	}
	return s.traced == yes, nil
}
