package signing

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Keys are the secrets of a site: Current signs, and Current and then Fallbacks in their order are tried when a signature is
// checked. They are Django's SECRET_KEY and SECRET_KEY_FALLBACKS.
//
// Keys never print: fmt, log/slog and encoding/json show [redacted] in their place. That holds for a value, a pointer and an
// exported field. An unexported field of another struct is out of reach for this: keep a signer there, not the keys.
type Keys struct {
	Current   string
	Fallbacks []string
}

const redacted = "[redacted]"

// String hides the keys.
func (Keys) String() string { return redacted }

// GoString hides the keys.
func (Keys) GoString() string { return redacted }

// Format hides the keys from every verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the keys.
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the keys, from encoding/json and its like too.
func (Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ErrNoKey says that a key is empty. Anybody could sign with it.
var ErrNoKey = errors.New("signing: the secret key is empty")

func (k Keys) check() error {
	if k.Current == "" {
		return ErrNoKey
	}
	for i, key := range k.Fallbacks {
		if key == "" {
			return fmt.Errorf("fallback %d: %w", i, ErrNoKey)
		}
	}
	return nil
}

// Prefixed returns the keys with prefix before each of them, which is how Django separates the keys of its cookies.
func (k Keys) Prefixed(prefix string) Keys {
	p := Keys{Fallbacks: make([]string, len(k.Fallbacks))}
	if k.Current != "" {
		p.Current = prefix + k.Current
	}
	for i, key := range k.Fallbacks {
		if key != "" {
			p.Fallbacks[i] = prefix + key
		}
	}
	return p
}

// ForCookies returns the keys that signed cookies and the messages cookie are signed with.
func (k Keys) ForCookies() Keys { return k.Prefixed("django.http.cookies") }
