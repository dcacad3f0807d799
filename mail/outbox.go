package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// An Item is a mail that waits to be composed and sent: what it is about, never a usable link.
type Item struct {
	ID      int64
	Kind    string          // what [Courier]'s compose function tells mails apart by; at most 40 ASCII characters
	Data    json.RawMessage // what it needs to compose the mail
	Created time.Time
	// Due is when it is to be tried. The zero time says that it is parked: it was tried too often, or refused, and is tried again
	// only when somebody says so.
	Due time.Time
	// Tries counts how often it was claimed, this time included.
	Tries int
	// LastError is why the last try failed, "" before the first failure.
	LastError string
	// Sent are the IDs of those of its messages that were accepted at earlier tries.
	Sent []string
	// Claim is this claim's name, by which the outbox knows who holds the item; "" in a list.
	Claim string
	// ClaimedUntil is when the claim ends, the zero time when nobody has one.
	ClaimedUntil time.Time
}

// An Outbox keeps mails until they are sent. Several processes may work on one. It may be used by several goroutines at once. It
// looks at no clock but takes the caller's, to the microsecond. Package mailtest holds implementations to these promises.
type Outbox interface {
	// Enqueue adds a mail that is due now. One that takes part in a transaction of the caller's is there when that commits.
	Enqueue(ctx context.Context, kind string, data json.RawMessage, now time.Time) error
	// Claim takes the item that has been due longest and that nobody holds, counts the try, and keeps it from all others until
	// lease has passed: then it can be claimed again, since whoever held it may have died. Two claims never get one item. When
	// nothing is due it returns [ErrEmpty].
	Claim(ctx context.Context, now time.Time, lease time.Duration) (Item, error)
	// Done removes a claimed item. It returns [ErrLost], and removes nothing, when another claim has taken it since.
	Done(ctx context.Context, it Item) error
	// Retry gives a claimed item back, to be tried when it is due, with it.Sent and the cause, cut to 500 characters. A zero due
	// parks it. It returns [ErrLost], and changes nothing, when another claim has taken it since.
	Retry(ctx context.Context, it Item, due time.Time, cause string) error
}

// A Lister is an outbox that people can look into.
type Lister interface {
	// List returns the items, the oldest first, at most limit of them.
	List(ctx context.Context, limit int) ([]Item, error)
	// Again makes items due now, with all their tries, and returns how many those were: the named ones, or all that are parked when
	// none is named. Those that somebody holds now are left alone, unless the lease has run out.
	Again(ctx context.Context, now time.Time, ids ...int64) (int, error)
}

var (
	// ErrEmpty says that no mail is due.
	ErrEmpty = errors.New("no mail is due")
	// ErrLost says that a claim ran out and another one took the item.
	ErrLost = errors.New("the claim on the mail was lost")
)

// MaxError is how many characters of the cause of a failure an outbox keeps.
const MaxError = 500

// CheckItem reports whether an outbox takes an item: its kind has 1 to 40 printable ASCII characters and its data are JSON, at most
// 64 KiB of it. It is for implementations of [Outbox].
func CheckItem(kind string, data json.RawMessage) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if kind == "" || len(kind) > 40 || strings.ContainsFunc(kind, odd) {
		return fmt.Errorf("mail: %q is not the kind of a mail: 1 to 40 printable ASCII characters", kind)
	}
	if len(data) > 64<<10 || !utf8.Valid(data) || !json.Valid(data) {
		return fmt.Errorf("mail: the data of a mail of kind %s are not JSON, or more than 64 KiB", kind)
	}
	return nil
}

// Clip cuts the cause of a failure to what an outbox keeps, as one line without control characters. It is for implementations of
// [Outbox].
func Clip(cause string) string {
	cause = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(cause, "\uFFFD"), func(r rune) bool { return r == ' ' || hasControl(string(r)) }), " ")
	n := 0
	for i := range cause {
		if n == MaxError {
			return cause[:i]
		}
		n++
	}
	return cause
}
