package origin

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// lower is Python's str.lower: the full mapping of Unicode, not the one rune for one rune of strings.ToLower.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return cases.Lower(language.Und).String(s)
		}
	}
	return strings.ToLower(s)
}

// isSpace reports what Python's str.strip removes; unlike unicode.IsSpace it knows the separators U+001C to U+001F.
func isSpace(r rune) bool {
	switch {
	case '\t' <= r && r <= '\r', 0x1c <= r && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680, 0x2000 <= r && r <= 0x200a,
		r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

func strip(s string) string { return strings.TrimFunc(s, isSpace) }

// decode replaces what is not UTF-8 by U+FFFD, one for each maximal part, as Python's errors="replace".
func decode(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = badPrefix(s)
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// badPrefix returns the length of the longest start of s that also starts some valid sequence, at least 1.
func badPrefix(s string) int {
	lo, hi, n := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case 0xc2 <= c && c <= 0xdf:
		n = 2
	case 0xe0 <= c && c <= 0xef:
		n = 3
		switch c {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		}
	case 0xf0 <= c && c <= 0xf4:
		n = 4
		switch c {
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	}
	size := 1
	for size < n && size < len(s) && lo <= s[size] && s[size] <= hi {
		size++
		lo, hi = 0x80, 0xbf
	}
	return size
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
