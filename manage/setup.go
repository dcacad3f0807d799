package manage

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// setupTime is how long the link for the first administrator works.
const setupTime = time.Hour

// setup is the page behind the one-time link that makes the first administrator. Looking at it uses nothing up.
type setup struct {
	site     *cardea.Site[*userdb.User]
	db       *userdb.DB
	settings *Settings
}

// setupForm is what the template setup.html shows.
type setupForm struct {
	Username, Email string

	Label      string // of the first field
	AskEmail   bool
	Free       bool // the user name may hold anything
	NameLength int
}

// form is an empty one.
func (s *setup) form() setupForm {
	shape := s.db.Users().Accounts().Shape
	f := setupForm{Label: "User name", AskEmail: !shape.NameIsEmail && !shape.WithoutEmail, Free: shape.FreeName, NameLength: shape.NameLength}
	if shape.NameIsEmail {
		f.Label = "E-mail address"
	}
	return f
}

func (s *setup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	w.Header().Set("Cache-Control", "no-store")
	usable, err := s.db.SetupLinkUsable(r.Context(), token, time.Now())
	switch {
	case err != nil:
		s.site.Error(w, r, err)
	case !usable:
		s.gone(w, r)
	case r.Method == http.MethodPost:
		s.create(w, r, token)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		s.show(w, r, s.form(), nil)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.site.Pages.Problem(w, r, pages.Problem{Status: http.StatusMethodNotAllowed, Title: "This address does not work that way"})
	}
}

func (s *setup) show(w http.ResponseWriter, r *http.Request, form setupForm, mistakes []pages.Mistake) {
	s.site.Pages.Render(w, r, http.StatusOK, "setup.html", pages.View{Title: "Make the first administrator", Errors: mistakes, Data: form})
}

func (s *setup) gone(w http.ResponseWriter, r *http.Request) {
	s.site.Pages.Problem(w, r, pages.Problem{
		Status: http.StatusGone,
		Title:  "This link does not work any more",
		Paragraphs: []string{
			"It makes the first administrator, once, within an hour. If there is an administrator already, log in.",
			"If there is none, start the server again: it prints a new link. Or make a user with \"cardea createsuperuser\".",
		},
	})
}

func (s *setup) create(w http.ResponseWriter, r *http.Request, token string) {
	if err := r.ParseForm(); err != nil {
		s.site.Error(w, r, err)
		return
	}
	form := s.form()
	form.Username = userdb.NormalizeUsername(strings.TrimSpace(r.PostFormValue("username")))
	if form.AskEmail {
		form.Email = strings.TrimSpace(r.PostFormValue("email"))
	}
	chosen := r.PostFormValue("password")
	var mistakes []pages.Mistake
	if problem := checkUsername(r.Context(), s.db, form.Username); problem != "" {
		mistakes = append(mistakes, pages.Mistake{Field: "username", Text: problem})
	}
	if form.Email != "" && !auth.ValidEmail(form.Email) {
		mistakes = append(mistakes, pages.Mistake{Field: "email", Text: "Enter an e-mail address, such as ada@example.com, or leave it empty."})
	}
	problems, err := s.settings.passwordProblems(r.Context(), chosen, password.About{Username: form.Username, Email: form.Email})
	if err != nil {
		s.site.Error(w, r, err)
		return
	}
	for _, problem := range problems {
		mistakes = append(mistakes, pages.Mistake{Field: "password", Text: problem})
	}
	if mistakes != nil {
		s.show(w, r, form, mistakes)
		return
	}
	encoded, err := s.site.Hashers.Make(r.Context(), chosen)
	if err != nil {
		s.site.Error(w, r, err)
		return
	}
	_, err = s.db.ConsumeSetupLink(r.Context(), token, time.Now(), userdb.NewUser{Username: form.Username, Email: form.Email, PasswordHash: encoded})
	switch {
	case errors.Is(err, userdb.ErrSetupLink):
		s.gone(w, r)
		return
	case err != nil:
		s.site.Error(w, r, err)
		return
	}
	if err := messages.Success(r, "The account is made. Log in with it."); err != nil {
		s.site.Error(w, r, err)
		return
	}
	if err := origin.Redirect(w, r, origin.From(r).Prefix+s.settings.accounts()+"login/", http.StatusSeeOther); err != nil {
		s.site.Error(w, r, err)
	}
}
