package origin

import "strings"

// asciiSet is a set of ASCII characters.
type asciiSet [2]uint64

func (s *asciiSet) has(c byte) bool { return c < 0x80 && s[c>>6]&(1<<(c&63)) != 0 }

func setOf(chars string) (s asciiSet) {
	const always = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"
	for _, c := range []byte(always + chars) {
		s[c>>6] |= 1 << (c & 63)
	}
	return s
}

// What Python's urllib.parse.quote leaves alone for each purpose.
var (
	iriSafe   = setOf("/#%[]=:;$&()+,!?*@'~")
	pathSafe  = setOf("/:@&+$,-_.!~*'()")
	querySafe = setOf("/")
)

const upperHex = "0123456789ABCDEF"

// quote writes every byte outside safe as %XX.
func quote(s string, safe *asciiSet) string {
	n := 0
	for i := 0; i < len(s); i++ {
		if !safe.has(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := 0; i < len(s); i++ {
		if c := s[i]; safe.has(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}

// unquote decodes each %XX, and leaves a % that does not start one alone, as Python's urllib.parse.unquote. Bytes that are
// not UTF-8 become U+FFFD.
func unquote(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if isEscape(s[i:]) {
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return decode(b.String())
}

// isEscape reports whether s starts with % and two hexadecimal digits.
func isEscape(s string) bool { return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2]) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// IRIToURI percent-encodes what may not stand in a URI and leaves escapes and separators as they are. It is Django's
// django.utils.encoding.iri_to_uri, and what a Location header must go through: backslashes, control characters and
// blanks, which browsers would read in their own way, come out harmless.
func IRIToURI(s string) string { return quote(s, &iriSafe) }

// EscapeURIPath percent-encodes an unescaped path; % ? # ; and = are encoded too. It is Django's
// django.utils.encoding.escape_uri_path.
func EscapeURIPath(s string) string { return quote(s, &pathSafe) }

// EscapeLeadingSlashes makes a path that starts with two slashes, which a browser would take for a host, start with "/%2F".
// Redirects to the path of a request need it (CVE-2018-14574). It is Django's django.utils.http.escape_leading_slashes.
func EscapeLeadingSlashes(path string) string {
	if strings.HasPrefix(path, "//") {
		return "/%2F" + path[2:]
	}
	return path
}
