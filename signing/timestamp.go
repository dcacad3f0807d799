package signing

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"
)

// ErrMalformed says that a value is signed correctly but is not what was expected: its time is missing or unreadable, or its
// payload does not decode. It is not ErrBadSignature: somebody who has the key wrote it.
var ErrMalformed = errors.New("signing: the signed value is malformed")

// An ExpiredError says that a value is signed correctly but is older than was asked for. It is an ErrBadSignature.
type ExpiredError struct {
	Age    time.Duration // between the signing and now
	MaxAge time.Duration // what was asked for
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("signing: signature age %s > %s", e.Age, e.MaxAge)
}

// Is makes an ExpiredError an ErrBadSignature.
func (e *ExpiredError) Is(target error) bool { return target == ErrBadSignature }

// A TimestampSigner appends the time and a signature to strings: Django's TimestampSigner.
type TimestampSigner struct {
	signer      Signer
	maxInflated int
	pool        sync.Pool // of *scratch
}

// NewTimestampSigner returns a signer. It fails as [NewSigner] does.
func NewTimestampSigner(keys Keys, cfg SignerConfig) (*TimestampSigner, error) {
	if cfg.Salt == "" {
		cfg.Salt = "django.core.signing.TimestampSigner"
	}
	s := &TimestampSigner{maxInflated: cfg.MaxInflated}
	if s.maxInflated <= 0 {
		s.maxInflated = 1 << 20
	}
	if err := s.signer.setup(keys, cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Sign returns value, the separator, the time in whole seconds, the separator and the signature.
func (s *TimestampSigner) Sign(value string, at time.Time) string {
	var buf [base62Len]byte
	return s.signer.Sign(value + s.signer.sep + string(appendBase62(buf[:0], at.Unix())))
}

// Unsign returns the value of a signed string. With a maxAge other than zero, a value that was signed longer ago than that is an
// [*ExpiredError]; now counts with its fraction, and a time in the future is accepted, both as in Django. ErrBadSignature and
// ErrMalformed are the other failures.
func (s *TimestampSigner) Unsign(signed string, maxAge time.Duration, now time.Time) (string, error) {
	text, err := s.signer.Unsign(signed)
	if err != nil {
		return "", err
	}
	i := strings.LastIndex(text, s.signer.sep)
	if i < 0 {
		return "", fmt.Errorf("%w: no time", ErrMalformed)
	}
	at, err := parseBase62(text[i+len(s.signer.sep):])
	if err != nil {
		return "", fmt.Errorf("%w: the time is not a base 62 number", ErrMalformed)
	}
	if maxAge != 0 {
		if age := since(at, now); age > maxAge {
			return "", &ExpiredError{Age: age, MaxAge: maxAge}
		}
	}
	return text[:i], nil
}

// since is the time from at, in Unix seconds, to now, as far as a Duration reaches.
func since(at int64, now time.Time) time.Duration {
	const reach = math.MaxInt64 / int64(time.Second)
	sec := now.Unix()
	diff := sec - at
	switch {
	case at < 0 && diff < sec, diff > reach-1: // overflow or out of reach
		return math.MaxInt64
	case at > 0 && diff > sec, diff < 1-reach:
		return math.MinInt64
	}
	return time.Duration(diff)*time.Second + time.Duration(now.Nanosecond())
}

// String names the type and hides the keys.
func (s *TimestampSigner) String() string { return "signing.TimestampSigner(" + redacted + ")" }

// Format hides the keys from every verb.
func (s *TimestampSigner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the keys.
func (s *TimestampSigner) LogValue() slog.Value { return slog.StringValue(s.String()) }
