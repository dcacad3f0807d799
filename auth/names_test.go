package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testhang"
)

func TestCleanUsername(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed, want string
		err         error
	}{
		{" Ada\u00a0", "Ada", nil},
		{"\u1d2cda", "Ada", nil}, // a modifier letter
		{strings.Repeat("x", 150), strings.Repeat("x", 150), nil},
		{strings.Repeat("x", 151), "", auth.ErrNameTooLong},
		{strings.Repeat("ﬀ", 76), "", auth.ErrNameTooLong}, // 152 when normalized
		{"", "", auth.ErrNameMissing},
		{"\u3000\x1f", "", auth.ErrNameMissing},
		{"a\x00b", "", auth.ErrNameNUL},
	} {
		got, err := auth.CleanUsername(c.typed, auth.MaxUsername)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("CleanUsername(%.20q) = %.20q, %v, want %.20q, %v", c.typed, got, err, c.want, c.err)
		}
	}
}

func TestValidUsername(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		unicode, ascii bool
	}{
		{"ada", true, true},
		{"a.d+a@x-y_9", true, true},
		{"René", true, false},
		{"Rene\u0301", false, false},
		{"أحمد", true, false},
		{"½Ⅷ²", true, false},
		{"", false, false},
		{"ada\n", false, false},
		{"ada lovelace", false, false},
		{"o'connell", false, false},
		{"ada\x00", false, false},
		{"ada\xff", false, false},
		{"a\u200bda", false, false},
	} {
		if got := auth.ValidUsername(c.name); got != c.unicode {
			t.Errorf("ValidUsername(%q) = %v", c.name, got)
		}
		if got := auth.ValidASCIIUsername(c.name); got != c.ascii {
			t.Errorf("ValidASCIIUsername(%q) = %v", c.name, got)
		}
	}
}

func TestValidEmail(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("b", 63)
	for _, c := range []struct {
		address string
		want    bool
	}{
		{"ada@example.org", true},
		{"a.d+a@sub.example.org", true},
		{"ada@localhost", true},
		{"ada@LOCALHOST", false},
		{"ada@[127.0.0.1]", true},
		{"ada@[::ffff:127.0.0.1]", true},
		{"ada@[127.0.0.1", false},
		{"ada@[127.0.0.01]", false},
		{"ada@[fe80::1%eth0]", false},
		{`"ada \ lovelace"@example.org`, false},
		{`"ada\ \"lovelace"@example.org`, true},
		{`"ada\"@example.org`, false},
		{`"ada" @example.org`, false},
		{"ada@lovelace@example.org", false},
		{`"ada@lovelace"@example.org`, true},
		{"ada@bücher.example", true},
		{"ada@example.xn--p1ai", true},
		{"ada@example.c0m", false},
		{"ada@example.c", false},
		{"ada@-example.org", false},
		{"ada@example-.org", false},
		{"ada@example..org", false},
		{"ada@example.org.", false},
		{"ada@example.org\n", false},
		{"ada\n@example.org", false},
		{"ada@" + label + ".org", true},
		{"ada@b" + label + ".org", false},
		{"m\u0131\u017fe@example.org", true}, // as Python folds
		{"adä@example.org", false},
		{"ada@example.\xff\xff", false},
		{strings.Repeat("a", 320-len("@example.org")) + "@example.org", true},
		{strings.Repeat("a", 321-len("@example.org")) + "@example.org", false},
		{"@example.org", false},
		{"ada@", false},
		{"ada", false},
		{"", false},
	} {
		if got := auth.ValidEmail(c.address); got != c.want {
			t.Errorf("ValidEmail(%q) = %v", c.address, got)
		}
	}
}

// TestValidEmailIsQuick: texts that take a back-tracking expression years.
func TestValidEmailIsQuick(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, address := range []string{
		strings.Repeat("a.", 1<<20) + "@example.org",
		"a@" + strings.Repeat("b-", 1<<20) + ".",
		`"` + strings.Repeat(`\`, 1<<20) + `@a.bc`,
		strings.Repeat("@", 1<<20),
		strings.Repeat("a", 200) + "@" + strings.Repeat("b.", 58) + "!",
	} {
		if auth.ValidEmail(address) {
			t.Errorf("ValidEmail(%.20q…) = true", address)
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
}

// TestSameIdentifier: look-alikes that a database takes for equal are not, and Unicode's own equals are.
func TestSameIdentifier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Mike@Example.org", "mike@example.ORG", true},
		{"mıke@example.org", "mike@example.org", false},
		{"mike@example.org", "mike@exampl\u0435.org", false}, // a Cyrillic е
		{"ß", "SS", true},
		{"K", "\u212a", true},
		{"ᏸ", "Ᏸ", true},
	} {
		if got := auth.SameIdentifier(c.a, c.b); got != c.want {
			t.Errorf("SameIdentifier(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

// FuzzValidEmail: what is taken can be normalized and stays valid, holds one address, and breaks no mail header.
func FuzzValidEmail(f *testing.F) {
	for _, seed := range []string{"ada@example.org", `"a@\"b"@[::1]`, "ıİſ\u212a@ⓐ.bc", "a@b.xn--c", "a@-b.-c", "Σ@ΑΣ.ΑΣ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		testhang.Watch(t)
		if !auth.ValidEmail(address) {
			return
		}
		if strings.ContainsAny(address, "\r\n\x00") || len([]rune(address)) > auth.MaxEmail {
			t.Errorf("ValidEmail(%q) = true", address)
		}
		normal := auth.NormalizeEmail(address)
		if auth.NormalizeEmail(normal) != normal || !auth.SameIdentifier(normal, address) {
			t.Errorf("NormalizeEmail(%q) = %q", address, normal)
		}
	})
}
