package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"sync"

	"github.com/cardea-go/cardea/signing"
)

// hashSalt is Django's key salt of AbstractBaseUser.get_session_auth_hash.
const hashSalt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"

// SessionHash returns what a login stores in the session as _auth_user_hash: 64 lower-case hexadecimal digits that depend on
// the user's encoded password and on keys.Current, as Django's get_session_auth_hash.
func SessionHash(password string, keys signing.Keys) string {
	return newHashKey(keys.Current).hash(password)
}

// SessionFallbackHashes returns the hashes by keys.Fallbacks, in order. A session with one of them is valid, and is rewritten.
func SessionFallbackHashes(password string, keys signing.Keys) []string {
	var out []string
	for _, secret := range keys.Fallbacks {
		out = append(out, newHashKey(secret).hash(password))
	}
	return out
}

// A hashKey makes session hashes by one secret. Its key is derived once, and its states are reused.
type hashKey struct{ pool sync.Pool }

type hashState struct {
	mac hash.Hash
	buf []byte
}

func newHashKey(secret string) *hashKey {
	key := sha256.Sum256([]byte(hashSalt + secret))
	k := &hashKey{}
	k.pool.New = func() any { return &hashState{mac: hmac.New(sha256.New, key[:])} }
	return k
}

func (k *hashKey) appendHash(dst []byte, password string) []byte {
	st := k.pool.Get().(*hashState)
	st.mac.Reset()
	st.buf = append(st.buf[:0], password...)
	st.mac.Write(st.buf)
	st.buf = st.mac.Sum(st.buf[:0])
	dst = hex.AppendEncode(dst, st.buf)
	k.pool.Put(st)
	return dst
}

func (k *hashKey) hash(password string) string {
	var buf [2 * sha256.Size]byte
	return string(k.appendHash(buf[:0], password))
}

// matches compares in constant time.
func (k *hashKey) matches(stored, password string) bool {
	var buf [2 * sha256.Size]byte
	want := k.appendHash(buf[:0], password)
	var got [2 * sha256.Size]byte
	return len(stored) == len(got) && copy(got[:], stored) == len(got) && subtle.ConstantTimeCompare(got[:], want) == 1
}
