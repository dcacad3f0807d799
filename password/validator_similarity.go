package password

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/pytext"
)

// UserAttributeSimilarity refuses passwords that have nearly the letters of something known about their owner: of one of the named
// attributes, or of a word in it. No names mean username, first_name, last_name and email. What is similar is a ratio between
// 0.1 and 1, where 1 takes all but the same letters. It is Django's UserAttributeSimilarityValidator.
func UserAttributeSimilarity(attributes []string, maxSimilarity float64) (Validator, error) {
	if !(maxSimilarity >= 0.1) { // not a number is none either
		return nil, fmt.Errorf("password: max_similarity is %v, and must be 0.1 or more", maxSimilarity)
	}
	if attributes == nil {
		attributes = []string{"username", "first_name", "last_name", "email"}
	}
	return &similarity{attributes, maxSimilarity}, nil
}

type similarity struct {
	attributes []string
	max        float64
}

func (s *similarity) Validate(_ context.Context, password string, about About) error {
	typed := lettersOf(pytext.Lower(password))
	known := about.attributes()
	for _, name := range s.attributes {
		for _, a := range known {
			if a.Name != name || a.Value == "" {
				continue
			}
			for _, part := range splitParts(pytext.Lower(a.Value)) {
				n := utf8.RuneCountInString(part)
				if tooDifferentInLength(typed.total, s.max, n) || typed.ratio(part, n) < s.max {
					continue
				}
				label := a.Label
				if label == "" {
					label = a.Name
				}
				return &Problem{Code: "password_too_similar", Message: "The password is too similar to the " + label + "."}
			}
			break
		}
	}
	return nil
}

func (*similarity) Help() string {
	return "Your password can’t be too similar to your other personal information."
}

// splitParts returns the words of value and then value itself, as Python's re.split(r"\W+", value) + [value]: the words at the
// ends may be empty.
func splitParts(value string) []string {
	var parts []string
	start, inWord := 0, true
	for i, r := range value {
		word := pytext.IsWord(r)
		switch {
		case inWord && !word:
			parts = append(parts, value[start:i])
		case !inWord && word:
			start = i
		}
		inWord = word
	}
	if !inWord {
		start = len(value)
	}
	return append(parts, value[start:], value)
}

// tooDifferentInLength tells whether a password of this many characters is so much longer than a part that comparing them says
// nothing.
func tooDifferentInLength(password int, maxSimilarity float64, part int) bool {
	return password >= 10*part && float64(part) < maxSimilarity/2*float64(password)
}

// letters counts the characters of a text.
type letters struct {
	count map[rune]int
	total int
}

func lettersOf(s string) letters {
	l := letters{count: map[rune]int{}}
	for _, r := range s {
		l.count[r]++
		l.total++
	}
	return l
}

// ratio is twice the number of characters that l and a part of n characters have in common, whatever their order, over the
// number of all: the quick_ratio of Python's difflib.
func (l letters) ratio(part string, n int) float64 {
	if l.total+n == 0 {
		return 1
	}
	common := 0
	used := make(map[rune]int, n)
	for _, r := range part {
		if used[r] < l.count[r] {
			used[r]++
			common++
		}
	}
	return 2 * float64(common) / float64(l.total+n)
}
