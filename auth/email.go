package auth

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/pytext"
)

// MaxEmail is the length in characters of the longest address that [ValidEmail] takes. Django's column holds 254.
const MaxEmail = 320

// NormalizeEmail brings an address into the form that is stored: without blanks around it, and with the domain in lower
// case. The part before the last @ stays, since its meaning is the receiving server's. What has no @ is returned as it is. It is
// Django's BaseUserManager.normalize_email.
func NormalizeEmail(address string) string {
	trimmed := pytext.Strip(address)
	at := strings.LastIndexByte(trimmed, '@')
	if at < 0 {
		return address
	}
	return trimmed[:at+1] + pytext.Lower(trimmed[at+1:])
}

// ValidEmail tells whether an address has the form of one. The part before the @ is words with dots between them, or quoted; the
// domain has two labels at least, or is localhost, or an IP address in brackets. It is Django's validate_email, which takes the
// letters ı, İ, ſ and K (the Kelvin sign) for i, s and k; it takes one pass.
func ValidEmail(address string) bool {
	if !utf8.ValidString(address) || utf8.RuneCountInString(address) > MaxEmail {
		return false
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return false
	}
	local, domain := address[:at], address[at+1:]
	return (validDotAtom(local) || validQuoted(local)) &&
		(domain == "localhost" || validDomain(domain) || validLiteral(domain))
}

// validDotAtom: words of letters, digits and punctuation, none empty, with dots between them.
func validDotAtom(local string) bool {
	for word := range strings.SplitSeq(local, ".") {
		if word == "" {
			return false
		}
		for _, r := range word {
			if !isMailLetter(r) && !isMailDigit(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) {
				return false
			}
		}
	}
	return true
}

// validQuoted: ASCII between quotation marks. NUL, line feed and carriage return are out; tabs, blanks, quotation marks and
// backslashes stand behind a backslash.
func validQuoted(local string) bool {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return false
	}
	escaped := false
	for _, r := range local[1 : len(local)-1] {
		switch {
		case r == 0 || r == '\n' || r == '\r' || r > 0x7f && !isMailLetter(r):
			return false
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"' || r == ' ' || r == '\t':
			return false
		}
	}
	return !escaped
}

// validDomain: two labels or more, of 1 to 63 letters, digits and inner hyphens each. The last one has 2 characters at least and
// no digits, unless it is in the encoding that begins with xn--.
func validDomain(domain string) bool {
	last := strings.LastIndexByte(domain, '.')
	if last < 0 || !validTopLabel(domain[last+1:]) {
		return false
	}
	for label := range strings.SplitSeq(domain[:last], ".") {
		if !validLabel(label) {
			return false
		}
	}
	return true
}

func validLabel(label string) bool {
	n := 0
	for _, r := range label {
		if !isDomainLetter(r) && !isMailDigit(r) && r != '-' {
			return false
		}
		n++
	}
	return 1 <= n && n <= 63 && label[0] != '-' && label[len(label)-1] != '-'
}

func validTopLabel(label string) bool {
	if !validLabel(label) || utf8.RuneCountInString(label) < 2 {
		return false
	}
	if !strings.ContainsFunc(label, isMailDigit) {
		return true
	}
	encoded := len(label) > 4 && strings.EqualFold(label[:4], "xn--")
	return encoded && !strings.ContainsFunc(label[4:], func(r rune) bool { return !isMailLetter(r) && !isMailDigit(r) })
}

// isDomainLetter: Latin letters, and everything of Unicode's first plane from U+00A1 on, since domains are written in any script.
func isDomainLetter(r rune) bool { return isMailLetter(r) || 0xa1 <= r && r <= 0xffff }

// validLiteral: an IPv4 or IPv6 address between brackets.
func validLiteral(domain string) bool {
	inner, ok := strings.CutPrefix(domain, "[")
	if !ok {
		return false
	}
	inner, ok = strings.CutSuffix(inner, "]")
	if !ok || len(inner) > 39 || strings.Contains(inner, "%") {
		return false
	}
	_, err := netip.ParseAddr(inner)
	return err == nil
}

// isMailLetter: a to z in either case, and the four characters that Python's regular expressions take for one of them when
// case is ignored.
func isMailLetter(r rune) bool {
	switch r {
	case 'ı', 'İ', 'ſ', '\u212a':
		return true
	}
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

func isMailDigit(r rune) bool { return '0' <= r && r <= '9' }
