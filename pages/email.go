package pages

import (
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
)

// emailData is what the templates email.html and email_confirm.html show.
type emailData struct {
	Username string // for password managers
	Email    string // what was typed, or the address to confirm
	Pending  string // the address that waits for its link to be used, or ""
}

// email asks for a new address, or cancels what was asked for.
func (p *Pages) email(w http.ResponseWriter, r *http.Request, user auth.User) {
	var problems []Mistake
	data := emailData{Username: p.cfg.Describe(user).Login}
	if sent(r) {
		fields, err := postForm(r)
		if err != nil {
			p.Error(w, r, err)
			return
		}
		data.Email = last(fields, "email")
		if last(fields, "cancel") != "" {
			err = p.cfg.Accounts.CancelEmailChange(r.Context(), user.AuthID())
		} else {
			err = p.cfg.Accounts.RequestEmailChange(r.Context(), user.AuthID(), last(fields, "password"), data.Email, origin.From(r).Base(), p.asked(r))
		}
		var mendable bool
		if problems, mendable = mistakes(err); err != nil && !mendable {
			p.Error(w, r, err)
			return
		}
		if err == nil {
			p.onward(w, r, "email/")
			return
		}
	}
	pending, err := p.cfg.Accounts.PendingEmailChange(r.Context(), user.AuthID())
	if err != nil && !errors.Is(err, account.ErrLink) {
		p.Error(w, r, err)
		return
	}
	data.Pending = pending.Email
	p.Render(w, r, http.StatusOK, "email.html", View{Title: "Your e-mail address", ShowUser: true, Errors: problems, Data: data})
}

// emailConfirm is the page behind the link: a button makes the change, looking does not.
func (p *Pages) emailConfirm(w http.ResponseWriter, r *http.Request, user auth.User) {
	token := r.PathValue("token")
	var (
		email string
		err   error
	)
	if sent(r) {
		email, err = p.cfg.Accounts.ConfirmEmailChange(r.Context(), user.AuthID(), token, origin.From(r).Base(), p.asked(r))
	} else {
		email, err = p.cfg.Accounts.LookEmailChange(r.Context(), user.AuthID(), token)
	}
	switch {
	case errors.Is(err, account.ErrLink):
		p.Render(w, r, http.StatusOK, "email_gone.html", View{Title: "This link does not work", ShowUser: true})
	case err != nil:
		p.Error(w, r, err)
	case sent(r):
		if err := messages.Success(r, "Your address is now "+email+"."); err != nil {
			p.Error(w, r, err)
			return
		}
		p.onward(w, r, "profile/")
	default:
		p.Render(w, r, http.StatusOK, "email_confirm.html", View{Title: "Confirm your address", ShowUser: true, Data: emailData{Email: email}})
	}
}
