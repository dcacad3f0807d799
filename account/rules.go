package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

// maxPassword is the longest password that is taken, in characters: far above what anybody types.
const maxPassword = 4096

// maxEmail is the longest address that is stored, in characters.
const maxEmail = 254

// address reads a typed e-mail address.
func (s *Service) address(typed string) (string, error) {
	typed = strings.TrimFunc(typed, isBlank)
	switch {
	case typed == "":
		return "", invalid("email", "Enter your e-mail address.")
	case utf8.RuneCountInString(typed) > maxEmail || !auth.ValidEmail(typed):
		return "", invalid("email", "Enter a valid e-mail address, such as ada@example.com.")
	}
	return typed, nil
}

// usernameProblem says what is wrong with a new user name, or "".
func (s Shape) usernameProblem(name string) string {
	switch {
	case name == "":
		return "Choose a user name."
	case utf8.RuneCountInString(name) > s.nameLength():
		return fmt.Sprintf("This user name is too long. Choose one of at most %d characters.", s.nameLength())
	case s.FreeName && strings.ContainsFunc(name, unicode.IsControl):
		return "Use characters that can be seen."
	case !s.FreeName && !auth.ValidUsername(name):
		return "Use letters, digits and @ . + - _ only."
	}
	return ""
}

// isBlank is what Python's str.strip removes.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// A NewPassword is a password as it is chosen, typed twice.
type NewPassword struct{ First, Second string }

// String hides the password.
func (NewPassword) String() string { return "account.NewPassword([redacted])" }

// GoString hides the password from %#v.
func (p NewPassword) GoString() string { return p.String() }

// check adds what is wrong with a new password of u to found. The fields have Django's names behind the prefix. Its error is
// that a rule could not be applied.
func (s *Service) check(ctx context.Context, p NewPassword, u User, prefix string, found *Invalid) error {
	first, second := prefix+"1", prefix+"2"
	switch {
	case p.First == "":
		found.add(first, "Choose a new password.")
		return nil
	case p.Second == "":
		found.add(second, "Type the new password once more.")
		return nil
	case p.First != p.Second:
		found.add(second, "The two passwords are not the same. Type the new one twice.")
		return nil
	case strings.TrimFunc(p.First, isBlank) == "":
		found.add(first, "A password of blanks alone is no password. Choose another one.")
		return nil
	case utf8.RuneCountInString(p.First) > maxPassword:
		found.add(first, fmt.Sprintf("This password is too long. Choose one of at most %d characters.", maxPassword))
		return nil
	case strings.ContainsRune(p.First, 0):
		found.add(first, "This password holds a character that cannot be typed. Choose another one.")
		return nil
	}
	err := s.cfg.Validators.Validate(ctx, p.First, password.About{Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email})
	var problems password.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for _, text := range problems.Messages() {
		found.add(first, text)
	}
	return nil
}
