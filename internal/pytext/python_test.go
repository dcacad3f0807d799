package pytext_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/pytext"
)

// TestPython asks the python3 of this machine about every character that it knows, and about words around Σ.
func TestPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	letters := []string{
		"Σ", "Σ", "a", "A", "İ", "'", ".", ":", "·", "\u0301", "\u00ad", "1", " ", "_", "ʰ", "ß", "^", "’", "ª", "Ⓐ", "日", "\u0345",
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same words each time
	var words []string
	for range 20_000 {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(letters[random.IntN(len(letters))])
		}
		words = append(words, b.String())
	}
	in, err := json.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import json, re, sys, unicodedata
word = re.compile(r"\w")
chars = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
join = "\uffff".join # not a character
json.dump({
    "words": [w.lower() for w in json.load(sys.stdin)],
    "chars": join(chars),
    "lower": join(c.lower() for c in chars),
    "fold": join(c.casefold() for c in chars),
    "classes": "".join(chr(48 + c.isspace() + 2 * bool(word.match(c)) + 4 * c.isdigit()) for c in chars),
}, sys.stdout)
`)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, stderr.Bytes())
	}
	var answers struct {
		Words                       []string
		Chars, Lower, Fold, Classes string
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	chars, lower, fold := split(answers.Chars), split(answers.Lower), split(answers.Fold)
	if n := len(chars); len(answers.Words) != len(words) || n < 100_000 || len(lower) != n || len(fold) != n || len(answers.Classes) != n {
		t.Fatalf("%d words and %d characters answered", len(answers.Words), n)
	}
	for i, want := range answers.Words {
		if got := pytext.Lower(words[i]); got != want {
			t.Fatalf("Lower(%q) = %q, Python says %q", words[i], got, want)
		}
	}
	for i, c := range chars {
		if got := pytext.Lower(c); got != lower[i] {
			t.Errorf("Lower(%q) = %q, Python says %q", c, got, lower[i])
		}
		if got := pytext.Casefold(c); got != fold[i] {
			t.Errorf("Casefold(%q) = %q, Python says %q", c, got, fold[i])
		}
		r := []rune(c)[0]
		got := byte('0')
		for bit, set := range []bool{pytext.IsSpace(r), pytext.IsWord(r), pytext.IsDigit(r)} {
			if set {
				got += 1 << bit
			}
		}
		if got != answers.Classes[i] {
			t.Errorf("%U is of the classes %c, Python says %c", r, got, answers.Classes[i])
		}
	}
}

func split(s string) []string { return strings.Split(s, "\uffff") }
