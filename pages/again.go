package pages

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/origin"
)

// CSRFFailure answers a request that the CSRF check refused. Where the browser vouches that the form came from this very site,
// the form is shown again, filled and with a new token; else the answer is 403 and says how to go on.
func (p *Pages) CSRFFailure(w http.ResponseWriter, r *http.Request, f *csrf.Failure) {
	if f.Status != http.StatusForbidden {
		p.Problem(w, r, problemOf(f.Status))
		return
	}
	if inputs, ok := f.Inputs(r); ok && !wantsJSON(r) && !p.cfg.Debug {
		w.Header().Set("Cache-Control", "no-store")
		if path, ok := strings.CutPrefix(r.URL.Path, p.cfg.Prefix); ok && path == "login/" {
			p.loginAgain(w, r, inputs)
			return
		}
		p.formAgain(w, r, inputs)
		return
	}
	paragraphs := []string{
		"Every form of this site carries a secret that shows that it was sent from a page of this site. Here it was missing or out of date, so nothing was changed.",
		"Go back, load the page anew and send the form again. If that does not help, check that your browser accepts cookies of this site.",
	}
	if p.cfg.Debug {
		paragraphs = append(paragraphs, "For who writes this site (debug is on): "+f.Reason)
	}
	p.Problem(w, r, Problem{Status: http.StatusForbidden, Title: "We could not make sure that this came from you", Paragraphs: paragraphs})
}

// againData is what the template again.html shows.
type againData struct {
	Action   string
	Files    bool
	LoggedIn bool // its sender had to log in again first
	Fields   []againField
}

type againField struct {
	csrf.Input
	ID    int
	Label string
	Long  bool
}

// fieldLabels are what the fields of our own forms are called; others go by their name.
var fieldLabels = map[string]string{
	"old_password": "Old password", "new_password1": "New password", "new_password2": "New password once more",
	"password": "Password", "password1": "Password", "password2": "Password once more",
	"email": "E-mail address", "username": "User name", "purpose": "What the token is for", "expires": "When it ends", "scope": "What it may do", "scopes": "Permission", "end_tokens": "End all API tokens",
	"first_name": "First name", "last_name": "Last name",
}

func (p *Pages) formAgain(w http.ResponseWriter, r *http.Request, inputs []csrf.Input) {
	_, full := here(r)
	p.showForm(w, r, http.StatusForbidden, againData{Action: full}, inputs)
}

// showForm shows a form again, filled.
func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, data againData, inputs []csrf.Input) {
	for i, in := range inputs {
		data.Files = data.Files || in.File
		data.Fields = append(data.Fields, againField{Input: in, ID: i, Label: cmp.Or(fieldLabels[in.Name], in.Name), Long: len(in.Value) > 80 || strings.Contains(in.Value, "\n")})
	}
	p.Render(w, r, status, "again.html", View{Title: "Please send this form once more", Data: data, early: !data.LoggedIn, ShowUser: data.LoggedIn})
}

// loginAgain shows the login form with the name that was typed.
func (p *Pages) loginAgain(w http.ResponseWriter, r *http.Request, inputs []csrf.Input) {
	form := p.loginForm()
	next := p.next(r)
	for _, in := range inputs {
		switch in.Name {
		case "username":
			form.Username = in.Value
		case "remember":
			form.Remember = true
		case "kept":
			form.Kept = in.Value
		case "next":
			next, _ = origin.From(r).SafeNext(in.Value)
		}
	}
	text := "This page was open for a while. Please type your password once more."
	if len(r.Cookies()) == 0 {
		text = "Your browser sent no cookie of this site, and without cookies nobody can log in here. If this comes again, allow them. Please type your password once more."
	}
	p.Render(w, r, http.StatusForbidden, "login.html", View{
		Title:  "Log in",
		Next:   next,
		Errors: []Mistake{{Field: "password", Text: text}},
		Data:   form,
		early:  true,
	})
}
