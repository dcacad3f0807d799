package pytext_test

import (
	"testing"

	"github.com/cardea-go/cardea/internal/pytext"
)

func TestLower(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"Straße ÄÖÜ", "straße äöü"},
		{"İstanbul", "i\u0307stanbul"},
		{"ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
		{"ΟΔΥΣΣΕΥΣ ΣΑΣ", "οδυσσευς σας"},
		{"Σ", "σ"},                           // alone it ends no word
		{"1Σ", "1σ"},                         // a digit has no case
		{"ΑΣ.", "ας."},                       // a full stop may stand in a word, and ends this one
		{"ΑΣ.Α", "ασ.α"},                     // here it stands in one
		{"Α'Σ", "α'ς"},                       // looking back, too
		{"Α\u0301Σ\u0301", "α\u0301ς\u0301"}, // marks do not count
		{"A\xffB", "a\ufffdb"},
	} {
		if got := pytext.Lower(c.in); got != c.want {
			t.Errorf("Lower(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r                  rune
		space, word, digit bool
	}{
		{' ', true, false, false},
		{'\x1c', true, false, false},
		{'\u3000', true, false, false},
		{'\u200b', false, false, false},
		{'\ufeff', false, false, false},
		{'_', false, true, false},
		{'-', false, false, false},
		{'é', false, true, false},
		{'\u0301', false, false, false},
		{'7', false, true, true},
		{'٤', false, true, true},
		{'²', false, true, true},
		{'①', false, true, true},
		{'½', false, true, false},
		{'Ⅷ', false, true, false},
		{'五', false, true, false},
	} {
		if got := pytext.IsSpace(c.r); got != c.space {
			t.Errorf("IsSpace(%q) = %v", c.r, got)
		}
		if got := pytext.IsWord(c.r); got != c.word {
			t.Errorf("IsWord(%q) = %v", c.r, got)
		}
		if got := pytext.IsDigit(c.r); got != c.digit {
			t.Errorf("IsDigit(%q) = %v", c.r, got)
		}
	}
	if got := pytext.Strip("\x1f\u00a0 a b\u2003\n"); got != "a b" {
		t.Errorf("Strip = %q", got)
	}
}
