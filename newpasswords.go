package cardea

import "github.com/cardea-go/cardea/password"

// NewPasswordValidators returns the rules for new passwords that cfg and its profile name. Django's profile has none.
func NewPasswordValidators(cfg Config) (password.Validators, error) {
	_, row, err := named(cfg.Profile)
	if err != nil {
		return nil, err
	}
	err = cfg.checkAccounts(row)
	return cfg.PasswordValidators, err
}
