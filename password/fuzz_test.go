package password_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/password"
)

// FuzzEncoded: no text in a column of passwords makes a check panic or take long, none opens to a password that it was not made from,
// and what a hasher has read it reads the same again.
func FuzzEncoded(f *testing.F) {
	hashers := []password.Hasher{
		password.PBKDF2SHA256(3), password.PBKDF2SHA1(3), password.BCryptSHA256(4), password.BCrypt(4), password.MD5(),
		password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}), password.Scrypt(password.ScryptParams{N: 16, P: 1}),
	}
	h, err := password.New(password.Config{
		Hashers: hashers, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Limits: password.Limits{PBKDF2: 1000, BCrypt: 4, Argon2: 4096, Scrypt: 1 << 14, Memory: 4 << 20},
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, hasher := range hashers {
		encoded, err := hasher.Encode("letmein", "abcdefghijklmnopqrstuv")
		if err != nil {
			if encoded, err = hasher.Encode("letmein", hasher.(password.Salter).Salt()); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(encoded)
	}
	for _, text := range []string{"", "!", password.Unusable(), "md5$$", "sha1$$x", "pbkdf2_sha256$01$a$b", "argon2$argon2id$v=19$m=64,t=1,p=1$YQ$YQ", "scrypt$16$a$8$1$", strings.Repeat("$", 40)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		testhang.Watch(t)
		ok, upgrade, err := h.Check(t.Context(), "another password", encoded)
		if ok || upgrade || err != nil {
			t.Fatalf("%q: opens %v, is to be replaced %v, %v", encoded, ok, upgrade, err)
		}
		right, _, err := h.Check(t.Context(), "letmein", encoded)
		if again, _, later := h.Check(t.Context(), "letmein", encoded); err != nil || later != nil || right != again {
			t.Fatalf("%q: opens %v, then %v, %v, %v", encoded, right, again, err, later)
		}
		name, err := h.Identify(encoded)
		_, failed := h.Summary(encoded)
		if failed == nil && err != nil {
			t.Fatalf("%q has a summary, and the hasher %q, %v", encoded, name, err)
		}
		if right && (err != nil || !password.Usable(encoded)) {
			t.Fatalf("%q opens, and is usable %v by %q, %v", encoded, password.Usable(encoded), name, err)
		}
		h.MustUpdate(encoded)
	})
}
