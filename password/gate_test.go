package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/password"
)

// crowd lets n calls at the gate, 1 ms apart, each holding its place for hold, and returns the order of their starts and the
// highest number and memory that were in at once.
func crowd(t *testing.T, g *password.Gate, n int, hold time.Duration, memory func(i int) int64) (order string, together int, most int64) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var started []string
	running, bytes := 0, int64(0)
	for i := range n {
		wg.Go(func() {
			leave, err := g.Enter(context.Background(), memory(i))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			started = append(started, fmt.Sprint(i))
			running++
			bytes += memory(i)
			together, most = max(together, running), max(most, bytes)
			mu.Unlock()
			time.Sleep(hold)
			mu.Lock()
			running--
			bytes -= memory(i)
			mu.Unlock()
			leave()
		})
		time.Sleep(time.Millisecond)
	}
	wg.Wait()
	return strings.Join(started, " "), together, most
}

func none(int) int64 { return 0 }

func TestGateSlotsAndOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := password.NewGate(password.GateConfig{Slots: 2, Wait: time.Minute})
		order, together, _ := crowd(t, g, 10, time.Second, none)
		if together != 2 {
			t.Errorf("%d ran at once, want 2", together)
		}
		if want := "0 1 2 3 4 5 6 7 8 9"; order != want {
			t.Errorf("order: got %s, want %s", order, want)
		}
	})
}

func TestGateMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := password.NewGate(password.GateConfig{Slots: 8, Memory: 100, Wait: time.Minute})
		_, together, most := crowd(t, g, 9, time.Second, func(int) int64 { return 40 })
		if together != 2 || most != 80 {
			t.Errorf("%d ran at once with %d bytes, want 2 with 80 of 100", together, most)
		}
		// One larger than the budget runs, alone, and is not overtaken for ever by small ones.
		order, _, most := crowd(t, g, 6, time.Second, func(i int) int64 {
			if i == 2 {
				return 500
			}
			return 30
		})
		if !strings.HasPrefix(order, "0 1 2 ") || most != 500 {
			t.Errorf("order %s with at most %d bytes, want 0, 1, 2 first, with 500", order, most)
		}
	})
}

func TestGateBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := password.NewGate(password.GateConfig{Slots: 1, Queue: 1, Wait: 3 * time.Second})
		leave, err := g.Enter(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		waited := func(ctx context.Context) (time.Duration, error) {
			start := time.Now()
			_, err := g.Enter(ctx, 0)
			return time.Since(start), err
		}
		var busy *password.BusyError

		took, err := waited(context.Background())
		if !errors.Is(err, password.ErrBusy) || !errors.As(err, &busy) || took != 3*time.Second {
			t.Errorf("past Wait: got %v after %v, want ErrBusy after 3s", err, took)
		}
		if busy.RetryAfter < time.Second || busy.RetryAfter > time.Minute {
			t.Errorf("RetryAfter is %v, want 1s to 1m", busy.RetryAfter)
		}

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		took, err = waited(ctx)
		cancel()
		if !errors.Is(err, password.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("past the deadline: got %v after %v, want ErrBusy and DeadlineExceeded after 1s", err, took)
		}

		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		took, err = waited(ctx)
		if !errors.Is(err, context.Canceled) || errors.Is(err, password.ErrBusy) || took != time.Second {
			t.Errorf("cancelled: got %v after %v, want Canceled after 1s", err, took)
		}
		if took, err = waited(ctx); !errors.Is(err, context.Canceled) || took != 0 {
			t.Errorf("cancelled before: got %v after %v, want Canceled at once", err, took)
		}

		// The places in the queue of those who gave up are free again; one more than the queue is refused at once.
		done := make(chan error)
		go func() { _, err := waited(context.Background()); done <- err }()
		synctest.Wait()
		if took, err = waited(context.Background()); !errors.Is(err, password.ErrBusy) || took != 0 {
			t.Errorf("queue full: got %v after %v, want ErrBusy at once", err, took)
		}
		leave()
		leave() // giving a place back twice frees one
		if err := <-done; err != nil {
			t.Errorf("the one in the queue: %v", err)
		}
		if took, err = waited(context.Background()); !errors.Is(err, password.ErrBusy) || took != 3*time.Second {
			t.Errorf("the place is taken: got %v after %v, want ErrBusy after 3s", err, took)
		}
	})
}

// TestGateGivingUpLetsOthersPass: a large hash that gives up in front of the queue no longer holds small ones back.
func TestGateGivingUpLetsOthersPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := password.NewGate(password.GateConfig{Slots: 4, Memory: 100, Wait: time.Minute})
		if _, err := g.Enter(context.Background(), 50); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		large, small := make(chan error, 1), make(chan error, 1)
		go func() { _, err := g.Enter(ctx, 80); large <- err }()
		synctest.Wait()
		go func() { _, err := g.Enter(context.Background(), 10); small <- err }()
		synctest.Wait()
		select {
		case err := <-small:
			t.Fatalf("the small one overtook: %v", err)
		default:
		}
		cancel()
		if err := <-large; !errors.Is(err, context.Canceled) {
			t.Errorf("large: got %v, want Canceled", err)
		}
		synctest.Wait()
		select {
		case err := <-small:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("the small one still waits")
		}
	})
}

// TestHashersPassTheGate: every call that hashes waits at the gate, and passes it once: with a single slot, a check of several
// runs still ends.
func TestHashersPassTheGate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := password.NewGate(password.GateConfig{Slots: 1, Wait: time.Millisecond})
	s := open(t, password.Config{
		Hashers:   []password.Hasher{password.PBKDF2SHA256(20), password.BCryptSHA256(5)},
		Gate:      g,
		EqualWork: true,
		Speed:     fixedSpeed,
	})
	encoded := encode(t, password.PBKDF2SHA256(5), "right")
	calls := map[string]func() error{
		"Make":           func() error { _, err := s.Make(ctx, "right"); return err },
		"Check":          func() error { _, _, err := s.Check(ctx, "right", encoded); return err },
		"Check unusable": func() error { _, _, err := s.Check(ctx, "right", password.Unusable()); return err },
		"Check overlong": func() error { _, _, err := s.Check(ctx, strings.Repeat("x", 1<<20), encoded); return err },
		"Decoy":          func() error { return s.Decoy(ctx, "right") },
	}
	leave, err := g.Enter(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, password.ErrBusy) {
			t.Errorf("%s at a full gate: got %v, want ErrBusy", name, err)
		}
	}
	if runs := s.take(); len(runs) != 0 {
		t.Errorf("%d runs at a full gate, want none", len(runs))
	}
	leave()
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s at a free gate: %v", name, err)
		}
	}
}
