package sessions

import (
	"errors"

	"github.com/cardea-go/cardea/internal/respond"
)

var (
	// ErrNotFound is a Store's answer for a key that is absent or no longer live.
	ErrNotFound = errors.New("sessions: no such session")
	// ErrConflict is a Store's answer when the record has changed since it was loaded.
	ErrConflict = errors.New("sessions: the session has changed since it was loaded")
	// ErrInterrupted says that the session ended while the request was being answered: a logout elsewhere, or a new key after
	// a login in parallel. The request's changes are not saved; the answer is 400, as Django's SessionInterrupted.
	ErrInterrupted = errors.New("sessions: the session ended before the request was finished; the person may have logged out elsewhere")
	// ErrNoSession says that the request carries credentials of its own, such as a token, and therefore has no session: nothing can
	// be kept in it. What is asked of it is not there.
	ErrNoSession = errors.New("sessions: this request carries its own credentials and has no session")
	// ErrTooLate says that the response's header had already been sent when the session was first touched, or when a change
	// would have needed a new cookie.
	ErrTooLate = respond.ErrTooLate
)

// A StoreError is an outage: the Store could not answer. The response becomes 503.
type StoreError struct {
	Op  string // "load", "save", "rotate", "delete"
	Err error
}

func (e *StoreError) Error() string { return "sessions: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the store's own error.
func (e *StoreError) Unwrap() error { return e.Err }
