package auth

import (
	"context"
	"time"
)

// A User is an account of the site, of whatever type the site has.
type User interface {
	// AuthID is the primary key, in the text form that Django writes into sessions: decimal numbers, UUIDs with hyphens.
	AuthID() string
	// PasswordHash is the encoded password. The session hash is made from it, so a change ends the user's other sessions.
	PasswordHash() string
	// Active is false for accounts that may not log in. Their live sessions are anonymous.
	Active() bool
}

// Users is the user table. Its methods may be called concurrently. Any error that is not one of those named below is an
// outage. The conformance suite is authtest.RunUsers.
type Users[U User] interface {
	// ByID returns the user with this primary key, active or not, or ErrNoUser, also for an id that does not convert.
	ByID(ctx context.Context, id string) (U, error)

	// ByIdentity returns the local user whom an outside issuer knows as id, active or not. It is asked only about identities
	// without a UserID. It may create the user: this is the one place that provisions. ErrNoUser says that there is none and
	// none is to be made; ErrDenied refuses. Names and e-mail addresses match a local account only for issuers that the site
	// lists as owners of those names: else whoever controls an issuer takes over accounts.
	ByIdentity(ctx context.Context, id *Identity) (U, error)
}

// A LoginRecorder is a [Users] that keeps the time of the last login. An error is logged and does not undo the login.
type LoginRecorder[U User] interface {
	// RecordLogin stores the time of u's last login, in the table and in u.
	RecordLogin(ctx context.Context, u U, at time.Time) error
}
