package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-go/cardea/signing"
)

// resetSalt is the key salt of Django's PasswordResetTokenGenerator.
const resetSalt = "django.contrib.auth.tokens.PasswordResetTokenGenerator"

// resetEpoch is 2001-01-01T00:00:00Z, from which the tokens count, in Unix seconds.
const resetEpoch = 978_307_200

// ResetTokens makes and checks the tokens of links by which people set a new password: those of Django's
// PasswordResetTokenGenerator, so that a link that Django mailed opens here and the reverse.
//
// A token is kept nowhere. It is a signature over what it may be used for once: the account's key, its encoded password, its
// last login and its address. Setting a password, logging in, or changing the address ends every token that was made before. It is
// safe for concurrent use, and does not print its keys.
type ResetTokens struct {
	current   *signing.MAC
	fallbacks []*signing.MAC
	timeout   int64 // seconds
	location  *time.Location
}

// ResetConfig is what [NewResetTokens] may be told.
type ResetConfig struct {
	// Timeout is how old a token may be, Django's PASSWORD_RESET_TIMEOUT. It counts in whole seconds, and a token of exactly this
	// age is valid. Defaults to three days.
	Timeout time.Duration

	// Location is Django's TIME_ZONE, beside which a login is shared: tokens hold the local time there without its zone, and
	// with another one they expire hours too soon or too late. Defaults to UTC.
	Location *time.Location
}

// A ResetSubject is the account that a token is for, with everything that a token depends on.
type ResetSubject struct {
	ID           string // the primary key as text; the empty one is nobody
	PasswordHash string // the encoded password
	// LastLogin is nil before the first login. Its clock counts, its zone does not: give it in UTC, as Django reads the column.
	// Fractions of a second are dropped.
	LastLogin *time.Time
	Email     string // as it is stored; case counts
}

// NewResetTokens returns the tokens that keys.Current makes and that all keys check. A missing key and a negative timeout are
// errors.
func NewResetTokens(keys signing.Keys, cfg ResetConfig) (*ResetTokens, error) {
	if keys.Current == "" {
		return nil, fmt.Errorf("auth: reset tokens: %w", signing.ErrNoKey)
	}
	switch {
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("auth: reset tokens: the timeout %s is negative", cfg.Timeout)
	case cfg.Timeout == 0:
		cfg.Timeout = 3 * 24 * time.Hour
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	t := &ResetTokens{timeout: int64(cfg.Timeout / time.Second), location: cfg.Location}
	var err error
	if t.current, err = signing.NewMAC(resetSalt, keys.Current, "sha256"); err != nil {
		return nil, fmt.Errorf("auth: reset tokens: %w", err)
	}
	for i, key := range keys.Fallbacks {
		if key == "" {
			return nil, fmt.Errorf("auth: reset tokens: fallback %d: %w", i, signing.ErrNoKey)
		}
		mac, err := signing.NewMAC(resetSalt, key, "sha256")
		if err != nil {
			return nil, fmt.Errorf("auth: reset tokens: %w", err)
		}
		t.fallbacks = append(t.fallbacks, mac)
	}
	return t, nil
}

// Make returns a token for s: a time in base 36, a hyphen, and 32 hexadecimal digits. It is Django's make_token.
func (t *ResetTokens) Make(s ResetSubject, now time.Time) string {
	return resetToken(t.current, s, max(0, t.seconds(now)))
}

// Check tells whether token was made for s as s is now and is not too old. A token from the future is valid, for clocks differ. The
// comparison takes the same time wherever the token differs. It is Django's check_token.
func (t *ResetTokens) Check(s ResetSubject, token string, now time.Time) bool {
	stamp, _, ok := strings.Cut(token, "-")
	if !ok || s.ID == "" || len(stamp) > 13 {
		return false
	}
	// What reads as the same number but is written otherwise, padded or in upper case, fails in the comparison below.
	made, err := strconv.ParseInt(stamp, 36, 64)
	if err != nil {
		return false
	}
	same := equalTokens(resetToken(t.current, s, made), token)
	for _, mac := range t.fallbacks {
		same |= equalTokens(resetToken(mac, s, made), token)
	}
	return same == 1 && t.seconds(now)-made <= t.timeout
}

// seconds is the token's clock: whole seconds between two local times, of the first of January 2001 and of now.
func (t *ResetTokens) seconds(now time.Time) int64 {
	_, offset := now.In(t.location).Zone()
	return now.Unix() + int64(offset) - resetEpoch
}

func resetToken(mac *signing.MAC, s ResetSubject, seconds int64) string {
	value := make([]byte, 0, 256)
	value = append(value, s.ID...)
	value = append(value, s.PasswordHash...)
	if s.LastLogin != nil {
		value = s.LastLogin.AppendFormat(value, time.DateTime)
	}
	value = strconv.AppendInt(value, seconds, 10)
	value = append(value, s.Email...)
	sum := mac.Hex(string(value))

	token := make([]byte, 0, 48)
	token = strconv.AppendInt(token, seconds, 36)
	token = append(token, '-')
	for i := 0; i < len(sum); i += 2 {
		token = append(token, sum[i])
	}
	return string(token)
}

func equalTokens(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }

// String names the type and hides the keys.
func (*ResetTokens) String() string { return "auth.ResetTokens([redacted])" }

// EncodeUID returns a primary key as it stands in the links, Django's uidb64: base64 for URLs, without padding.
func EncodeUID(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// ErrUID says that a link names no user: it is damaged or made up.
var ErrUID = errors.New("auth: not the name of a user in a link")

// DecodeUID returns the primary key that a link names, or ErrUID. It is as lenient as Django: characters that are not of the
// alphabet, as mail programs put them in, are left out. Whether the result is a key, and of whom, is for [Users] to say.
func DecodeUID(uidb64 string) (string, error) {
	raw, ok := lenientBase64(uidb64)
	if !ok || len(raw) == 0 || !utf8.Valid(raw) {
		return "", ErrUID
	}
	return string(raw), nil
}

// lenientBase64 decodes as Django's urlsafe_base64_decode, which stands on Python's binascii.a2b_base64: either alphabet, all
// other characters ignored, and the end where the padding completes a group of four.
func lenientBase64(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s)*3/4+1)
	group, bits, pads := 0, byte(0), 0
	for i := range len(s) + len(s)%4 { // Django appends this many pads
		c := byte('=')
		if i < len(s) {
			c = s[i]
		}
		if c == '=' {
			if pads++; group >= 2 && group+pads >= 4 {
				return out, true
			}
			continue
		}
		v, ok := sextet(c)
		if !ok {
			continue
		}
		pads = 0
		switch group {
		case 0:
			bits = v
		case 1:
			out = append(out, bits<<2|v>>4)
			bits = v & 0x0f
		case 2:
			out = append(out, bits<<4|v>>2)
			bits = v & 0x03
		case 3:
			out = append(out, bits<<6|v)
		}
		group = (group + 1) % 4
	}
	return out, group == 0
}

func sextet(c byte) (byte, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A', true
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26, true
	case '0' <= c && c <= '9':
		return c - '0' + 52, true
	case c == '-', c == '+':
		return 62, true
	case c == '_', c == '/':
		return 63, true
	}
	return 0, false
}
