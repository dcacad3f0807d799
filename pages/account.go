package pages

import (
	"errors"
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
)

// A renewer is a gate that keeps the request's session over a change of password, as an Auth does.
type renewer interface {
	Renew(r *http.Request, encoded string) error
}

// accountRoutes are the pages of accounts, at Django's paths where Django has such a page.
func (p *Pages) accountRoutes() []route {
	form, page := []string{"GET", "POST", "PUT", "HEAD", "OPTIONS"}, []string{"GET", "HEAD", "OPTIONS"}
	var routes []route
	if p.cfg.Accounts != nil {
		routes = append(routes,
			route{path: "password_change/", methods: form, serve: p.member(p.passwordChange)},
			route{path: "password_change/done/", methods: page, serve: p.member(p.passwordChanged)},
		)
	}
	if p.cfg.Accounts != nil && !p.cfg.WithoutMail {
		routes = append(routes,
			route{path: "password_reset/", methods: form, serve: p.passwordReset},
			route{path: "password_reset/done/", methods: page, serve: p.show("password_reset_done.html", "Look into your mail")},
			route{path: "reset/{uid}/{token}/", methods: form, noCache: true, serve: p.reset},
			route{path: "reset/done/", methods: page, serve: p.show("reset_done.html", "Your new password is set")},
			route{path: "email/", methods: form, noCache: true, serve: p.member(p.email)},
			route{path: "email/{token}/", methods: form, noCache: true, serve: p.member(p.emailConfirm)},
		)
		if p.cfg.Signup {
			routes = append(routes,
				route{path: "signup/", methods: form, serve: p.signup},
				route{path: "signup/sent/", methods: page, serve: p.show("signup_sent.html", "Look into your mail")},
				route{path: "signup/{token}/", methods: form, noCache: true, serve: p.signupFinish},
			)
		}
	}
	if p.cfg.Sessions != nil {
		routes = append(routes, route{path: "sessions/", methods: form, noCache: true, serve: p.member(p.sessions)})
	}
	return routes
}

// match compares a path with that of a route, whose parts in braces stand for one segment each, and returns those segments.
func match(pattern, path string) (values map[string]string, ok bool) {
	if !strings.Contains(pattern, "{") {
		return nil, pattern == path
	}
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	values = map[string]string{}
	for i, part := range want {
		if name, ok := strings.CutPrefix(part, "{"); ok && got[i] != "" {
			values[strings.TrimSuffix(name, "}")] = got[i]
		} else if part != got[i] {
			return nil, false
		}
	}
	return values, true
}

// show serves a page that only says something.
func (p *Pages) show(template, title string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		p.Render(w, r, http.StatusOK, template, View{Title: title, Next: p.next(r)})
	}
}

// member serves a page to somebody who is logged in, and sends others to log in first.
func (p *Pages) member(serve func(w http.ResponseWriter, r *http.Request, user auth.User)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		p.gate.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, err := p.gate.Who(r)
			if err != nil {
				p.Error(w, r, err)
				return
			}
			serve(w, r, user)
		})).ServeHTTP(w, r)
	}
}

// sent reports whether the request is to be treated as a form that was sent. PUT is one without fields, as in Django.
func sent(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// asked says when and from where the request comes, for the mail that tells the owner.
func (p *Pages) asked(r *http.Request) account.Asked {
	agent := strings.ToValidUTF8(r.UserAgent(), "")
	if len(agent) > 255 {
		agent = strings.ToValidUTF8(agent[:255], "")
	}
	return account.Asked{At: p.cfg.Now(), Address: origin.From(r).Addr, Agent: agent}
}

// mistakes are what a person can mend, and false for any other error.
func mistakes(err error) ([]Mistake, bool) {
	var invalid *account.Invalid
	if !errors.As(err, &invalid) {
		return nil, false
	}
	list := make([]Mistake, len(invalid.Problems))
	for i, problem := range invalid.Problems {
		list[i] = Mistake{Field: problem.Field, Text: problem.Text}
	}
	return list, true
}

// onward leads on after a form that was accepted, to one of the pages.
func (p *Pages) onward(w http.ResponseWriter, r *http.Request, name string) {
	p.redirect(w, r, origin.From(r).Prefix+p.cfg.Prefix+name, p.cfg.RedirectStatus)
}

// newPassword is what the part "newpassword" of the templates shows: two fields and the rules.
type newPassword struct {
	First, Second       string // names of the fields
	FirstBad, SecondBad bool
	Focus               bool
	Minimum, Maximum    int
	Help                []string
	Username            string // for password managers
}

// NewPassword is for the part "newpassword" of a template, with the fields prefix1 and prefix2.
func (v View) NewPassword(prefix, username string, focus bool) newPassword {
	n := newPassword{
		First: prefix + "1", Second: prefix + "2", Focus: focus, Minimum: v.pages.cfg.MinimumPassword, Maximum: 4096,
		Help: v.pages.cfg.PasswordHelp, Username: username,
	}
	n.FirstBad, n.SecondBad = v.ErrorOf(n.First), v.ErrorOf(n.Second)
	return n
}

// Has reports whether there is a page of that name, so that a template links to nothing that is not there.
func (v View) Has(name string) bool {
	for _, route := range v.pages.routes {
		if route.path == name {
			return true
		}
	}
	return false
}

// WellKnown answers the addresses at which password managers look, such as /.well-known/change-password; any other is 404. Mount
// it at /.well-known/.
func (p *Pages) WellKnown(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/.well-known/change-password" || p.cfg.Accounts == nil {
		p.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	p.redirect(w, r, origin.From(r).Prefix+p.cfg.Prefix+"password_change/", http.StatusFound)
}

// Public reports whether a request is for a page that people need who are not logged in: log-in, forgotten passwords, signing up,
// and the looks of the pages, as Django marks its views. It is an exemption for auth.Auth.LoginRequired.
func (p *Pages) Public(r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, p.cfg.Prefix)
	if !ok {
		return false
	}
	for _, open := range [...]string{"login/", "password_reset/", "reset/", "signup/", "oidc/", assetFolder} {
		if strings.HasPrefix(path, open) {
			return true
		}
	}
	return false
}
