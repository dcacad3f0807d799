package pages

import (
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
)

// userData is what a template shows that is about one user.
type userData struct {
	Username string // for password managers
	Email    string

	Tokens, EndTokens bool // there are some, and they are to be ended
}

// passwordChange is Django's PasswordChangeView: the session that changes the password goes on under a new key, all others end.
func (p *Pages) passwordChange(w http.ResponseWriter, r *http.Request, user auth.User) {
	tokens, err := p.tokensOf(r, user)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	endTokens := false
	again := func(problems []Mistake) {
		p.Render(w, r, http.StatusOK, "password_change.html", View{
			Title: "Change your password", ShowUser: true, Errors: problems, Data: userData{Username: p.cfg.Describe(user).Login, Tokens: tokens, EndTokens: endTokens},
		})
	}
	if !sent(r) {
		again(nil)
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	endTokens = tokens && last(fields, "end_tokens") != ""
	encoded, err := p.cfg.Accounts.ChangePassword(r.Context(), user.AuthID(), last(fields, "old_password"),
		account.NewPassword{First: last(fields, "new_password1"), Second: last(fields, "new_password2")}, origin.From(r).Base(), p.asked(r))
	if problems, ok := mistakes(err); ok {
		again(problems)
		return
	}
	if err == nil {
		err = p.renewer.Renew(r, encoded)
	}
	if err == nil && endTokens {
		err = p.endTokens(r, user)
	}
	if err != nil {
		p.Error(w, r, err)
		return
	}
	p.onward(w, r, "password_change/done/")
}

func (p *Pages) passwordChanged(w http.ResponseWriter, r *http.Request, _ auth.User) {
	p.Render(w, r, http.StatusOK, "password_change_done.html", View{Title: "Your password is changed", ShowUser: true})
}

// resetForm is what the templates password_reset.html and signup.html show.
type emailForm struct{ Email string }

// passwordReset is Django's PasswordResetView. The answer is the same whoever has the address.
func (p *Pages) passwordReset(w http.ResponseWriter, r *http.Request) {
	p.askForMail(w, r, "password_reset.html", "Forgotten your password?", "password_reset/done/", p.cfg.Accounts.RequestReset)
}

// resetKey is where Django keeps the token of a link in the session, so that it does not stay in the address.
const resetKey = "_password_reset_token"

// setPassword stands in the place of the token in the address of the form.
const setPassword = "set-password"

// reset is Django's PasswordResetConfirmView: a link moves its token into the session and leads to the form without it. Looking
// uses nothing up.
func (p *Pages) reset(w http.ResponseWriter, r *http.Request) {
	uid, token := r.PathValue("uid"), r.PathValue("token")
	session := p.session(r)
	if token != setPassword {
		_, err := p.cfg.Accounts.CheckReset(r.Context(), uid, token)
		switch {
		case errors.Is(err, account.ErrLink):
			p.resetGone(w, r)
		case err != nil:
			p.Error(w, r, err)
		default:
			if err := session.Set(resetKey, token); err != nil {
				p.Error(w, r, err)
				return
			}
			p.redirect(w, r, origin.From(r).Prefix+p.cfg.Prefix+"reset/"+uid+"/"+setPassword+"/", http.StatusFound)
		}
		return
	}
	token, _ = resetToken.Get(session)
	if err := session.Err(); err != nil {
		p.Error(w, r, err)
		return
	}
	user, err := p.cfg.Accounts.CheckReset(r.Context(), uid, token)
	if err == nil && sent(r) {
		p.resetSent(w, r, user, uid, token)
		return
	}
	p.resetAnswer(w, r, user, err)
}

func (p *Pages) resetSent(w http.ResponseWriter, r *http.Request, user account.User, uid, token string) {
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	err = p.cfg.Accounts.Reset(r.Context(), uid, token,
		account.NewPassword{First: last(fields, "new_password1"), Second: last(fields, "new_password2")}, origin.From(r).Base(), p.asked(r))
	if err == nil {
		next := View{Next: p.keptNext(r)}
		if err = p.session(r).Delete(resetKey); err == nil {
			p.onward(w, r, "reset/done/"+next.NextQuery())
			return
		}
	}
	p.resetAnswer(w, r, user, err)
}

// resetAnswer shows the form, what to mend in it, or why not.
func (p *Pages) resetAnswer(w http.ResponseWriter, r *http.Request, user account.User, err error) {
	problems, mendable := mistakes(err)
	switch {
	case errors.Is(err, account.ErrLink):
		p.resetGone(w, r)
	case err != nil && !mendable:
		p.Error(w, r, err)
	default:
		p.Render(w, r, http.StatusOK, "reset.html", View{Title: "Choose a new password", Errors: problems, Data: userData{Username: user.Username}})
	}
}

// resetGone says that a link does not work, with 200 as Django.
func (p *Pages) resetGone(w http.ResponseWriter, r *http.Request) {
	p.Render(w, r, http.StatusOK, "reset_gone.html", View{Title: "This link does not work"})
}
