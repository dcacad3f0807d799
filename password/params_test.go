package password_test

import (
	"strings"
	"testing"

	"github.com/cardea-go/cardea/password"
)

// TestParams: the costs of each hasher can be told and set, and what is written then has them.
func TestParams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hasher        password.Hasher
		preset, text  string
		want, written string
	}{
		{password.PBKDF2SHA256(0), "iterations=1000000", "iterations=7", "iterations=7", "pbkdf2_sha256$7$"},
		{password.PBKDF2SHA1(0), "iterations=1000000", "iterations=7", "iterations=7", "pbkdf2_sha1$7$"},
		{password.BCryptSHA256(0), "rounds=12", "rounds=4", "rounds=4", "bcrypt_sha256$$2b$04$"},
		{password.BCrypt(0), "rounds=12", "rounds=4", "rounds=4", "bcrypt$$2b$04$"},
		{password.Scrypt(password.ScryptParams{}), "work_factor=16384 block_size=8 parallelism=5", "work_factor=2  parallelism=1", "work_factor=2 block_size=8 parallelism=1", "scrypt$2$"},
		{password.Argon2(password.DjangoArgon2()), "memory_cost=102400 time_cost=2 parallelism=8 hash_len=32", "memory_cost=64 hash_len=16 time_cost=1", "memory_cost=64 time_cost=1 parallelism=8 hash_len=16", "argon2$argon2id$v=19$m=64,t=1,p=8$"},
	} {
		if got := password.Params(c.hasher); got != c.preset {
			t.Errorf("%s: got the costs %q, want %q", c.hasher.Algorithm(), got, c.preset)
		}
		tuned, err := password.WithParams(c.hasher, c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := password.Params(tuned); got != c.want {
			t.Errorf("%s at %q: got the costs %q, want %q", c.hasher.Algorithm(), c.text, got, c.want)
		}
		if got := password.Params(c.hasher); got != c.preset {
			t.Errorf("%s: the hasher itself was changed to %q", c.hasher.Algorithm(), got)
		}
		salt := "abcdefghijklmnopqrstuv"
		if own, ok := tuned.(password.Salter); ok {
			salt = own.Salt()
		}
		encoded, err := tuned.Encode("sesame", salt)
		if err != nil || !strings.HasPrefix(encoded, c.written) {
			t.Errorf("%s at %q: got %q and %v, want %s…", c.hasher.Algorithm(), c.text, encoded, err, c.written)
		}
		again, err := password.WithParams(c.hasher, c.preset)
		if err != nil || password.Params(again) != c.preset {
			t.Errorf("%s: its own costs %q: %v", c.hasher.Algorithm(), c.preset, err)
		}
	}
	if got := password.Params(password.MD5()); got != "" {
		t.Errorf("MD5 has the costs %q", got)
	}
}

// TestParamsRefused: what is no cost of a hasher is an error.
func TestParamsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hasher password.Hasher
		text   string
	}{
		{password.PBKDF2SHA256(0), "rounds=12"},
		{password.PBKDF2SHA256(0), "iterations"},
		{password.PBKDF2SHA256(0), "iterations=0"},
		{password.PBKDF2SHA256(0), "iterations=-1"},
		{password.PBKDF2SHA256(0), "iterations=many"},
		{password.BCryptSHA256(0), "rounds=3"},
		{password.BCrypt(0), "rounds=32"},
		{password.Scrypt(password.ScryptParams{}), "work_factor=3"},
		{password.Argon2(password.DjangoArgon2()), "parallelism=256"},
		{password.MD5(), "iterations=1"},
	} {
		if got, err := password.WithParams(c.hasher, c.text); err == nil {
			t.Errorf("%s: %q was accepted: %s", c.hasher.Algorithm(), c.text, password.Params(got))
		}
	}
}
