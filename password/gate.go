package password

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// ErrBusy says that no place to hash in became free in time. Answer 503 with Retry-After.
var ErrBusy = errors.New("password: too many hashes at once")

// A BusyError is [ErrBusy] with a guess at when to come back.
type BusyError struct {
	// RetryAfter is how long the queue is likely to take, at least a second, at most a minute.
	RetryAfter time.Duration
	// Cause is the context's error when its deadline ended the wait, else nil.
	Cause error
}

// Error implements error.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v, retry in %v", ErrBusy, e.RetryAfter)
}

// Is makes a BusyError match [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Unwrap returns Cause.
func (e *BusyError) Unwrap() error { return e.Cause }

// GateConfig configures a [Gate].
type GateConfig struct {
	// Slots is how many hashes run at once. Defaults to GOMAXPROCS less one, at least one: pages are served while a
	// crowd logs in.
	Slots int
	// Memory is what all running hashes may need together, in bytes. A hash that needs more than all of it runs alone.
	// Defaults to 256 MiB.
	Memory int64
	// Queue is how many calls may wait. Defaults to 32 for each slot, what a slot does in eight seconds.
	Queue int
	// Wait is how long a call waits at most; its context's deadline may be sooner. Defaults to 5 s.
	Wait time.Duration
}

// A Gate lets few hashes run at once. Calls wait in the order they came. It is safe for concurrent use and may be shared by
// several [Hashers].
type Gate struct {
	cfg GateConfig

	mu      sync.Mutex
	running int
	memory  int64         // of the running
	waiting *list.List    // of *waiter, the longest waiting in front
	typical time.Duration // a moving average of how long a place is held
}

type waiter struct {
	memory int64
	in     chan struct{} // closed under mu when the waiter has its place
}

// NewGate makes a gate. Zero and negative values mean the defaults.
func NewGate(cfg GateConfig) *Gate {
	if cfg.Slots <= 0 {
		cfg.Slots = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if cfg.Memory <= 0 {
		cfg.Memory = 256 << 20
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 32 * cfg.Slots
	}
	if cfg.Wait <= 0 {
		cfg.Wait = 5 * time.Second
	}
	return &Gate{cfg: cfg, waiting: list.New(), typical: 250 * time.Millisecond}
}

// Enter waits for a place for a hash that needs so much memory, and returns the function that gives the place back, to be
// called once. It returns a *[BusyError] when the queue is full, or Wait or the context's deadline passes first, and the
// context's error when it is cancelled.
func (g *Gate) Enter(ctx context.Context, memory int64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("password: waiting to hash: %w", err)
	}
	memory = max(0, memory)
	g.mu.Lock()
	if g.waiting.Len() == 0 && g.fits(memory) {
		g.admit(memory)
		g.mu.Unlock()
		return g.leaver(memory), nil
	}
	if g.waiting.Len() >= g.cfg.Queue {
		defer g.mu.Unlock()
		return nil, g.busy(nil)
	}
	w := &waiter{memory: memory, in: make(chan struct{})}
	place := g.waiting.PushBack(w)
	g.mu.Unlock()

	timer := time.NewTimer(g.cfg.Wait)
	defer timer.Stop()
	select {
	case <-w.in:
		return g.leaver(memory), nil
	case <-timer.C:
		return g.giveUp(place, nil)
	case <-ctx.Done():
		return g.giveUp(place, ctx.Err())
	}
}

// giveUp takes a waiter out of the queue. When its turn came at the same moment, the place is used after all.
func (g *Gate) giveUp(place *list.Element, cause error) (func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := place.Value.(*waiter)
	select {
	case <-w.in:
		return g.leaver(w.memory), nil
	default:
	}
	g.waiting.Remove(place)
	g.next() // the one behind may fit where this one did not
	if cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return nil, fmt.Errorf("password: waiting to hash: %w", cause)
	}
	return nil, g.busy(cause)
}

// The methods below need g.mu.

func (g *Gate) fits(memory int64) bool {
	return g.running == 0 || g.running < g.cfg.Slots && memory <= g.cfg.Memory-g.memory
}

func (g *Gate) admit(memory int64) {
	g.running++
	g.memory += memory
}

// next admits from the front of the queue, strictly in order: a large hash is not starved by small ones.
func (g *Gate) next() {
	for front := g.waiting.Front(); front != nil; front = g.waiting.Front() {
		w := front.Value.(*waiter)
		if !g.fits(w.memory) {
			return
		}
		g.waiting.Remove(front)
		g.admit(w.memory)
		close(w.in)
	}
}

func (g *Gate) busy(cause error) *BusyError {
	wait := g.typical * time.Duration(g.waiting.Len()+1) / time.Duration(g.cfg.Slots)
	wait = wait.Truncate(time.Second) + time.Second
	return &BusyError{RetryAfter: min(wait, time.Minute), Cause: cause}
}

// leaver returns the function that frees a place. It is called without g.mu.
func (g *Gate) leaver(memory int64) func() {
	start := time.Now()
	var once sync.Once
	return func() {
		once.Do(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.running--
			g.memory -= memory
			g.typical += (time.Since(start) - g.typical) / 8
			g.next()
		})
	}
}
