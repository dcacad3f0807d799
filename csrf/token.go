package csrf

import (
	"crypto/rand"
	"crypto/subtle"
)

// The alphabet, lengths and formula are Django's (django/middleware/csrf.py): a token is mask ‖ cipher, where each letter of
// the cipher is the letter of the secret moved on by the letter of the mask. Only the secret is secret; the mask makes the
// token another text at every rendering, so that a compressed page does not leak it (BREACH).
const (
	alphabet     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	secretLength = 32
	tokenLength  = 2 * secretLength
)

// The ways in which a text cannot be a token or a secret, as Django words them.
const (
	badLength     = "has incorrect length"
	badCharacters = "has invalid characters"
	notEqual      = "incorrect"
)

// letters[c] is the place of the byte c in the alphabet, or -1.
var letters = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	return t
}()

// random fills a text of n letters, each equally likely.
func random(dst []byte) {
	var buf [96]byte
	for filled := 0; filled < len(dst); {
		_, _ = rand.Read(buf[:]) // never fails: crypto/rand ends the program instead
		for _, b := range buf {
			if b >= 4*62 { // the bytes above would make the first letters likelier
				continue
			}
			dst[filled] = alphabet[b%62]
			if filled++; filled == len(dst) {
				return
			}
		}
	}
}

func newSecret() string {
	var b [secretLength]byte
	random(b[:])
	return string(b[:])
}

// mask makes a token of the secret. The secret's format has been checked.
func mask(secret string) string {
	var m [secretLength]byte
	random(m[:])
	return maskWith(secret, m[:])
}

func maskWith(secret string, m []byte) string {
	var token [tokenLength]byte
	for i := range secretLength {
		token[i] = m[i]
		token[secretLength+i] = alphabet[(int(letters[secret[i]])+int(letters[m[i]]))%62]
	}
	return string(token[:])
}

// unmask returns the secret within a token of 64 letters.
func unmask(token string) string {
	var secret [secretLength]byte
	for i := range secretLength {
		secret[i] = alphabet[(int(letters[token[secretLength+i]])-int(letters[token[i]])+62)%62]
	}
	return string(secret[:])
}

// checkFormat says what is wrong with a token or a secret, or "". The length counts characters, as in Django.
func checkFormat(token string) string {
	length := 0
	for range token {
		length++
	}
	if length != secretLength && length != tokenLength {
		return badLength
	}
	for i := range len(token) {
		if letters[token[i]] < 0 {
			return badCharacters
		}
	}
	return ""
}

// bare returns the secret of a value whose format has been checked: Django before 4.1 kept it masked.
func bare(value string) string {
	if len(value) == tokenLength {
		return unmask(value)
	}
	return value
}

// match says whether a token, masked or bare and of checked format, stands for the secret.
func match(token, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(bare(token)), []byte(secret)) == 1
}
