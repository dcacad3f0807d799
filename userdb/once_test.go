package userdb_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestOnce: what was put is there until it expires or is taken, and a key is taken and put once.
func TestOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		once, now, ctx := open(t, empty).Once(), time.Now(), t.Context()
		put := func(key string, value []byte, expires time.Time, want bool) {
			t.Helper()
			if ok, err := once.Put(ctx, key, value, expires); err != nil || ok != want {
				t.Fatalf("Put(%q): %v, %v, want %v", key, ok, err, want)
			}
		}
		value := []byte("\x00\xff {} '\" ä")
		put("a", value, now.Add(time.Minute), true)
		put("a", []byte("other"), now.Add(time.Hour), false)
		put("A", nil, now.Add(time.Minute), true) // another key, also on MySQL
		if got, ok, err := once.Look(ctx, "a", now); !ok || err != nil || !bytes.Equal(got, value) {
			t.Errorf("Look: %q, %v, %v", got, ok, err)
		}
		for _, key := range []string{"b", "", strings.Repeat("a", 64)} {
			if _, ok, err := once.Take(ctx, key, now); ok || err != nil {
				t.Errorf("Take(%q), which was not put: %v, %v", key, ok, err)
			}
		}
		if _, ok, err := once.Take(ctx, "a", now.Add(time.Minute)); ok || err != nil {
			t.Errorf("Take of what has expired: %v, %v", ok, err)
		}
		if got, ok, err := once.Take(ctx, "a", now.Add(59*time.Second)); !ok || err != nil || !bytes.Equal(got, value) {
			t.Errorf("Take in time: %q, %v, %v", got, ok, err)
		}
		if _, ok, err := once.Take(ctx, "a", now); ok || err != nil {
			t.Errorf("Take again: %v, %v", ok, err)
		}
		if n, err := once.Sweep(ctx, now.Add(30*time.Second)); n != 0 || err != nil {
			t.Errorf("Sweep before anything has expired: %d, %v", n, err)
		}
		if n, err := once.Sweep(ctx, now.Add(2*time.Minute)); n != 1 || err != nil {
			t.Errorf("Sweep: %d, %v", n, err)
		}
	})
}

// TestOnceTwoProcesses: of many who put and take one key, over two pools, one puts and one takes.
func TestOnceTwoProcesses(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		first, now := open(t, empty), time.Now()
		second, err := userdb.OpenURL(t.Context(), empty.URL)
		must(t, err)
		t.Cleanup(func() { second.Close() })
		at := func(i int) *userdb.OnceStore { return []*userdb.DB{first, second}[i%2].Once() }
		for _, key := range []string{"one", "two", "three"} {
			var puts, takes atomic.Int32
			race := func(step func(i int) (bool, error), count *atomic.Int32) {
				var wg sync.WaitGroup
				for i := range 16 {
					wg.Go(func() {
						ok, err := step(i)
						if err != nil {
							t.Error(err)
						}
						if ok {
							count.Add(1)
						}
					})
				}
				wg.Wait()
			}
			race(func(i int) (bool, error) { return at(i).Put(t.Context(), key, []byte(key), now.Add(time.Minute)) }, &puts)
			race(func(i int) (bool, error) {
				_, ok, err := at(i).Take(t.Context(), key, now)
				return ok, err
			}, &takes)
			if puts.Load() != 1 || takes.Load() != 1 {
				t.Errorf("%s was put %d times and taken %d times", key, puts.Load(), takes.Load())
			}
		}
	})
}
