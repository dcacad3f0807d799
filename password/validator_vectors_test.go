package password_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/password"
)

const djangoModule = "django.contrib.auth.password_validation."

// djangoList is Django's own list of common passwords, from where scripts/django.sh puts Django, or nil.
func djangoList(t *testing.T) (path string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	path = filepath.Join(cache, "cardea/django/5.2/usr/lib/python3/dist-packages/django/contrib/auth/common-passwords.txt.gz")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	const cure = "Django's list of common passwords is not here: run scripts/django.sh"
	if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
		t.Fatal(cure)
	}
	t.Log(cure)
	return ""
}

func TestVectorsValidators(t *testing.T) {
	t.Parallel()
	v := &validatorVectors{list: djangoList(t)}
	vectors.Run(t, "validators", vectors.Ops{
		"MinimumLengthValidator":           vectorMinimumLength,
		"MinimumLengthValidator.help_text": vectorMinimumLengthHelp,
		"NumericPasswordValidator":         vectorNumeric,
		"CommonPasswordValidator":          v.common,
		"UserAttributeSimilarityValidator": vectorSimilarity,
		"quick_ratio":                      vectorRatio,
		"exceeds_maximum_length_ratio":     vectorLengthRatio,
		"split_parts":                      vectorSplit,
		"validate_password":                v.validate,
		"help_texts":                       vectorHelpTexts,
		"help_text_html":                   vectorHelpHTML,
		"common_passwords_meta":            v.meta,

		"UnicodeUsernameValidator": vectorUsername(auth.ValidUsername),
		"ASCIIUsernameValidator":   vectorUsername(auth.ValidASCIIUsername),
		"normalize_username":       vectorNormalizeUsername,
		"UsernameField.clean":      vectorCleanUsername,
		"UsernameField.to_python":  vectorTypedUsername,
		"normalize_email":          vectorNormalizeEmail,
		"validate_email":           vectorEmail,
		"unicode_ci_compare":       vectorSame,
	})
	if v.compared > 0 {
		t.Logf("%d cases of CommonPasswordValidator and validate_password agree with Django's own list", v.compared)
	}
}

// A recordedProblem is one of Django's ValidationErrors.
type recordedProblem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func verdict(rules password.Validators, text string, about password.About) (any, error) {
	out := []recordedProblem{}
	err := rules.Validate(context.Background(), text, about)
	var problems password.Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, vectors.Differs("%v", err)
	}
	for _, p := range problems {
		out = append(out, recordedProblem{p.Code, p.Message})
	}
	return out, nil
}

// rule makes one rule by its Django name.
func rule(name string, options map[string]any) (password.Validators, error) {
	return password.ValidatorsFromDjango([]password.DjangoValidator{{Name: djangoModule + name, Options: options}})
}

func vectorMinimumLength(c *vectors.Case) (any, error) {
	var in struct {
		Min      int `json:"min_length"`
		Password string
	}
	c.Bind(&in)
	rules, err := rule("MinimumLengthValidator", map[string]any{"min_length": in.Min})
	if err != nil {
		return nil, err
	}
	return verdict(rules, in.Password, password.About{})
}

func vectorMinimumLengthHelp(c *vectors.Case) (any, error) {
	var in struct {
		Min int `json:"min_length"`
	}
	c.Bind(&in)
	return password.MinimumLength(in.Min).Help(), nil
}

func vectorNumeric(c *vectors.Case) (any, error) {
	var in struct{ Password string }
	c.Bind(&in)
	rules, err := rule("NumericPasswordValidator", nil)
	if err != nil {
		return nil, err
	}
	return verdict(rules, in.Password, password.About{})
}

// A recordedPerson is the user of a case; nil is Django's None.
type recordedPerson map[string]any

func (p recordedPerson) about() (a password.About) {
	own := map[string]*string{"username": &a.Username, "first_name": &a.FirstName, "last_name": &a.LastName, "email": &a.Email}
	for name, value := range p {
		text, ok := value.(string)
		if !ok {
			continue // Django looks at texts only
		}
		if field := own[name]; field != nil {
			*field = text
		} else {
			a.More = append(a.More, password.Attribute{Name: name, Value: text})
		}
	}
	return a
}

func vectorSimilarity(c *vectors.Case) (any, error) {
	var in struct {
		User       recordedPerson
		Password   string
		Max        *json.Number `json:"max_similarity"`
		Attributes []any        `json:"user_attributes"`
	}
	c.Bind(&in)
	options := map[string]any{}
	if in.Max != nil {
		options["max_similarity"] = *in.Max
	}
	if in.Attributes != nil {
		options["user_attributes"] = in.Attributes
	}
	rules, err := rule("UserAttributeSimilarityValidator", options)
	if err != nil {
		return nil, err
	}
	return verdict(rules, in.Password, in.User.about())
}

func vectorRatio(c *vectors.Case) (any, error) {
	var in struct{ A, B string }
	c.Bind(&in)
	var want float64
	c.BindOut(&want)
	if got := password.QuickRatio(in.A, in.B); got != want {
		return nil, vectors.Differs("got %v, want %v", got, want)
	}
	return vectors.Same, nil // 1 and 1.0 are not the same text
}

func vectorLengthRatio(c *vectors.Case) (any, error) {
	var in struct {
		Password int     `json:"password_len"`
		Max      float64 `json:"max_similarity"`
		Value    int     `json:"value_len"`
	}
	c.Bind(&in)
	return password.TooDifferentInLength(in.Password, in.Max, in.Value), nil
}

func vectorSplit(c *vectors.Case) (any, error) {
	var in struct{ Value string }
	c.Bind(&in)
	return password.SplitParts(in.Value), nil
}

func vectorHelpTexts(*vectors.Case) (any, error) {
	rules, err := password.ValidatorsFromDjango(password.DjangoProjectValidators())
	return rules.Help(), err
}

func vectorHelpHTML(c *vectors.Case) (any, error) {
	var in struct{ Validators any }
	c.Bind(&in)
	if in.Validators != "startproject defaults" {
		return password.Validators{}.HelpHTML(), nil
	}
	rules, err := password.ValidatorsFromDjango(password.DjangoProjectValidators())
	return rules.HelpHTML(), err
}

// validatorVectors runs the cases that need a list. With Django's, every answer has to be Django's. Beside it Cardea's own list is
// asked, which no more than resembles it.
type validatorVectors struct {
	list     string
	compared int
}

// withDjangosList compares the verdict by Django's own list, if it is here.
func (v *validatorVectors) withDjangosList(c *vectors.Case, rules func(options map[string]any) (password.Validators, error), text string, about password.About) error {
	if v.list == "" {
		return nil
	}
	r, err := rules(map[string]any{"password_list_path": v.list})
	if err != nil {
		return vectors.Differs("%v", err)
	}
	got, err := verdict(r, text, about)
	if err != nil {
		return err
	}
	want := []recordedProblem{}
	c.BindOut(&want)
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		return vectors.Differs("with Django's list: got %s, want %s", a, b)
	}
	v.compared++
	return nil
}

func (v *validatorVectors) common(c *vectors.Case) (any, error) {
	var in struct{ Password string }
	c.Bind(&in)
	rules := func(options map[string]any) (password.Validators, error) {
		return rule("CommonPasswordValidator", options)
	}
	if err := v.withDjangosList(c, rules, in.Password, password.About{}); err != nil {
		return nil, err
	}
	own, err := rules(nil)
	if err != nil {
		return nil, err
	}
	got, err := verdict(own, in.Password, password.About{})
	if err != nil {
		return nil, err
	}
	var want []recordedProblem
	c.BindOut(&want)
	if list, _ := got.([]recordedProblem); len(list) != len(want) {
		return vectors.Deviation{Rule: "no password_list_path is given", Ours: "the answer of Cardea's own list"}, nil
	}
	return got, nil
}

func (v *validatorVectors) validate(c *vectors.Case) (any, error) {
	var in struct {
		Validators []string
		User       recordedPerson
		Password   string
	}
	c.Bind(&in)
	rules := func(options map[string]any) (password.Validators, error) {
		var list []password.DjangoValidator
		for _, name := range in.Validators {
			entry := password.DjangoValidator{Name: djangoModule + name}
			if name == "CommonPasswordValidator" {
				entry.Options = options
			}
			list = append(list, entry)
		}
		return password.ValidatorsFromDjango(list)
	}
	if v.list == "" {
		return vectors.Pending("Django's list of common passwords is not here"), nil
	}
	if err := v.withDjangosList(c, rules, in.Password, in.User.about()); err != nil {
		return nil, err
	}
	return vectors.Same, nil
}

// meta is about the list itself.
func (v *validatorVectors) meta(c *vectors.Case) (any, error) {
	if v.list == "" {
		return vectors.Pending("Django's list of common passwords is not here"), nil
	}
	list, err := password.OpenList(v.list)
	if err != nil {
		return nil, vectors.Differs("%v", err)
	}
	entries := password.Entries(list)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(entries, "\n"))))
	if out := string(c.Raw); !strings.Contains(out, strconv.Itoa(len(entries))) && !strings.Contains(out, sum) {
		return nil, vectors.Differs("%d entries with the sum %s, want %s", len(entries), sum, c.Out)
	}
	return vectors.Same, nil
}

func vectorUsername(valid func(string) bool) vectors.Op {
	return func(c *vectors.Case) (any, error) {
		var in struct{ Username string }
		c.Bind(&in)
		return valid(in.Username), nil
	}
}

func vectorNormalizeUsername(c *vectors.Case) (any, error) {
	var in struct{ Username *string }
	c.Bind(&in)
	if in.Username == nil {
		return nil, errors.New("a Go string cannot be null")
	}
	return auth.NormalizeUsername(*in.Username), nil
}

func vectorTypedUsername(c *vectors.Case) (any, error) {
	var in struct {
		Value string
		Max   int `json:"max_length"`
	}
	c.Bind(&in)
	return auth.TypedUsername(in.Value, in.Max), nil
}

func vectorCleanUsername(c *vectors.Case) (any, error) {
	var in struct {
		Value    string
		Max      int `json:"max_length"`
		Required bool
	}
	c.Bind(&in)
	name, err := auth.CleanUsername(in.Value, in.Max)
	if !in.Required && errors.Is(err, auth.ErrNameMissing) {
		return "", nil // what is not required is the form's business
	}
	return name, err
}

func vectorNormalizeEmail(c *vectors.Case) (any, error) {
	var in struct{ Email string } // null is ""
	c.Bind(&in)
	return auth.NormalizeEmail(in.Email), nil
}

func vectorEmail(c *vectors.Case) (any, error) {
	var in struct{ Email string }
	c.Bind(&in)
	return auth.ValidEmail(in.Email), nil
}

func vectorSame(c *vectors.Case) (any, error) {
	var in struct{ A, B string }
	c.Bind(&in)
	return auth.SameIdentifier(in.A, in.B), nil
}
