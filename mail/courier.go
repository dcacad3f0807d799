package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"
)

// The rules of sending:
//
//  1. An item is claimed before it is composed, for longer than composing and sending may take. Whoever dies in between loses
//     the claim when its time is over, and another one sends: at least once, and twice only if it dies between a server's yes
//     and the note of it.
//  2. What is begun is ended: a courier that is told to stop finishes its message first, within a few seconds.
//  3. A failure is tried again later and later; then, or when the mail server refuses for good, the item is parked, where people
//     see it. Nothing is thrown away.
//  4. Logs name the item and its kind, never an address.

// Compose makes the messages of an item, with their links, when they are sent. None means that there is nothing to send and is
// no error. When an item is tried again, the messages that were accepted before are known by their recipient and subject, and, of
// those that share both, by their order.
type Compose func(ctx context.Context, it Item) ([]*Message, error)

// A CourierConfig is what is optional about a [Courier].
type CourierConfig struct {
	// Lease is how long a claim lasts; composing and sending the messages of one item has to end in nine tenths of it. Defaults to
	// a minute.
	Lease time.Duration
	// Backoff is how long an item waits after its nth failure, counted from 1. Defaults to [Backoff].
	Backoff func(tries int) time.Duration
	// MaxTries is how often an item is tried before it is parked. Defaults to 10.
	MaxTries int
	// Poll is how often Run looks for mails that nobody woke it for. Defaults to 3 seconds.
	Poll time.Duration
	// Grace is how long a message under way may take once Run is told to stop. Defaults to 5 seconds.
	Grace time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger hears of failures. Defaults to slog.Default().
	Logger *slog.Logger
}

// A Courier sends what is in an outbox. Several may work on one outbox, in one process or in many.
type Courier struct {
	outbox  Outbox
	sender  Sender
	compose Compose
	cfg     CourierConfig
	wake    chan struct{}
}

// NewCourier returns a courier that claims from outbox, composes with compose, and sends with sender. It does nothing before
// [Courier.Run] or [Courier.Once].
func NewCourier(outbox Outbox, sender Sender, compose Compose, cfg CourierConfig) (*Courier, error) {
	if outbox == nil || sender == nil || compose == nil {
		return nil, errors.New("mail: NewCourier needs an outbox, a sender and a function that composes")
	}
	if cfg.Lease < 0 || cfg.MaxTries < 0 || cfg.Poll < 0 || cfg.Grace < 0 {
		return nil, errors.New("mail: a courier's times and tries are not negative")
	}
	if cfg.Lease == 0 {
		cfg.Lease = time.Minute
	}
	if cfg.Backoff == nil {
		cfg.Backoff = Backoff
	}
	if cfg.MaxTries == 0 {
		cfg.MaxTries = 10
	}
	if cfg.Poll == 0 {
		cfg.Poll = 3 * time.Second
	}
	if cfg.Grace == 0 {
		cfg.Grace = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Courier{outbox: outbox, sender: sender, compose: compose, cfg: cfg, wake: make(chan struct{}, 1)}, nil
}

// Backoff is 10 seconds after the first failure, then four times as long after each, up to four hours: a server that restarts
// costs seconds, and one that is down for a night gets the mail in the morning.
func Backoff(tries int) time.Duration {
	wait := 10 * time.Second
	for range tries - 1 {
		if wait *= 4; wait >= 4*time.Hour {
			return 4 * time.Hour
		}
	}
	return wait
}

// Wake makes Run look for mails now. It never waits.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// Outbox returns the courier's outbox, which wakes the courier whenever something is put into it.
func (c *Courier) Outbox() Outbox { return &waking{c.outbox, c} }

type waking struct {
	Outbox
	courier *Courier
}

func (w *waking) Enqueue(ctx context.Context, kind string, data json.RawMessage, now time.Time) error {
	if err := w.Outbox.Enqueue(ctx, kind, data, now); err != nil {
		return err
	}
	w.courier.Wake()
	return nil
}

// Run sends what is due until ctx ends, and returns its error once the message under way is sent or given back. An outbox that
// fails is logged and asked again at the next round.
func (c *Courier) Run(ctx context.Context) error {
	tick := time.NewTicker(c.cfg.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := c.Once(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Logger.WarnContext(ctx, "the outbox of mails does not answer", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-c.wake:
		}
	}
	return ctx.Err()
}

// Once sends what is due now, one after the other, and returns how many messages were accepted. Its error is the outbox's or that
// of ctx; what goes wrong with a mail is logged, and noted at the item.
func (c *Courier) Once(ctx context.Context) (sent int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return sent, err
		}
		it, err := c.outbox.Claim(ctx, c.cfg.Now(), c.cfg.Lease)
		if errors.Is(err, ErrEmpty) {
			return sent, nil
		}
		if err != nil {
			return sent, fmt.Errorf("mail: claim: %w", err)
		}
		n, err := c.deliver(ctx, it)
		sent += n
		if err != nil {
			return sent, err
		}
	}
}

// deliver composes and sends one item and notes what came of it.
func (c *Courier) deliver(ctx context.Context, it Item) (sent int, err error) {
	log := c.cfg.Logger.With("mail", it.ID, "kind", it.Kind, "try", it.Tries)
	before := len(it.Sent)
	var failure error
	if it.Tries > c.cfg.MaxTries { // every try so far ended without a note: whoever tried died
		failure = fmt.Errorf("%w, after: %s", errTooOften, it.LastError)
	} else {
		failure = c.attempt(ctx, &it)
	}
	sent = len(it.Sent) - before
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Lease/10)
	defer cancel()
	switch {
	case failure == nil:
		err = c.outbox.Done(note, it)
	case it.Tries >= c.cfg.MaxTries || errors.Is(failure, ErrRefused) || errors.Is(failure, ErrMessage):
		log.ErrorContext(ctx, "a mail is parked: nobody accepts it", "error", failure)
		err = c.outbox.Retry(note, it, time.Time{}, failure.Error())
	default:
		wait := c.cfg.Backoff(it.Tries)
		log.WarnContext(ctx, "a mail could not be sent and is tried again", "in", wait, "error", failure)
		err = c.outbox.Retry(note, it, c.cfg.Now().Add(wait), failure.Error())
	}
	if errors.Is(err, ErrLost) {
		log.WarnContext(ctx, "sending a mail took longer than its claim; it may arrive twice")
		return sent, nil
	}
	if err != nil {
		return sent, fmt.Errorf("mail: note what came of an item: %w", err)
	}
	return sent, nil
}

var errTooOften = errors.New("tried too often, without an outcome")

// attempt composes an item and sends those of its messages that were not accepted before. What is accepted goes into it.Sent.
func (c *Courier) attempt(ctx context.Context, it *Item) (err error) {
	defer func() {
		if p := recover(); p != nil { // one mail must not end the program, again and again
			err = fmt.Errorf("panic: %v", p)
			c.cfg.Logger.ErrorContext(ctx, "composing or sending a mail panicked", "mail", it.ID, "kind", it.Kind, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	ctx, cancel := c.lasting(ctx)
	defer cancel()
	messages, err := c.compose(ctx, *it)
	if err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	var failures []error
	same := map[[2]string]int{}
	for _, m := range messages {
		if m.ID == "" {
			letter := [2]string{m.To, m.Subject}
			same[letter]++
			copied := *m
			copied.ID = messageID(it, m, same[letter])
			m = &copied
		}
		if slices.Contains(it.Sent, m.ID) {
			continue
		}
		err := m.Check()
		if err == nil {
			err = c.sender.Send(ctx, m)
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		it.Sent = append(it.Sent, m.ID)
	}
	return worst(failures)
}

// worst joins failures. Only if trying again helps none of them, the item's failure is one for good.
func worst(failures []error) error {
	for _, err := range failures {
		if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrMessage) {
			return err
		}
	}
	return errors.Join(failures...)
}

// lasting is a context that outlasts ctx by the grace, and ends before the claim does.
func (c *Courier) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Lease/10*9)
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(c.cfg.Grace):
			cancel()
		case <-inner.Done():
		}
	})
	return inner, func() { stop(); cancel() }
}

// messageID is the same at each try, and tells nothing.
func messageID(it *Item, m *Message, nth int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%d\n%s\n%s\n%s\n%d", it.ID, it.Created.UnixMicro(), it.Data, m.To, m.Subject, nth))
	return hex.EncodeToString(sum[:12])
}
