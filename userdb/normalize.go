package userdb

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// NormalizeUsername brings a user name into the form that is stored: Unicode NFKC, nothing else. Case and blanks stay. It is
// what Django's AbstractBaseUser.normalize_username does.
func NormalizeUsername(name string) string { return norm.NFKC.String(name) }

// NormalizeEmail brings an address into the form that is stored: without blanks around it, and with the domain in lower
// case. The part before the last @ stays, since its meaning is the receiving server's. What has no @ is returned as it is. It is
// what Django's BaseUserManager.normalize_email does.
func NormalizeEmail(address string) string {
	trimmed := strings.TrimFunc(address, isPythonSpace)
	at := strings.LastIndexByte(trimmed, '@')
	if at < 0 {
		return address
	}
	return trimmed[:at+1] + cases.Lower(language.Und).String(trimmed[at+1:])
}

// isPythonSpace is Python's str.isspace: Go's White_Space and four separators of ASCII.
func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
