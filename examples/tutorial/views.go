package main

import (
	"errors"
	"html/template"
	"net/http"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/userdb"
)

type app struct {
	site      *cardea.Site[*userdb.User]
	templates *template.Template
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	a.site.Render(w, r, a.templates, "home.html", nil)
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		found, err := a.site.Auth.Authenticate(r, auth.Password{
			Username: r.PostFormValue("username"),
			Password: r.PostFormValue("password"),
		})
		if err == nil {
			err = a.site.Auth.Login(r, found)
		}
		switch {
		case err == nil:
			messages.Success(r, "Welcome back!")
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		case errors.Is(err, auth.ErrInvalid):
			messages.Error(r, "Invalid username or password.")
		default: // the database is down, or too many tries: never "wrong password"
			a.site.Error(w, r, err)
			return
		}
	}
	a.site.Render(w, r, a.templates, "login.html", nil)
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	if err := a.site.Auth.Logout(r); err != nil {
		a.site.Error(w, r, err)
		return
	}
	messages.Info(r, "You are logged out.")
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
