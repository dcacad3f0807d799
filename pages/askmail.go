package pages

import (
	"context"
	"net/http"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// resetToken is the value behind resetKey.
const resetToken sessions.Key[string] = resetKey

func (p *Pages) session(r *http.Request) *sessions.Session { return sessions.From(r) }

// askForMail is a form with one field, an address, to which a mail may go. What becomes of it nobody is told here.
func (p *Pages) askForMail(w http.ResponseWriter, r *http.Request, template, title, done string,
	ask func(ctx context.Context, email, base string, asked account.Asked) error,
) {
	again := func(email string, problems []Mistake) {
		p.Render(w, r, http.StatusOK, template, View{Title: title, Errors: problems, Data: emailForm{email}})
	}
	if !sent(r) {
		again("", nil)
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	email := last(fields, "email")
	err = ask(r.Context(), email, origin.From(r).Base(), p.asked(r))
	if problems, ok := mistakes(err); ok {
		again(email, problems)
		return
	}
	if err != nil {
		p.Error(w, r, err)
		return
	}
	p.onward(w, r, done)
}
