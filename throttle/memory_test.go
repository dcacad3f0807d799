package throttle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cardea-go/cardea/throttle"
	"github.com/cardea-go/cardea/throttle/throttletest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	throttletest.Run(t, func(*testing.T) throttle.Store { return throttle.NewMemory() })
}

// TestMemorySweepsItself: keys that have passed do not pile up. Control: keys that have not are all kept.
func TestMemorySweepsItself(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := throttle.Limit{Tries: 1, Per: time.Second}
	fill := func(step time.Duration) (left int) {
		m := throttle.NewMemory()
		now := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
		for i := range 20_000 {
			now = now.Add(step)
			if ok, _, err := m.Take(ctx, fmt.Sprint(i), l, now); !ok || err != nil {
				t.Fatalf("Take: %v, %v", ok, err)
			}
		}
		left, err := m.Sweep(ctx, now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if left := fill(time.Second); left > 3000 {
		t.Errorf("%d of 20000 passed keys were kept, want at most 3000", left)
	}
	if left := fill(0); left != 20_000 {
		t.Errorf("%d of 20000 live keys were kept, want all", left)
	}
}
