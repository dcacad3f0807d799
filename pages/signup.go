package pages

import (
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
)

// signup asks for an address and nothing else: name and password are chosen behind the mailed link.
func (p *Pages) signup(w http.ResponseWriter, r *http.Request) {
	p.askForMail(w, r, "signup.html", "Make an account", "signup/sent/", p.cfg.Accounts.RequestSignup)
}

// signupForm is what the template signup_finish.html shows.
type signupForm struct {
	Email, Username, FirstName, LastName string

	AskName, AskNames bool // for the user name, for first and last name
	NameLength        int
	Free              bool // the user name may hold anything
}

// Login is what password managers keep the password under, where the person chooses no name.
func (f signupForm) Login() string {
	if f.AskName {
		return ""
	}
	return f.Email
}

// signupFinish is the page behind the link. Looking at it uses nothing up.
func (p *Pages) signupFinish(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	email, err := p.cfg.Accounts.LookSignup(r.Context(), token)
	if err != nil {
		p.signupAnswer(w, r, signupForm{}, err)
		return
	}
	form := signupForm{
		Email: email, AskName: !p.shape.NameIsEmail, AskNames: !p.shape.WithoutNames, NameLength: p.nameLength(), Free: p.shape.FreeName,
	}
	if !sent(r) {
		p.signupAnswer(w, r, form, nil)
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	form.Username, form.FirstName, form.LastName = last(fields, "username"), last(fields, "first_name"), last(fields, "last_name")
	chosen := account.NewPassword{First: last(fields, "password1"), Second: last(fields, "password2")}
	made, err := p.cfg.Accounts.FinishSignup(r.Context(), token, account.Signup{
		Username: form.Username, FirstName: form.FirstName, LastName: form.LastName, Password: chosen,
	})
	if err != nil {
		p.signupAnswer(w, r, form, err)
		return
	}
	name := made.Username
	if p.cfg.Identifier == "email" {
		name = made.Email
	}
	// Who has the link and has just chosen the password is logged in, if the site's back ends and policy agree.
	next := p.keptNext(r)
	err = p.gate.SignIn(r, auth.Password{Username: name, Password: chosen.First})
	switch {
	case err == nil:
		if err := messages.Success(r, "Your account is made."); err != nil {
			p.Error(w, r, err)
			return
		}
		if next == "" {
			next = p.prefixed(r, p.cfg.LoginRedirectURL)
		}
		p.redirect(w, r, next, p.cfg.RedirectStatus)
	default:
		p.cfg.Logger.InfoContext(r.Context(), "an account was made, and its owner has to log in", "reason", err)
		p.onward(w, r, "login/"+View{Next: next}.NextQuery())
	}
}

func (p *Pages) signupAnswer(w http.ResponseWriter, r *http.Request, form signupForm, err error) {
	problems, mendable := mistakes(err)
	switch {
	case errors.Is(err, account.ErrLink):
		p.Render(w, r, http.StatusOK, "signup_gone.html", View{Title: "This link does not work"})
	case err != nil && !mendable:
		p.Error(w, r, err)
	default:
		p.Render(w, r, http.StatusOK, "signup_finish.html", View{Title: "Make your account", Errors: problems, Data: form})
	}
}
