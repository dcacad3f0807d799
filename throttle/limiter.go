package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrLimited says that there were too many tries. Answer 429 with Retry-After.
var ErrLimited = errors.New("too many tries")

// A LimitedError is [ErrLimited] with the time after which a try is allowed. It does not say which limit was met: whether
// an account is under attack, or exists, is nobody's business.
type LimitedError struct {
	// RetryAfter is more than zero.
	RetryAfter time.Duration
}

// Error implements error.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("throttle: %v, retry in %v", ErrLimited, e.RetryAfter.Round(time.Second))
}

// Is makes a LimitedError match [ErrLimited].
func (e *LimitedError) Is(target error) bool { return target == ErrLimited }

// Config configures a [Limiter].
type Config struct {
	// Account limits the tries of one account from anywhere. Defaults to 10 in 5 minutes: enough for a person who tries all
	// her passwords, then one every 30 seconds, at which a guesser needs a year for a million.
	Account Limit
	// Address limits the tries of one address, or IPv6 /64, at any account. Defaults to 100 in 10 minutes: an office
	// behind one address may arrive at nine o'clock, and a list of leaked passwords runs at one in 6 seconds.
	Address Limit
	// Key is a secret that goes into the hashes that are stored. Without it, whoever has the table can find the names in
	// it by guessing names. All processes that share a store need the same. Defaults to none.
	Key []byte
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// String shows the limits and not the key.
func (c Config) String() string {
	return fmt.Sprintf("throttle.Config{Account:%+v Address:%+v}", c.Account, c.Address)
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// LogValue is String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// A Limiter counts tries to log in. It is safe for concurrent use.
type Limiter struct {
	store Store
	cfg   Config
}

// New makes a limiter. No store, or a limit without Tries or with too short a Per, is an error.
func New(store Store, cfg Config) (*Limiter, error) {
	if store == nil {
		return nil, errors.New("throttle: no store: pass throttle.NewMemory(), or the database's")
	}
	if cfg.Account == (Limit{}) {
		cfg.Account = Limit{Tries: 10, Per: 5 * time.Minute}
	}
	if cfg.Address == (Limit{}) {
		cfg.Address = Limit{Tries: 100, Per: 10 * time.Minute}
	}
	for _, l := range []Limit{cfg.Account, cfg.Address} {
		if l.Tries < 1 || l.Per < time.Duration(l.Tries)*time.Microsecond {
			return nil, fmt.Errorf("throttle: the limit of %d tries in %v is undefined: ask for at least one, and a microsecond for each", l.Tries, l.Per)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Limiter{store: store, cfg: cfg}, nil
}

// Try counts a try at the account from the address, before the password is looked at. It returns a *[LimitedError] when either
// has had too many; any other error is the store's, and means that the try must not go on.
//
// The address is counted first, and a try that it refuses is not counted for the account: one noisy address does not
// lock out the accounts that it asks for. Requests whose address is not known share one key.
func (l *Limiter) Try(ctx context.Context, account string, addr netip.Addr) error {
	now := l.cfg.Now()
	if err := l.take(ctx, l.addressKey(addr), l.cfg.Address, now); err != nil {
		return err
	}
	return l.take(ctx, l.accountKey(account), l.cfg.Account, now)
}

func (l *Limiter) take(ctx context.Context, key string, limit Limit, now time.Time) error {
	ok, retryAfter, err := l.store.Take(ctx, key, limit, now)
	if err != nil {
		return fmt.Errorf("throttle: counting a try: %w", err)
	}
	if !ok {
		return &LimitedError{RetryAfter: max(retryAfter, time.Millisecond)}
	}
	return nil
}

// TryAddress counts a failure that names no account, such as an unknown token, by the address alone. Each kind is counted by itself,
// with the limit of addresses: a program that goes on with a token which has ended keeps nobody at its address from logging in.
func (l *Limiter) TryAddress(ctx context.Context, kind string, addr netip.Addr) error {
	return l.take(ctx, l.key("address", kind+"\x00"+network(addr)), l.cfg.Address, l.cfg.Now())
}

// Succeeded forgives the account its tries, after a log-in that is complete. The address is not forgiven: else whoever has
// one account of his own could guess at others for ever, logging in now and then.
func (l *Limiter) Succeeded(ctx context.Context, account string) error {
	if err := l.store.Reset(ctx, l.accountKey(account)); err != nil {
		return fmt.Errorf("throttle: forgiving an account: %w", err)
	}
	return nil
}

func (l *Limiter) accountKey(account string) string { return l.key("account", canonical(account)) }

func (l *Limiter) addressKey(addr netip.Addr) string { return l.key("address", network(addr)) }

// network is what counts as one address.
func network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		prefix, err := addr.Prefix(64)
		if err == nil {
			addr = prefix.Addr()
		}
	}
	return addr.String()
}

// key is kind-HASH: 40 hexadecimal digits, half of a SHA-256, cannot be made to collide.
func (l *Limiter) key(kind, value string) string {
	mac := hmac.New(sha256.New, l.cfg.Key)
	mac.Write([]byte("cardea throttle " + kind + "\x00" + value))
	return kind + "-" + hex.EncodeToString(mac.Sum(nil)[:20])
}

// maxAccount is the longest name that is normalised, in bytes. No user has a longer one (150 characters, or 254 of an
// e-mail address), and normalising megabytes is work for nothing.
const maxAccount = 1024

// canonical maps the spellings of a name that may find the same user to one.
func canonical(account string) string {
	if len(account) > maxAccount {
		return account
	}
	fold := func(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }
	account = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, fold(account))
	return strings.TrimSpace(fold(account)) // folding may leave a text that normalises further
}
