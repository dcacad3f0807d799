package throttle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-go/cardea/throttle"
)

// recorder is a store that remembers the keys it was asked for.
type recorder struct {
	throttle.Store
	mu   sync.Mutex
	keys []string
}

func (r *recorder) Take(ctx context.Context, key string, l throttle.Limit, now time.Time) (bool, time.Duration, error) {
	r.mu.Lock()
	r.keys = append(r.keys, key)
	r.mu.Unlock()
	return r.Store.Take(ctx, key, l, now)
}

type person struct {
	t       *testing.T
	limiter *throttle.Limiter
	store   *recorder
	now     time.Time
}

// newPerson makes a limiter of 3 tries an account and 5 an address in 30 and 50 seconds, by a clock that stands still.
func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{t: t, store: &recorder{Store: throttle.NewMemory()}, now: time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)}
	l, err := throttle.New(p.store, throttle.Config{
		Account: throttle.Limit{Tries: 3, Per: 30 * time.Second},
		Address: throttle.Limit{Tries: 5, Per: 50 * time.Second},
		Now:     func() time.Time { return p.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.limiter = l
	return p
}

func (p *person) try(account, addr string) error {
	p.t.Helper()
	var a netip.Addr
	if addr != "" {
		a = netip.MustParseAddr(addr)
	}
	return p.limiter.Try(context.Background(), account, a)
}

func (p *person) tries(n int, account, addr string) {
	p.t.Helper()
	for i := range n {
		if err := p.try(account, addr); err != nil {
			p.t.Fatalf("try %d of %q from %s: %v", i+1, account, addr, err)
		}
	}
}

func (p *person) limited(why, account, addr string) time.Duration {
	p.t.Helper()
	err := p.try(account, addr)
	var limited *throttle.LimitedError
	if !errors.Is(err, throttle.ErrLimited) || !errors.As(err, &limited) || limited.RetryAfter <= 0 {
		p.t.Fatalf("%s: %q from %s: got %v, want ErrLimited with RetryAfter", why, account, addr, err)
	}
	return limited.RetryAfter
}

func TestLimiterByAccount(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.tries(1, "ada", "192.0.2.1")
	p.tries(1, "ada", "192.0.2.2")
	p.tries(1, "ada", "2001:db8::1")
	if got := p.limited("from a fourth address", "ada", "192.0.2.4"); got != 10*time.Second {
		t.Errorf("RetryAfter: got %v, want 10s", got)
	}
	p.tries(1, "grace", "192.0.2.4")
	p.now = p.now.Add(10 * time.Second)
	p.tries(1, "ada", "192.0.2.4")
	p.limited("one came back", "ada", "192.0.2.4")
}

func TestLimiterByAddress(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	for i := range 5 {
		p.tries(1, fmt.Sprint("user", i), "192.0.2.1")
	}
	for range 10 {
		p.limited("a sixth account", "ada", "192.0.2.1")
	}
	p.tries(3, "ada", "192.0.2.2") // what the address was refused did not count for the account
}

// TestM20GoodLoginKeepsTheAddressCounted: an attacker with an account of his own logs in between guesses. Control: the
// account's own tries are forgiven.
func TestM20GoodLoginKeepsTheAddressCounted(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	for i := range 5 {
		account := fmt.Sprint("victim", i)
		if i%2 == 1 {
			account = "mallory"
		}
		p.tries(1, account, "192.0.2.1")
		if err := p.limiter.Succeeded(context.Background(), "mallory"); err != nil {
			t.Fatal(err)
		}
	}
	p.limited("after good log-ins in between", "victim9", "192.0.2.1")

	p = newPerson(t)
	p.tries(3, "ada", "192.0.2.1")
	p.limited("control: ada's tries are used up", "ada", "192.0.2.2")
	if err := p.limiter.Succeeded(context.Background(), " ADA "); err != nil {
		t.Fatal(err)
	}
	p.tries(1, "ada", "192.0.2.2")
}

// TestM21SpellingsOfOneAccount: no spelling that may find the same user has tries of its own. Control: other names do.
func TestM21SpellingsOfOneAccount(t *testing.T) {
	t.Parallel()
	for name, spellings := range map[string][]string{
		"ada@example.org": {"ADA@example.org", "Ada@Example.ORG", " ada@example.org ", "\tada@example.org\n", "ａｄａ@example.org", "ada\u200b@example.org", "a\u00adda@example.org", "ada@exam\x00ple.org"},
		"straße":          {"STRASSE", "strasse", "STRAẞE"},
		"élan":            {"e\u0301lan", "ÉLAN", "E\u0301lan"},
		"ﬁle":             {"file", "FILE"},
		"σίσυφος":         {"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		"ada":             {"A\ufe0fda", "\u2060ada", "\ufeffada", "\u3164ada"},
	} {
		for _, spelling := range spellings {
			p := newPerson(t)
			p.tries(3, name, "192.0.2.1")
			p.limited("another spelling", spelling, "192.0.2.2")
		}
	}
	for _, pair := range [][2]string{{"ada", "adam"}, {"ada", "a da"}, {"élan", "elan"}, {"a.da", "ada"}, {"ada", ""}} {
		p := newPerson(t)
		p.tries(3, pair[0], "192.0.2.1")
		p.tries(1, pair[1], "192.0.2.2")
	}
}

// TestM22SpellingsOfOneAddress: the address is the one that package origin found, and its other forms, or others of the
// same customer, have no tries of their own. Control: other addresses do.
func TestM22SpellingsOfOneAddress(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"},
		{"2001:db8:1:2::1", "2001:0DB8:0001:0002::2"},
		{"fe80::1%eth0", "fe80::2%eth1"},
		{"", ""}, // not known
	} {
		p := newPerson(t)
		for i := range 5 {
			p.tries(1, fmt.Sprint("user", i), pair[0])
		}
		p.limited("the same customer", "ada", pair[1])
	}
	for _, pair := range [][2]string{
		{"192.0.2.1", "192.0.2.2"},
		{"2001:db8:1:2::1", "2001:db8:1:3::1"},
		{"192.0.2.1", "::192.0.2.1"}, // an old IPv6 form, not a mapped one
		{"192.0.2.1", ""},
	} {
		p := newPerson(t)
		for i := range 5 {
			p.tries(1, fmt.Sprint("user", i), pair[0])
		}
		p.tries(1, "ada", pair[1])
	}
}

// TestM35LongAccounts: a name of a megabyte is counted, quickly. Control: it has tries like any other.
func TestM35LongAccounts(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	long := strings.Repeat("ﷺ\u0301", 1<<18)
	start := time.Now()
	p.tries(3, long, "192.0.2.1")
	p.limited("a long name", long, "192.0.2.2")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("four tries of a long name took %v", took)
	}
}

// TestKeysHideNames: what is stored is a hash, of the form that stores are promised, and another with another secret.
func TestKeysHideNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, secret := range []string{"", "one", "two"} {
		store := &recorder{Store: throttle.NewMemory()}
		l, err := throttle.New(store, throttle.Config{Key: []byte(secret)})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Try(context.Background(), "ada", netip.MustParseAddr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		shape := regexp.MustCompile(`^(account|address)-[0-9a-f]{40}$`)
		for _, key := range store.keys {
			if !shape.MatchString(key) || seen[key] {
				t.Errorf("secret %q: key %q, seen before: %v", secret, key, seen[key])
			}
			seen[key] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d keys, want 6", len(seen))
	}
}

// TestM32ConfigHidesTheKey: the secret of the hashes does not print.
func TestM32ConfigHidesTheKey(t *testing.T) {
	t.Parallel()
	cfg := throttle.Config{Key: []byte("c4n4ry")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "cfg", cfg)
	for _, text := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), fmt.Sprint(&cfg), log.String()} {
		if strings.Contains(text, "c4n4ry") || strings.Contains(text, fmt.Sprint([]byte("c4n4ry"))) || strings.Contains(text, "YzRuNHJ5") {
			t.Errorf("the key is in %s", text)
		}
	}
}

func TestStoreErrorsStop(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.limiter.Try(ctx, "ada", netip.Addr{}); !errors.Is(err, context.Canceled) || errors.Is(err, throttle.ErrLimited) {
		t.Errorf("Try: got %v, want the store's error", err)
	}
	if err := p.limiter.Succeeded(ctx, "ada"); !errors.Is(err, context.Canceled) {
		t.Errorf("Succeeded: got %v, want the store's error", err)
	}
}

func TestNewRefusesWrongConfiguration(t *testing.T) {
	t.Parallel()
	if _, err := throttle.New(nil, throttle.Config{}); err == nil {
		t.Error("no store: want an error")
	}
	for _, l := range []throttle.Limit{{Tries: 3}, {Per: time.Second}, {Tries: -1, Per: time.Second}, {Tries: 1000, Per: time.Microsecond}, {Tries: 1, Per: -1}} {
		if _, err := throttle.New(throttle.NewMemory(), throttle.Config{Account: l}); err == nil {
			t.Errorf("account limit %+v: want an error", l)
		}
		if _, err := throttle.New(throttle.NewMemory(), throttle.Config{Address: l}); err == nil {
			t.Errorf("address limit %+v: want an error", l)
		}
	}
	if _, err := throttle.New(throttle.NewMemory(), throttle.Config{}); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

// TestLimitHolds: however tries are spread, no stretch of time sees more than a burst and what came back in it, and whoever
// waits as long as he is told gets his try.
func TestLimitHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := throttle.Limit{
			Tries: rapid.IntRange(1, 8).Draw(t, "tries"),
			Per:   time.Duration(rapid.Int64Range(8, 100_000).Draw(t, "per")) * time.Microsecond,
		}
		now := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
		var stored time.Time
		var allowed []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 2*int64(l.Per)).Draw(t, "step")))
			next, retryAfter, ok := l.Next(stored, now)
			if !ok {
				if next != stored || retryAfter <= 0 || retryAfter > l.Interval() {
					t.Fatalf("refused: stored %v to %v, retry after %v of %v", stored, next, retryAfter, l.Interval())
				}
				if _, _, early := l.Next(stored, now.Add(retryAfter-1)); early {
					t.Fatal("allowed before the time that was told")
				}
				now = now.Add(retryAfter)
				if next, _, ok = l.Next(stored, now); !ok {
					t.Fatalf("refused after waiting %v as told", retryAfter)
				}
			}
			stored = next
			allowed = append(allowed, now)
		}
		for i, first := range allowed {
			for j := i; j < len(allowed); j++ {
				most := l.Tries + int(allowed[j].Sub(first)/l.Interval())
				if n := j - i + 1; n > most {
					t.Fatalf("%d tries in %v, want at most %d", n, allowed[j].Sub(first), most)
				}
			}
		}
	})
}
