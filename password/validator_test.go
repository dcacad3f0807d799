package password_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/password"
)

// codes are what the rules say, in order.
func codes(t *testing.T, rules password.Validators, text string, about password.About) []string {
	t.Helper()
	err := rules.Validate(context.Background(), text, about)
	var problems password.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	out := []string{}
	for _, p := range problems {
		out = append(out, p.Code)
	}
	return out
}

func djangoRules(t *testing.T, list ...password.DjangoValidator) password.Validators {
	t.Helper()
	rules, err := password.ValidatorsFromDjango(list)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

var errOutage = errors.New("no answer")

type outage struct{}

func (outage) Validate(context.Context, string, password.About) error { return errOutage }
func (outage) Help() string                                           { return "" }

func TestValidatorsCollect(t *testing.T) {
	t.Parallel()
	rules := djangoRules(t, password.DjangoProjectValidators()...)
	err := rules.Validate(context.Background(), "12345", password.About{Username: "12345x"})
	var problems password.Problems
	if !errors.As(err, &problems) || len(problems) != 4 {
		t.Fatalf("Validate = %v, want four problems", err)
	}
	var first *password.Problem
	if !errors.As(err, &first) || first.Code != "password_too_similar" {
		t.Errorf("the first problem is %+v", first)
	}
	if got := strings.Join(problems.Messages(), " "); got != err.Error() || !strings.Contains(got, "at least 8 characters") {
		t.Errorf("Messages = %q, Error = %q", got, err)
	}
	if err := rules.Validate(context.Background(), "vog7-trelk-oni", password.About{}); err != nil {
		t.Errorf("a good password: %v", err)
	}
	if err := (password.Validators{}).Validate(context.Background(), "", password.About{}); err != nil {
		t.Errorf("no rules: %v", err)
	}
	if err := append(rules, outage{}).Validate(context.Background(), "12345", password.About{}); !errors.Is(err, errOutage) || errors.As(err, new(password.Problems)) {
		t.Errorf("a rule that cannot be applied: %v", err)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	rules := password.Validators{password.Refuse(password.NewCommon(), password.Problem{}, `<b>"it's" & more</b>`), outage{}}
	if got, want := string(rules.HelpHTML()), "<ul><li>&lt;b&gt;&quot;it&#x27;s&quot; &amp; more&lt;/b&gt;</li></ul>"; got != want {
		t.Errorf("HelpHTML = %s, want %s", got, want)
	}
	if got := (password.Validators{outage{}}).HelpHTML(); got != "" {
		t.Errorf("HelpHTML of nothing = %q", got)
	}
	for _, help := range password.DefaultValidators(password.Policy{}).Help() {
		if !strings.HasSuffix(help, ".") {
			t.Errorf("%q is not a sentence", help)
		}
	}
}

func TestLengths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules        password.Validators
		fewest, most int
	}{
		{nil, 0, 0},
		{password.Validators{password.MinimumLength(8), password.NumericPassword()}, 8, 0},
		{password.Validators{password.MinimumLength(12), password.Length(8, 64), password.Length(10, 128)}, 12, 64},
		{password.DefaultValidators(password.Policy{}), 8, 4096},
		{password.DefaultValidators(password.Policy{MinLength: 15}), 15, 4096},
	} {
		if fewest, most := c.rules.Lengths(); fewest != c.fewest || most != c.most {
			t.Errorf("Lengths of %v = %d, %d, want %d, %d", c.rules, fewest, most, c.fewest, c.most)
		}
	}
}

func TestLength(t *testing.T) {
	t.Parallel()
	rules := password.Validators{password.Length(8, 0)}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{"password_too_short"}},
		{"1234567", []string{"password_too_short"}},
		{"12345678", nil},
		{"éééééééé", nil}, // characters, not bytes
		{"ééééééé", []string{"password_too_short"}},
		{strings.Repeat("x", 64), nil},
		{strings.Repeat("x", 4096), nil},
		{strings.Repeat("x", 4097), []string{"password_too_long"}},
	} {
		if got := codes(t, rules, c.text, password.About{}); !slices.Equal(got, c.want) {
			t.Errorf("%.20q: %q, want %q", c.text, got, c.want)
		}
	}
	err := rules.Validate(context.Background(), "1234567", password.About{})
	if err == nil || !strings.Contains(err.Error(), "add 1 character or more") {
		t.Errorf("the message %q does not say what to do", err)
	}
}

func TestFromDjangoValidators(t *testing.T) {
	t.Parallel()
	minimum := djangoModule + "MinimumLengthValidator"
	for _, length := range []any{12, int64(12), 12.0, json.Number("12")} {
		rules := djangoRules(t, password.DjangoValidator{Name: minimum, Options: map[string]any{"min_length": length}})
		if fewest, _ := rules.Lengths(); fewest != 12 {
			t.Errorf("min_length %v (%T) gives %d", length, length, fewest)
		}
	}
	similar := djangoModule + "UserAttributeSimilarityValidator"
	for _, bad := range []password.DjangoValidator{
		{Name: "MinimumLengthValidator"},
		{Name: "site.validators.Own"},
		{Name: minimum, Options: map[string]any{"min_length": "8"}},
		{Name: minimum, Options: map[string]any{"min_length": 8.5}},
		{Name: minimum, Options: map[string]any{"max_length": 8}},
		{Name: similar, Options: map[string]any{"max_similarity": 0.09}},
		{Name: similar, Options: map[string]any{"user_attributes": "email"}},
		{Name: djangoModule + "NumericPasswordValidator", Options: map[string]any{"x": 1}},
		{Name: djangoModule + "CommonPasswordValidator", Options: map[string]any{"password_list_path": "no/such/file"}},
	} {
		if _, err := password.ValidatorsFromDjango([]password.DjangoValidator{bad}); err == nil || !strings.Contains(err.Error(), bad.Name) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	rules := djangoRules(t, password.DjangoValidator{Name: similar, Options: map[string]any{"user_attributes": []any{"company"}}})
	about := password.About{Username: "acme", More: []password.Attribute{{Name: "company", Label: "company name", Value: "Acme Ltd"}}}
	err := rules.Validate(context.Background(), "acme1", about)
	if want := "The password is too similar to the company name."; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestDefaultValidators holds the default rules to what OWASP ASVS 5.0 asks for in V6.2.
func TestDefaultValidators(t *testing.T) {
	t.Parallel()
	rules := password.DefaultValidators(password.Policy{Words: []string{"Cardea Demo", "example.com"}})
	ada := password.About{Username: "ada_lovelace", FirstName: "Ada", LastName: "Lovelace", Email: "countess.ada@analytical.example"}
	context, common := "password_context", "password_too_common"
	for _, c := range []struct {
		text string
		want []string
	}{
		// V6.2.5: no rules about kinds of characters.
		{"70915384620913557284", nil},
		{"vog trelk oni", nil},
		{"🦀🐙🦑🐡🦈🐬🐳🐠", nil},
		{"fkwmztqhvbxr", nil},
		{"надежныйзонтикутром", nil},
		// V6.2.9: long ones.
		{strings.Repeat("kU7~vx ", 18), []string{}},
		// V6.2.4: common ones, and what little hides them.
		{"password", []string{common}},
		{"P@$$w0rd123!", []string{common}},
		{"Sunshine2026", []string{common}},
		{"qwertyuiop", []string{common}},
		{"q1w2e3r4t5", []string{common}},
		{"12345678", []string{common}},
		{"24121999", []string{common}},
		{"ababababab", []string{common}},
		{"drowssap1", []string{common}},
		{"Ístanbul1!", []string{common}},
		{"ｐａｓｓｗｏｒｄ", []string{common}},
		{"iloveyoubaby", []string{common}},
		{"i love you baby", []string{common}},
		{"adminadmin", []string{common}},
		// V6.2.11: what everybody sees, in any order.
		{"lovelaceada", []string{context}},
		{"AdaLovelace1815", []string{context}},
		{"alovelace!", []string{context}},
		{"ecalevol-ada", []string{context}},
		{"4d4l0v3l4c3", []string{context}},
		{"adacountess99", []string{context}},
		{"analytical1", []string{context}},
		{"cardea-2026!", []string{context}},
		{"DemoCardea", []string{context}},
		{"example.com", []string{context}},
		{"cardeapassword", []string{context}},
		{"cardea-vog7-trelk", nil},
		{"ada", []string{"password_too_short", context}},
	} {
		if got := codes(t, rules, c.text, ada); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if got := codes(t, rules, "lovelaceada", password.About{}); len(got) > 0 {
		t.Errorf("somebody else's name: %q", got)
	}
	rules = password.DefaultValidators(password.Policy{MinLength: 15, Breached: breachedSet(t, "vog trelk oni brumm")})
	if got, want := codes(t, rules, "vog trelk oni brumm", ada), []string{"password_breached"}; !slices.Equal(got, want) {
		t.Errorf("a breached one: %q, want %q", got, want)
	}
	if got, want := codes(t, rules, "vog trelk oni", ada), []string{"password_too_short"}; !slices.Equal(got, want) {
		t.Errorf("a short one: %q, want %q", got, want)
	}
}

func breachedSet(t *testing.T, passwords ...string) *password.Filter {
	t.Helper()
	f, err := password.NewFilter(1000, 1e-6, "a test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range passwords {
		f.Add(p)
	}
	return f
}

func ExampleDefaultValidators() {
	rules := password.DefaultValidators(password.Policy{Words: []string{"Cardea"}})
	about := password.About{Username: "ada", Email: "ada@example.org"}
	for _, typed := range []string{"tulip", "Tulip-2026", "ada@cardea", "tulip gravel forty"} {
		fmt.Printf("%s: %v\n", typed, rules.Validate(context.Background(), typed, about))
	}
	// Output:
	// tulip: This password is too short: add 3 characters or more. It needs 8.
	// Tulip-2026: <nil>
	// ada@cardea: This password is mostly your name, your address or the name of this site, which others try first. Leave them out, or put several other words beside them.
	// tulip gravel forty: <nil>
}
