// Package testhang tells a fuzz target that hangs from one that found nothing. Go's fuzzer by itself ends both alike: when its
// time is over it stops the worker that does not answer, and reports success.
package testhang

import (
	"flag"
	"sync"
	"testing"
	"time"
)

// An input may take ticks of this length. They are counted one by one, so that a machine that stood still does not count.
const (
	tick  = 250 * time.Millisecond
	ticks = 8
)

// Watch, the first call in a fuzz target's function, ends the worker when one input takes two seconds. The fuzzer then keeps the
// input as one that fails. Outside of fuzzing it does nothing: there the time limit of the whole test holds.
func Watch(t testing.TB) {
	worker := flag.Lookup("test.fuzzworker")
	if worker == nil || worker.Value.String() != "true" {
		return
	}
	var mu sync.Mutex
	var timer *time.Timer
	left := ticks
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(tick, func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			panic("testhang: one input takes more than two seconds")
		}
		timer.Reset(tick)
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		left = -1 // a tick that is on its way ends nothing
		timer.Stop()
	})
}
