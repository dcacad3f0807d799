package signing_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/signing"
)

const secret = "canary-5f0c9b1e"

var now = time.Unix(1767323045, 0)

func newTimestampSigner(t testing.TB, keys signing.Keys, cfg signing.SignerConfig) *signing.TimestampSigner {
	t.Helper()
	s, err := signing.NewTimestampSigner(keys, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNothingPrintsKeys prints everything that has seen a key, in every way, and looks for the key.
func TestNothingPrintsKeys(t *testing.T) {
	t.Parallel()
	keys := signing.Keys{Current: secret, Fallbacks: []string{"old-" + secret}}
	signer, err := signing.NewSigner(keys, signing.SignerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	stamper := newTimestampSigner(t, keys, signing.SignerConfig{})
	cookie, err := signing.NewCookieSigner(keys, "c", signing.CookieConfig{Legacy: true})
	if err != nil {
		t.Fatal(err)
	}
	mac, err := signing.NewMAC("salt", secret, "sha256")
	if err != nil {
		t.Fatal(err)
	}
	type exported struct{ Keys signing.Keys }
	type unexported struct {
		s *signing.Signer
		t *signing.TimestampSigner
		c *signing.CookieSigner
		m *signing.MAC
	}
	for _, v := range []any{
		keys, &keys, keys.ForCookies(),
		[]signing.Keys{keys},
		map[string]signing.Keys{"k": keys},
		exported{keys},
		&exported{keys},
		signer, stamper, cookie, mac,
		unexported{signer, stamper, cookie, mac},
		&unexported{signer, stamper, cookie, mac},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10v", "%!"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v, fmt.Errorf("wrapped: %v", v))
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		if text, err := json.Marshal(v); err == nil {
			out.Write(text)
		}
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), base64.StdEncoding.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprint([]byte(secret)), "[]")} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%T prints the key:\n%s", v, out.String())
				break
			}
		}
	}
	if got := keys.String() + keys.GoString(); got != "[redacted][redacted]" {
		t.Errorf("got %s", got)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, keys := range []signing.Keys{{}, {Fallbacks: []string{"old"}}, {Current: "new", Fallbacks: []string{"old", ""}}, signing.Keys{}.ForCookies(), signing.Keys{Current: "new", Fallbacks: []string{""}}.ForCookies()} {
		if _, err := signing.NewSigner(keys, signing.SignerConfig{}); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("NewSigner: got %v, want ErrNoKey", err)
		}
		if _, err := signing.NewTimestampSigner(keys, signing.SignerConfig{}); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("NewTimestampSigner: got %v, want ErrNoKey", err)
		}
		if _, err := signing.NewCookieSigner(keys, "c", signing.CookieConfig{}); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("NewCookieSigner: got %v, want ErrNoKey", err)
		}
	}
}

func TestSeparator(t *testing.T) {
	t.Parallel()
	for sep, ok := range map[string]bool{
		":": true, "/": true, "*sep*": true, ",": true, "é": true, ":a": true, "\n\n": true, " ": true,
		"-": false, "_": false, "=": false, "a": false, "Z9": false, "[": false, `\`: false, "^`": false, "a\n": false, "\n": false,
	} {
		s, err := signing.NewSigner(signing.Keys{Current: "k"}, signing.SignerConfig{Sep: sep})
		if (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted %v", sep, err, ok)
		}
		if err != nil {
			continue
		}
		if got, err := s.Unsign(s.Sign("a" + sep + "b")); err != nil || got != "a"+sep+"b" {
			t.Errorf("%q: got %q, %v", sep, got, err)
		}
	}
	if _, err := signing.NewSigner(signing.Keys{Current: "k"}, signing.SignerConfig{Algorithm: "whirlpool"}); err == nil {
		t.Error("an unknown algorithm was accepted")
	}
}

// TestEveryBitCounts changes each byte of a signed value.
func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	s := newTimestampSigner(t, signing.Keys{Current: "k"}, signing.SignerConfig{})
	signed := s.Sign("value", now)
	for i := range signed {
		for bit := range 8 {
			b := []byte(signed)
			b[i] ^= 1 << bit
			if v, err := s.Unsign(string(b), 0, now); !errors.Is(err, signing.ErrBadSignature) {
				t.Errorf("%q: got %q, %v, want ErrBadSignature", b, v, err)
			}
		}
	}
}

func TestFallbacks(t *testing.T) {
	t.Parallel()
	old := newTimestampSigner(t, signing.Keys{Current: "old"}, signing.SignerConfig{})
	rotated := newTimestampSigner(t, signing.Keys{Current: "new", Fallbacks: []string{"older", "old"}}, signing.SignerConfig{})
	fresh := newTimestampSigner(t, signing.Keys{Current: "new"}, signing.SignerConfig{})
	if v, err := rotated.Unsign(old.Sign("v", now), 0, now); err != nil || v != "v" {
		t.Errorf("signed with a fallback: %q, %v", v, err)
	}
	if _, err := fresh.Unsign(old.Sign("v", now), 0, now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("signed with a retired key: %v", err)
	}
	if got, want := rotated.Sign("v", now), fresh.Sign("v", now); got != want {
		t.Errorf("got %s, want the current key's %s", got, want)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	s := newTimestampSigner(t, signing.Keys{Current: "k"}, signing.SignerConfig{})
	plain, err := signing.NewSigner(signing.Keys{Current: "k"}, signing.SignerConfig{Salt: "django.core.signing.TimestampSigner"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		at, now time.Time
		maxAge  time.Duration
		expired bool
	}{
		{"no limit", time.Unix(0, 0), now, 0, false},
		{"exactly", now, now.Add(10 * time.Second), 10 * time.Second, false},
		{"a fraction over", now, now.Add(10*time.Second + 1), 10 * time.Second, true},
		{"the fraction of signing is lost", now.Add(900 * time.Millisecond), now.Add(1900 * time.Millisecond), time.Second, true},
		{"future", now.Add(time.Hour), now, time.Nanosecond, false},
		{"before 1970", time.Unix(-5, 0), time.Unix(-1, 0), 5 * time.Second, false},
		{"negative limit", now, now, -1, true},
		{"500 years", now, now.AddDate(500, 0, 0), math.MaxInt64, false},
		{"500 years of 200", now, now.AddDate(500, 0, 0), 200 * 365 * 24 * time.Hour, true},
		{"500 years ahead", now.AddDate(500, 0, 0), now, time.Second, false},
	} {
		v, err := s.Unsign(s.Sign("v", c.at), c.maxAge, c.now)
		var e *signing.ExpiredError
		switch {
		case c.expired && (!errors.As(err, &e) || !errors.Is(err, signing.ErrBadSignature) || errors.Is(err, signing.ErrMalformed)):
			t.Errorf("%s: got %q, %v, want an ExpiredError", c.name, v, err)
		case c.expired && (e.MaxAge != c.maxAge || e.Age <= c.maxAge):
			t.Errorf("%s: got %#v", c.name, e)
		case !c.expired && (err != nil || v != "v"):
			t.Errorf("%s: got %q, %v", c.name, v, err)
		}
	}
	for stamp, want := range map[string]error{
		"v:zzzzzzzzzzzzzzzzzzzzzzzz": nil, "v:-zzzzzzzzzzzzzzzzzzzzzzzz": signing.ErrBadSignature, "v:-": signing.ErrBadSignature,
		"v": signing.ErrMalformed, "v:": signing.ErrMalformed, "": signing.ErrMalformed, "v:é": signing.ErrMalformed, "v:--1": signing.ErrMalformed,
	} {
		got, err := s.Unsign(plain.Sign(stamp), time.Second, now)
		if !errors.Is(err, want) || want != nil && got != "" {
			t.Errorf("%q: got %q, %v, want %v", stamp, got, err, want)
		}
		if errors.Is(err, signing.ErrMalformed) && errors.Is(err, signing.ErrBadSignature) {
			t.Errorf("%q: %v is both", stamp, err)
		}
	}
}

// TestPayloads signs payloads that Dumps would not make.
func TestPayloads(t *testing.T) {
	t.Parallel()
	s := newTimestampSigner(t, signing.Keys{Current: "k"}, signing.SignerConfig{MaxInflated: 1000})
	b64 := base64.RawURLEncoding.EncodeToString
	for _, c := range []struct {
		name, text, want string
		err              error
	}{
		{"plain", b64([]byte(`{"a":1}`)), `{"a":1}`, nil},
		{"padded", base64.URLEncoding.EncodeToString([]byte(`{"a": 1}`)), `{"a": 1}`, nil},
		{"standard alphabet", base64.StdEncoding.EncodeToString([]byte("\"\xff\xfe\xfb\"")), `"ÿþû"`, nil},
		{"other characters are skipped", "ey\nJh IjoxfQ", `{"a":1}`, nil},
		{"latin-1", b64([]byte("\"\xe9\"")), `"é"`, nil},
		{"empty", "", "", nil},
		{"one character", "A", "", signing.ErrMalformed},
		{"compressed", "." + b64(deflated(`{"a":1}`)), `{"a":1}`, nil},
		{"bytes after the end", "." + b64(append(deflated(`{"a":1}`), "more"...)), `{"a":1}`, nil},
		{"up to the limit", "." + b64(deflated(strings.Repeat("1", 1000))), strings.Repeat("1", 1000), nil},
		{"over the limit", "." + b64(deflated(strings.Repeat("1", 1001))), "", signing.ErrTooLarge},
		{"a bomb", "." + b64(deflated(strings.Repeat("1", 50_000_000))), "", signing.ErrTooLarge},
		{"cut off", "." + b64(deflated(strings.Repeat("abc", 50))[:12]), "", signing.ErrMalformed},
		{"wrong checksum", "." + b64(append(deflated(`{"a":1}`)[:12], 0, 0, 0)), "", signing.ErrMalformed},
		{"no zlib", "." + b64([]byte(`{"a":1}`)), "", signing.ErrMalformed},
		{"two dots", ".." + b64(deflated(`{"a":1}`)), `{"a":1}`, nil},
		{"only a dot", ".", "", signing.ErrMalformed},
	} {
		got, err := s.Loads(s.Sign(c.text, now), 0, now)
		if string(got) != c.want || !errors.Is(err, c.err) || c.err != nil && !errors.Is(err, signing.ErrMalformed) {
			t.Errorf("%s: got %.80s, %v, want %.80s, %v", c.name, got, err, c.want, c.err)
		}
	}
	if text, err := s.Dumps([]byte(`{"a":`), true, now); err == nil {
		t.Errorf("Dumps signed text that is not JSON: %s", text)
	}
}

func deflated(text string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

func TestCookieLegacy(t *testing.T) {
	t.Parallel()
	keys := signing.Keys{Current: "k"}
	with, err := signing.NewCookieSigner(keys, "name", signing.CookieConfig{Salt: "salt", Legacy: true})
	if err != nil {
		t.Fatal(err)
	}
	without, err := signing.NewCookieSigner(keys, "name", signing.CookieConfig{Salt: "salt"})
	if err != nil {
		t.Fatal(err)
	}
	old := newTimestampSigner(t, keys.ForCookies(), signing.SignerConfig{Salt: "namesalt"}).Sign("v", now)
	if v, err := with.Unsign(old, 0, now); err != nil || v != "v" {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := without.Unsign(old, 0, now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("got %q, %v, want ErrBadSignature", v, err)
	}
	var expired *signing.ExpiredError
	for _, text := range []string{old, with.Sign("v", now)} {
		if v, err := with.Unsign(text, time.Second, now.Add(time.Minute)); !errors.As(err, &expired) {
			t.Errorf("got %q, %v, want an ExpiredError", v, err)
		}
	}
	// The collision of CVE-2026-6873: name and salt run together.
	other, err := signing.NewCookieSigner(keys, "names", signing.CookieConfig{Salt: "alt"})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := other.Unsign(without.Sign("v", now), 0, now); !errors.Is(err, signing.ErrBadSignature) {
		t.Errorf("got %q, %v, want ErrBadSignature", v, err)
	}
}

func TestBase62RoundTrip(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "61", "62", "-62", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-340282366920938463463374607431768211456"} {
		n, ok := new(big.Int).SetString(text, 10)
		if !ok {
			t.Fatal(text)
		}
		back, err := signing.ParseBase62(signing.Base62(n))
		if err != nil || back.Cmp(n) != 0 {
			t.Errorf("%s: %s reads as %s, %v", text, signing.Base62(n), back, err)
		}
	}
}

// TestLongValues signs values around the size that is hashed in one piece.
func TestLongValues(t *testing.T) {
	t.Parallel()
	m, err := signing.NewMAC("salt", "k", "sha256")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 4095, 4096, 4097, 8192, 100_000} {
		v := strings.Repeat("x", n)
		want := signing.SaltedHMAC("salt", []byte(v), "k", "sha256")
		if got := m.Append(nil, v); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
		if got := m.AppendBytes([]byte("p"), []byte(v)); !bytes.Equal(got[1:], want) || got[0] != 'p' {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

// TestConcurrent uses one signer from many goroutines; the race detector watches its pools.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := newTimestampSigner(t, signing.Keys{Current: "k", Fallbacks: []string{"old"}}, signing.SignerConfig{})
	done := make(chan error)
	for i := range 8 {
		go func() {
			raw := fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, strings.Repeat("x", 50*i))
			for range 100 {
				text, err := s.Dumps(raw, true, now)
				if err != nil {
					done <- err
					return
				}
				if back, err := s.Loads(text, 0, now); err != nil || !bytes.Equal(back, raw) {
					done <- fmt.Errorf("got %s, %w, want %s", back, err, raw)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

const row = `{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`

// TestAllocations holds the cost of what each request does.
func TestAllocations(t *testing.T) {
	if race {
		t.Skip("not under the race detector")
	}
	s := newTimestampSigner(t, signing.Keys{Current: "k"}, signing.SignerConfig{})
	text, err := s.Dumps([]byte(row), true, now)
	if err != nil || text[0] != '.' {
		t.Fatalf("got %s, %v, want it compressed", text, err)
	}
	m, err := signing.NewMAC("salt", "k", "sha256")
	if err != nil {
		t.Fatal(err)
	}
	hash := m.Hex("password")
	for _, c := range []struct {
		name string
		most float64
		f    func()
	}{
		{"Loads", 2, func() {
			if _, err := s.Loads(text, 0, now); err != nil {
				t.Error(err)
			}
		}},
		{"Unsign", 0, func() {
			if _, err := s.Unsign(text, time.Hour, now); err != nil {
				t.Error(err)
			}
		}},
		{"EqualHex", 0, func() {
			if !m.EqualHex(hash, "password") {
				t.Error("differs")
			}
		}},
	} {
		if got := testing.AllocsPerRun(200, c.f); got > c.most+0.5 { // the pool may be emptied once
			t.Errorf("%s: %v allocations, want at most %v", c.name, got, c.most)
		}
	}
}

func BenchmarkLoads(b *testing.B) {
	s := newTimestampSigner(b, signing.Keys{Current: "k"}, signing.SignerConfig{})
	for _, compress := range []bool{false, true} {
		text, err := s.Dumps([]byte(row), compress, now)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("compressed=%v", compress), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Loads(text, 0, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDumps(b *testing.B) {
	s := newTimestampSigner(b, signing.Keys{Current: "k"}, signing.SignerConfig{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Dumps([]byte(row), true, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEqualHex(b *testing.B) {
	m, err := signing.NewMAC("salt", "k", "sha256")
	if err != nil {
		b.Fatal(err)
	}
	hash := m.Hex("password")
	b.ReportAllocs()
	for b.Loop() {
		m.EqualHex(hash, "password")
	}
}

// FuzzUnsign holds: no text makes a reader panic, none is accepted that was not signed, and all that is signed is read back.
func FuzzUnsign(f *testing.F) {
	s := newTimestampSigner(f, signing.Keys{Current: "k", Fallbacks: []string{"old"}}, signing.SignerConfig{})
	f.Add("hello:8M0kX:0pJB1_TN9Bno2aK29thnZKKHn76ngzcQVnIrp_DNs5M", int64(1))
	f.Add(":", int64(0))
	f.Add(".eJyrVkpUslIKINtQx0jGOrQUAGpkDng", int64(-1))
	f.Add("a:b:c", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, text string, at int64) {
		testhang.Watch(t)
		if v, err := s.Unsign(text, 0, now); err == nil {
			t.Fatalf("accepted %q as %q", text, v)
		}
		signed := s.Sign(text, time.Unix(at, 0))
		if v, err := s.Unsign(signed, 0, now); err != nil || v != text {
			t.Fatalf("%q: got %q, %v", signed, v, err)
		}
		if _, err := s.Unsign(signed, time.Second, now); err != nil && !errors.Is(err, signing.ErrBadSignature) {
			t.Fatalf("%q: %v", signed, err)
		}
		raw, err := s.Loads(signed, 0, now)
		if err != nil && !errors.Is(err, signing.ErrMalformed) {
			t.Fatalf("%q: %v", signed, err)
		}
		if err != nil {
			return
		}
		again, err := s.Dumps(raw, true, now)
		if err != nil {
			return // it is not JSON
		}
		first, err := s.Loads(again, 0, now)
		if err != nil {
			t.Fatalf("%q: wrote %q, then %v", raw, again, err)
		}
		if second, err := s.Dumps(first, true, now); err != nil || second != again {
			t.Fatalf("%q: wrote %q, then %q, %v", raw, again, second, err)
		}
	})
}
