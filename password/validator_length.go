package password

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// MinimumLength refuses passwords of fewer characters (Unicode code points). It is Django's MinimumLengthValidator.
func MinimumLength(fewest int) Validator { return minimumLength(fewest) }

type minimumLength int

func (m minimumLength) Validate(_ context.Context, password string, _ About) error {
	if utf8.RuneCountInString(password) >= int(m) {
		return nil
	}
	return &Problem{
		Code:    "password_too_short",
		Message: "This password is too short. It must contain at least " + characters(int(m)) + ".",
	}
}

func (m minimumLength) Help() string {
	return "Your password must contain at least " + characters(int(m)) + "."
}

func (m minimumLength) Lengths() (fewest, most int) { return int(m), 0 }

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return fmt.Sprintf("%d characters", n)
}

// Length refuses passwords of fewer characters (Unicode code points) than the one number and of more than the other; a most of 0
// is 4096. Unlike [MinimumLength] it says how many are missing. There is no limit that a password manager meets, and what is too
// long is never cut.
func Length(fewest, most int) Validator {
	if most == 0 {
		most = 4096
	}
	return length{fewest, most}
}

type length struct{ fewest, most int }

func (l length) Validate(_ context.Context, password string, _ About) error {
	switch n := utf8.RuneCountInString(password); {
	case n < l.fewest:
		return &Problem{
			Code:    "password_too_short",
			Message: fmt.Sprintf("This password is too short: add %s or more. It needs %d.", characters(l.fewest-n), l.fewest),
		}
	case n > l.most || len(password) > MaxLength:
		return &Problem{
			Code:    "password_too_long",
			Message: fmt.Sprintf("This password is too long: it may have up to %s.", characters(l.most)),
		}
	}
	return nil
}

func (l length) Help() string {
	return fmt.Sprintf("Use at least %s. Anything you can type counts, blanks too; several words are fine.", characters(l.fewest))
}

func (l length) Lengths() (fewest, most int) { return l.fewest, l.most }
