package pytext

import (
	"strings"

	"golang.org/x/text/cases"
)

// Casefold is str.casefold. Package cases leaves Cherokee as it is, whose small letters fold to the capital ones.
func Casefold(s string) string {
	s = cases.Fold().String(s)
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 0x13f8 <= r && r <= 0x13fd:
			return r - 8
		case 0xab70 <= r && r <= 0xabbf:
			return r - 0xab70 + 0x13a0
		}
		return r
	}, s)
}
