// Package throttletest tests what a [throttle.Store] promises. A store's own tests call [Run]:
//
//	func TestStore(t *testing.T) {
//		throttletest.Run(t, func(t *testing.T) throttle.Store { return openEmptyStore(t) })
//	}
package throttletest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/throttle"
)

// Run tests a store. Open returns a fresh, empty one for each subtest, and removes it with t.Cleanup. The store gets its times
// from the tests; it must not look at a clock.
func Run(t *testing.T, open func(t *testing.T) throttle.Store) {
	t.Helper()
	for _, rule := range []struct {
		name string
		test func(t *testing.T, s store)
	}{
		{"a burst and no more", burst},
		{"a refused try changes nothing", refused},
		{"tries come back one by one", refill},
		{"all come back in the end", idle},
		{"keys do not touch each other", keys},
		{"reset forgets one key", reset},
		{"a clock that runs behind gains nothing", clock},
		{"a key can be taken with another limit", limits},
		{"microseconds count", precise},
		{"concurrent tries are counted one by one", concurrent},
		{"a cancelled context is an error", cancelled},
		{"sweep removes what has passed", sweep},
	} {
		t.Run(strings.ReplaceAll(rule.name, " ", "-"), func(t *testing.T) {
			rule.test(t, store{t, open(t)})
		})
	}
}

// noon is not special, but has microseconds, as stores keep them.
func noon() time.Time { return time.Date(2026, 2, 3, 12, 0, 0, 123_456_000, time.UTC) }

func three() throttle.Limit { return throttle.Limit{Tries: 3, Per: 30 * time.Second} }

type store struct {
	t *testing.T
	throttle.Store
}

// take wants the try to be allowed or refused, and returns when to come back.
func (s store) take(rule, key string, l throttle.Limit, now time.Time, want bool) time.Duration {
	s.t.Helper()
	ok, retryAfter, err := s.Take(context.Background(), key, l, now)
	if err != nil {
		s.t.Fatalf("%s: Take: %v", rule, err)
	}
	if ok != want {
		s.t.Fatalf("%s: Take at %v: got %v, want %v", rule, now.Format(time.StampMicro), ok, want)
	}
	if ok && retryAfter != 0 {
		s.t.Errorf("%s: an allowed try has to wait %v", rule, retryAfter)
	}
	if !ok && retryAfter <= 0 {
		s.t.Errorf("%s: a refused try may come back after %v, want more than zero", rule, retryAfter)
	}
	return retryAfter
}

func (s store) fill(key string, l throttle.Limit, now time.Time) {
	s.t.Helper()
	for range l.Tries {
		s.take("within the burst", key, l, now, true)
	}
}

const key = "account-0123456789abcdef0123456789abcdef01234567"

func burst(t *testing.T, s store) {
	s.fill(key, three(), noon())
	if got := s.take("one more than the burst", key, three(), noon(), false); got != 10*time.Second {
		t.Errorf("the next try is allowed after %v, want 10s", got)
	}
	one := throttle.Limit{Tries: 1, Per: time.Minute}
	s.take("a burst of one", "b", one, noon(), true)
	if got := s.take("after a burst of one", "b", one, noon().Add(time.Second), false); got != 59*time.Second {
		t.Errorf("the next try is allowed after %v, want 59s", got)
	}
}

func refused(_ *testing.T, s store) {
	s.fill(key, three(), noon())
	for i := range 20 {
		s.take("over the limit", key, three(), noon().Add(time.Duration(i)*100*time.Millisecond), false)
	}
	s.take("after twenty refused tries", key, three(), noon().Add(10*time.Second), true)
}

func refill(_ *testing.T, s store) {
	s.fill(key, three(), noon())
	for i := 1; i <= 5; i++ {
		at := noon().Add(time.Duration(i) * 10 * time.Second)
		s.take("just before a try comes back", key, three(), at.Add(-time.Microsecond), false)
		s.take("when a try comes back", key, three(), at, true)
		s.take("after the one that came back", key, three(), at, false)
	}
}

func idle(_ *testing.T, s store) {
	s.fill(key, three(), noon())
	s.fill(key, three(), noon().Add(30*time.Second))
	s.fill(key, three(), noon().Add(time.Hour)) // and no more than a burst was saved up
	s.take("one more than the burst, after an hour", key, three(), noon().Add(time.Hour), false)
}

func keys(_ *testing.T, s store) {
	long := strings.Repeat("a", 64)
	names := []string{key, "address" + strings.TrimPrefix(key, "account"), "a", "a-", "0", "00", long, long[:63], long[:63] + "b"}
	for _, name := range names {
		s.fill(name, three(), noon())
	}
	for _, name := range names {
		s.take("the burst of "+name, name, three(), noon(), false)
	}
}

func reset(t *testing.T, s store) {
	s.fill(key, three(), noon())
	s.fill("other", three(), noon())
	for range 2 { // the second time it is absent
		if err := s.Reset(context.Background(), key); err != nil {
			t.Fatalf("Reset: %v", err)
		}
	}
	s.take("another key, after the reset", "other", three(), noon(), false)
	s.fill(key, three(), noon())
	s.take("the burst after the reset", key, three(), noon(), false)
}

func clock(_ *testing.T, s store) {
	s.fill(key, three(), noon())
	for _, behind := range []time.Duration{time.Millisecond, time.Second, time.Hour} {
		s.take("by a clock that runs behind", key, three(), noon().Add(-behind), false)
	}
	s.take("by the first clock", key, three(), noon().Add(10*time.Second), true)
}

func limits(_ *testing.T, s store) {
	s.fill(key, three(), noon())
	s.take("with a wider limit", key, throttle.Limit{Tries: 300, Per: 300 * time.Second}, noon(), true)
	s.take("with the narrow limit again", key, three(), noon(), false)
}

func precise(_ *testing.T, s store) {
	thirds := throttle.Limit{Tries: 3, Per: time.Second} // a third of a second, rounded up to the microsecond
	s.fill(key, thirds, noon())
	s.take("a microsecond early", key, thirds, noon().Add(333_333*time.Microsecond), false)
	s.take("on time", key, thirds, noon().Add(333_334*time.Microsecond), true)
	s.take("nanoseconds late", "nano", throttle.Limit{Tries: 1, Per: time.Second}, noon().Add(999), true)
	s.take("a second later", "nano", throttle.Limit{Tries: 1, Per: time.Second}, noon().Add(time.Second+time.Microsecond), true)
}

func concurrent(t *testing.T, s store) {
	const tries, left = 48, 7
	l := throttle.Limit{Tries: left, Per: time.Hour}
	for _, name := range []string{"first", "second"} { // the first try of a key is as safe as the next
		var allowed atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range tries {
			wg.Go(func() {
				<-start
				ok, _, err := s.Take(context.Background(), name, l, noon())
				if err != nil {
					t.Errorf("Take: %v", err)
				}
				if ok {
					allowed.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if got := allowed.Load(); got != left {
			t.Errorf("%d of %d concurrent tries were allowed, want %d", got, tries, left)
		}
	}
}

func cancelled(t *testing.T, s store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if ok, _, err := s.Take(ctx, key, three(), noon()); err == nil || ok {
		t.Errorf("Take: got %v, %v, want an error", ok, err)
	}
	if err := s.Reset(ctx, key); err == nil {
		t.Error("Reset: want an error")
	}
}

func sweep(t *testing.T, s store) {
	sweeper, ok := s.Store.(throttle.Sweeper)
	if !ok {
		t.Skip("the store is no throttle.Sweeper")
	}
	s.take("early", "early", three(), noon(), true)
	s.fill("late", three(), noon())
	at := noon().Add(10 * time.Second) // all tries of early are back, one of late
	n, err := sweeper.Sweep(context.Background(), at)
	if err != nil || n != 1 {
		t.Errorf("Sweep: got %d, %v, want 1 removed", n, err)
	}
	s.fill("early", three(), at)
	s.take("the try of late that came back", "late", three(), at, true)
	s.take("late, after the sweep", "late", three(), at, false)
}
