package password

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea/internal/pytext"
)

// Context refuses passwords that are made of what everybody sees: the given words, such as the names of the site and of its owner, and
// what is known about the person: user name, names, mail address, and their parts, in any order, forwards or backwards, with
// look-alikes for letters. A password may have them in it, if there is a password left when they are taken away: four characters
// or more between the digits and the punctuation at its ends, that are no common password by themselves.
func Context(words ...string) Validator { return newContext(NewCommon(), words) }

func newContext(common *Common, words []string) *contextWords {
	c := &contextWords{common: common}
	for _, word := range words {
		c.words = append(c.words, partsOf(word)...)
	}
	return c
}

type contextWords struct {
	words  []string
	common *Common
}

func (c *contextWords) Validate(_ context.Context, password string, about About) error {
	words := slices.Clone(c.words)
	for _, a := range about.attributes() {
		words = append(words, partsOf(a.Value)...)
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	words = slices.Compact(words)
	for _, v := range variants(simplify(password)) {
		rest := v
		for _, word := range words {
			rest = strings.ReplaceAll(rest, word, "\x00") // what stood around it does not become a word
			rest = strings.ReplaceAll(rest, reverse(word), "\x00")
		}
		if rest != v && c.isLittle(strings.ReplaceAll(rest, "\x00", "")) {
			return &Problem{
				Code: "password_context",
				Message: "This password is mostly your name, your address or the name of this site, which others try first. " +
					"Leave them out, or put several other words beside them.",
			}
		}
	}
	return nil
}

func (c *contextWords) isLittle(rest string) bool {
	inner := strings.TrimFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
	return utf8.RuneCountInString(inner) < 4 || c.common.Has(rest) || c.common.Has(inner)
}

func (*contextWords) Help() string {
	return "Do not use your name, your address or the name of this site."
}

// shortestWord is the length in characters of the shortest word that is looked for. Shorter ones are in everything.
const shortestWord = 3

// partsOf returns the words in a name or an address, the part before the @, and all of it run together.
func partsOf(value string) []string {
	value = simplify(value)
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '_' || !pytext.IsWord(r) })
	}
	local, _, _ := strings.Cut(value, "@")
	var parts []string
	for _, part := range append(split(value), value, strings.Join(split(local), ""), strings.Join(split(value), "")) {
		if utf8.RuneCountInString(part) >= shortestWord {
			parts = append(parts, part)
		}
	}
	return parts
}

// simplify returns the text in lower case, compatibility characters as plain ones, without accents.
func simplify(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(pytext.Lower(s)))
}
