package password

import (
	"encoding/json"
	"fmt"
	"math"
)

// A DjangoValidator is one entry of Django's AUTH_PASSWORD_VALIDATORS.
type DjangoValidator struct {
	Name    string         // NAME, for example "django.contrib.auth.password_validation.MinimumLengthValidator"
	Options map[string]any // OPTIONS: numbers, texts and lists as JSON or TOML give them
}

const validatorModule = "django.contrib.auth.password_validation."

// DjangoProjectValidators are the four entries that Django's startproject writes, in its order.
func DjangoProjectValidators() []DjangoValidator {
	return []DjangoValidator{
		{Name: validatorModule + "UserAttributeSimilarityValidator"},
		{Name: validatorModule + "MinimumLengthValidator"},
		{Name: validatorModule + "CommonPasswordValidator"},
		{Name: validatorModule + "NumericPasswordValidator"},
	}
}

// ValidatorsFromDjango returns the rules that Django's AUTH_PASSWORD_VALIDATORS names, in order. A name or an option that Django 5.2
// does not have is an error.
//
// CommonPasswordValidator reads its list from the option password_list_path, as in Django. Django's own list is not part of this
// package; without the option the rule asks [Common]. Name the file common-passwords.txt.gz of a Django installation to have
// exactly its answers.
func ValidatorsFromDjango(list []DjangoValidator) (Validators, error) {
	rules := make(Validators, 0, len(list))
	for _, entry := range list {
		o := djangoOptions{left: entry.Options}
		var rule Validator
		var err error
		switch entry.Name {
		case validatorModule + "MinimumLengthValidator":
			rule = MinimumLength(o.integer("min_length", 8))
		case validatorModule + "NumericPasswordValidator":
			rule = NumericPassword()
		case validatorModule + "CommonPasswordValidator":
			var known *List
			if path := o.text("password_list_path"); path != "" {
				known, err = OpenList(path)
			}
			rule = CommonPassword(known)
		case validatorModule + "UserAttributeSimilarityValidator":
			rule, err = UserAttributeSimilarity(o.texts("user_attributes"), o.number("max_similarity", 0.7))
		default:
			err = fmt.Errorf("%q is not one of Django 5.2's; write it as a password.Validator, or take it off the list", entry.Name)
		}
		if err == nil {
			err = o.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("password: validator %s: %w", entry.Name, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// djangoOptions takes options one by one and keeps the first mistake.
type djangoOptions struct {
	left map[string]any
	seen map[string]bool
	err  error
}

func (o *djangoOptions) take(name string) any {
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[name] = true
	return o.left[name]
}

func (o *djangoOptions) wrong(name string, value any, want string) {
	if o.err == nil {
		o.err = fmt.Errorf("the option %s is %v, not %s", name, value, want)
	}
}

func (o *djangoOptions) number(name string, preset float64) float64 {
	switch v := o.take(name).(type) {
	case nil:
		return preset
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
		o.wrong(name, v, "a number")
	default:
		o.wrong(name, v, "a number")
	}
	return preset
}

func (o *djangoOptions) integer(name string, preset int) int {
	f := o.number(name, float64(preset))
	if f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		o.wrong(name, f, "a whole number")
		return preset
	}
	return int(f)
}

func (o *djangoOptions) text(name string) string {
	switch v := o.take(name).(type) {
	case nil:
	case string:
		return v
	default:
		o.wrong(name, v, "a text")
	}
	return ""
}

// texts returns nil when the option is absent.
func (o *djangoOptions) texts(name string) []string {
	switch v := o.take(name).(type) {
	case nil:
	case []string:
		return append([]string{}, v...)
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				o.wrong(name, v, "a list of texts")
				break
			}
			list = append(list, s)
		}
		return list
	default:
		o.wrong(name, v, "a list of texts")
	}
	return nil
}

func (o *djangoOptions) finish() error {
	for name := range o.left {
		if !o.seen[name] && o.err == nil {
			o.err = fmt.Errorf("there is no option %q", name)
		}
	}
	return o.err
}
