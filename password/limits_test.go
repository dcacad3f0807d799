package password_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/password"
)

// TestM36PlantedParameters: a stored text that asks for gigabytes or hours is refused without either. Control: the same
// algorithms within the limits match, and a text just over a lowered limit is refused where one at it is not.
func TestM36PlantedParameters(t *testing.T) {
	t.Parallel()
	hashers := []password.Hasher{
		password.PBKDF2SHA256(3), password.PBKDF2SHA1(3), password.BCryptSHA256(4), password.BCrypt(4),
		password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}), password.Scrypt(password.ScryptParams{N: 16, P: 1}),
	}
	s := open(t, password.Config{Hashers: hashers})
	const (
		salt = "abcdefghijklmnopqrstuv"
		sum  = "n0pCPbm1LZWNWb8Rvj26PFANZiyvIZARauHKTOykKrc="
		tag  = "$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$Wkrh5O0Dyx90oe2olAsfMw"
		full = "0123456789012345678901234567890" // as long as bcrypt's hash
	)
	for _, planted := range []string{
		"pbkdf2_sha256$10000001$" + salt + "$" + sum,
		"pbkdf2_sha256$9223372036854775807$" + salt + "$" + sum,
		"pbkdf2_sha256$" + strings.Repeat("9", 300) + "$" + salt + "$" + sum,
		"pbkdf2_sha1$2000000000$" + salt + "$" + sum,
		"bcrypt_sha256$$2b$17$" + salt + full,
		"bcrypt$$2b$31$" + salt + full,
		"argon2$argon2id$v=19$m=4294967295,t=1,p=1" + tag,
		"argon2$argon2id$v=19$m=1048577,t=1,p=1" + tag,
		"argon2$argon2id$v=19$m=64,t=4294967295,p=1" + tag,
		"argon2$argon2i$v=19$m=1048576,t=5,p=4" + tag,
		"argon2$argon2id$v=19$m=32768,t=1,p=4000" + tag, // more lanes than can be computed
		"scrypt$1073741824$" + salt + "$8$1$" + sum,
		"scrypt$16384$" + salt + "$1024$1$" + sum,
		"scrypt$16384$" + salt + "$8$4096$" + sum,
		"scrypt$4611686018427387904$" + salt + "$4611686018427387903$4611686018427387903$" + sum,
		"scrypt$18446744073709551616$" + salt + "$8$1$" + sum,
	} {
		start := time.Now()
		ok, upgrade := check(t, s, "letmein", planted)
		if ok || upgrade {
			t.Errorf("%s: got %v, upgrade %v, want neither", planted, ok, upgrade)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", planted, took)
		}
		if got := sums(s.take()); got != "pbkdf2_sha256 3" {
			t.Errorf("%s: did %s, want the work of one decoy", planted, got)
		}
	}
	if n := strings.Count(s.log.String(), "limits allow"); n < 12 {
		t.Errorf("%d texts are logged as over the limits, want at least 12:\n%s", n, s.log)
	}
	for _, hasher := range hashers {
		if ok, _ := check(t, s, "right", encode(t, hasher, "right")); !ok {
			t.Errorf("control: %s within the limits does not match", hasher.Algorithm())
		}
	}

	low := open(t, password.Config{
		Hashers: []password.Hasher{
			password.PBKDF2SHA256(3), password.BCryptSHA256(4), password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}),
			password.Scrypt(password.ScryptParams{N: 16, P: 1}),
		},
		Limits: password.Limits{PBKDF2: 10, BCrypt: 5, Argon2: 128, Scrypt: 16 * 8 * 2, Memory: 128 << 10},
	})
	for _, row := range []struct {
		at, over password.Hasher
	}{
		{password.PBKDF2SHA256(10), password.PBKDF2SHA256(11)},
		{password.BCryptSHA256(5), password.BCryptSHA256(6)},
		{password.Argon2(password.Argon2Params{Memory: 64, Passes: 2}), password.Argon2(password.Argon2Params{Memory: 65, Passes: 2})},
		{password.Argon2(password.Argon2Params{Memory: 128, Passes: 1}), password.Argon2(password.Argon2Params{Memory: 129, Passes: 1})},
		{password.Scrypt(password.ScryptParams{N: 16, P: 2}), password.Scrypt(password.ScryptParams{N: 16, P: 3})},
	} {
		if ok, _ := check(t, low, "right", encode(t, row.at, "right")); !ok {
			t.Errorf("%s at the limit does not match", row.at.Algorithm())
		}
		if ok, _ := check(t, low, "right", encode(t, row.over, "right")); ok {
			t.Errorf("%s over the limit matches", row.over.Algorithm())
		}
	}
}

func TestNewRefusesWrongConfiguration(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		hashers []password.Hasher
		want    string
	}{
		{"nothing", nil, "at least one"},
		{"twice", []password.Hasher{password.MD5(), password.MD5()}, "listed twice"},
		{"lanes", []password.Hasher{password.Argon2(password.Argon2Params{Lanes: 256})}, "out of bounds"},
		{"argon2d", []password.Hasher{password.Argon2(password.Argon2Params{Variety: "argon2d"})}, "argon2id or argon2i"},
		{"N", []password.Hasher{password.Scrypt(password.ScryptParams{N: 1000})}, "out of bounds"},
		{"cost 3", []password.Hasher{password.BCrypt(3)}, "4 to 31"},
		{"cost 32", []password.Hasher{password.BCryptSHA256(32)}, "4 to 31"},
		{"negative cost", []password.Hasher{password.BCryptSHA256(-1)}, "4 to 31"},
		{"over the limit", []password.Hasher{password.BCryptSHA256(20)}, "raise Config.Limits"},
	} {
		if _, err := password.New(password.Config{Hashers: row.hashers}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want an error with %q", row.name, err, row.want)
		}
	}
	if _, err := password.Argon2(password.Argon2Params{Passes: -1}).Encode("x", "saltsaltsalt"); err == nil {
		t.Error("Encode with undefined parameters: want an error")
	}
	if _, err := password.PBKDF2SHA256(1).Encode("x", "sea$salt"); !errors.Is(err, password.ErrSalt) {
		t.Errorf("Encode with a $ in the salt: got %v, want ErrSalt", err)
	}
}
