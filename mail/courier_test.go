package mail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/mail"
)

// A recorder takes messages, unless fail has something against one.
type recorder struct {
	mu   sync.Mutex
	got  []*mail.Message
	fail func(ctx context.Context, m *mail.Message) error
}

func (r *recorder) Send(ctx context.Context, m *mail.Message) error {
	if r.fail != nil {
		if err := r.fail(ctx, m); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, m)
	return nil
}

func (r *recorder) to() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, m := range r.got {
		all = append(all, m.To)
	}
	return all
}

// compose sends to the addresses that are the item's data.
func compose(_ context.Context, it mail.Item) ([]*mail.Message, error) {
	var to []string
	if err := json.Unmarshal(it.Data, &to); err != nil {
		return nil, err
	}
	var all []*mail.Message
	for _, address := range to {
		all = append(all, message(func(m *mail.Message) { m.To = address }))
	}
	return all, nil
}

func enqueue(t *testing.T, o mail.Outbox, to ...string) {
	t.Helper()
	data, err := json.Marshal(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Enqueue(t.Context(), "test", data, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func courier(t *testing.T, o mail.Outbox, s mail.Sender, c mail.Compose, cfg mail.CourierConfig) *mail.Courier {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	k, err := mail.NewCourier(o, s, c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func once(t *testing.T, c *mail.Courier, want int) {
	t.Helper()
	if n, err := c.Once(t.Context()); n != want || err != nil {
		t.Errorf("Once: got %d, %v, want %d", n, err, want)
	}
}

func items(t *testing.T, o mail.Outbox) []mail.Item {
	t.Helper()
	all, err := o.(mail.Lister).List(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOnce sends all that is due, and nothing twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	box, sink := mail.NewMemoryOutbox(), &recorder{}
	c := courier(t, box, sink, compose, mail.CourierConfig{})
	enqueue(t, box, "a@example.com")
	enqueue(t, box) // about somebody who is not there: nothing to send
	enqueue(t, box, "b@example.com", "c@example.com")
	once(t, c, 3)
	once(t, c, 0)
	if got := sink.to(); !slices.Equal(got, []string{"a@example.com", "b@example.com", "c@example.com"}) {
		t.Errorf("sent to %v", got)
	}
	if left := items(t, box); len(left) != 0 {
		t.Errorf("left in the outbox: %+v", left)
	}
}

// TestRetry: a failure comes back later and later, with its cause, and under one Message-ID; then it is parked, and a person can have
// it tried again.
func TestRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		down := true
		sink := &recorder{fail: func(_ context.Context, m *mail.Message) error {
			ids = append(ids, m.ID)
			if down {
				return errors.New("connection refused")
			}
			return nil
		}}
		box := mail.NewMemoryOutbox()
		c := courier(t, box, sink, compose, mail.CourierConfig{MaxTries: 4})
		enqueue(t, box, "a@example.com")
		for i, wait := range []time.Duration{0, 10 * time.Second, 40 * time.Second, 160 * time.Second} {
			if wait > 0 {
				time.Sleep(wait - time.Second)
				once(t, c, 0)
				time.Sleep(time.Second)
			}
			once(t, c, 0)
			if len(ids) != i+1 {
				t.Fatalf("after %d tries: %d were made", i+1, len(ids))
			}
		}
		time.Sleep(1000 * time.Hour)
		once(t, c, 0)
		left := items(t, box)
		if len(left) != 1 || !left[0].Due.IsZero() || left[0].Tries != 4 || left[0].LastError != "connection refused" {
			t.Fatalf("left: %+v, want one that is parked after four tries", left)
		}
		down = false
		if n, err := box.Again(t.Context(), time.Now()); n != 1 || err != nil {
			t.Errorf("Again: %d, %v", n, err)
		}
		once(t, c, 1)
		if ids = slices.Compact(ids); len(ids) != 1 || ids[0] == "" || len(items(t, box)) != 0 {
			t.Errorf("IDs %v, left %+v", ids, items(t, box))
		}
	})
}

// TestRefused: what trying again does not help is parked at once; a mail whose second message can still arrive is not.
func TestRefused(t *testing.T) {
	t.Parallel()
	box := mail.NewMemoryOutbox()
	sink := &recorder{fail: func(_ context.Context, m *mail.Message) error {
		switch m.To {
		case "nobody@example.com":
			return fmt.Errorf("550 no such user: %w", mail.ErrRefused)
		case "later@example.com":
			return errors.New("451 later")
		}
		return nil
	}}
	c := courier(t, box, sink, compose, mail.CourierConfig{})
	enqueue(t, box, "nobody@example.com")
	enqueue(t, box, "not an address")
	enqueue(t, box, "nobody@example.com", "later@example.com")
	once(t, c, 0)
	left := items(t, box)
	if len(left) != 3 || !left[0].Due.IsZero() || !left[1].Due.IsZero() || left[2].Due.IsZero() {
		t.Errorf("left: %+v, want the first two parked, and the third to be tried again", left)
	}
}

// TestHalfSent: of two messages, the one that was accepted is not sent again with the other.
func TestHalfSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, down := mail.NewMemoryOutbox(), true
		sink := &recorder{fail: func(_ context.Context, m *mail.Message) error {
			if m.To == "b@example.com" && down {
				return errors.New("451 later")
			}
			return nil
		}}
		c := courier(t, box, sink, compose, mail.CourierConfig{})
		enqueue(t, box, "a@example.com", "b@example.com", "a@example.com") // two accounts may share an address
		once(t, c, 2)
		down = false
		time.Sleep(10 * time.Second)
		once(t, c, 1)
		if got := sink.to(); !slices.Equal(got, []string{"a@example.com", "a@example.com", "b@example.com"}) {
			t.Errorf("sent to %v", got)
		}
	})
}

// TestPoison: a mail whose composing panics or fails does not stop the others, and is parked in the end.
func TestPoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, sink := mail.NewMemoryOutbox(), &recorder{}
		c := courier(t, box, sink, func(ctx context.Context, it mail.Item) ([]*mail.Message, error) {
			switch string(it.Data) {
			case `["panic"]`:
				panic("a bug")
			case `["fail"]`:
				return nil, errors.New("no template")
			}
			return compose(ctx, it)
		}, mail.CourierConfig{MaxTries: 2})
		enqueue(t, box, "panic")
		enqueue(t, box, "fail")
		enqueue(t, box, "a@example.com")
		once(t, c, 1)
		time.Sleep(time.Minute)
		once(t, c, 0)
		left := items(t, box)
		if len(left) != 2 || left[0].LastError != "panic: a bug" || left[1].LastError != "compose: no template" || !left[0].Due.IsZero() || !left[1].Due.IsZero() {
			t.Errorf("left: %+v", left)
		}
	})
}

// TestKilled: a process that dies between claim and send loses the claim, and another one sends, once; a mail that kills every
// process that tries it is parked in the end.
func TestKilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, sink := mail.NewMemoryOutbox(), &recorder{}
		c := courier(t, box, sink, compose, mail.CourierConfig{MaxTries: 3})
		enqueue(t, box, "a@example.com")
		die := func() {
			if _, err := box.Claim(t.Context(), time.Now(), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		die()
		once(t, c, 0)
		time.Sleep(time.Minute - time.Microsecond)
		once(t, c, 0)
		time.Sleep(time.Microsecond)
		once(t, c, 1)
		once(t, c, 0)

		enqueue(t, box, "deadly@example.com")
		for range 3 {
			die()
			time.Sleep(time.Minute)
		}
		once(t, c, 0)
		if left := items(t, box); len(left) != 1 || !left[0].Due.IsZero() || !strings.Contains(left[0].LastError, "without an outcome") {
			t.Errorf("left: %+v, want one that is parked", left)
		}
		if got := sink.to(); !slices.Equal(got, []string{"a@example.com"}) {
			t.Errorf("sent to %v", got)
		}
	})
}

// TestHangingSender: a sender that hangs is cut off before the claim runs out, so that nobody else sends at the same time.
func TestHangingSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := mail.NewMemoryOutbox()
		hangs := &recorder{fail: func(ctx context.Context, _ *mail.Message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		c := courier(t, box, hangs, compose, mail.CourierConfig{})
		enqueue(t, box, "a@example.com")
		start := time.Now()
		once(t, c, 0)
		if took := time.Since(start); took >= time.Minute {
			t.Errorf("it hung for %v, longer than the claim", took)
		}
		if left := items(t, box); len(left) != 1 || left[0].LastError == "" || !left[0].ClaimedUntil.IsZero() {
			t.Errorf("left: %+v, want one that was given back", left)
		}
	})
}

// TestRun: a mail goes out when it is put in, without waiting for the next look; one that another process put in, within seconds.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, sink := mail.NewMemoryOutbox(), &recorder{}
		c := courier(t, box, sink, compose, mail.CourierConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		enqueue(t, c.Outbox(), "a@example.com")
		synctest.Wait()
		if got := sink.to(); len(got) != 1 {
			t.Errorf("sent to %v at once, want one", got)
		}
		enqueue(t, box, "b@example.com")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := sink.to(); len(got) != 2 {
			t.Errorf("sent to %v after three seconds, want two", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		c.Wake()
		c.Wake() // never waits, not even when nobody runs
	})
}

// TestStop: what is under way when a courier is told to stop is sent, if that takes no longer than the grace; nothing new is begun.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes time.Duration
		sent  int
		ends  time.Duration
	}{
		"in time": {3 * time.Second, 1, 2 * time.Second},
		"hangs":   {time.Hour, 0, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				box := mail.NewMemoryOutbox()
				slow := &recorder{fail: func(ctx context.Context, _ *mail.Message) error {
					select {
					case <-time.After(tt.takes):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}}
				c := courier(t, box, slow, compose, mail.CourierConfig{})
				enqueue(t, box, "a@example.com")
				enqueue(t, box, "b@example.com")
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- c.Run(ctx) }()
				time.Sleep(time.Second)
				cancel()
				start := time.Now()
				<-ended
				if took := time.Since(start); took != tt.ends {
					t.Errorf("it ended after %v, want %v", took, tt.ends)
				}
				left := items(t, box)
				if len(slow.to()) != tt.sent || len(left) != 2-tt.sent {
					t.Errorf("sent %v, left %+v", slow.to(), left)
				}
				for _, it := range left {
					if !it.ClaimedUntil.IsZero() {
						t.Errorf("still claimed: %+v", it)
					}
				}
			})
		})
	}
}

// TestOutboxDown: Run lives through an outage of the outbox; Once reports it.
func TestOutboxDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := &broken{Outbox: mail.NewMemoryOutbox()}
		box.err.Store(errors.New("the database is down"))
		sink := &recorder{}
		c := courier(t, box, sink, compose, mail.CourierConfig{})
		if _, err := c.Once(t.Context()); err == nil {
			t.Error("Once: want an error")
		}
		enqueue(t, box, "a@example.com")
		go func() { _ = c.Run(t.Context()) }()
		time.Sleep(time.Hour)
		box.err.Store(error(nil))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := sink.to(); len(got) != 1 {
			t.Errorf("sent to %v after the outage, want one", got)
		}
	})
}

type broken struct {
	mail.Outbox
	err errorValue
}

type errorValue struct {
	mu  sync.Mutex
	err error
}

func (v *errorValue) Store(err error) { v.mu.Lock(); defer v.mu.Unlock(); v.err = err }

func (v *errorValue) Load() error { v.mu.Lock(); defer v.mu.Unlock(); return v.err }

func (b *broken) Claim(ctx context.Context, now time.Time, lease time.Duration) (mail.Item, error) {
	if err := b.err.Load(); err != nil {
		return mail.Item{}, err
	}
	return b.Outbox.Claim(ctx, now, lease)
}

// TestLogs: what is logged names no address and nothing of the mail.
func TestLogs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	box := mail.NewMemoryOutbox()
	sink := &recorder{fail: func(context.Context, *mail.Message) error { return errors.New("451 later") }}
	c := courier(t, box, sink, compose, mail.CourierConfig{Logger: slog.New(slog.NewTextHandler(&b, nil))})
	enqueue(t, box, "canary@example.com")
	once(t, c, 0)
	if log := b.String(); !strings.Contains(log, "451 later") || strings.Contains(log, "canary") {
		t.Errorf("logged %q", log)
	}
}

func TestNewCourier(t *testing.T) {
	t.Parallel()
	box, sink := mail.NewMemoryOutbox(), &recorder{}
	for name, make := range map[string]func() (*mail.Courier, error){
		"no outbox":   func() (*mail.Courier, error) { return mail.NewCourier(nil, sink, compose, mail.CourierConfig{}) },
		"no sender":   func() (*mail.Courier, error) { return mail.NewCourier(box, nil, compose, mail.CourierConfig{}) },
		"no composer": func() (*mail.Courier, error) { return mail.NewCourier(box, sink, nil, mail.CourierConfig{}) },
		"a lease before": func() (*mail.Courier, error) {
			return mail.NewCourier(box, sink, compose, mail.CourierConfig{Lease: -1})
		},
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if first, last := mail.Backoff(1), mail.Backoff(1000); first != 10*time.Second || last != 4*time.Hour {
		t.Errorf("Backoff: %v, then %v", first, last)
	}
}
