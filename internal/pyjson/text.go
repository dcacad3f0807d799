package pyjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends s as a JSON string in ASCII. A lone surrogate in its three-byte form becomes its escape; other bytes
// that are not UTF-8 become \ufffd.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && itself(s[i]) {
			i++
		}
		dst = append(dst, s[from:i]...)
		if i == len(s) {
			break
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			if lone, ok := surrogate(s[i:]); ok {
				r, n = lone, 3
			}
		}
		dst = appendEscaped(dst, r)
		i += n
	}
	return append(dst, '"')
}

// itself reports whether a byte stands for itself in a string.
func itself(c byte) bool { return ' ' <= c && c <= '~' && c != '"' && c != '\\' }

// surrogate reads the three-byte form of a surrogate.
func surrogate(s string) (r rune, ok bool) {
	if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

// appendRune is utf8.AppendRune that keeps surrogates.
func appendRune(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xed, 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(dst, r)
}

func appendEscaped(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '\f':
		return append(dst, `\f`...)
	case '\b':
		return append(dst, `\b`...)
	}
	if ' ' <= r && r <= '~' {
		return append(dst, byte(r))
	}
	if r > 0xffff {
		hi, lo := utf16.EncodeRune(r)
		return appendUnit(appendUnit(dst, hi), lo)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendToken appends a string token, which was checked, as Python would write it again.
func appendToken(dst, token []byte, plain bool) []byte {
	if plain {
		return append(dst, token...)
	}
	dst = append(dst, '"')
	for i := 1; i < len(token)-1; {
		var r rune
		r, i = tokenRune(token, i)
		dst = appendEscaped(dst, r)
	}
	return append(dst, '"')
}

// unquote is the text of a string token, which was checked.
func unquote(token []byte, plain bool) string {
	if plain {
		return string(token[1 : len(token)-1])
	}
	text := make([]byte, 0, len(token))
	for i := 1; i < len(token)-1; {
		var r rune
		r, i = tokenRune(token, i)
		text = appendRune(text, r)
	}
	return string(text)
}

// tokenRune reads the character at i of a string token, which was checked, and says where the next one is.
func tokenRune(token []byte, i int) (rune, int) {
	if token[i] != '\\' {
		r, n := utf8.DecodeRune(token[i:])
		return r, i + n
	}
	switch c := token[i+1]; c {
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'f':
		return '\f', i + 2
	case 'b':
		return '\b', i + 2
	case 'u':
		r, _ := hex4(token[i+2:])
		i += 6
		if utf16.IsSurrogate(r) && token[i] == '\\' && token[i+1] == 'u' {
			lo, _ := hex4(token[i+2:])
			if pair := utf16.DecodeRune(r, lo); pair != utf8.RuneError {
				return pair, i + 6
			}
		}
		return r, i
	default: // " \ /
		return rune(c), i + 2
	}
}
