package signing

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // an algorithm that Django's settings can name
	"crypto/sha1" //nolint:gosec // the default of Django's bare helper
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
)

// A MAC computes Django's salted_hmac for one salt and one secret. The key is derived and the two key blocks are hashed once.
type MAC struct {
	size int
	pool sync.Pool // of *macState
}

type macState struct {
	h   hash.Hash
	in  []byte // the value, where a string has to become bytes
	sum []byte
}

// Values longer than this are hashed in pieces, so that a pool never keeps more.
const maxScratch = 4 << 10

// NewMAC returns the HMAC whose key is algorithm(keySalt ‖ secret). The algorithm is named as in Python's hashlib: sha256,
// sha1, sha512, sha224, sha384, sha3_224, sha3_256, sha3_384, sha3_512 or md5; an unknown one is an error.
func NewMAC(keySalt, secret, algorithm string) (*MAC, error) {
	newHash, err := hashByName(algorithm)
	if err != nil {
		return nil, err
	}
	d := newHash()
	_, _ = io.WriteString(d, keySalt)
	_, _ = io.WriteString(d, secret)
	key := d.Sum(nil)
	m := &MAC{size: len(key)}
	m.pool.New = func() any {
		h := hmac.New(newHash, key)
		h.Reset() // from here on the state after the key block is kept
		return &macState{h: h, in: make([]byte, 0, 512), sum: make([]byte, 0, 64)}
	}
	return m, nil
}

// Size is the length of a sum in bytes.
func (m *MAC) Size() int { return m.size }

// Append appends the sum of value to dst.
func (m *MAC) Append(dst []byte, value string) []byte {
	s, _ := m.pool.Get().(*macState)
	dst = append(dst, s.of(value)...)
	m.pool.Put(s)
	return dst
}

// AppendBytes appends the sum of value to dst.
func (m *MAC) AppendBytes(dst, value []byte) []byte {
	s, _ := m.pool.Get().(*macState)
	s.h.Reset()
	_, _ = s.h.Write(value)
	s.sum = s.h.Sum(s.sum[:0])
	dst = append(dst, s.sum...)
	m.pool.Put(s)
	return dst
}

// Hex returns the sum of value in lower-case hexadecimal, the form of a session hash.
func (m *MAC) Hex(value string) string {
	var sum [maxSum]byte
	return hex.EncodeToString(m.Append(sum[:0], value))
}

// EqualHex reports, in constant time, whether text is what Hex(value) returns.
func (m *MAC) EqualHex(text, value string) bool {
	var sum [maxSum]byte
	var want [2 * maxSum]byte
	n := hex.Encode(want[:], m.Append(sum[:0], value))
	return equal(want[:n], text)
}

// String names the type and hides the key.
func (m *MAC) String() string { return "signing.MAC(" + redacted + ")" }

// Format hides the key from every verb.
func (m *MAC) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue hides the key.
func (m *MAC) LogValue() slog.Value { return slog.StringValue(m.String()) }

const maxSum = 64

// of returns the sum of value; it is good until the next call.
func (s *macState) of(value string) []byte {
	s.h.Reset()
	for len(value) > maxScratch {
		s.write(value[:maxScratch])
		value = value[maxScratch:]
	}
	s.write(value)
	s.sum = s.h.Sum(s.sum[:0])
	return s.sum
}

func (s *macState) write(value string) {
	s.in = append(s.in[:0], value...)
	_, _ = s.h.Write(s.in)
}

// SaltedHMAC is Django's salted_hmac: HMAC with the key algorithm(keySalt ‖ secret). It panics when the algorithm is unknown.
// Where the same salt and secret are used again, make a [MAC] of them and keep it.
func SaltedHMAC(keySalt string, value []byte, secret, algorithm string) []byte {
	newHash, err := hashByName(algorithm)
	if err != nil {
		panic(err)
	}
	d := newHash()
	_, _ = io.WriteString(d, keySalt)
	_, _ = io.WriteString(d, secret)
	h := hmac.New(newHash, d.Sum(nil))
	_, _ = h.Write(value)
	return h.Sum(nil)
}

// ConstantTimeCompare reports whether a and b are equal, in a time that depends on their lengths only.
func ConstantTimeCompare(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// equal is ConstantTimeCompare of a signature, without an allocation.
func equal(a []byte, b string) bool {
	var buf [2 * maxSum]byte
	n := copy(buf[:], b)
	return len(a) == len(b) && subtle.ConstantTimeCompare(a, buf[:n]) == 1
}

func hashByName(name string) (func() hash.Hash, error) {
	switch name {
	case "sha256":
		return sha256.New, nil
	case "sha1":
		return sha1.New, nil
	case "sha512":
		return sha512.New, nil
	case "sha224":
		return sha256.New224, nil
	case "sha384":
		return sha512.New384, nil
	case "sha3_224":
		return func() hash.Hash { return sha3.New224() }, nil
	case "sha3_256":
		return func() hash.Hash { return sha3.New256() }, nil
	case "sha3_384":
		return func() hash.Hash { return sha3.New384() }, nil
	case "sha3_512":
		return func() hash.Hash { return sha3.New512() }, nil
	case "md5":
		return md5.New, nil
	}
	return nil, fmt.Errorf("signing: unknown algorithm %q", name)
}
