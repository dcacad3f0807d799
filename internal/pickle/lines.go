package pickle

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file reads the opcodes of protocol 0, whose arguments are lines of text.

func (r *reader) line(op byte) error {
	text, err := r.readLine()
	if err != nil {
		return err
	}
	switch op {
	case opInt:
		switch text {
		case "01":
			return r.scalar(true, 0)
		case "00":
			return r.scalar(false, 0)
		}
		return r.decimal(text)
	case opLong:
		return r.decimal(strings.TrimSuffix(text, "L"))
	case opFloat:
		if strings.Trim(text, "0123456789+-.einfa") != "" {
			return r.fail("invalid float")
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return r.fail("invalid float")
		}
		return r.scalar(f, 0)
	default:
		return r.rawUnicode(text)
	}
}

func (r *reader) readLine() (string, error) {
	i := bytes.IndexByte(r.src[r.pos:], '\n')
	if i < 0 {
		return "", r.fail("truncated")
	}
	text := string(r.src[r.pos : r.pos+i])
	r.pos += i + 1
	return text, nil
}

func (r *reader) decimal(text string) error {
	if len(text) > maxDigits+1 {
		return ErrBounds
	}
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return r.fail("invalid int")
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return r.fail("invalid int")
	}
	return r.scalar(shortest(n), len(text))
}

func (r *reader) lineIndex() (int, error) {
	text, err := r.readLine()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, r.fail("invalid memo index")
	}
	return int(n), nil
}

// rawUnicode reads Python's raw-unicode-escape: latin-1 with \uXXXX and \UXXXXXXXX.
func (r *reader) rawUnicode(text string) error {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		width := 0
		switch {
		case strings.HasPrefix(text[i:], `\u`):
			width = 4
		case strings.HasPrefix(text[i:], `\U`):
			width = 8
		}
		if width == 0 {
			out = utf8.AppendRune(out, rune(text[i]))
			i++
			continue
		}
		i += 2
		if i+width > len(text) {
			return r.fail("invalid escape")
		}
		n, err := strconv.ParseUint(text[i:i+width], 16, 32)
		if err != nil || n > utf8.MaxRune {
			return r.fail("invalid escape")
		}
		out = appendRune(out, rune(n))
		i += width
	}
	return r.scalar(string(out), len(out))
}

// appendRune is utf8.AppendRune that keeps surrogates.
func appendRune(dst []byte, c rune) []byte {
	if 0xd800 <= c && c < 0xe000 {
		return append(dst, 0xed, 0x80|byte(c>>6)&0x3f, 0x80|byte(c)&0x3f)
	}
	return utf8.AppendRune(dst, c)
}

// validText reports whether b is UTF-8 in which surrogates may stand alone: Python's surrogatepass.
func validText(b []byte) bool {
	for len(b) > 0 {
		c, n := utf8.DecodeRune(b)
		if c == utf8.RuneError && n == 1 {
			if len(b) < 3 || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
				return false
			}
			n = 3
		}
		b = b[n:]
	}
	return true
}
