package account

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Users finds accounts.
type Users interface {
	// ByID returns the user, active or not, or an auth.ErrNoUser.
	ByID(ctx context.Context, id string) (User, error)
	// ByEmail returns the users whose address may be this one, active or not: more than there are does no harm.
	ByEmail(ctx context.Context, address string) ([]User, error)
	// NameTaken reports whether somebody has this user name, in capital letters or small ones.
	NameTaken(ctx context.Context, username string) (bool, error)
}

// Changes change accounts, each by one statement that names what it expects. False means that somebody else was faster, and
// that nothing was changed.
type Changes interface {
	// ReplacePassword stores the encoded password to, if the stored one is still u's.
	ReplacePassword(ctx context.Context, u User, to string) (bool, error)
	// ReplaceEmail stores the address to, if the stored address and password are still u's and u is active.
	ReplaceEmail(ctx context.Context, u User, to string) (bool, error)
	// Create stores a new user and returns it with its ID. A taken user name is [ErrTaken].
	Create(ctx context.Context, u User) (User, error)
}

// A Store is a table of accounts.
type Store interface {
	Users
	Changes
}

// ErrTaken is the answer of [Changes] when somebody has that user name.
var ErrTaken = errors.New("the user name is taken")

// An Outbox takes what mail is to be about. mail.Outbox is one.
type Outbox interface {
	Enqueue(ctx context.Context, kind string, data json.RawMessage, now time.Time) error
}

// Tables are where accounts live.
type Tables struct {
	Users  Store
	Links  Links
	Outbox Outbox
	// Identities are the accounts that users have elsewhere. Defaults to none.
	Identities Identities
	// Together runs f on the same tables in one transaction: an error undoes what f did. f may run more than once.
	Together func(ctx context.Context, f func(ctx context.Context, t Tables) error) error
	// Shape is how the accounts in Users are. Defaults to Django's.
	Shape Shape
}

// A Link is what a mailed link, which works once, was made for.
type Link struct {
	ID      string // of the row; no secret, and of no use as a link
	Kind    string
	User    string // whose link it is; "" for nobody's yet
	Email   string // the address that the link is mailed to
	State   string // what the user was like when it was made
	Created time.Time
	Expires time.Time
}

// Links keeps links. It stores a hash of each token and nothing that opens anything.
type Links interface {
	// Make stores a link, which does not work before it is armed, and returns its ID.
	Make(ctx context.Context, l Link) (id string, err error)
	// Arm gives a link a token, the only one that works from now on; or [ErrLink] when there is no such link, or too old.
	Arm(ctx context.Context, id string, now time.Time) (token string, l Link, err error)
	// Look returns the link that a token opens, or [ErrLink]. It uses nothing up.
	Look(ctx context.Context, kind, token string, now time.Time) (Link, error)
	// Use is Look, and uses the link up, by one conditional statement: of any number of calls one succeeds, the others get
	// [ErrLink].
	Use(ctx context.Context, kind, token string, now time.Time) (Link, error)
	PendingLinks
}

// PendingLinks are those that were asked for and not used yet.
type PendingLinks interface {
	// Pending returns the newest live link of a user, or [ErrLink].
	Pending(ctx context.Context, kind, user string, now time.Time) (Link, error)
	// Drop ends the links of a user, or, for user "", those to an address.
	Drop(ctx context.Context, kind, user, email string) error
}
