package password_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/cardea-go/cardea/password"
)

func TestFromDjango(t *testing.T) {
	t.Parallel()
	const module = "django.contrib.auth.hashers."
	for _, row := range []struct {
		version            string
		iterations, scrypt int64
	}{
		{"4.2", 600_000, 16384 * 8 * 1},
		{"4.2.28", 600_000, 16384 * 8 * 1},
		{"5.0", 720_000, 16384 * 8 * 1},
		{"5.1", 870_000, 16384 * 8 * 5},
		{"5.2.18", 1_000_000, 16384 * 8 * 5},
	} {
		hashers, err := password.FromDjango([]string{
			module + "ScryptPasswordHasher", module + "PBKDF2PasswordHasher", module + "PBKDF2SHA1PasswordHasher", module + "BCryptPasswordHasher",
		}, row.version)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []password.Work{
			{Kind: "scrypt", Units: row.scrypt, Memory: 16 << 20},
			{Kind: "pbkdf2_sha256", Units: row.iterations},
			{Kind: "pbkdf2_sha1", Units: row.iterations},
			{Kind: "bcrypt", Units: 4096},
		} {
			if got := hashers[i].Work(); got != want {
				t.Errorf("%s, hasher %d: got %+v, want %+v", row.version, i, got, want)
			}
		}
	}
	standard, err := password.FromDjango(nil, "5.2")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range standard {
		names = append(names, h.Algorithm())
	}
	if got, want := strings.Join(names, " "), "pbkdf2_sha256 pbkdf2_sha1 argon2 bcrypt_sha256 scrypt"; got != want {
		t.Errorf("the default list: got %s, want %s", got, want)
	}
	for _, row := range [][2]string{
		{module + "CryptPasswordHasher", "5.2"},
		{"PBKDF2PasswordHasher", "5.2"},
		{module + "PBKDF2PasswordHasher", "3.2"},
		{module + "PBKDF2PasswordHasher", "5.20"},
		{module + "PBKDF2PasswordHasher", ""},
	} {
		if _, err := password.FromDjango(row[:1], row[1]); err == nil {
			t.Errorf("FromDjango(%q, %q): want an error", row[0], row[1])
		}
	}
}

// TestBCryptAgreesWithXCrypto holds this package's bcrypt against the one of x/crypto, in both directions.
func TestBCryptAgreesWithXCrypto(t *testing.T) {
	t.Parallel()
	h := password.BCrypt(4)
	for _, text := range []string{"", "a", "lètmein", strings.Repeat("é", 36), "0123456789"} {
		ours := encode(t, h, text)
		if err := bcrypt.CompareHashAndPassword([]byte(strings.TrimPrefix(ours, "bcrypt$")), []byte(text)); err != nil {
			t.Errorf("x/crypto refuses our hash of %q: %v", text, err)
		}
		theirs, err := bcrypt.GenerateFromPassword([]byte(text), 4)
		if err != nil {
			t.Fatal(err)
		}
		hash, err := h.Parse("bcrypt$" + string(theirs))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := hash.Verify(text); !ok || err != nil {
			t.Errorf("x/crypto's hash of %q: got %v, %v", text, ok, err)
		}
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^![a-zA-Z0-9]{40}$`)
	seen := map[string]bool{}
	for range 100 {
		text := password.Unusable()
		if !shape.MatchString(text) || seen[text] || password.Usable(text) {
			t.Fatalf("Unusable: got %q, usable %v", text, password.Usable(text))
		}
		seen[text] = true
	}
	s := open(t, password.Config{Hashers: []password.Hasher{password.MD5()}})
	text := password.Unusable()
	for _, try := range []string{"", "!", text, text[1:]} {
		if ok, _ := check(t, s, try, text); ok {
			t.Errorf("an unusable password matches %q", try)
		}
	}
}

// TestNewSaltIsUniform: each of the 62 characters is about as likely. 62000 draws put 1000 on each, with a standard deviation of
// 31; the bytes' excess over 248 would put 1241 on the first eight letters.
func TestNewSaltIsUniform(t *testing.T) {
	t.Parallel()
	counts := map[rune]int{}
	total := 0
	for total < 62_000 {
		for _, c := range password.NewSalt() {
			counts[c]++
			total++
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d different characters, want 62", len(counts))
	}
	for c, n := range counts {
		if n < 800 || n > 1200 {
			t.Errorf("%q came %d times in %d, want about 1000", c, n, total)
		}
	}
}
