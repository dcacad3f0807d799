package sessions

import (
	"context"
	"time"
)

// A Lister is a Store that knows whose sessions it holds, those that Django made included, and can end them. A session that was
// ended is dead at its next request, in every process.
type Lister interface {
	// List returns the live sessions of a user, the one seen last first. current is the key of the request that asks, or "".
	List(ctx context.Context, owner, current string) ([]Listed, error)
	// End ends the session with this ID if it is the user's, else it is ErrNotFound.
	End(ctx context.Context, owner, id string) error
	// EndAll ends all sessions of a user but the one with the key except, "" for none, and returns how many those were.
	EndAll(ctx context.Context, owner, except string) (int, error)
}

// A Matcher is a Lister that can look into the sessions of a user.
type Matcher interface {
	Lister
	// EndMatching ends the live sessions of a user whose data match, and returns how many those were.
	EndMatching(ctx context.Context, owner string, match func(Data) bool) (int, error)
}

// Listed is a session as its owner may see it.
type Listed struct {
	ID      string // to name it by; it opens nothing
	Current bool   // of the request that asks
	Django  bool   // Django made it: when it began and where is not known
	Created time.Time
	Seen    time.Time
	Expires time.Time
	Client  Client
	Data    Data // what it holds, for the layers above; empty where it cannot be read
}
