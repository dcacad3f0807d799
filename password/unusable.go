package password

import (
	"crypto/rand"
	"fmt"
	"strings"
)

const (
	unusablePrefix = "!"
	unusableLength = 40
	saltLength     = 22
	alphabet       = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// Unusable returns what to store for a user without a password: "!" and 40 random letters and digits. No password matches
// it. The random part makes the session hash and reset tokens of such users differ, as in Django's make_password(None).
func Unusable() string { return unusablePrefix + random(unusableLength) }

// Usable tells whether encoded is anything but an [Unusable] text. As in Django, an empty or garbled text is usable in this
// sense, though no password matches it.
func Usable(encoded string) bool { return !strings.HasPrefix(encoded, unusablePrefix) }

// NewSalt returns 22 random letters and digits, which carry 130.99 bits.
func NewSalt() string { return random(saltLength) }

// Identify returns the algorithm that encoded names: the text before the first "$". It is [ErrUnknownAlgorithm] for a text
// that names none, and for the unsalted MD5 and SHA-1 texts that Django stopped to read in 5.1. Whether a hasher for the
// algorithm is listed is told by [Hashers.Identify].
func Identify(encoded string) (string, error) {
	name, _, found := strings.Cut(encoded, "$")
	switch {
	case !found, name == "", !Usable(encoded),
		len(encoded) == 37 && strings.HasPrefix(encoded, "md5$$"),
		len(encoded) == 46 && strings.HasPrefix(encoded, "sha1$$"):
		return "", fmt.Errorf("password: identify: %w", ErrUnknownAlgorithm)
	}
	return name, nil
}

// random returns n letters and digits, each equally likely.
func random(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:]) // never fails: crypto/rand ends the program instead
		for _, b := range buf {
			// 248 is the largest multiple of 62 in a byte; what lies above would favour the first letters.
			if b < 248 && len(out) < n {
				out = append(out, alphabet[b%62])
			}
		}
	}
	return string(out)
}
