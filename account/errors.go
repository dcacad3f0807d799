package account

import (
	"errors"
	"strings"
)

// ErrLink is the answer to a link that is unknown, too old or used, or whose account has changed since it was made.
var ErrLink = errors.New("account: the link does not work, or no longer")

// An Invalid is what a person can mend in a form.
type Invalid struct{ Problems []Problem }

// A Problem is one thing to mend: the name of the form's field, and what to do.
type Problem struct{ Field, Text string }

func (e *Invalid) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.Field + ": " + p.Text
	}
	return "account: " + strings.Join(texts, "; ")
}

// or returns e as an error, or nil when there is nothing to mend.
func (e *Invalid) or() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

func (e *Invalid) add(field, text string) {
	e.Problems = append(e.Problems, Problem{field, text})
}

func invalid(field, text string) error { return &Invalid{[]Problem{{field, text}}} }
