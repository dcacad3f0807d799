package pyjson

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest. Python's own limit is about 1000, less what its stack already holds.
const MaxDepth = 500

// maxDigits is the longest integer that Python converts.
const maxDigits = 4300

// ErrDepth says that a value nests deeper than [MaxDepth].
var ErrDepth = errors.New("pyjson: nested too deep")

// A SyntaxError says what in a text is not JSON, and where.
type SyntaxError struct {
	Msg    string
	Offset int // in bytes, from zero
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("pyjson: %s at byte %d", e.Msg, e.Offset) }

// scanner walks over one text.
type scanner struct {
	src []byte
	pos int
}

func (s *scanner) fail(msg string) error { return &SyntaxError{Msg: msg, Offset: s.pos} }

func (s *scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next is the byte at the position, or 0 at the end.
func (s *scanner) next() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// take steps over c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// end checks that nothing but blanks follows.
func (s *scanner) end() error {
	s.space()
	if s.pos < len(s.src) {
		return s.fail("extra data")
	}
	return nil
}

// stringToken steps over a string. plain says that its bytes, quotes included, are what Python would write for it.
func (s *scanner) stringToken() (plain bool, err error) {
	if !s.take('"') {
		return false, s.fail("a string was expected")
	}
	plain = true
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '"':
			s.pos++
			return plain, nil
		case c == '\\':
			plain = false
			if err := s.escape(); err != nil {
				return false, err
			}
		case c < 0x20:
			return false, s.fail("control character in a string")
		case c <= '~':
			s.pos++
		case c < utf8.RuneSelf: // DEL, which Python escapes
			plain = false
			s.pos++
		default:
			plain = false
			r, n := utf8.DecodeRune(s.src[s.pos:])
			if r == utf8.RuneError && n == 1 {
				return false, s.fail("invalid UTF-8")
			}
			s.pos += n
		}
	}
	return false, s.fail("unterminated string")
}

func (s *scanner) escape() error {
	if s.pos+1 >= len(s.src) {
		return s.fail("unterminated string")
	}
	switch s.src[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return nil
	case 'u':
		if _, ok := hex4(s.src[s.pos+2:]); ok {
			s.pos += 6
			return nil
		}
		return s.fail(`invalid \uXXXX escape`)
	}
	return s.fail("invalid escape")
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// numberToken steps over a number as Python's scanner delimits it and says whether it is a float. What follows is the caller's:
// in "01" the number is 0.
func (s *scanner) numberToken() (float bool, err error) {
	start := s.pos
	i := s.pos
	at := func() byte {
		if i < len(s.src) {
			return s.src[i]
		}
		return 0
	}
	digits := func() int {
		from := i
		for c := at(); '0' <= c && c <= '9'; c = at() {
			i++
		}
		return i - from
	}
	if at() == '-' {
		i++
	}
	n := 1
	if at() == '0' {
		i++
	} else if n = digits(); n == 0 {
		return false, s.fail("a value was expected")
	}
	s.pos = i
	if at() == '.' {
		i++
		if digits() > 0 {
			s.pos, float = i, true
		}
	}
	i = s.pos
	if c := at(); c == 'e' || c == 'E' {
		i++
		if c = at(); c == '+' || c == '-' {
			i++
		}
		if digits() > 0 {
			s.pos, float = i, true
		}
	}
	if !float && n > maxDigits {
		s.pos = start
		return false, s.fail("integer of more than 4300 digits")
	}
	return float, nil
}

// literal steps over one of the words that are values.
func (s *scanner) literal() (word string, ok bool) {
	rest := s.src[s.pos:]
	for _, word := range [...]string{"null", "true", "false", "NaN", "Infinity", "-Infinity"} {
		if len(rest) >= len(word) && string(rest[:len(word)]) == word {
			s.pos += len(word)
			return word, true
		}
	}
	return "", false
}

// skip steps over a value and checks it. depth is how many containers it stands in.
func (s *scanner) skip(depth int) error {
	switch c := s.next(); c {
	case '"':
		_, err := s.stringToken()
		return err
	case '{', '[':
		return s.members(depth, func(name, bool) error { return s.skip(depth + 1) })
	default:
		if _, ok := s.literal(); ok {
			return nil
		}
		_, err := s.numberToken()
		return err
	}
}

// name is where an object's name lies in the text, quotes included; in an array it is empty.
type name struct {
	from, to int
	plain    bool
}

// members steps over an array or an object, whose opening bracket comes next, and calls value where each value begins.
func (s *scanner) members(depth int, value func(n name, first bool) error) error {
	if depth >= MaxDepth {
		return ErrDepth
	}
	closing := s.src[s.pos] + 2 // ] and } follow [ and { at that distance
	object := closing == '}'
	s.pos++
	s.space()
	if s.take(closing) {
		return nil
	}
	for first := true; ; first = false {
		var n name
		if object {
			var err error
			n.from = s.pos
			if n.plain, err = s.stringToken(); err != nil {
				return err
			}
			n.to = s.pos
			s.space()
			if !s.take(':') {
				return s.fail("':' was expected")
			}
			s.space()
		}
		if err := value(n, first); err != nil {
			return err
		}
		s.space()
		if s.take(closing) {
			return nil
		}
		if !s.take(',') {
			return s.fail("',' was expected")
		}
		s.space()
	}
}
