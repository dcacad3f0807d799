package sessions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode/utf8"
)

const (
	keyLength   = 32
	keyAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	minKey      = 8 // Django's SessionBase._validate_session_key
)

// NewKey returns a new session key: 32 characters of a-z and 0-9 from crypto/rand, 165 bits, as Django makes them.
func NewKey() string {
	const fair = 256 - 256%len(keyAlphabet) // bytes above would favour the first letters
	key := make([]byte, 0, keyLength)
	var random [keyLength + 8]byte
	for {
		rand.Read(random[:]) // never fails: it ends the program instead
		for _, b := range random {
			if int(b) >= fair {
				continue
			}
			key = append(key, keyAlphabet[int(b)%len(keyAlphabet)])
			if len(key) == keyLength {
				return string(key)
			}
		}
	}
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// HashKey returns what a store may keep in place of the key, so that a copy of the database is not a bunch of logged-in
// browsers: lower-case base32 of the first 25 bytes of SHA-256, 40 characters, as wide as Django's column.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base32Lower.EncodeToString(sum[:25])
}

// AcceptKey reports whether a cookie's value may be a session key: 8 characters or more, as Django has it.
func AcceptKey(value string) bool { return utf8.RuneCountInString(value) >= minKey }

// clip cuts s to at most n bytes and to whole characters, and drops what a database's text column refuses.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
