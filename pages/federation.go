package pages

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
)

// linkTime is how long ago somebody may have logged in who links or unlinks an account elsewhere.
const linkTime = 10 * time.Minute

// A fresher is a gate that tells new logins from old ones, as an Auth does.
type fresher interface {
	Fresh(within time.Duration) func(http.Handler) http.Handler
}

// federationRoutes are the pages for accounts elsewhere.
func (p *Pages) federationRoutes() ([]route, error) {
	if p.cfg.Federation == nil {
		return nil, nil
	}
	form, page := []string{"GET", "POST", "HEAD", "OPTIONS"}, []string{"GET", "HEAD", "OPTIONS"}
	callback := page
	if _, ok := p.cfg.Federation.(auth.FormReturn); ok {
		callback = form
	}
	routes := []route{
		{path: "oidc/{provider}/login/", methods: form, noCache: true, serve: p.elsewhere},
		{path: "oidc/{provider}/callback/", methods: callback, noCache: true, serve: p.arrive},
	}
	if channel, ok := p.cfg.Federation.(auth.BackChannel); ok {
		routes = append(routes, route{path: "oidc/{provider}/backchannel/", methods: []string{"POST"}, noCache: true, serve: func(w http.ResponseWriter, r *http.Request) {
			channel.BackChannel(w, r, r.PathValue("provider"), p.ender())
		}})
	}
	if p.cfg.Accounts == nil || !p.cfg.Accounts.KeepsIdentities() {
		return routes, nil
	}
	gate, ok := p.gate.(fresher)
	if !ok {
		return nil, errors.New("pages: Config.Federation needs a gate that has Fresh, as an auth.Auth has")
	}
	fresh := func(serve func(http.ResponseWriter, *http.Request, auth.User)) func(http.ResponseWriter, *http.Request) {
		return gate.Fresh(linkTime)(http.HandlerFunc(p.member(serve))).ServeHTTP
	}
	return append(routes,
		route{path: "oidc/{provider}/link/", methods: []string{"POST", "OPTIONS"}, noCache: true, serve: fresh(p.link)},
		route{path: "linked/", methods: form, noCache: true, serve: fresh(p.linked)},
	), nil
}

// provider is the one of that name.
func (p *Pages) provider(name string) (auth.Provider, bool) {
	for _, one := range p.cfg.Federation.Providers() {
		if one.Name == name {
			return one, true
		}
	}
	return auth.Provider{}, false
}

// Providers are the places elsewhere at which people can log in, for a template.
func (v View) Providers() []auth.Provider {
	if v.pages.cfg.Federation == nil {
		return nil
	}
	return v.pages.cfg.Federation.Providers()
}

// elsewhereData is what the templates elsewhere.html and onward.html show.
type elsewhereData struct {
	Provider auth.Provider
	Again    bool
	To       string // the address at the provider
}

// elsewhere asks whether to log in at a provider, and begins it. A link from anywhere shows the button; to press it takes a form of
// ours, so that nobody is logged in by another site's doing.
func (p *Pages) elsewhere(w http.ResponseWriter, r *http.Request) {
	provider, ok := p.provider(r.PathValue("provider"))
	if !ok {
		p.NotFound(w, r)
		return
	}
	if !sent(r) {
		p.Render(w, r, http.StatusOK, "elsewhere.html", View{
			Title: "Log in with " + provider.Title, Next: p.next(r), Data: elsewhereData{Provider: provider, Again: auth.Again(r)},
		})
		return
	}
	fields, err := postForm(r)
	if err != nil {
		p.Error(w, r, err)
		return
	}
	p.begin(w, r, provider, auth.Journey{Provider: provider.Name, Next: p.next(r), Again: last(fields, "again") == "1"})
}

// link begins a login at a provider whose account is to be linked with the user's.
func (p *Pages) link(w http.ResponseWriter, r *http.Request, user auth.User) {
	provider, ok := p.provider(r.PathValue("provider"))
	if !ok {
		p.NotFound(w, r)
		return
	}
	p.begin(w, r, provider, auth.Journey{Provider: provider.Name, User: user.AuthID()})
}

func (p *Pages) begin(w http.ResponseWriter, r *http.Request, provider auth.Provider, j auth.Journey) {
	to, err := p.cfg.Federation.Begin(w, r, j)
	if err != nil {
		p.federationError(w, r, provider, j, err)
		return
	}
	p.away(w, r, "Going to "+provider.Title, elsewhereData{Provider: provider, To: to})
}

// away leads to another site. A form may be answered by a redirect to this site only (form-action in the Content-Security-Policy
// counts for redirects too), so the answer is a page that moves on by itself.
func (p *Pages) away(w http.ResponseWriter, r *http.Request, title string, data elsewhereData) {
	if _, err := url.Parse(data.To); err != nil {
		p.Error(w, r, fmt.Errorf("pages: the provider's address: %w", err))
		return
	}
	w.Header().Set("Refresh", "0; url="+data.To)
	p.Render(w, r, http.StatusOK, "onward.html", View{Title: title, Data: data})
}

// arrive takes the answer with which a provider sends a browser back.
func (p *Pages) arrive(w http.ResponseWriter, r *http.Request) {
	provider, ok := p.provider(r.PathValue("provider"))
	if !ok {
		p.NotFound(w, r)
		return
	}
	if posted, ok := p.cfg.Federation.(auth.FormReturn); ok && posted.Posted(w, r) {
		return
	}
	if r.Method == http.MethodHead { // looking uses nothing up
		w.WriteHeader(http.StatusOK)
		return
	}
	back, err := p.cfg.Federation.Return(w, r, provider.Name)
	switch {
	case err != nil:
		p.federationError(w, r, provider, back.Journey, err)
	case back.User != "":
		p.linkArrival(w, r, provider, back)
	default:
		p.logInArrival(w, r, provider, back)
	}
}

func (p *Pages) logInArrival(w http.ResponseWriter, r *http.Request, provider auth.Provider, back auth.Arrival) {
	err := p.gate.SignIn(r, back.Credentials)
	if err == nil {
		err = back.Remember(r)
	}
	var more *auth.Incomplete
	switch {
	case errors.As(err, &more) && more.URL != "":
		target := p.prefixed(r, more.URL)
		if back.Next != "" {
			target = origin.LoginRedirect(back.Next, target, origin.From(r))
		}
		p.redirect(w, r, target, http.StatusFound)
	case err != nil:
		p.federationError(w, r, provider, back.Journey, err)
	default:
		p.redirect(w, r, p.journeyEnd(r, back.Next), p.cfg.RedirectStatus)
	}
}

// journeyEnd is where a login leads. What was found safe at its beginning is judged once more.
func (p *Pages) journeyEnd(r *http.Request, next string) string {
	if next != "" {
		if next, ok := origin.From(r).SafeNext(next); ok {
			return next
		}
	}
	return p.prefixed(r, p.cfg.LoginRedirectURL)
}

func (p *Pages) linkArrival(w http.ResponseWriter, r *http.Request, provider auth.Provider, back auth.Arrival) {
	user, err := p.gate.Who(r)
	if errors.Is(err, auth.ErrAnonymous) || err == nil && user.AuthID() != back.User {
		err = auth.ErrJourney // whoever wanted it has logged out meanwhile
	}
	if err != nil {
		p.federationError(w, r, provider, back.Journey, err)
		return
	}
	id, err := back.Identify(r)
	if err == nil {
		err = p.cfg.Accounts.LinkIdentity(r.Context(), user.AuthID(), id, provider.Title, origin.From(r).Base(), p.asked(r))
	}
	if err == nil {
		err = messages.Success(r, "Your account at "+provider.Title+" is linked: it logs you in here from now on.")
	}
	if err != nil {
		p.federationError(w, r, provider, back.Journey, err)
		return
	}
	p.onward(w, r, "linked/")
}

// federationError says in kind words what came of a login elsewhere. Whether somebody unknown, somebody who may not log in and
// somebody with a forged answer came is not told apart.
func (p *Pages) federationError(w http.ResponseWriter, r *http.Request, provider auth.Provider, j auth.Journey, err error) {
	problem := Problem{Status: http.StatusForbidden}
	var limited *auth.LimitedError
	switch {
	case errors.As(err, &limited), errors.Is(err, auth.ErrNoProvider):
		p.Error(w, r, err)
		return
	case errors.Is(err, auth.ErrUnreachable):
		problem.Status, problem.RetryAfter = http.StatusServiceUnavailable, 5*time.Second
		problem.Title = provider.Title + " does not answer right now"
		problem.Paragraphs = []string{"Nothing is wrong with your account here. Try again in a moment, or log in another way."}
		p.fail(w, r, err, problem)
		return
	case errors.Is(err, auth.ErrCancelled):
		problem.Status = http.StatusOK
		problem.Title = "You did not log in with " + provider.Title
		problem.Paragraphs = []string{"You have come back without logging in there, so nothing has changed here. If you did not mean to, try again."}
	case errors.Is(err, auth.ErrJourney):
		problem.Status = http.StatusBadRequest
		problem.Title = "This way back is not open any more"
		problem.Paragraphs = []string{
			"A login with " + provider.Title + " has to be finished within ten minutes, in the browser in which it was begun, and once. If you have used the back button or loaded a page anew, that may be why.",
			"Begin once more. If it happens again, check that your browser accepts cookies of this site.",
		}
	case errors.Is(err, account.ErrTaken):
		problem.Status = http.StatusConflict
		problem.Title = "That account is linked with another one here"
		problem.Paragraphs = []string{"An account at " + provider.Title + " logs in to one account of this site. Log in with it to see to which, and unlink it there first."}
	case j.User != "" && errors.Is(err, auth.ErrInvalid):
		problem.Title = "Your account at " + provider.Title + " was not linked"
		problem.Paragraphs = []string{"What came back from there could not be relied on, so nothing has changed. Please try again."}
	case errors.Is(err, auth.ErrInvalid):
		problem.Title = provider.Title + " did not log you in here"
		problem.Paragraphs = []string{
			"Either no account of this site is linked with yours at " + provider.Title + ", or it may not log in.",
			"If you have an account here, log in to it another way and link the two. If you have none, ask the people who run this site.",
		}
	default:
		p.Error(w, r, err)
		return
	}
	if wantsJSON(r) {
		p.Problem(w, r, problem)
		return
	}
	p.Render(w, r, problem.Status, "elsewhere_problem.html", View{Title: problem.Title, Next: p.safeAgain(r, j.Next), ShowUser: j.User != "", Data: problem})
}

// safeAgain is the next of a journey if it is still safe.
func (p *Pages) safeAgain(r *http.Request, next string) string {
	if next == "" {
		return ""
	}
	next, _ = origin.From(r).SafeNext(next)
	return next
}

// issuers are those by whose identities people log in.
func (p *Pages) issuers() []string {
	list := slices.Clone(p.cfg.Issuers)
	for _, one := range p.cfg.Federation.Providers() {
		if !slices.Contains(list, one.Issuer) {
			list = append(list, one.Issuer)
		}
	}
	return list
}
