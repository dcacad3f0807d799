package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/cardea-go/cardea/password"
)

// validatorSettings are the rules of new passwords, by the names of Django's: a dotted path or its last part, and behind a question
// mark its options, as in "MinimumLengthValidator?min_length=10". An option that is a list is named once for each of its entries. In the
// file a rule may also stand as Django's settings have it, {NAME = "…", OPTIONS = {min_length = 10}}.
type validatorSettings struct {
	AuthPasswordValidators validatorList `setting:"auth_password_validators" fallback:"(the profile's rules)"`
}

// A validatorList is a list of rules as texts.
type validatorList []string

var validatorListType = reflect.TypeFor[validatorList]()

// validatorsOf reads the rules of the file, each a text or a table.
func validatorsOf(entries []any) (validatorList, error) {
	list := validatorList{}
	for _, entry := range entries {
		switch e := entry.(type) {
		case string:
			list = append(list, e)
		case map[string]any:
			text, err := validatorText(e)
			if err != nil {
				return nil, err
			}
			list = append(list, text)
		default:
			return nil, errors.New("must be " + describe(validatorListType))
		}
	}
	return list, nil
}

func validatorText(table map[string]any) (string, error) {
	name, ok := table["NAME"].(string)
	options, isTable := table["OPTIONS"].(map[string]any)
	known := 1
	if _, given := table["OPTIONS"]; given {
		known++
		ok = ok && isTable
	}
	if !ok || len(table) != known {
		return "", errors.New(`has a table with more or less than NAME and OPTIONS, as in {NAME = "MinimumLengthValidator", OPTIONS = {min_length = 10}}`)
	}
	query := url.Values{}
	for option, value := range options {
		values, many := value.([]any)
		if !many {
			values = []any{value}
		}
		for _, v := range values {
			query.Add(option, fmt.Sprint(v))
		}
	}
	if len(query) == 0 {
		return name, nil
	}
	return name + "?" + query.Encode(), nil
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
