package sessions

import (
	"context"
	"time"
)

// A Store keeps sessions by key. It may be called concurrently, by several processes on one database too.
//
// A key passed to a Store is whatever a browser sent, at least 8 characters of anything: a Store never trusts its form.
// A Store neither changes a Record's Data nor keeps it after returning; it keeps a [Data.Clone] or the encoded text.
// Any error other than the sentinels named here is an outage.
type Store interface {
	// Load returns the live record stored under key, or ErrNotFound. A record is live while Expires is in the future. The key
	// found equals the key asked for byte for byte: neither case nor trailing blanks are forgiven.
	Load(ctx context.Context, key string) (Record, error)

	// Save stores rec under key and returns the key to find it by. An empty key asks for a new session under a new key.
	// Any other key must exist and be live, or ErrNotFound: a logout elsewhere wins, Save never revives. If rec.Version is
	// set and the stored record has changed since, ErrConflict. An Expires in the past is stored as given.
	Save(ctx context.Context, key string, rec Record) (string, error)

	// Rotate stores rec under a new key, which it returns, and kills the old one, which must exist and be live, else
	// ErrNotFound; of two Rotates of one key exactly one succeeds. The old key is claimed first: a crash in between logs
	// out, never in. If rec.Version is set and the stored record has changed since, ErrConflict, and the old key lives on.
	Rotate(ctx context.Context, key string, rec Record) (string, error)

	// Delete removes a session. Deleting an absent key is not an error. A Tracer that still remembers into what the key was
	// rotated deletes that session too, so that a logout racing a rotation ends logged out.
	Delete(ctx context.Context, key string) error
}

// Record is a session as a Store keeps it.
//
// Created, Seen, Owner and Client are what a list of "your sessions" shows. A Store without a place for them loads them as
// zero; Config.Absolute and the line "last seen" then have nothing to work with.
type Record struct {
	// Data is the session's members, raw and in order: what Cardea does not know passes through unchanged.
	Data Data
	// Expires is when the session stops being live. Stored to the microsecond.
	Expires time.Time
	// Version is opaque and comes from Load: the stored text or its hash, so that a write by another program counts too.
	// Empty means that nothing is compared. Touch does not change it.
	Version string
	// Created is when the session began: when its row was made, or when the person last logged in.
	Created time.Time
	// Seen is when the store last noted that the session was used. Zero when it does not note that.
	Seen time.Time
	// Owner is the id of the user whose session this is, or empty.
	Owner string
	// Client is where the session began.
	Client Client
	// Attached is what the store loaded beside the session, for the layer above. Never stored.
	Attached any
}

// Client describes where a session began, for people to recognise it by. Neither field proves anything.
type Client struct {
	Address   string // the visitor's IP address
	UserAgent string // the browser's own words, cut to 255 bytes
}

// Stateless is implemented by a Store that keeps nothing and hands everything to the browser: Save and Rotate return the whole
// session as the key. Such a store can neither end a session nor notice a conflict.
type Stateless interface{ Stateless() }

// A Sweeper is a Store that can remove the records which expired before now, and says how many there were.
type Sweeper interface {
	Sweep(ctx context.Context, now time.Time) (int, error)
}

// A Toucher is a Store that can note at little cost that a session was used: Touch sets the live record's Seen to now and its
// Expires to expires, and leaves everything else, Version included. A record that is absent or not live is ErrNotFound.
type Toucher interface {
	Touch(ctx context.Context, key string, expires, now time.Time) error
}

// A Tracer is a Store that remembers for [Grace] which keys Rotate killed and what they became. Rotated reports whether key is
// one of them. It is asked only about keys that Load did not find: the parallel requests of a page that carry the key from
// before a login must not make the browser drop the new one.
type Tracer interface {
	Rotated(ctx context.Context, key string) (bool, error)
}

// Grace is how long a Tracer remembers a key that was rotated away.
const Grace = time.Minute
