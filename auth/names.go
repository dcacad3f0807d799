package auth

import (
	"errors"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea/internal/pytext"
)

// The rules that a typed user name can break.
var (
	// ErrNameMissing is a name of nothing or of blanks.
	ErrNameMissing = errors.New("the user name is missing")
	// ErrNameTooLong is a name of more characters than the column holds.
	ErrNameTooLong = errors.New("the user name is too long")
	// ErrNameNUL is a name with a zero byte in it.
	ErrNameNUL = errors.New("the user name has a null character in it")
)

// MaxUsername is how many characters Django's column for user names holds.
const MaxUsername = 150

// NormalizeUsername brings a user name into the form that is stored: Unicode NFKC, nothing else. Case and blanks stay. It is
// Django's AbstractBaseUser.normalize_username.
func NormalizeUsername(name string) string { return norm.NFKC.String(name) }

// TypedUsername is what somebody means who typed this into a field for user names: without the blanks around it, and
// normalized unless it is longer than maxLength characters, which is no name and could be very long. It is Django's
// UsernameField.to_python.
func TypedUsername(typed string, maxLength int) string {
	name := pytext.Strip(typed)
	if utf8.RuneCountInString(name) > maxLength {
		return name
	}
	return NormalizeUsername(name)
}

// CleanUsername returns what somebody who types a new user name means, or ErrNameMissing, ErrNameTooLong or ErrNameNUL. Which
// characters it may have is another question, see [ValidUsername]. It is Django's UsernameField.clean.
func CleanUsername(typed string, maxLength int) (string, error) {
	name := TypedUsername(typed, maxLength)
	switch {
	case name == "":
		return "", ErrNameMissing
	case utf8.RuneCountInString(name) > maxLength: // normalizing can make it longer
		return "", ErrNameTooLong
	}
	for i := range len(name) {
		if name[i] == 0 {
			return "", ErrNameNUL
		}
	}
	return name, nil
}

// ValidUsername tells whether a name has letters and numbers of any script and @ . + - _ in it and nothing else. Marks that
// combine with a letter are refused, so normalize first. It is Django's UnicodeUsernameValidator.
func ValidUsername(name string) bool {
	return validName(name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// ValidASCIIUsername is [ValidUsername] for the letters a to z, in either case, and the digits 0 to 9. It is Django's
// ASCIIUsernameValidator.
func ValidASCIIUsername(name string) bool {
	return validName(name, func(r rune) bool {
		return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	})
}

func validName(name string, alphanumeric func(rune) bool) bool {
	for _, r := range name {
		switch r {
		case '@', '.', '+', '-', '_':
		default:
			if !alphanumeric(r) {
				return false
			}
		}
	}
	return name != ""
}

// SameIdentifier tells whether two names or addresses look the same to Unicode: NFKC, then case folded. Before a mail goes out to
// somebody who typed an address, the stored one must be the same by this and not just by the database, in whose eyes mıke may
// be mike. It is Django's _unicode_ci_compare.
func SameIdentifier(a, b string) bool {
	return pytext.Casefold(norm.NFKC.String(a)) == pytext.Casefold(norm.NFKC.String(b))
}
