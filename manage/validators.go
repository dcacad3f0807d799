package manage

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/cardea-go/cardea/password"
)

// validatorSettings are the rules of new passwords, by the names of Django's: a dotted path or its last part, and behind a question
// mark its options, as in "MinimumLengthValidator?min_length=10". An option that is a list is named once for each of its entries.
type validatorSettings struct {
	AuthPasswordValidators []string `setting:"auth_password_validators" fallback:"(the profile's rules)"`
}

const validatorModule = "django.contrib.auth.password_validation."

// useValidators lets the rules that the settings name replace those of the profile.
func (s *Settings) useValidators() error {
	if s.AuthPasswordValidators == nil {
		return nil
	}
	list := make([]password.DjangoValidator, 0, len(s.AuthPasswordValidators))
	for _, text := range s.AuthPasswordValidators {
		name, query, _ := strings.Cut(text, "?")
		if !strings.Contains(name, ".") {
			name = validatorModule + name
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return s.wrong("auth_password_validators", `has options that cannot be read, `+text+`: write them as "MinimumLengthValidator?min_length=10"`)
		}
		list = append(list, password.DjangoValidator{Name: name, Options: validatorOptions(values)})
	}
	rules, err := password.ValidatorsFromDjango(list)
	if err != nil {
		return s.wrong("auth_password_validators", "cannot be used: "+strings.TrimPrefix(err.Error(), "password: "))
	}
	s.PasswordValidators = rules
	return nil
}

// validatorOptions gives options the kinds of values that Django's have: user_attributes is a list, what looks like a number is one.
func validatorOptions(values url.Values) map[string]any {
	options := map[string]any{}
	for name, texts := range values {
		number := json.Number(texts[0])
		switch _, err := number.Float64(); {
		case name == "user_attributes" || len(texts) > 1:
			options[name] = texts
		case err == nil:
			options[name] = number
		default:
			options[name] = texts[0]
		}
	}
	return options
}
