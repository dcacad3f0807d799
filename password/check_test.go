package password_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/password"
)

func TestMakeAndCheck(t *testing.T) {
	t.Parallel()
	for _, hasher := range []password.Hasher{
		password.PBKDF2SHA256(10), password.PBKDF2SHA1(10), password.BCryptSHA256(4), password.BCrypt(4), password.MD5(),
		password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}), password.Scrypt(password.ScryptParams{N: 16, P: 1}),
		password.Argon2(password.Argon2Params{Variety: "argon2i", Memory: 64, Passes: 1, TagLength: 16}),
	} {
		t.Run(hasher.Algorithm(), func(t *testing.T) {
			t.Parallel()
			s := open(t, password.Config{Hashers: []password.Hasher{hasher}})
			for _, text := range []string{"", "lètmein", "  spaces  ", "$dollar$", strings.Repeat("x", 72)} {
				encoded, err := s.Make(context.Background(), text)
				if err != nil {
					t.Fatal(err)
				}
				if ok, upgrade := check(t, s, text, encoded); !ok || upgrade {
					t.Errorf("Check(%q): got %v, upgrade %v, want true, no upgrade", text, ok, upgrade)
				}
				if ok, _ := check(t, s, "y"+text, encoded); ok {
					t.Errorf("Check of %q with one more letter in front: got true", text)
				}
				if again, _ := s.Make(context.Background(), text); again == encoded {
					t.Errorf("Make(%q) twice gives the same text: no fresh salt", text)
				}
			}
			if got := s.log.String(); got != "" {
				t.Errorf("logged %s", got)
			}
		})
	}
}

func TestCheckAsksForUpgrade(t *testing.T) {
	t.Parallel()
	s := open(t, password.Config{Hashers: []password.Hasher{
		password.PBKDF2SHA256(20), password.BCryptSHA256(4), password.MD5(),
	}})
	for _, row := range []struct {
		name    string
		hasher  password.Hasher
		upgrade bool
	}{
		{"current", password.PBKDF2SHA256(20), false},
		{"fewer iterations", password.PBKDF2SHA256(10), true},
		{"more iterations", password.PBKDF2SHA256(30), true},
		{"another algorithm, current itself", password.BCryptSHA256(4), true},
		{"md5", password.MD5(), true},
	} {
		encoded := encode(t, row.hasher, "right")
		if ok, upgrade := check(t, s, "right", encoded); !ok || upgrade != row.upgrade {
			t.Errorf("%s: got %v, upgrade %v, want true, %v", row.name, ok, upgrade, row.upgrade)
		}
		if ok, upgrade := check(t, s, "wrong", encoded); ok || upgrade {
			t.Errorf("%s, wrong password: got %v, upgrade %v, want neither", row.name, ok, upgrade)
		}
	}
}

// fixedSpeed weighs the algorithms as a known machine would, so that tests are exact.
func fixedSpeed(w password.Work) time.Duration {
	return time.Duration(w.Units) * map[string]time.Duration{
		"pbkdf2_sha256": 200, "pbkdf2_sha1": 100, "bcrypt": 60_000, "scrypt": 300, "argon2": 1_200, "md5": 0,
	}[w.Kind]
}

func duration(runs []password.Work) (sum time.Duration) {
	for _, r := range runs {
		sum += fixedSpeed(r)
	}
	return sum
}

// The stored texts below are of known algorithms and cannot be checked, each for its own reason.
func unreadable() map[string]string {
	return map[string]string{
		"malformed":       "pbkdf2_sha256$abc$salt$hash",
		"malformed argon": "argon2$argon2id$v=19$bad",
		"cannot verify":   "argon2$argon2d$v=19$m=512,t=2,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$Wkrh5O0Dyx90oe2olAsfMw",
		"too costly":      "pbkdf2_sha256$2000000000$abcdefghijklmnopqrstuv$n0pCPbm1LZWNWb8Rvj26PFANZiyvIZARauHKTOykKrc=",
		"too long":        "pbkdf2_sha256$1$" + strings.Repeat("s", 2000) + "$n0pCPbm1LZWNWb8Rvj26PFANZiyvIZARauHKTOykKrc=",
	}
}

// TestM9EqualWork: unknown, inactive and unusable users, wrong passwords and older factors cost runs of the same kind and
// amount. Control: with Django's timing, the rows where Django differs do differ.
func TestM9EqualWork(t *testing.T) {
	t.Parallel()
	current := map[string]password.Hasher{
		"pbkdf2_sha256": password.PBKDF2SHA256(4000),
		"pbkdf2_sha1":   password.PBKDF2SHA1(4000),
		"argon2":        password.Argon2(password.Argon2Params{Memory: 256, Passes: 2}),
		"bcrypt_sha256": password.BCryptSHA256(6),
		"bcrypt":        password.BCrypt(5),
		"scrypt":        password.Scrypt(password.ScryptParams{N: 64, R: 8, P: 5}),
	}
	older := map[string]password.Hasher{
		"pbkdf2_sha256": password.PBKDF2SHA256(600),
		"pbkdf2_sha1":   password.PBKDF2SHA1(600),
		"argon2":        password.Argon2(password.Argon2Params{Memory: 128, Passes: 1}),
		"bcrypt_sha256": password.BCryptSHA256(4),
		"bcrypt":        password.BCrypt(4),
		"scrypt":        password.Scrypt(password.ScryptParams{N: 64, R: 8, P: 1}),
	}
	for name, preferred := range current {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hashers := []password.Hasher{preferred}
			for other, hasher := range current {
				if other != name {
					hashers = append(hashers, hasher)
				}
			}
			s := open(t, password.Config{Hashers: hashers, EqualWork: true, Speed: fixedSpeed})
			ctx := context.Background()

			stored := encode(t, preferred, "right")
			check(t, s, "wrong", stored)
			want := s.take()
			slowest := time.Duration(0)
			for _, hasher := range hashers {
				slowest = max(slowest, fixedSpeed(hasher.Work()))
			}
			if got := duration(want); got < slowest*98/100 || got > slowest*102/100 {
				t.Errorf("a wrong password costs %v (%s), want the slowest hasher's %v", got, sums(want), slowest)
			}

			equal := func(who string, do func()) {
				t.Helper()
				s.take()
				do()
				if got := s.take(); sums(got) != sums(want) {
					t.Errorf("%s: got %s, want %s", who, sums(got), sums(want))
				}
			}
			equal("unknown or inactive user", func() {
				if err := s.Decoy(ctx, "wrong"); err != nil {
					t.Error(err)
				}
			})
			equal("right password", func() { check(t, s, "right", stored) })
			equal("unusable password", func() { check(t, s, "wrong", password.Unusable()) })
			equal("empty text", func() { check(t, s, "wrong", "") })
			equal("unknown algorithm", func() { check(t, s, "wrong", "lolcat$salt$hash") })
			equal("long password, unknown user", func() { _ = s.Decoy(ctx, strings.Repeat("x", 5000)) })
			equal("overlong password, known user", func() { check(t, s, strings.Repeat("x", password.MaxLength+1), stored) })
			for why, text := range unreadable() {
				equal(why, func() { check(t, s, "wrong", text) })
			}
			equal("older factor, wrong", func() { check(t, s, "wrong", encode(t, older[name], "right")) })
			equal("older factor, right", func() { check(t, s, "right", encode(t, older[name], "right")) })

			// Of another algorithm the kinds differ; the time by the estimate does not.
			for other := range current {
				for _, hasher := range []password.Hasher{current[other], older[other]} {
					check(t, s, "wrong", encode(t, hasher, "right"))
					got := s.take()
					if d := duration(got); d < slowest*98/100 || d > slowest*102/100 {
						t.Errorf("stored %s: costs %v (%s), want %v", other, d, sums(got), slowest)
					}
				}
			}
		})
	}
}

// TestM9DjangoWork holds the timing of Django, the control of TestM9EqualWork: one preferred hash for whoever cannot be
// checked, hardening of PBKDF2 and bcrypt for a wrong password, nothing else.
func TestM9DjangoWork(t *testing.T) {
	t.Parallel()
	argon := password.Argon2(password.Argon2Params{Memory: 64, Passes: 2})
	for _, row := range []struct {
		name             string
		preferred        password.Hasher
		stored           password.Hasher // nil: unusable
		wrong, rightCost string
	}{
		{"current", password.PBKDF2SHA256(20), password.PBKDF2SHA256(20), "pbkdf2_sha256 20", "pbkdf2_sha256 20"},
		{"unusable", password.PBKDF2SHA256(20), nil, "pbkdf2_sha256 20", "pbkdf2_sha256 20"},
		{"older pbkdf2", password.PBKDF2SHA256(20), password.PBKDF2SHA256(5), "pbkdf2_sha256 20", "pbkdf2_sha256 5"},
		{"newer pbkdf2", password.PBKDF2SHA256(20), password.PBKDF2SHA256(30), "pbkdf2_sha256 30", "pbkdf2_sha256 30"},
		{"older bcrypt", password.BCryptSHA256(6), password.BCryptSHA256(4), "bcrypt 64", "bcrypt 16"},
		{"older argon2", argon, password.Argon2(password.Argon2Params{Memory: 64, Passes: 1}), "argon2 64", "argon2 64"},
		{"another algorithm", argon, password.PBKDF2SHA256(5), "pbkdf2_sha256 5", "pbkdf2_sha256 5"},
	} {
		hashers := []password.Hasher{row.preferred}
		for _, h := range []password.Hasher{argon, password.PBKDF2SHA256(20), password.BCryptSHA256(6)} {
			if !slices.ContainsFunc(hashers, func(o password.Hasher) bool { return o.Algorithm() == h.Algorithm() }) {
				hashers = append(hashers, h)
			}
		}
		s := open(t, password.Config{Hashers: hashers})
		encoded := password.Unusable()
		if row.stored != nil {
			encoded = encode(t, row.stored, "right")
		}
		check(t, s, "wrong", encoded)
		if got := sums(s.take()); got != row.wrong {
			t.Errorf("%s, wrong password: got %s, want %s", row.name, got, row.wrong)
		}
		check(t, s, "right", encoded)
		if got := sums(s.take()); got != row.rightCost {
			t.Errorf("%s, right password: got %s, want %s", row.name, got, row.rightCost)
		}
	}
}

// TestM9MeasuredSpeed: without Config.Speed the algorithms are measured, and one alone is not.
func TestM9MeasuredSpeed(t *testing.T) {
	t.Parallel()
	s := open(t, password.Config{
		Hashers:   []password.Hasher{password.MD5(), password.PBKDF2SHA256(50_000)},
		EqualWork: true,
	})
	if err := s.Decoy(context.Background(), "x"); err != nil {
		t.Fatal(err)
	}
	filled := s.take()[1].Units
	if filled < 45_000 || filled > 50_000 {
		t.Errorf("MD5 beside 50000 iterations of PBKDF2 is filled by %d iterations, want nearly all", filled)
	}

	alone := open(t, password.Config{
		Hashers:   []password.Hasher{password.PBKDF2SHA256(20)},
		EqualWork: true,
		Speed:     func(password.Work) time.Duration { t.Error("one hasher is weighed against nothing"); return 1 },
	})
	check(t, alone, "wrong", encode(t, password.PBKDF2SHA256(5), "right"))
	if got := sums(alone.take()); got != "pbkdf2_sha256 20" {
		t.Errorf("older factor: got %s, want pbkdf2_sha256 20", got)
	}
}

// TestM8LongPasswords: bcrypt tells only 72 bytes apart. The 73rd counts with bcrypt_sha256, is refused when a plain bcrypt
// hash is made, and does not show whether a user exists. Control: a plain hash that Django cut still matches, and 72 bytes
// are hashed.
func TestM8LongPasswords(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	long := strings.Repeat("x", 73)

	s := open(t, password.Config{Hashers: []password.Hasher{password.BCryptSHA256(4)}})
	encoded, err := s.Make(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := check(t, s, long, encoded); !ok {
		t.Error("bcrypt_sha256: the right password of 73 bytes is refused")
	}
	if ok, _ := check(t, s, long[:72]+"y", encoded); ok {
		t.Error("bcrypt_sha256: the 73rd byte does not count")
	}

	plain := open(t, password.Config{Hashers: []password.Hasher{password.BCrypt(4)}, EqualWork: true})
	if _, err := plain.Make(ctx, long); !errors.Is(err, password.ErrTooLong) {
		t.Errorf("bcrypt: Make of 73 bytes: got %v, want ErrTooLong", err)
	}
	cut, err := plain.Make(ctx, long[:72])
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := check(t, plain, long, cut); !ok {
		t.Error("bcrypt: a hash that Django made of the first 72 bytes is refused")
	}
	plain.take()
	for who, do := range map[string]func() error{
		"unknown user": func() error { return plain.Decoy(ctx, long) },
		"known user":   func() error { _, _, err := plain.Check(ctx, "y"+long, cut); return err },
		"with NUL":     func() error { _, _, err := plain.Check(ctx, "\x00"+long, cut); return err },
		"NUL, unknown": func() error { return plain.Decoy(ctx, "\x00"+long) },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", who, err)
		}
		if got := sums(plain.take()); got != "bcrypt 16" {
			t.Errorf("%s: got %s, want bcrypt 16", who, got)
		}
	}
}

// TestM32NothingSecretIsLogged: what is logged about a stored text that cannot be checked names the algorithm and the
// reason, and neither password, salt nor hash.
func TestM32NothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	s := open(t, password.Config{Hashers: []password.Hasher{
		password.PBKDF2SHA256(1), password.Argon2(password.Argon2Params{Memory: 64}), password.BCrypt(4), password.Scrypt(password.ScryptParams{N: 16}), password.MD5(),
	}})
	const canary = "c4n4ry"
	secret := "abcdef" + canary
	for _, text := range []string{
		"pbkdf2_sha256$x" + canary + "$" + secret + "$" + secret,
		"pbkdf2_sha256$2000000000$" + secret + "$" + secret,
		"argon2$argon2d$v=19$m=512,t=2,p=2$" + secret + "$" + secret,
		"argon2$argon2id$v=19$m=512,t=2,p=2$" + secret + "=$" + secret,
		"bcrypt$$2b$99$" + secret + secret + secret,
		"bcrypt$$2b$04$abcdefghijklmnopqrstuu" + secret,
		"scrypt$16$" + secret + "$8$1$" + secret + "$",
		"md5$" + secret,
	} {
		if ok, _ := check(t, s, "\x00"+canary, text); ok {
			t.Errorf("%s matches", text)
		}
	}
	log := s.log.String()
	if strings.Contains(log, canary) {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	if n := strings.Count(log, "a stored password cannot be checked"); n != 8 {
		t.Errorf("%d warnings, want 8:\n%s", n, log)
	}
	if text := fmt.Sprintf("%v %+v %#v", s.Hashers, s.Hashers, s.Hashers); strings.Contains(text, canary) {
		t.Error("the hashers keep what they were asked")
	}
}

// TestM35LongInputs: the length of a password hardly changes what a hash costs, and beyond MaxLength nothing is hashed.
func TestM35LongInputs(t *testing.T) {
	t.Parallel()
	for _, hasher := range []password.Hasher{
		password.PBKDF2SHA256(2000), password.PBKDF2SHA1(2000), password.BCryptSHA256(4), password.Scrypt(password.ScryptParams{N: 16}),
		password.Argon2(password.Argon2Params{Memory: 64}),
	} {
		s := open(t, password.Config{Hashers: []password.Hasher{hasher}})
		longest := strings.Repeat("x", password.MaxLength)
		start := time.Now()
		encoded, err := s.Make(context.Background(), longest)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s of %d bytes took %v", hasher.Algorithm(), len(longest), took)
		}
		if ok, _ := check(t, s, longest, encoded); !ok {
			t.Errorf("%s: the longest password is refused", hasher.Algorithm())
		}
		if ok, _ := check(t, s, longest+"x", encoded); ok {
			t.Errorf("%s: an overlong password was cut", hasher.Algorithm())
		}
		if _, err := s.Make(context.Background(), longest+"x"); !errors.Is(err, password.ErrTooLong) {
			t.Errorf("%s: Make of an overlong password: got %v, want ErrTooLong", hasher.Algorithm(), err)
		}
		megabyte := strings.Repeat("x", 1<<20)
		start = time.Now()
		check(t, s, megabyte, encoded)
		if err := s.Decoy(context.Background(), megabyte); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s refuses a megabyte in %v", hasher.Algorithm(), took)
		}
	}
}
