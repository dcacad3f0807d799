package throttle

import (
	"context"
	"time"
)

// A Limit is a burst of Tries, refilled evenly over Per. It allows Tries at once, and one more after each Per/Tries.
type Limit struct {
	// Tries is the burst, at least 1.
	Tries int
	// Per is how long a used-up burst takes to refill, at least a microsecond a try.
	Per time.Duration
}

// Interval is the time after which one try comes back: Per/Tries, rounded up to a microsecond, for that is what databases keep.
func (l Limit) Interval() time.Duration {
	each := l.Per / time.Duration(max(1, l.Tries))
	return (each + time.Microsecond - 1).Truncate(time.Microsecond)
}

// Full is the time for which Tries tries fill a key: Tries times Interval.
func (l Limit) Full() time.Duration { return time.Duration(max(1, l.Tries)) * l.Interval() }

// Next computes a try: what to store for the key if the try is allowed, and else when to come back. Stored is the time
// kept for the key, zero if there is none. It is the rule that a Store carries out in one conditional statement:
//
//	set stored = max(stored, now) + Interval  if that is at most now + Full
func (l Limit) Next(stored, now time.Time) (next time.Time, retryAfter time.Duration, ok bool) {
	next = stored
	if next.Before(now) {
		next = now
	}
	next = next.Add(l.Interval())
	if over := next.Sub(now) - l.Full(); over > 0 {
		return stored, over, false
	}
	return next, 0, true
}

// A Store keeps one time for each key. It is safe for concurrent use, by several processes if it is shared.
type Store interface {
	// Take counts a try of key, if the limit allows it at the time now, as [Limit.Next] says. Looking and counting is one
	// step: of any number of concurrent tries exactly as many succeed as are left. A store with a server does it in one
	// conditional statement and looks at the rows affected. A refused try changes nothing and returns when the next one is
	// allowed, more than zero and at most the limit's Interval if nothing else is tried.
	//
	// Keys are at most 64 characters of a-z, 0-9 and "-". Times are kept to the microsecond. An error means that nothing is
	// known; whether the try was counted is not known either.
	Take(ctx context.Context, key string, l Limit, now time.Time) (ok bool, retryAfter time.Duration, err error)
	// Reset forgets the key. Forgetting an absent key is not an error.
	Reset(ctx context.Context, key string) error
}

// A Sweeper is a Store that can remove the keys whose time has passed: they mean the same as absent ones.
type Sweeper interface {
	// Sweep removes what has passed at the time now and returns how much it was.
	Sweep(ctx context.Context, now time.Time) (int, error)
}
