package password

import (
	"strings"
	"time"
)

// keyboards holds the ways over keyboards, and through alphabets, that fingers take. Any piece of one is a walk, in either
// direction.
var keyboards = bothWays(
	"01234567890", "abcdefghijklmnopqrstuvwxyz", "!@#$%^&*()", // rows
	"qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "абвгдежзийклмнопрстуфхцчшщ",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmikolp", "1qazxsw23edcvfr45tgbnhy67ujm", // columns
	"!qaz@wsx#edc$rfv", "1qa2ws3ed4rf5tg6yh7uj8ik9ol",
	"1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "1a2s3d4f5g6h7j8k9l", "a1s2d3f4g5h6j7k8l9", "1z2x3c4v5b6n7m", // zigzags
	"qawsedrftgyhujikolp", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j",
	"147258369", "159357", "789456123", "963852741", // number pads
	"1357924680", "1020304050", "102030405060708090", "1122334455667788990", "0okm9ijn8uhb7ygv", // and in steps
)

func bothWays(rows ...string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(row + "\x00" + reverse(row) + "\x00")
	}
	return b.String()
}

// isWalk: up to four pieces of ways over the keyboard, of three keys each or more.
func isWalk(s string) bool {
	for range 4 {
		n := longestPiece(s)
		if n < 3 {
			return false
		}
		if s = s[n:]; s == "" {
			return true
		}
	}
	return false
}

// isLetteredWalk: five digits or more in a row of the keyboard, or all the same, with one or two letters at an end: "a123456789".
func isLetteredWalk(s string) bool {
	isLetter := func(r rune) bool { return 'a' <= r && r <= 'z' }
	digits := strings.TrimFunc(s, isLetter)
	return len(digits) >= 5 && len(s)-len(digits) <= 2 && isDigits(digits) && (isWalk(digits) || repeats(digits, 1))
}

func longestPiece(s string) int {
	n := 0
	for n < len(s) && s[n] != 0 && strings.Contains(keyboards, s[:n+1]) {
		n++
	}
	return n
}

// undouble returns "123" for "112233" and "111222333", and s when its characters are not all repeated alike.
func undouble(s string) string {
	n := 1
	for n < len(s) && s[n] == s[0] {
		n++
	}
	if n < 2 || len(s)%n != 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i += n {
		if strings.Count(s[i:i+n], s[i:i+1]) != n {
			return s
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isDate: a day of 1900 to 2039 in digits, in the orders of the world, with a year of two digits or four.
func isDate(s string) bool {
	layouts := []string{"020106", "010206", "060102"}
	switch {
	case len(s) == 8:
		layouts = []string{"02012006", "01022006", "20060102"}
	case len(s) != 6:
		return false
	}
	if !isDigits(s) {
		return false
	}
	for _, layout := range layouts {
		if day, err := time.Parse(layout, s); err == nil && day.Year() >= 1900 && day.Year() < 2040 {
			return true
		}
	}
	return false
}

// maxAffix is the length of the longest affix that is looked for.
const maxAffix = 12

const affixPunctuation = "!?.,@#$%&*-_+=~ ^()<>/;:'\""

func isAffixByte(c byte) bool {
	return '0' <= c && c <= '9' || strings.IndexByte(affixPunctuation, c) >= 0
}

// usualAffix: nothing, or what people put at an end: a few digits, a year, a date or a walk, with two marks of punctuation about
// them, or three marks of one kind.
func usualAffix(s string, digits int) bool {
	middle := strings.Trim(s, affixPunctuation)
	marks := len(s) - len(middle)
	if marks > 2 && (marks > 3 || middle != "" || !repeats(s, 1)) {
		return false
	}
	if !isDigits(middle) {
		return middle == ""
	}
	return len(middle) <= digits || isYear(middle) || isDate(middle) || isWalk(middle) || repeats(middle, 1)
}

func isYear(s string) bool { return len(s) == 4 && "1900" <= s && s < "2040" }

// isDigits is false for the empty text.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
