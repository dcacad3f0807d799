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

// afterMail is where somebody wanted to go before a mail had to be waited for: kept in the browser's session, and no part of the
// mail, which may be read elsewhere.
const afterMail sessions.Key[string] = "_cardea_next"

// keepNext keeps where the visitor wants to go, if anywhere.
func (p *Pages) keepNext(r *http.Request) error {
	if next := p.next(r); next != "" {
		return afterMail.Set(p.session(r), next)
	}
	return nil
}

// keptNext returns what was kept, if it is still safe, and forgets it.
func (p *Pages) keptNext(r *http.Request) string {
	kept, ok := afterMail.Get(p.session(r))
	if !ok {
		return ""
	}
	_ = p.session(r).Delete(string(afterMail)) // else it stays, and is of no use to anybody
	next, _ := origin.From(r).SafeNext(kept)
	return next
}

func (p *Pages) session(r *http.Request) *sessions.Session { return sessions.From(r) }

// askForMail is a form with one field, an address, to which a mail may go. What becomes of it nobody is told here.
func (p *Pages) askForMail(w http.ResponseWriter, r *http.Request, template, title, done string,
	ask func(ctx context.Context, email, base string, asked account.Asked) error,
) {
	again := func(email string, problems []Mistake) {
		p.Render(w, r, http.StatusOK, template, View{Title: title, Next: p.next(r), Errors: problems, Data: emailForm{email}})
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
	if err := p.keepNext(r); err != nil {
		p.Error(w, r, err)
		return
	}
	p.onward(w, r, done)
}
