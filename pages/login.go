package pages

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// nameLength is the longest user name or e-mail address that is normalised, in code points. A longer one is passed on as it is, as Django
// does since CVE-2023-46695.
func (p *Pages) nameLength() int {
	if n := p.shape.NameLength; n > 0 {
		return n
	}
	return auth.MaxUsername
}

// errLoop is Django's refusal to send people who are logged in from the login page to itself.
var errLoop = errors.New("pages: the login page redirects people who are logged in, and LoginRedirectURL or \"next\" is the login page")

// loginForm is what the template login.html shows.
type loginForm struct {
	Label     string // of the first field
	Type      string // of the first field
	Username  string // what was typed
	MaxLength int
	Remember  bool
	Again     bool   // somebody is to prove who it is once more
	Kept      string // the form that waits for that, or ""
	Action    string // where this form goes, if not to this very page
}

func (p *Pages) loginForm() loginForm {
	switch {
	case p.shape.NameIsEmail:
		return loginForm{Label: "E-mail address", Type: "email", MaxLength: max(p.nameLength(), 254)}
	case p.cfg.Identifier == "email":
		return loginForm{Label: "E-mail address", Type: "email", MaxLength: 254}
	case p.cfg.Identifier == "either":
		return loginForm{Label: "User name or e-mail address", Type: "text", MaxLength: 254}
	}
	return loginForm{Label: "User name", Type: "text", MaxLength: p.nameLength()}
}

// login is Django's LoginView.
func (p *Pages) login(w http.ResponseWriter, r *http.Request) {
	if p.cfg.RedirectAuthenticatedUser && !auth.Again(r) {
		switch _, err := p.gate.Who(r); {
		case err == nil:
			target := p.loginTarget(r)
			if path, _ := here(r); target == path {
				p.Error(w, r, errLoop)
				return
			}
			p.redirect(w, r, target, http.StatusFound)
			return
		case !errors.Is(err, auth.ErrAnonymous):
			p.Error(w, r, err)
			return
		}
	}
	form := p.loginForm()
	form.Again = auth.Again(r)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		p.Render(w, r, http.StatusOK, "login.html", View{Title: "Log in", Next: p.next(r), Data: form})
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	form.Username = cleanUsername(p.nameLength(), last(fields, "username"))
	form.Remember = last(fields, "remember") != ""
	form.Kept = last(fields, "kept")
	password := last(fields, "password")
	var problems []Mistake
	if form.Username == "" {
		problems = append(problems, Mistake{Field: "username", Text: "Enter your " + strings.ToLower(form.Label) + "."})
	}
	if password == "" {
		problems = append(problems, Mistake{Field: "password", Text: "Enter your password."})
	}
	for name, value := range map[string]string{"username": form.Username, "password": password} {
		if strings.ContainsRune(value, 0) {
			problems = append(problems, Mistake{Field: name, Text: "This text holds a character that cannot be typed. Type it anew."})
		}
	}
	if problems == nil {
		err = p.gate.SignIn(r, auth.Password{Username: form.Username, Password: password})
		switch {
		case err == nil:
			p.loggedIn(w, r, form.Remember || last(fields, "remember_shown") == "", form.Kept)
			return
		case errors.Is(err, auth.ErrInactive):
			problems = []Mistake{{Field: "username", Text: "This account is not active. The people who run this site can change that."}}
		case errors.Is(err, auth.ErrInvalid):
			problems = []Mistake{{Field: "password", Text: "The " + strings.ToLower(form.Label) + " and the password do not match. Check both; capital letters count."}}
		default:
			p.Error(w, r, err)
			return
		}
	}
	p.Render(w, r, http.StatusOK, "login.html", View{Title: "Log in", Next: p.next(r), Errors: problems, Data: form})
}

func (p *Pages) loggedIn(w http.ResponseWriter, r *http.Request, remember bool, kept string) {
	if !remember {
		if err := sessions.From(r).ExpireAtBrowserClose(); err != nil {
			p.Error(w, r, err)
			return
		}
	}
	if !p.showKept(w, r, kept) {
		p.redirect(w, r, p.loginTarget(r), p.cfg.RedirectStatus)
	}
}

// cleanUsername trims as Python does and brings the name to NFKC, as Django's UsernameField does.
func cleanUsername(longest int, s string) string {
	s = strings.TrimFunc(s, isPythonSpace)
	if utf8.RuneCountInString(s) > longest {
		return s
	}
	return norm.NFKC.String(s)
}

// isPythonSpace is what Python's str.strip removes: Go's set and the four separators U+001C to U+001F.
func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// loginTarget is where a login leads: the safe next of the form or the query, else the site's choice.
func (p *Pages) loginTarget(r *http.Request) string {
	if next := p.next(r); next != "" {
		return next
	}
	return p.prefixed(r, p.cfg.LoginRedirectURL)
}

// Next is the safe "next" of the request, where the visitor wanted to go, or "".
func (p *Pages) Next(r *http.Request) string { return p.next(r) }

// next is the safe "next" of the request, or "". A field of a posted form, even an empty one, beats the query, as in Django.
func (p *Pages) next(r *http.Request) string {
	candidates, ok := []string(nil), false
	if r.Method == http.MethodPost {
		if fields, err := postForm(r); err == nil {
			candidates, ok = fields["next"]
		}
	}
	if !ok {
		candidates = query(r)["next"]
	}
	if len(candidates) == 0 {
		return ""
	}
	next, _ := origin.From(r).SafeNext(candidates[len(candidates)-1])
	return next
}
