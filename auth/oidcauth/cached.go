package oidcauth

import (
	"context"
	"sync"
	"time"
)

// A cached is something that a provider says of itself. It is fetched when it is first wanted, by one request on behalf of all that
// wait; a failure is remembered for a moment, so that a provider which is down costs its visitors no queue.
type cached[T any] struct {
	fetch func(ctx context.Context) (T, error)
	now   func() time.Time
	wait  time.Duration // a fetch may take this long
	fresh time.Duration // after that it is fetched again
	stale time.Duration // and until then the old one serves when that fails
	pause time.Duration // after a failure
	rest  time.Duration // renew fetches no sooner again

	mu     sync.Mutex
	value  T
	at     time.Time // of value; zero: none yet
	err    error
	tried  time.Time
	flight chan struct{}
}

// get returns the value.
func (c *cached[T]) get(ctx context.Context) (T, error) {
	return c.load(ctx, c.fresh, c.stale)
}

// renew fetches the value anew, unless that was done just now. An old one does not serve.
func (c *cached[T]) renew(ctx context.Context) (T, error) {
	return c.load(ctx, c.rest, c.rest)
}

// load fetches the value if it is as old as fresh. When that fails, one that is not as old as stale serves.
func (c *cached[T]) load(ctx context.Context, fresh, stale time.Duration) (T, error) {
	for {
		c.mu.Lock()
		now := c.now()
		if !c.at.IsZero() && now.Sub(c.at) < fresh {
			defer c.mu.Unlock()
			return c.value, nil
		}
		if c.err != nil && now.Sub(c.tried) < c.pause {
			defer c.mu.Unlock()
			return c.answer(now, stale)
		}
		if c.flight == nil {
			break
		}
		flight := c.flight
		c.mu.Unlock()
		select {
		case <-flight:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
	c.flight = make(chan struct{})
	c.mu.Unlock()

	ours, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.wait) // others wait for it too
	defer cancel()
	value, err := c.fetch(ours)

	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.tried, c.err = now, err; err == nil {
		c.value, c.at = value, now
	}
	close(c.flight)
	c.flight = nil
	return c.answer(now, stale)
}

// answer is what there is after a try.
func (c *cached[T]) answer(now time.Time, stale time.Duration) (T, error) {
	if c.err != nil && !c.at.IsZero() && now.Sub(c.at) < stale {
		return c.value, nil
	}
	return c.value, c.err
}
