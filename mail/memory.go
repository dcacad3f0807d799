package mail

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// A MemoryOutbox is an outbox for tests: what is in it ends with the process.
type MemoryOutbox struct {
	mu    sync.Mutex
	last  int64
	items []*Item // by ID
}

var _ Lister = (*MemoryOutbox)(nil)

// NewMemoryOutbox returns an empty outbox.
func NewMemoryOutbox() *MemoryOutbox { return &MemoryOutbox{} }

// Enqueue implements Outbox.
func (o *MemoryOutbox) Enqueue(ctx context.Context, kind string, data json.RawMessage, now time.Time) error {
	if err := CheckItem(kind, data); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	now = micro(now)
	o.items = append(o.items, &Item{ID: o.last, Kind: kind, Data: slices.Clone(data), Created: now, Due: now})
	return nil
}

// Claim implements Outbox.
func (o *MemoryOutbox) Claim(ctx context.Context, now time.Time, lease time.Duration) (Item, error) {
	if err := ctx.Err(); err != nil {
		return Item{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now = micro(now)
	var first *Item
	for _, it := range o.items {
		if !it.Due.IsZero() && !it.Due.After(now) && !it.ClaimedUntil.After(now) && (first == nil || it.Due.Before(first.Due)) {
			first = it
		}
	}
	if first == nil {
		return Item{}, ErrEmpty
	}
	first.Tries++
	first.Claim, first.ClaimedUntil = rand.Text(), micro(now.Add(lease))
	return first.clone(), nil
}

// Done implements Outbox.
func (o *MemoryOutbox) Done(ctx context.Context, it Item) error {
	return o.held(ctx, it, func(i int) { o.items = slices.Delete(o.items, i, i+1) })
}

// Retry implements Outbox.
func (o *MemoryOutbox) Retry(ctx context.Context, it Item, due time.Time, cause string) error {
	return o.held(ctx, it, func(i int) {
		own := o.items[i]
		own.LastError, own.Sent, own.Claim, own.ClaimedUntil = Clip(cause), slices.Clone(it.Sent), "", time.Time{}
		if own.Due = due; !due.IsZero() {
			own.Due = micro(due)
		}
	})
}

func (o *MemoryOutbox) held(ctx context.Context, it Item, change func(i int)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.items, func(own *Item) bool { return own.ID == it.ID && own.Claim == it.Claim && it.Claim != "" })
	if i < 0 {
		return ErrLost
	}
	change(i)
	return nil
}

// List implements Lister.
func (o *MemoryOutbox) List(ctx context.Context, limit int) ([]Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []Item
	for _, it := range o.items[:min(limit, len(o.items))] {
		shown := it.clone()
		shown.Claim = ""
		all = append(all, shown)
	}
	slices.SortFunc(all, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Again implements Lister.
func (o *MemoryOutbox) Again(ctx context.Context, now time.Time, ids ...int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now = micro(now)
	n := 0
	for _, it := range o.items {
		if len(ids) == 0 && !it.Due.IsZero() || len(ids) > 0 && !slices.Contains(ids, it.ID) || it.ClaimedUntil.After(now) {
			continue
		}
		it.Due, it.Tries, it.Claim, it.ClaimedUntil = now, 0, "", time.Time{}
		n++
	}
	return n, nil
}

func (it *Item) clone() Item {
	c := *it
	c.Data, c.Sent = slices.Clone(it.Data), slices.Clone(it.Sent)
	return c
}

// micro is a time as outboxes keep it.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
