package password

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/blowfish" //lint:ignore SA1019 bcrypt is made of Blowfish
)

const (
	kindBCrypt = "bcrypt"

	bcryptCost    = 12
	bcryptKeySize = 72 // bytes of the password that bcrypt looks at
)

// bcrypt has its own base64.
var bcrypt64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

type bcryptHasher struct {
	algorithm string
	prehash   bool
	cost      int
}

// BCryptSHA256 is Django's BCryptSHA256PasswordHasher: bcrypt of the hexadecimal SHA-256 of the password, so that all of a
// long password counts. Cost is 4 to 31; zero means 12, about 0.25 s. [New] and Encode
// return an error for another cost.
func BCryptSHA256(cost int) Hasher { return newBCrypt("bcrypt_sha256", true, cost) }

// BCrypt is Django's BCryptPasswordHasher. Only the first 72 bytes of a password count: Encode and Verify cut it, as
// Django does, but [Hashers.Make] refuses to. Prefer [BCryptSHA256]. Cost is as there.
func BCrypt(cost int) Hasher { return newBCrypt("bcrypt", false, cost) }

func newBCrypt(algorithm string, prehash bool, cost int) Hasher {
	if cost == 0 {
		cost = bcryptCost
	}
	h := &bcryptHasher{algorithm: algorithm, prehash: prehash, cost: cost}
	if !prehash {
		return &cuttingBCrypt{h}
	}
	return h
}

// cuttingBCrypt is the hasher that would cut a long password.
type cuttingBCrypt struct{ *bcryptHasher }

func (*cuttingBCrypt) maxLength() int { return bcryptKeySize }

func (b *bcryptHasher) Algorithm() string { return b.algorithm }

func (b *bcryptHasher) Work() Work { return bcryptWork(b.cost) }

func (b *bcryptHasher) check() error {
	if b.cost < 4 || b.cost > 31 {
		return fmt.Errorf("bcrypt cost %d is not in 4 to 31", b.cost)
	}
	return nil
}

func bcryptWork(cost int) Work { return Work{Kind: kindBCrypt, Units: 1 << max(0, cost)} }

// Salt returns bcrypt's whole setting, with the hasher's cost and 16 random bytes: $2b$12$ and 22 characters.
func (b *bcryptHasher) Salt() string {
	var salt [16]byte
	rand.Read(salt[:])
	return fmt.Sprintf("$2b$%02d$%s", b.cost, bcrypt64.EncodeToString(salt[:]))
}

// Encode takes a salt as [Salter] makes it; the cost in it is the one that counts.
func (b *bcryptHasher) Encode(password, salt string) (string, error) {
	s, rest, err := parseBCrypt(salt)
	if err != nil || rest != "" {
		return "", fmt.Errorf("%s: %w", b.algorithm, ErrSalt)
	}
	return b.encode(password, s)
}

func (b *bcryptHasher) encode(password string, s bcryptSetting) (string, error) {
	if b.prehash {
		sum := sha256.Sum256([]byte(password))
		password = hex.EncodeToString(sum[:])
	} else if strings.ContainsRune(password, 0) {
		return "", fmt.Errorf("%s: %w", b.algorithm, ErrNUL)
	}
	sum := eksblowfish(password, s)
	return fmt.Sprintf("%s$%s%02d$%s%s", b.algorithm, s.prefix, s.cost, bcrypt64.EncodeToString(s.salt), bcrypt64.EncodeToString(sum)), nil
}

// A bcryptSetting is what comes before bcrypt's hash. The prefixes stand for mends of old bugs in C libraries; they all mean
// the same computation here.
type bcryptSetting struct {
	prefix string // $2a$, $2b$ or $2y$
	cost   int
	salt   []byte
}

// parseBCrypt reads $2b$12$ and 22 characters of salt, and returns what follows.
func parseBCrypt(text string) (s bcryptSetting, rest string, err error) {
	const size = len("$2b$12$") + 22
	if len(text) < size || text[6] != '$' {
		return s, "", ErrMalformed
	}
	s.prefix = text[:4]
	if s.prefix != "$2a$" && s.prefix != "$2b$" && s.prefix != "$2y$" {
		return s, "", ErrMalformed
	}
	tens, ones := text[4]-'0', text[5]-'0'
	if tens > 9 || ones > 9 {
		return s, "", ErrMalformed
	}
	s.cost = int(tens)*10 + int(ones)
	s.salt, err = bcrypt64.DecodeString(text[7:size])
	if err != nil || len(s.salt) != 16 || s.cost < 4 || s.cost > 31 {
		return s, "", ErrMalformed
	}
	return s, text[size:], nil
}

// eksblowfish is bcrypt itself: Provos and Mazières, "A Future-Adaptable Password Scheme", 1999, section 5.
func eksblowfish(password string, s bcryptSetting) []byte {
	key := append([]byte(password), 0)
	key = key[:min(len(key), bcryptKeySize)]
	c, err := blowfish.NewSaltedCipher(key, s.salt)
	if err != nil {
		panic(err) // only for an empty key, and key ends in a zero byte
	}
	for range uint64(1) << s.cost {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(s.salt, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for block := 0; block < len(text); block += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(text[block:], text[block:])
		}
	}
	return text[:23] // all implementations leave the last byte out
}

func (b *bcryptHasher) sample() run { return b.run(min(b.cost, 8)) }

func (b *bcryptHasher) run(cost int) run {
	return run{work: bcryptWork(cost), do: func(password string) {
		eksblowfish(password, bcryptSetting{cost: cost, salt: make([]byte, 16)})
	}}
}

type bcryptHash struct {
	hasher  *bcryptHasher
	encoded string
	setting bcryptSetting
	salt    string // as stored
	sum     string
}

func (b *bcryptHasher) Parse(encoded string) (Hash, error) {
	text, ok := strings.CutPrefix(encoded, b.algorithm+"$")
	s, sum, err := parseBCrypt(text)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: %s needs a prefix, a cost of 4 to 31 and 22 characters of salt", ErrMalformed, b.algorithm)
	}
	return &bcryptHash{hasher: b, encoded: encoded, setting: s, salt: text[7:29], sum: sum}, nil
}

func (h *bcryptHash) Work() Work { return bcryptWork(h.setting.cost) }

func (h *bcryptHash) Verify(password string) (bool, error) {
	again, err := h.hasher.encode(password, h.setting)
	if err != nil {
		return false, err
	}
	return equalText(h.encoded, again), nil
}

func (h *bcryptHash) Current() bool { return h.setting.cost == h.hasher.cost }

// harden repeats the stored hash's own run, as Django's harden_runtime does.
func (h *bcryptHash) harden() []run {
	if h.setting.cost >= h.hasher.cost {
		return nil
	}
	runs := make([]run, 1<<(h.hasher.cost-h.setting.cost)-1)
	for i := range runs {
		runs[i] = h.hasher.run(h.setting.cost)
	}
	return runs
}

func (h *bcryptHash) Summary() []Field {
	return []Field{
		{"algorithm", h.hasher.algorithm},
		{"work factor", h.setting.cost},
		{"salt", mask(h.salt, 6)},
		{"checksum", mask(h.sum, 6)},
	}
}
