package signing

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// ErrBadSignature says that a value is not signed, was changed, or was signed with another key or salt. An [*ExpiredError] is
// one too.
var ErrBadSignature = errors.New("signing: bad signature")

// SignerConfig holds what a signer may be told.
type SignerConfig struct {
	// Salt separates signatures of different purposes that are made with the same key. Defaults to Django's:
	// "django.core.signing.Signer" or "django.core.signing.TimestampSigner".
	Salt string
	// Sep stands between the value and the signature. It must hold a character that a signature cannot. Defaults to ":".
	Sep string
	// Algorithm is named as in Python's hashlib. Defaults to "sha256".
	Algorithm string
	// MaxInflated is the size in bytes up to which Loads decompresses. Defaults to 1 MiB.
	MaxInflated int
}

// A Signer appends signatures to strings and checks them: Django's Signer.
type Signer struct {
	sep  string
	macs []*MAC // the current key's, then the fallbacks'
}

// NewSigner returns a signer. An empty key, a separator that can be part of a signature and an unknown algorithm are errors.
func NewSigner(keys Keys, cfg SignerConfig) (*Signer, error) {
	if cfg.Salt == "" {
		cfg.Salt = "django.core.signing.Signer"
	}
	s := &Signer{}
	if err := s.setup(keys, cfg); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Signer) setup(keys Keys, cfg SignerConfig) error {
	if err := keys.check(); err != nil {
		return err
	}
	s.sep = cfg.Sep
	if s.sep == "" {
		s.sep = ":"
	}
	if unsafeSep(s.sep) {
		return fmt.Errorf("signing: unsafe separator %q: it needs a character other than A-z, 0-9, -, _ and =", s.sep)
	}
	if cfg.Algorithm == "" {
		cfg.Algorithm = "sha256"
	}
	for i := -1; i < len(keys.Fallbacks); i++ {
		key := keys.Current
		if i >= 0 {
			key = keys.Fallbacks[i]
		}
		m, err := NewMAC(cfg.Salt+"signer", key, cfg.Algorithm)
		if err != nil {
			return err
		}
		s.macs = append(s.macs, m)
	}
	return nil
}

// unsafeSep is Django's ^[A-z0-9-_=]*$, in which A-z includes [\]^_` and $ matches before a last line feed.
func unsafeSep(sep string) bool {
	for i := range len(sep) {
		c := sep[i]
		switch {
		case 'A' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '=':
		case c == '\n' && i == len(sep)-1:
		default:
			return false
		}
	}
	return true
}

// Sign returns value, the separator and the signature.
func (s *Signer) Sign(value string) string {
	var buf [maxSignature]byte
	return value + s.sep + string(s.macs[0].signature(&buf, value))
}

// Unsign returns the value of a signed string, or ErrBadSignature.
func (s *Signer) Unsign(signed string) (string, error) {
	i := strings.LastIndex(signed, s.sep)
	if i < 0 {
		return "", ErrBadSignature
	}
	value, sig := signed[:i], signed[i+len(s.sep):]
	var buf [maxSignature]byte
	for _, m := range s.macs {
		if equal(m.signature(&buf, value), sig) {
			return value, nil
		}
	}
	return "", ErrBadSignature
}

const maxSignature = (maxSum*8 + 5) / 6

// signature is the base64url text of the sum of value. It is the text that is compared: decoded bytes would let the last
// character's unused bits vary.
func (m *MAC) signature(buf *[maxSignature]byte, value string) []byte {
	st, _ := m.pool.Get().(*macState)
	n := base64.RawURLEncoding.EncodedLen(m.size)
	base64.RawURLEncoding.Encode(buf[:n], st.of(value))
	m.pool.Put(st)
	return buf[:n]
}

// String names the type and hides the keys.
func (s *Signer) String() string { return "signing.Signer(" + redacted + ")" }

// Format hides the keys from every verb.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the keys.
func (s *Signer) LogValue() slog.Value { return slog.StringValue(s.String()) }
