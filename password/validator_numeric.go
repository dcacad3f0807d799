package password

import (
	"context"
	"strings"

	"github.com/cardea-go/cardea/internal/pytext"
)

// NumericPassword refuses passwords of digits only, of any script. It is Django's NumericPasswordValidator. It asks for another kind
// of character, which the standards now advise against; [DefaultValidators] do without.
func NumericPassword() Validator { return numeric{} }

type numeric struct{}

func (numeric) Validate(_ context.Context, password string, _ About) error {
	if password == "" || strings.ContainsFunc(password, func(r rune) bool { return !pytext.IsDigit(r) }) {
		return nil
	}
	return &Problem{Code: "password_entirely_numeric", Message: "This password is entirely numeric."}
}

func (numeric) Help() string { return "Your password can’t be entirely numeric." }
