package password

import (
	"context"
	"fmt"
	"html/template"
	"strings"
)

// A Validator is one rule for new passwords. It may be called concurrently.
type Validator interface {
	// Validate returns nil for a password that the rule takes and a *[Problem] for one that it refuses. Any other error says that
	// the rule could not be applied, for example because a service did not answer: nothing is known about the password.
	Validate(ctx context.Context, password string, about About) error

	// Help says in one sentence, before anything is typed, what the rule asks for.
	Help() string
}

// About is what is known of the person whom a password is for. The zero value is nobody: rules that compare a password
// with its owner take it then.
type About struct {
	Username  string
	FirstName string
	LastName  string
	Email     string
	More      []Attribute // further attributes, of a user type of the site's own
}

// An Attribute is something known about a person that a password should not be like.
type Attribute struct {
	Name  string // as a rule names it, for example "company"
	Label string // as a sentence names it, for example "company name". Defaults to Name
	Value string
}

// attributes are those with a name of their own first, by Django's names and labels.
func (a About) attributes() []Attribute {
	return append([]Attribute{
		{"username", "username", a.Username},
		{"first_name", "first name", a.FirstName},
		{"last_name", "last name", a.LastName},
		{"email", "email address", a.Email},
	}, a.More...)
}

// A Problem is why a password is refused, for the person who typed it.
type Problem struct {
	Code    string // for programs, for example "password_too_short"
	Message string // one or two sentences, with what to do
}

func (p *Problem) Error() string { return p.Message }

// Problems are all that is wrong with a password, in the order of the rules.
type Problems []*Problem

func (p Problems) Error() string { return strings.Join(p.Messages(), " ") }

// Unwrap returns the problems one by one, so that errors.As finds a *Problem.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

// Messages are the sentences for the person.
func (p Problems) Messages() []string {
	messages := make([]string, len(p))
	for i, problem := range p {
		messages[i] = problem.Message
	}
	return messages
}

// Validators are the rules of a site, Django's AUTH_PASSWORD_VALIDATORS. Those of Cardea are [DefaultValidators], those of Django's
// settings [ValidatorsFromDjango]. None at all takes every password.
type Validators []Validator

// Validate returns nil when every rule takes the password, and else [Problems] with all that the rules say, so that nobody has
// to find them out one by one. Any other error says that a rule could not be applied. It is Django's validate_password.
func (v Validators) Validate(ctx context.Context, password string, about About) error {
	var problems Problems
	for _, rule := range v {
		switch err := rule.Validate(ctx, password, about).(type) { //nolint:errorlint // a wrapped problem is not one of the contract
		case nil:
		case *Problem:
			problems = append(problems, err)
		default:
			return fmt.Errorf("password: validate: %w", err)
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// Help returns the sentences of all rules that have one, to be shown beside the field.
func (v Validators) Help() []string {
	var texts []string
	for _, rule := range v {
		if help := rule.Help(); help != "" {
			texts = append(texts, help)
		}
	}
	return texts
}

// HelpHTML is [Validators.Help] as a list in HTML, empty when there is nothing to say. It is Django's
// password_validators_help_text_html.
func (v Validators) HelpHTML() template.HTML {
	texts := v.Help()
	if len(texts) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("<ul>")
	for _, text := range texts {
		b.WriteString("<li>" + htmlEscaper.Replace(text) + "</li>")
	}
	b.WriteString("</ul>")
	return template.HTML(b.String()) //nolint:gosec // escaped above
}

// htmlEscaper writes what Django's escape writes.
var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

// A Lengther is a [Validator] that knows how long a password has to be.
type Lengther interface {
	// Lengths returns the fewest and the most characters that the rule takes; a most of 0 is no limit.
	Lengths() (fewest, most int)
}

// Lengths returns the fewest and the most characters that all rules take, for the attributes minlength and maxlength of a field. A
// most of 0 is no limit.
func (v Validators) Lengths() (fewest, most int) {
	for _, rule := range v {
		if l, ok := rule.(Lengther); ok {
			few, many := l.Lengths()
			fewest = max(fewest, few)
			if most == 0 || many > 0 && many < most {
				most = many
			}
		}
	}
	return fewest, most
}
