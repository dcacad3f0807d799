package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

const (
	kindPBKDF2SHA256 = "pbkdf2_sha256"
	kindPBKDF2SHA1   = "pbkdf2_sha1"

	pbkdf2Iterations = 1_000_000 // of Django 5.2
)

type pbkdf2Hasher struct {
	algorithm  string
	digest     func() hash.Hash
	size       int
	iterations int
}

// PBKDF2SHA256 is Django's PBKDF2PasswordHasher. Zero iterations mean Django 5.2's 1,000,000, about 0.2 s.
// PBKDF2SHA256(1) is a cheap hasher for tests.
func PBKDF2SHA256(iterations int) Hasher {
	return newPBKDF2(kindPBKDF2SHA256, sha256.New, sha256.Size, iterations)
}

// PBKDF2SHA1 is Django's PBKDF2SHA1PasswordHasher. Zero iterations mean Django 5.2's 1,000,000.
func PBKDF2SHA1(iterations int) Hasher {
	return newPBKDF2(kindPBKDF2SHA1, sha1.New, sha1.Size, iterations)
}

func newPBKDF2(algorithm string, digest func() hash.Hash, size, iterations int) Hasher {
	if iterations <= 0 {
		iterations = pbkdf2Iterations
	}
	return &pbkdf2Hasher{algorithm: algorithm, digest: digest, size: size, iterations: iterations}
}

func (p *pbkdf2Hasher) Algorithm() string { return p.algorithm }

func (p *pbkdf2Hasher) Work() Work { return Work{Kind: p.algorithm, Units: int64(p.iterations)} }

func (p *pbkdf2Hasher) Encode(password, salt string) (string, error) {
	return p.encode(password, salt, p.iterations)
}

func (p *pbkdf2Hasher) encode(password, salt string, iterations int) (string, error) {
	if err := checkSalt(salt); err != nil {
		return "", fmt.Errorf("%s: %w", p.algorithm, err)
	}
	key, err := pbkdf2.Key(p.digest, password, []byte(salt), iterations, p.size)
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.algorithm, err)
	}
	return p.algorithm + "$" + strconv.Itoa(iterations) + "$" + salt + "$" + base64.StdEncoding.EncodeToString(key), nil
}

// checkSalt holds what Django asks of the salts that are stored as they are.
func checkSalt(salt string) error {
	if salt == "" || strings.Contains(salt, "$") {
		return ErrSalt
	}
	return nil
}

func (p *pbkdf2Hasher) sample() run { return p.run(min(p.iterations, 50_000)) }

func (p *pbkdf2Hasher) run(iterations int) run {
	return run{
		work: Work{Kind: p.algorithm, Units: int64(iterations)},
		do: func(password string) {
			_, _ = pbkdf2.Key(p.digest, password, []byte("0123456789012345678901"), iterations, p.size)
		},
	}
}

// kindPBKDF2SHA256Run is the filling of equal work.
func kindPBKDF2SHA256Run(iterations int64) run {
	p := pbkdf2Hasher{algorithm: kindPBKDF2SHA256, digest: sha256.New, size: sha256.Size}
	return p.run(int(iterations))
}

type pbkdf2Hash struct {
	hasher     *pbkdf2Hasher
	encoded    string
	iterations int
	salt, hash string
}

func (p *pbkdf2Hasher) Parse(encoded string) (Hash, error) {
	f := strings.SplitN(encoded, "$", 4)
	if len(f) != 4 || f[0] != p.algorithm {
		return nil, fmt.Errorf("%w: %s needs iterations, salt and hash", ErrMalformed, p.algorithm)
	}
	iterations, err := pyInt(f[1])
	if err != nil || iterations < 0 {
		return nil, fmt.Errorf("%w: the number of iterations of %s", ErrMalformed, p.algorithm)
	}
	if f[2] == "" {
		return nil, fmt.Errorf("%w: %s without a salt", ErrMalformed, p.algorithm)
	}
	if iterations == 0 { // Django then hashes with the default, and finds the texts unequal
		iterations = p.iterations
	}
	return &pbkdf2Hash{hasher: p, encoded: encoded, iterations: iterations, salt: f[2], hash: f[3]}, nil
}

func (p *pbkdf2Hash) Work() Work {
	return Work{Kind: p.hasher.algorithm, Units: int64(p.iterations)}
}

// Verify compares whole texts, as Django does, so that only the canonical spelling of a hash matches.
func (p *pbkdf2Hash) Verify(password string) (bool, error) {
	again, err := p.hasher.encode(password, p.salt, p.iterations)
	if err != nil {
		return false, err
	}
	return equalText(p.encoded, again), nil
}

func equalText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (p *pbkdf2Hash) Current() bool {
	return p.iterations == p.hasher.iterations && len(p.salt) >= saltLength
}

// harden runs the iterations that are missing, as Django's harden_runtime does.
func (p *pbkdf2Hash) harden() []run {
	if p.iterations >= p.hasher.iterations {
		return nil
	}
	return []run{p.hasher.run(p.hasher.iterations - p.iterations)}
}

func (p *pbkdf2Hash) Summary() []Field {
	return []Field{
		{"algorithm", p.hasher.algorithm},
		{"iterations", p.iterations},
		{"salt", mask(p.salt, 6)},
		{"hash", mask(p.hash, 6)},
	}
}

// pyInt reads a decimal as Python's int does: spaces around, a sign, and single underscores between digits are allowed.
// What does not fit an int is read as the highest one, which is over any limit.
func pyInt(s string) (int, error) {
	s = strings.Trim(s, " \t\n\r\v\f")
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return 0, strconv.ErrSyntax
	}
	n := 0
	for _, c := range strings.ReplaceAll(digits, "_", "") {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		if n > (1<<62)/10 {
			n = 1<<62 - 1
			continue
		}
		n = n*10 + int(c-'0')
	}
	if s[0] == '-' {
		n = -n
	}
	return n, nil
}
