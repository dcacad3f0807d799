package cached

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	again    = 3 * time.Second // after which a copy is dropped once more
	patience = time.Second     // after a failure, before the cache is asked again
	batch    = 500             // copies dropped in one request
	maxOwed  = 100_000         // copies remembered
)

// drops are the copies that are to be dropped from the cache, some at once and some later.
type drops struct {
	cache Cache
	cfg   Config

	mu     sync.Mutex
	owed   map[string]time.Time // copy → when it is to be dropped (again)
	next   time.Time            // the earliest of owed, or of the next try
	failed time.Time            // when the cache last did not answer; zero when it did
	lost   bool                 // there were more copies than are remembered
}

func newDrops(cache Cache, cfg Config) *drops {
	return &drops{cache: cache, cfg: cfg, owed: map[string]time.Time{}}
}

// now drops copies at once, and reports whether the cache answered.
func (d *drops) now(ctx context.Context, keys ...string) bool {
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "" })
	for part := range slices.Chunk(keys, batch) {
		if d.resting() || !d.ask(ctx, part...) {
			return false
		}
	}
	return true
}

// drop drops copies at once, and once more later; as soon as the cache answers, if it does not.
func (d *drops) drop(ctx context.Context, keys ...string) {
	wait := again
	if !d.now(ctx, slices.Clone(keys)...) {
		wait = 0
	}
	for _, key := range keys {
		d.owe(ctx, key, wait)
	}
}

// due drops what is due.
func (d *drops) due(ctx context.Context) {
	keys := d.take()
	if len(keys) == 0 || d.ask(ctx, keys...) {
		return
	}
	for _, key := range keys {
		d.owe(ctx, key, 0)
	}
}

// ask deletes from the cache, within a time of its own: what a person did holds when they go away.
func (d *drops) ask(ctx context.Context, keys ...string) bool {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Timeout)
	defer cancel()
	err := d.cache.Delete(limited, keys...)
	d.report(ctx, err)
	return err == nil
}

// resting reports whether the cache did not answer a moment ago.
func (d *drops) resting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.failed.IsZero() && d.cfg.Now().Before(d.failed.Add(patience))
}

// owe remembers to drop a copy after that time.
func (d *drops) owe(ctx context.Context, key string, wait time.Duration) {
	if key == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.owed[key]; !ok && len(d.owed) >= maxOwed {
		if !d.lost {
			d.cfg.Logger.ErrorContext(ctx, "cached: too many sessions changed while the cache did not answer; when it is back, Django may read old copies: empty the cache before", "sessions", maxOwed)
		}
		d.lost = true
		return
	}
	at := d.cfg.Now().Add(wait)
	d.owed[key] = at
	if d.next.IsZero() || at.Before(d.next) {
		d.next = at
	}
}

// take returns some of what is due, and forgets it.
func (d *drops) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	if d.next.IsZero() || now.Before(d.next) || !d.failed.IsZero() && now.Before(d.failed.Add(patience)) {
		return nil
	}
	var keys []string
	d.next = time.Time{}
	for key, at := range d.owed {
		if !at.After(now) && len(keys) < batch {
			keys = append(keys, key)
			delete(d.owed, key)
		} else if d.next.IsZero() || at.Before(d.next) {
			d.next = at
		}
	}
	slices.Sort(keys)
	return keys
}

// report notes whether the cache answered, and logs when that changes.
func (d *drops) report(ctx context.Context, err error) {
	d.mu.Lock()
	before := d.failed
	if err == nil {
		d.failed, d.lost = time.Time{}, false
	} else {
		d.failed = d.cfg.Now()
	}
	d.mu.Unlock()
	switch {
	case err != nil && before.IsZero():
		d.cfg.Logger.ErrorContext(ctx, "cached: the cache does not answer; sessions go on from the database", "error", err)
	case err == nil && !before.IsZero():
		d.cfg.Logger.InfoContext(ctx, "cached: the cache answers again")
	}
}
