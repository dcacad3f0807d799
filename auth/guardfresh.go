package auth

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/origin"
)

// againField is the parameter of the login page's address that says: prove yourself again.
const againField = "again"

// clockSkew is how far ahead the clock of the process may be that wrote a proof.
const clockSkew = time.Minute

// Fresh makes a guard for what a stolen session must not do: it lets users through who have proven who they are within that
// time, by a password or otherwise. Others are sent to log in again, and come back; see Config.Stale. Programs get 403.
//
// A login that Django made counts as never fresh, since nobody knows its time, and so does one of another user. Fresh therefore
// needs a login page of Cardea's. A token is never fresh. [Auth.Trust] counts as a proof. Fresh panics at a time that is not positive.
func (a *Auth[U]) Fresh(within time.Duration) func(http.Handler) http.Handler {
	if within <= 0 {
		panic(fmt.Sprintf("auth: Fresh(%v): nobody has logged in within that time", within))
	}
	return a.guard(func(w http.ResponseWriter, r *http.Request, user U) bool {
		switch {
		case a.provenWithin(r, user, within):
			return true
		case acceptsPages(r):
			a.cfg.Stale(w, r)
		default:
			a.deny(w, r, DeniedError{Guard: "Fresh", UserID: user.AuthID(), Reason: fmt.Sprintf("the login is older than %v", within)})
		}
		return false
	})
}

func (a *Auth[U]) provenWithin(r *http.Request, user U, within time.Duration) bool {
	now := a.now()
	for _, p := range a.proven(r, user) {
		if age := now.Sub(p.At); !p.At.IsZero() && age <= within && age >= -clockSkew {
			return true
		}
	}
	return false
}

// Reenter sends a user to the login page to prove again who it is, and gives Config.Notice the words for it. The way back is the
// page that was asked for, or, for a form that was sent, the page that the form is on: what was typed is not kept.
// [Again] is true on the login page then, which must not send such a user away.
func (a *Auth[U]) Reenter(w http.ResponseWriter, r *http.Request) {
	if a.cfg.Notice != nil {
		a.cfg.Notice(r, "This needs a fresh login. Please enter your password again.")
	}
	at := origin.From(r)
	back := at.Path
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if page := at.PageOf(r); page != "" {
			back = page
		}
	}
	login := origin.RedirectToLogin("1", seen(at, a.cfg.LoginURL), againField)
	if err := origin.Redirect(w, r, origin.LoginRedirect(back, login, at), http.StatusFound); err != nil {
		a.cfg.Error(w, r, err)
	}
}

// Again reports whether a request for the login page comes from somebody who may be logged in and is asked to prove it again.
// A login page that sends users away must show its form then: whoever guards a page by [Auth.Fresh] would send them back.
func Again(r *http.Request) bool { return r.URL.Query().Get(againField) == "1" }
