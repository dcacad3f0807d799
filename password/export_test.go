package password

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// Entries are the passwords of a list, sorted.
func Entries(l *List) []string { return slices.Sorted(maps.Keys(l.entries)) }

// SplitParts and TooDifferentInLength are the parts of the similarity that Django's recorded answers are about.
var (
	SplitParts           = splitParts
	TooDifferentInLength = tooDifferentInLength
)

// QuickRatio is the similarity of two texts.
func QuickRatio(a, b string) float64 {
	return lettersOf(a).ratio(b, utf8.RuneCountInString(b))
}
