package account

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPassword is the longest password that is taken, in characters: far above what anybody types.
const maxPassword = 4096

func eightCharacters(_ context.Context, password string, _ User) []string {
	if utf8.RuneCountInString(password) < 8 {
		return []string{"This password is too short. Choose one of at least 8 characters; a sentence is better than a word."}
	}
	return nil
}

func plainUsername(name string) string {
	switch {
	case name == "":
		return "Choose a user name."
	case utf8.RuneCountInString(name) > 150:
		return "This user name is too long. Choose one of at most 150 characters."
	case strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("_.@+-", r)
	}):
		return "Use letters, digits and @ . + - _ only."
	}
	return ""
}

// plainEmail is Django's rule for addresses without its rarities: no quoted local parts.
func plainEmail(address string) bool {
	local, domain, ok := cutLast(address, "@")
	if !ok || local == "" || domain == "" || utf8.RuneCountInString(address) > maxEmail {
		return false
	}
	for part := range strings.SplitSeq(local, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return !(r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("!#$%&'*+/=?^_`{}|~-", r))
		}) {
			return false
		}
	}
	if domain == "localhost" {
		return true
	}
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		_, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && strings.HasSuffix(domain, "]")
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return false
		}
	}
	return len(labels) >= 2
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// address reads a typed e-mail address.
func (s *Service) address(typed string) (string, error) {
	typed = strings.TrimFunc(typed, isBlank)
	switch {
	case typed == "":
		return "", invalid("email", "Enter your e-mail address.")
	case !s.cfg.CheckEmail(typed) || utf8.RuneCountInString(typed) > maxEmail:
		return "", invalid("email", "Enter a valid e-mail address, such as ada@example.com.")
	}
	return typed, nil
}

// isBlank is what Python's str.strip removes.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// A NewPassword is a password as it is chosen, typed twice.
type NewPassword struct{ First, Second string }

// String hides the password.
func (NewPassword) String() string { return "account.NewPassword([redacted])" }

// check adds what is wrong with a new password of u. The fields have Django's names behind the prefix.
func (s *Service) check(ctx context.Context, p NewPassword, u User, prefix string, found *Invalid) {
	first, second := prefix+"1", prefix+"2"
	switch {
	case p.First == "":
		found.add(first, "Choose a new password.")
		return
	case p.Second == "":
		found.add(second, "Type the new password once more.")
		return
	case p.First != p.Second:
		found.add(second, "The two passwords are not the same. Type the new one twice.")
		return
	case strings.TrimFunc(p.First, isBlank) == "":
		found.add(first, "A password of blanks alone is no password. Choose another one.")
		return
	case utf8.RuneCountInString(p.First) > maxPassword:
		found.add(first, fmt.Sprintf("This password is too long. Choose one of at most %d characters.", maxPassword))
		return
	case strings.ContainsRune(p.First, 0):
		found.add(first, "This password holds a character that cannot be typed. Choose another one.")
		return
	}
	for _, text := range s.cfg.CheckPassword(ctx, p.First, u) {
		found.add(first, text)
	}
}
