// Package pages has the ready pages of a site: log in, log out, the profile, passwords, addresses, sessions, and the pages that
// say what went wrong.
//
// They live at the names of Django's django.contrib.auth.urls under any prefix, need no script, carry a strict
// Content-Security-Policy, and can be replaced one by one through an fs.FS.
package pages

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// Config says how the pages look and where they lead. The zero value works.
type Config struct {
	// Prefix is the path of the pages within the program, such as "/accounts/". Defaults to "/accounts/".
	Prefix string
	// Site is the name at the top of every page. Defaults to "Cardea".
	Site string
	// Help is the address of help, for a link at the same place of every page. Defaults to no such link.
	Help string
	// LoginRedirectURL is where a login leads that no page asked for. Defaults to Prefix + "profile/".
	LoginRedirectURL string
	// LogoutRedirectURL is where a logout leads. Defaults to a page that says so.
	LogoutRedirectURL string
	// RedirectAuthenticatedUser sends people who are logged in away from the login page. Defaults to false.
	RedirectAuthenticatedUser bool
	// RedirectStatus answers a form that was accepted. Defaults to 303; Django's is 302.
	RedirectStatus int
	// Identifier is what people type to log in: "username", "email" or "either". Defaults to "username".
	Identifier string
	// Accounts changes and resets passwords and addresses. Defaults to none: the pages for that are then not there.
	Accounts *account.Service
	// WithoutMail says that no mail leaves this site: the pages that need some are then not there.
	WithoutMail bool
	// Signup lets people make accounts. It needs Accounts and mail. Defaults to no.
	Signup bool
	// Federation takes people to places where they have accounts elsewhere. Defaults to none: the pages for that are then not there.
	Federation auth.Federation
	// WithoutPasswords says that no back end takes the passwords of this site: then one is no way to log in. Defaults to false.
	WithoutPasswords bool
	// Issuers are issuers beside those of Federation by whose identities people log in. Defaults to none.
	Issuers []string
	// Sessions lists people's sessions and ends them. Defaults to none: that page is then not there.
	Sessions sessions.Lister
	// Tokens makes, lists and ends the tokens of people's programs. Defaults to none: those pages are then not there.
	Tokens tokenauth.Keeper
	// MinimumPassword is the least number of characters of a new password, for password managers. Defaults to 8.
	MinimumPassword int
	// PasswordHelp are the rules of new passwords, a sentence each. Defaults to one about the length.
	PasswordHelp []string
	// Location is the time zone of times on the pages. Defaults to UTC.
	Location *time.Location
	// Debug says on the page why a form was refused. Defaults to the log alone.
	Debug bool
	// Describe says who a user is. Defaults to the user's id.
	Describe func(auth.User) Description
	// Templates overlays the built-in templates: a file of the same name replaces ours. Defaults to none.
	Templates fs.FS
	// Funcs are added to the templates. Defaults to none.
	Funcs template.FuncMap
	// Logger hears of failures. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Description is what the pages show of a user.
type Description struct {
	Name  string // short, for the top of the page
	Login string // what the user types to log in, for password managers
	Facts []Fact // for the profile, in order
}

// A Fact is one line of the profile.
type Fact struct{ Name, Value string }

// Pages serves the built-in pages. Make it with [New].
type Pages struct {
	gate      auth.Gate
	renewer   renewer
	cfg       Config
	templates map[string]*template.Template
	assets    map[string]asset
	shape     account.Shape
	routes    []route
}

// A route is one page: its path below the prefix, its methods in the order of the Allow header, and its handler.
type route struct {
	path    string
	methods []string
	noCache bool // Django's never_cache headers, also on 405
	serve   func(w http.ResponseWriter, r *http.Request)
}

// New makes the pages for the people behind gate. A template that does not parse is an error.
func New(gate auth.Gate, cfg Config) (*Pages, error) {
	if gate == nil {
		return nil, errors.New("pages: New needs a gate")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "/accounts/"
	}
	if !strings.HasPrefix(cfg.Prefix, "/") || !strings.HasSuffix(cfg.Prefix, "/") {
		return nil, errors.New("pages: Prefix must begin and end with a slash, such as \"/accounts/\"")
	}
	if cfg.Site == "" {
		cfg.Site = "Cardea"
	}
	if cfg.LoginRedirectURL == "" {
		cfg.LoginRedirectURL = cfg.Prefix + "profile/"
	}
	if cfg.RedirectStatus == 0 {
		cfg.RedirectStatus = http.StatusSeeOther
	}
	if cfg.Describe == nil {
		cfg.Describe = func(u auth.User) Description { return Description{Name: u.AuthID()} }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MinimumPassword == 0 {
		cfg.MinimumPassword = 8
	}
	if cfg.PasswordHelp == nil {
		cfg.PasswordHelp = []string{fmt.Sprintf("At least %d characters. A sentence is better than a word.", cfg.MinimumPassword)}
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	p := &Pages{gate: gate, cfg: cfg}
	if cfg.Accounts != nil {
		p.shape = cfg.Accounts.Shape()
	}
	var ok bool
	if p.renewer, ok = gate.(renewer); !ok && cfg.Accounts != nil {
		return nil, errors.New("pages: Config.Accounts needs a gate that has Renew, as an auth.Auth has")
	}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if p.templates, err = loadTemplates(cfg.Templates, cfg.Funcs, cfg.Logger); err != nil {
		return nil, err
	}
	form := []string{"GET", "POST", "PUT", "HEAD", "OPTIONS"}
	p.routes = []route{
		{path: "login/", methods: form, noCache: true, serve: p.login},
		{path: "logout/", methods: []string{"POST", "OPTIONS"}, noCache: true, serve: p.logout},
		{path: "profile/", methods: []string{"GET", "HEAD", "OPTIONS"}, serve: p.profile},
	}
	p.routes = append(p.routes, p.accountRoutes()...)
	outside, err := p.federationRoutes()
	if err != nil {
		return nil, err
	}
	p.routes = append(p.routes, outside...)
	tokens, err := p.tokenRoutes()
	if err != nil {
		return nil, err
	}
	p.routes = append(p.routes, tokens...)
	return p, nil
}

// ServeHTTP answers the paths below the prefix; any other is 404. They are for people: a request with a token is 403.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if auth.OwnCredentials(r) { // who has found a token shall not make others with it, nor change the password
		p.Error(w, r, fmt.Errorf("pages: %w", sessions.ErrNoSession))
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, p.cfg.Prefix)
	if !ok {
		p.NotFound(w, r)
		return
	}
	for _, route := range p.routes {
		if values, ok := match(route.path, path); ok {
			for name, value := range values {
				r.SetPathValue(name, value)
			}
			p.serve(w, r, route)
			return
		}
		if _, ok := match(route.path, path+"/"); ok && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			target := origin.From(r).Prefix + p.cfg.Prefix + path + "/"
			if r.URL.RawQuery != "" {
				target += "?" + r.URL.RawQuery
			}
			p.redirect(w, r, target, http.StatusMovedPermanently)
			return
		}
	}
	if name, ok := strings.CutPrefix(path, assetFolder); ok && p.serveAsset(w, r, name) {
		return
	}
	p.NotFound(w, r)
}

func (p *Pages) serve(w http.ResponseWriter, r *http.Request, route route) {
	if route.noCache {
		neverCache(w.Header(), p.cfg.Now())
	}
	switch {
	case !slices.Contains(route.methods, r.Method):
		w.Header().Set("Allow", strings.Join(route.methods, ", "))
		p.Problem(w, r, Problem{
			Status:     http.StatusMethodNotAllowed,
			Title:      "This address does not work that way",
			Paragraphs: []string{"The page was opened in a way that it does not answer to. Logging out, for one, takes a press on its button, so that no foreign link can do it."},
		})
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", strings.Join(route.methods, ", "))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	default:
		route.serve(w, r)
	}
}

// neverCache sets what Django's never_cache decorator sets.
func neverCache(h http.Header, now time.Time) {
	h.Set("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private")
	h.Set("Expires", now.UTC().Format(http.TimeFormat))
}

// redirect sends the browser to target, percent-encoded and otherwise untouched.
func (p *Pages) redirect(w http.ResponseWriter, r *http.Request, target string, status int) {
	if err := origin.Redirect(w, r, target, status); err != nil {
		p.cfg.Logger.WarnContext(r.Context(), "refused redirect", "error", err)
		p.Problem(w, r, problemOf(http.StatusBadRequest))
	}
}
