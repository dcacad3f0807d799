package signing

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"unicode"
)

// ErrNumber says that a text is not a number in the base that was asked for, or that a number has no such text.
var ErrNumber = errors.New("signing: not a number in this base")

// Base36 returns n in base 36 with lower-case letters: Django's int_to_base36. A negative number is ErrNumber.
func Base36(n *big.Int) (string, error) {
	if n.Sign() < 0 {
		return "", ErrNumber
	}
	return n.Text(36), nil
}

// ParseBase36 reads a number in base 36: Django's base36_to_int, which takes 13 characters at most and what Python's int takes:
// either case, blanks around, a sign, single underscores between digits, and digits of any script.
func ParseBase36(s string) (*big.Int, error) {
	var digits []byte
	n := 0
	for range s {
		n++
	}
	if n > 13 {
		return nil, ErrNumber
	}
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
	s, negative := strings.CutPrefix(s, "-")
	if !negative {
		s = strings.TrimPrefix(s, "+")
	}
	digit := false // was the last character one
	for _, r := range s {
		switch {
		case r == '_' && digit:
			digit = false
			continue
		case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			digits = append(digits, byte(r))
		case r >= 0x80 && unicode.Is(unicode.Nd, r):
			digits = append(digits, decimal(r))
		default:
			return nil, ErrNumber
		}
		digit = true
	}
	if !digit {
		return nil, ErrNumber
	}
	v, ok := new(big.Int).SetString(string(digits), 36)
	if !ok {
		return nil, ErrNumber
	}
	if negative {
		v.Neg(v)
	}
	return v, nil
}

// decimal is the ASCII digit of a decimal digit of any script. Unicode puts them ten by ten, zero first.
func decimal(r rune) byte {
	n := 0
	for p := r - 1; unicode.Is(unicode.Nd, p); p-- {
		n++
	}
	return byte('0' + n%10)
}

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62Len is the length of the longest int64.
const base62Len = 12

// Base62 returns n in base 62, digits before upper case before lower case: Django's b62_encode.
func Base62(n *big.Int) string {
	if n.IsInt64() {
		return string(appendBase62(nil, n.Int64()))
	}
	// big.Int has lower case before upper case.
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, n.Text(62))
}

// ParseBase62 reads a number of any size in base 62: Django's b62_decode, to which "-" alone is zero.
func ParseBase62(s string) (*big.Int, error) {
	digits, negative := strings.CutPrefix(s, "-")
	if s == "" {
		return nil, ErrNumber
	}
	n := new(big.Int)
	base := big.NewInt(62)
	for i := range len(digits) {
		d := base62Digit(digits[i])
		if d < 0 {
			return nil, ErrNumber
		}
		n.Add(n.Mul(n, base), big.NewInt(d))
	}
	if negative {
		n.Neg(n)
	}
	return n, nil
}

func appendBase62(dst []byte, n int64) []byte {
	u := uint64(n) //nolint:gosec // the magnitude, also of the least int64
	if n < 0 {
		dst = append(dst, '-')
		u = -u
	}
	var buf [base62Len]byte
	i := len(buf)
	for {
		i--
		buf[i] = base62Digits[u%62]
		u /= 62
		if u == 0 {
			return append(dst, buf[i:]...)
		}
	}
}

// parseBase62 is ParseBase62 for times: what an int64 does not reach becomes the largest or the least one.
func parseBase62(s string) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	if s == "" {
		return 0, ErrNumber
	}
	var n int64
	for i := range len(digits) {
		d := base62Digit(digits[i])
		if d < 0 {
			return 0, ErrNumber
		}
		if n > (math.MaxInt64-d)/62 {
			n = math.MaxInt64
			continue
		}
		n = n*62 + d
	}
	if negative {
		n = -n
	}
	return n, nil
}

func base62Digit(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'A' <= c && c <= 'Z':
		return int64(c-'A') + 10
	case 'a' <= c && c <= 'z':
		return int64(c-'a') + 36
	}
	return -1
}
