package tokenauth

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"strings"
)

// The text of a token: the prefix, 30 random letters and digits, which are 178 bits, and 6 that check them. Whoever looks for
// leaked secrets finds it by Pattern, and knows by the check that it is no accident, without asking anybody.

// Prefix begins every token.
const Prefix = "cardea_"

// Pattern is the regular expression of tokens, for programs that look for leaked secrets.
const Pattern = `cardea_[0-9A-Za-z]{36}`

const (
	randomLength = 30
	checkLength  = 6
	hintLength   = len(Prefix) + 4
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// A Secret is the text of a token, as a program sends it. It does not print: use Reveal where its owner is to see it.
type Secret struct{ text string }

// NewSecret makes a secret.
func NewSecret() Secret {
	random := make([]byte, 0, randomLength)
	var buf [2 * randomLength]byte
	for len(random) < randomLength {
		rand.Read(buf[:]) // never fails: it ends the program instead
		for _, b := range buf {
			if b &= 0x3f; int(b) < len(alphabet) && len(random) < randomLength {
				random = append(random, alphabet[b])
			}
		}
	}
	body := Prefix + string(random)
	return Secret{body + check(body)}
}

// ParseSecret reads the text of a token, and reports whether it has the form of one. Only the table of tokens knows whether it is one.
func ParseSecret(text string) (Secret, bool) {
	if len(text) != len(Prefix)+randomLength+checkLength || !strings.HasPrefix(text, Prefix) {
		return Secret{}, false
	}
	for i := len(Prefix); i < len(text); i++ {
		if strings.IndexByte(alphabet, text[i]) < 0 {
			return Secret{}, false
		}
	}
	body, sum := text[:len(Prefix)+randomLength], text[len(Prefix)+randomLength:]
	return Secret{text}, check(body) == sum
}

// check is the CRC-32 of a text in six digits of base 62.
func check(text string) string {
	n := crc32.ChecksumIEEE([]byte(text))
	var digits [checkLength]byte
	for i := checkLength - 1; i >= 0; i-- {
		digits[i] = alphabet[n%62]
		n /= 62
	}
	return string(digits[:])
}

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// Hint returns how the text begins, to recognise the token by.
func (s Secret) Hint() string { return s.text[:min(len(s.text), hintLength)] }

// String hides the text.
func (s Secret) String() string { return s.Hint() + "…" }

// GoString hides the text from %#v.
func (s Secret) GoString() string { return "tokenauth.Secret{" + s.String() + "}" }

// Format hides the text from every other verb.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = io.WriteString(f, text)
}

// LogValue hides the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
