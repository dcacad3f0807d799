package auth_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/signing"
)

// The first rows are recorded answers of Django 5.2.
func TestSessionHash(t *testing.T) {
	t.Parallel()
	const (
		fixed   = "django-contract-fixed-secret-key-0123456789abcdefghijklmnop"
		old     = "django-contract-OLD-secret-key-9876543210"
		older   = "django-contract-OLDER-secret-key-é-unicode"
		encoded = "pbkdf2_sha256$1000000$abcdefghijklmnopqrstuv$O0nTqQ0f3sSrf7wZ3Zl0oT9m5oNnJ4k0cB2b8n0m1cE="
	)
	for _, c := range []struct{ password, secret, want string }{
		{encoded, fixed, "97c0186dc9c381ce979a77b1e4137f66a8518932505ea1057164fa41a70b4913"},
		{encoded, old, "9115743a182a5526a53b56208f1f3ad1c37283bfea21c3c59252d5e44d8a8d71"},
		{"", fixed, "ad758a928dec56bacf13a4f895aeeaefa4e2901db02d15e8920028a2021729de"},
		{"md5$é$x", older, "e1a73390487c0db17eaeb0b37c897d9479b0f4278b74d5a5b38d21e2d162bba5"},
	} {
		if got := auth.SessionHash(c.password, signing.Keys{Current: c.secret}); got != c.want {
			t.Errorf("SessionHash(%q) by %q = %s, want %s", c.password, c.secret, got, c.want)
		}
		salted := signing.SaltedHMAC("django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash", []byte(c.password), c.secret, "sha256")
		if got := hex.EncodeToString(salted); got != c.want {
			t.Errorf("SaltedHMAC of %q by %q = %s, want %s", c.password, c.secret, got, c.want)
		}
	}
	got := auth.SessionFallbackHashes(encoded, signing.Keys{Current: fixed, Fallbacks: []string{old, older}})
	want := []string{
		"9115743a182a5526a53b56208f1f3ad1c37283bfea21c3c59252d5e44d8a8d71",
		"bebb531de67e57b286d17e72bf3e1f9f4b3ff7a67330fee5e8ab24bf2a978e2c",
	}
	if !slices.Equal(got, want) {
		t.Errorf("SessionFallbackHashes = %q, want %q", got, want)
	}
}
