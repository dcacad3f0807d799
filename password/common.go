package password

import (
	"bufio"
	"embed"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/pytext"
)

// A Set is a set of passwords that others would try. It may be asked concurrently.
type Set interface {
	Has(password string) bool
}

// Common are the passwords that people choose by the dozen, described by rule rather than listed: some thousand words, names and
// phrases, written down for this package and taken from nobody's list, walks over the keyboard, dates and repetitions; each of
// them also with letters replaced by look-alikes, with digits, a year or punctuation at either end, reversed, or beside a
// second one. It answers without error in either direction about what it describes; see docs/passwords.md for what that is and how
// much of a list of real passwords it knows.
//
// It takes half a megabyte of memory and asks no one.
type Common struct {
	words map[string]struct{} // every word of every file
	glue  map[string]struct{} // those that make a common password of any word beside them
}

//go:embed common/*.txt
var commonFiles embed.FS

// NewCommon reads the words that are compiled in.
func NewCommon() *Common {
	c := &Common{words: make(map[string]struct{}, 8192), glue: make(map[string]struct{}, 512)}
	for _, name := range []string{"top", "words", "names", "places", "phrases", "foreign"} {
		file, err := commonFiles.Open("common/" + name + ".txt")
		if err != nil {
			panic("password: the program was built without its list of common words: " + err.Error())
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "#") {
				continue
			}
			for word := range strings.FieldsSeq(lines.Text()) {
				c.words[word] = struct{}{}
				if name == "top" {
					c.glue[word] = struct{}{}
				}
			}
		}
		_ = file.Close()
	}
	return c
}

// Words is how many words the rules start from.
func (c *Common) Words() int { return len(c.words) }

// longestCommon bounds the work, in bytes. Of what is longer only repetitions and walks are known.
const longestCommon = 64

// Has tells whether the rules describe the password, in whatever case and between whatever blanks.
func (c *Common) Has(password string) bool {
	s := pytext.Lower(pytext.Strip(password))
	if s == "" {
		return false
	}
	if len(s) > longestCommon {
		return c.isPattern(s)
	}
	if c.has(s) {
		return true
	}
	joined := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_.,+&", r) {
			return -1
		}
		return r
	}, s)
	return joined != s && joined != "" && c.has(joined)
}

func (c *Common) has(s string) bool {
	if c.isCore(s) || isDate(s) || c.isPair(s) || isLetteredWalk(s) {
		return true
	}
	// Something usual in front, or behind, or both. All-digit passwords have no core to stand beside.
	for start := 0; start <= min(maxAffix, len(s)-1); start++ {
		if start > 0 && !isAffixByte(s[start-1]) {
			break
		}
		for end := len(s); end > start+2 && len(s)-end <= maxAffix; end-- {
			if end < len(s) && !isAffixByte(s[end]) {
				break
			}
			if start == 0 && end == len(s) {
				continue
			}
			front, core, back := s[:start], s[start:end], s[end:]
			if isDigits(core) && isDigits(front+back) {
				continue
			}
			if usualAffix(front, 4) && usualAffix(back, 4) && c.isCore(core) ||
				front == "" && usualAffix(back, 2) && c.isPair(core) {
				return true
			}
		}
	}
	return false
}

// isCore: a word as it is, with look-alikes or backwards, or a pattern.
func (c *Common) isCore(s string) bool {
	if len(s) < 3 {
		return false
	}
	for _, v := range variants(s) {
		if c.isWord(v) {
			return true
		}
	}
	return len(s) > 3 && c.isWord(reverse(s)) || c.isPattern(s)
}

func (c *Common) isWord(s string) bool {
	_, ok := c.words[s]
	return ok
}

// isPair: two words, of which at least one stands beside anything.
func (c *Common) isPair(s string) bool {
	if isDigits(s) {
		return false
	}
	for _, v := range variants(s) {
		for cut := 1; cut < len(v); cut++ {
			a, b := v[:cut], strings.TrimLeft(v[cut:], " -_.,+&")
			if len(v)-cut-len(b) > 1 || b == "" {
				continue
			}
			_, glueA := c.glue[a]
			_, glueB := c.glue[b]
			if glueA && c.isPart(b) || glueB && c.isPart(a) {
				return true
			}
		}
	}
	return false
}

func (c *Common) isPart(s string) bool { return c.isWord(s) || len(s) >= 3 && isWalk(s) }

// isPattern: a walk, or something repeated that is short or common itself.
func (c *Common) isPattern(s string) bool {
	if isWalk(s) {
		return true
	}
	if double := undouble(s); double != s && isWalk(double) {
		return true
	}
	for n := 1; n <= min(len(s)/2, longestCommon/2); n++ {
		if !repeats(s, n) {
			continue
		}
		unit := s[:n]
		if utf8.RuneCountInString(unit) <= 3 || isYear(unit) || isDate(unit) || c.isCore(unit) || c.isPair(unit) {
			return true
		}
	}
	return false
}

// repeats tells whether s is its first n bytes over and over; the last time they may be cut.
func repeats(s string, n int) bool {
	for i := n; i < len(s); i++ {
		if s[i] != s[i-n] {
			return false
		}
	}
	return true
}

// variants are s and s with its look-alikes read as letters, in the two ways in which a 1 can be read.
func variants(s string) []string {
	if !strings.ContainsAny(s, "@4831!0$57+") {
		return []string{s}
	}
	return []string{s, lookalikesI.Replace(s), lookalikesL.Replace(s)}
}

var (
	lookalikesI = strings.NewReplacer("@", "a", "4", "a", "8", "b", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t", "+", "t")
	lookalikesL = strings.NewReplacer("@", "a", "4", "a", "8", "b", "3", "e", "1", "l", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t", "+", "t")
)

func reverse(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}
