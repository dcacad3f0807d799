package password

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
)

const kindMD5 = "md5"

type md5Hasher struct{}

// MD5 is Django's MD5PasswordHasher. It protects nothing and is for tests that need Django's texts at no cost.
func MD5() Hasher { return md5Hasher{} }

func (md5Hasher) Algorithm() string { return kindMD5 }

func (md5Hasher) Work() Work { return Work{Kind: kindMD5, Units: 1} }

func (md5Hasher) Encode(password, salt string) (string, error) {
	if err := checkSalt(salt); err != nil {
		return "", fmt.Errorf("md5: %w", err)
	}
	sum := md5.Sum([]byte(salt + password))
	return "md5$" + salt + "$" + hex.EncodeToString(sum[:]), nil
}

type md5Hash struct{ encoded, salt, hash string }

func (md5Hasher) Parse(encoded string) (Hash, error) {
	f := strings.SplitN(encoded, "$", 3)
	if len(f) != 3 || f[0] != kindMD5 || f[1] == "" {
		return nil, fmt.Errorf("%w: md5 needs salt and hash", ErrMalformed)
	}
	return &md5Hash{encoded: encoded, salt: f[1], hash: f[2]}, nil
}

func (m *md5Hash) Work() Work { return md5Hasher{}.Work() }

func (m *md5Hash) Verify(password string) (bool, error) {
	again, err := md5Hasher{}.Encode(password, m.salt)
	if err != nil {
		return false, err
	}
	return equalText(m.encoded, again), nil
}

func (m *md5Hash) Current() bool { return len(m.salt) >= saltLength }

func (m *md5Hash) Summary() []Field {
	return []Field{
		{"algorithm", kindMD5},
		{"salt", mask(m.salt, 2)},
		{"hash", mask(m.hash, 6)},
	}
}
