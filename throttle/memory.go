package throttle

import (
	"context"
	"sync"
	"time"
)

// Memory is a Store for a single process and for tests. It is lost at a restart.
type Memory struct {
	mu    sync.Mutex
	times map[string]time.Time
	sweep int // sweep when there are this many keys
}

// smallMemory is how many keys are kept before the first sweep.
const smallMemory = 1024

// NewMemory makes an empty store. It removes what has passed by itself, whenever the number of keys has doubled.
func NewMemory() *Memory {
	return &Memory{times: map[string]time.Time{}, sweep: smallMemory}
}

// Take implements [Store].
func (m *Memory) Take(ctx context.Context, key string, l Limit, now time.Time) (ok bool, retryAfter time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next, retryAfter, ok := l.Next(m.times[key], now)
	if ok {
		m.times[key] = next
		if len(m.times) >= m.sweep {
			m.remove(now)
			m.sweep = max(smallMemory, 2*len(m.times))
		}
	}
	return ok, retryAfter, nil
}

// Reset implements [Store].
func (m *Memory) Reset(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.times, key)
	return nil
}

// Sweep implements [Sweeper].
func (m *Memory) Sweep(ctx context.Context, now time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.remove(now), nil
}

func (m *Memory) remove(now time.Time) int {
	before := len(m.times)
	for key, t := range m.times {
		if !t.After(now) {
			delete(m.times, key)
		}
	}
	return before - len(m.times)
}
