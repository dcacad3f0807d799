package auth

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrInvalid is what every refusal of credentials is: unknown, wrong, inactive and denied alike. What is not ErrInvalid
	// must never be shown as "wrong password".
	ErrInvalid = errors.New("invalid credentials")

	// ErrNoMatch is a back end's answer "not mine, or wrong": the next one is asked. It is an [ErrInvalid].
	ErrNoMatch = fmt.Errorf("no match: %w", ErrInvalid)

	// ErrDenied is a back end's or policy's answer "stop here, refused": no other back end is asked. It is an [ErrInvalid].
	ErrDenied = fmt.Errorf("denied: %w", ErrInvalid)

	// ErrInactive is the answer of [Auth.SignIn] to right credentials of an account that is not active, where a back end lets
	// such users in. It is an [ErrInvalid].
	ErrInactive = fmt.Errorf("the account is not active: %w", ErrInvalid)

	// ErrNoUser is the answer of [Users] when there is no such user.
	ErrNoUser = errors.New("no such user")

	// ErrAnonymous is the answer of [Auth.Lookup] when nobody is logged in.
	ErrAnonymous = errors.New("nobody is logged in")

	// ErrUnverified is the answer of [Auth.Login] to a [Verified] that was not made by the Authenticate or Trust of the same
	// Auth, or that names a back end which is not configured: the program's mistake, not the visitor's.
	ErrUnverified = errors.New("not verified by this site")
)

// A BusyError says that the server has no room to check credentials now; nothing was said about the credentials. The answer
// is 503 with Retry-After.
type BusyError struct {
	RetryAfter time.Duration // when to try again; 0 when it is not known
	Err        error         // what was busy
}

func (e *BusyError) Error() string { return "auth: too busy to check credentials: " + text(e.Err) }

// Unwrap returns what was busy.
func (e *BusyError) Unwrap() error { return e.Err }

// A LimitedError says that an account or an address has used up its tries; the credentials were not looked at. The answer is
// 429 with Retry-After.
type LimitedError struct {
	RetryAfter time.Duration // when the next try is allowed
	Err        error         // the limiter's answer
}

func (e *LimitedError) Error() string { return "auth: too many tries: " + text(e.Err) }

// Unwrap returns the limiter's answer.
func (e *LimitedError) Unwrap() error { return e.Err }

// An OutageError says that something auth depends on did not work, so that nothing is known about the user. The answer is 503.
type OutageError struct {
	Op  string // what was tried, for example "look up the user"
	Err error
}

func (e *OutageError) Error() string { return "auth: " + e.Op + ": " + text(e.Err) }

// Unwrap returns the cause.
func (e *OutageError) Unwrap() error { return e.Err }

// An Incomplete says that who it is has been proven, but not by as much as the policy asks for, such as a second factor. A
// policy returns it; [Auth.Login] then remembers the half login (see [Auth.Pending]) and returns it to the caller.
// At a later request it makes the user anonymous until more is proven, so it is an [ErrAnonymous] too.
type Incomplete struct {
	Need []string // methods of which one is to be proven next, by RFC 8176 names such as "otp" or "hwk"
	URL  string   // where a browser goes on; Required sends people there. Empty: the login page
}

func (e *Incomplete) Error() string {
	return fmt.Sprintf("auth: more proof is needed: one of %q", e.Need)
}

// Is makes an Incomplete an [ErrAnonymous].
func (e *Incomplete) Is(target error) bool { return target == ErrAnonymous }

func text(err error) string {
	if err == nil {
		return "unknown reason"
	}
	return err.Error()
}
