package oidcauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/throttle"
)

// FlowConfig says how browsers are taken to the providers. The zero value works.
type FlowConfig struct {
	// Path is the path of the pages within the program. Defaults to "/accounts/". The addresses that providers know are below it:
	// oidc/NAME/callback/ and oidc/NAME/backchannel/.
	Path string
	// Cookie ties an attempt to the browser that began it. Its name defaults to "oidc". Its SameSite is Lax whatever is set.
	Cookie origin.CookiePolicy
	// Limiter counts attempts by where they come from, which is the account too. Defaults to no limit.
	Limiter Limiter
	// LoginTime is how long a login may be ended by the provider's name for it. Defaults to 30 days.
	LoginTime time.Duration
	// Logger hears of answers that cannot be believed. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// A Limiter counts tries. *throttle.Limiter is one.
type Limiter interface {
	Try(ctx context.Context, account string, addr netip.Addr) error
}

// A Flow takes browsers to providers and back. It is an auth.Federation; make it with [NewFlow].
type Flow struct {
	store     Store
	providers []*Provider
	cfg       FlowConfig
}

var (
	_ auth.Federation  = (*Flow)(nil)
	_ auth.BackChannel = (*Flow)(nil)
	_ auth.FormReturn  = (*Flow)(nil)
)

// NewFlow makes a flow over providers, in the order of their buttons.
func NewFlow(store Store, providers []*Provider, cfg FlowConfig) (*Flow, error) {
	if store == nil {
		return nil, errors.New("oidcauth: NewFlow needs a store")
	}
	seen := map[string]bool{}
	issuers := map[string]string{}
	for _, p := range providers {
		if p == nil {
			return nil, errors.New("oidcauth: NewFlow was given a nil provider")
		}
		if seen[p.cfg.Name] {
			return nil, fmt.Errorf("oidcauth: two providers have the name %q", p.Name())
		}
		// A person has one account at an issuer, whichever of its clients asks; but subjects may differ from client to client.
		if other := issuers[p.cfg.Issuer]; other != "" {
			return nil, fmt.Errorf("oidcauth: the providers %q and %q have the same issuer %s", other, p.cfg.Name, p.cfg.Issuer)
		}
		seen[p.cfg.Name], issuers[p.cfg.Issuer] = true, p.cfg.Name
	}
	if cfg.Path == "" {
		cfg.Path = "/accounts/"
	}
	if cfg.Cookie.Name == "" {
		cfg.Cookie.Name = "oidc"
	}
	cfg.Cookie.SameSite, cfg.Cookie.ScriptReadable = "Lax", false
	if err := cfg.Cookie.Validate(); err != nil {
		return nil, fmt.Errorf("oidcauth: %w", err)
	}
	if cfg.LoginTime == 0 {
		cfg.LoginTime = 30 * 24 * time.Hour
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Flow{store: store, providers: providers, cfg: cfg}, nil
}

// Providers implements auth.Federation.
func (f *Flow) Providers() []auth.Provider {
	list := make([]auth.Provider, len(f.providers))
	for i, p := range f.providers {
		list[i] = auth.Provider{Name: p.cfg.Name, Title: p.cfg.Title, Issuer: p.cfg.Issuer}
	}
	return list
}

func (f *Flow) find(name string) (*Provider, error) {
	for _, p := range f.providers {
		if p.cfg.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("oidcauth: %w: %q", auth.ErrNoProvider, name)
}

// maxNext is the longest way back that is kept.
const maxNext = 2000

// Begin implements auth.Federation.
func (f *Flow) Begin(w http.ResponseWriter, r *http.Request, j auth.Journey) (string, error) {
	p, err := f.find(j.Provider)
	if err != nil {
		return "", err
	}
	if err := f.limit(r); err != nil {
		return "", err
	}
	m, err := p.meta.get(r.Context())
	if err != nil {
		return "", p.down(err)
	}
	a := attempt{
		Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Redirect: f.address(r, p, "callback/"),
		Next: j.Next, User: j.User, Again: j.Again, Begun: f.cfg.Now().UTC().Truncate(time.Second),
	}
	if len(a.Next) > maxNext {
		a.Next = ""
	}
	client, err := p.oauth(m, a.Redirect)
	if err != nil {
		return "", p.down(err)
	}
	browser, ok := f.cfg.Cookie.Read(r)
	if !ok || len(browser) != len(rand.Text()) {
		browser = rand.Text()
	}
	state := rand.Text()
	if err := f.keep(r.Context(), attemptKey(p.cfg.Name, browser, state), a); err != nil {
		return "", outage("keep an attempt", err)
	}
	f.cfg.Cookie.Set(w.Header(), r, browser, origin.Life{MaxAge: attemptTime, Now: f.cfg.Now()})
	return client.AuthCodeURL(state, p.options(a)...), nil
}

// options are the parameters of the request of an authorization.
func (p *Provider) options(a attempt) []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	set := func(name, value string) { options = append(options, oauth2.SetAuthURLParam(name, value)) }
	for name, value := range p.cfg.Params {
		set(name, value)
	}
	options = append(options, oauth2.S256ChallengeOption(a.Verifier))
	if p.cfg.FormPost {
		set("response_mode", "form_post")
	}
	if p.cfg.OAuth != nil {
		return options
	}
	set("nonce", a.Nonce)
	if p.cfg.ACR != nil {
		set("acr_values", strings.Join(p.cfg.ACR, " "))
	}
	switch {
	case a.Again:
		set("prompt", "login")
		if !p.cfg.NoAuthTime {
			set("max_age", "0")
		}
	case p.cfg.MaxAge > 0:
		set("max_age", strconv.Itoa(int(p.cfg.MaxAge/time.Second)))
	}
	return options
}

// address is an address of ours that the provider knows.
func (f *Flow) address(r *http.Request, p *Provider, end string) string {
	return origin.From(r).Base() + f.cfg.Path + "oidc/" + p.cfg.Name + "/" + end
}

func (f *Flow) limit(r *http.Request) error {
	if f.cfg.Limiter == nil {
		return nil
	}
	err := f.cfg.Limiter.Try(r.Context(), origin.From(r).Addr.String(), origin.From(r).Addr)
	var limited *throttle.LimitedError
	if errors.As(err, &limited) {
		return &auth.LimitedError{RetryAfter: limited.RetryAfter, Err: err}
	}
	return outage("count the try", err)
}

// Sweep deletes what has expired, if the store can, and returns how much that was.
func (f *Flow) Sweep(ctx context.Context, now time.Time) (int, error) {
	if s, ok := f.store.(interface {
		Sweep(ctx context.Context, now time.Time) (int, error)
	}); ok {
		return s.Sweep(ctx, now)
	}
	return 0, nil
}

// outage gives a failure its type; nil stays nil.
func outage(op string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &auth.OutageError{Op: op, Err: err}
}

// maxAnswer is the longest part of an answer that is looked at.
const maxAnswer = 8 << 10

// answerFields are the parts of an answer.
var answerFields = [...]string{"code", "state", "iss", "error"}

// Return implements auth.Federation. An answer that comes as a form is sent on to itself as a link: it comes from another site, so
// that the browser has kept the cookie to itself, and shows it on the way there.
func (f *Flow) Return(w http.ResponseWriter, r *http.Request, provider string) (none auth.Arrival, err error) {
	p, err := f.find(provider)
	if err != nil {
		return none, err
	}
	answer, err := one(r.URL.RawQuery)
	if err != nil {
		return none, fmt.Errorf("oidcauth: %w: %w", err, auth.ErrJourney)
	}
	browser, _ := f.cfg.Cookie.Read(r)
	if answer["state"] == "" || browser == "" {
		return none, fmt.Errorf("oidcauth: no state, or no cookie: %w", auth.ErrJourney)
	}
	key := attemptKey(p.cfg.Name, browser, answer["state"])
	a, ok, err := f.take(r.Context(), key)
	switch {
	case err != nil:
		return none, outage("look for an attempt", err)
	case !ok:
		return none, fmt.Errorf("oidcauth: %w", auth.ErrJourney)
	}
	back := auth.Arrival{Journey: auth.Journey{Provider: provider, Next: a.Next, User: a.User, Again: a.Again}}
	m, err := p.meta.get(r.Context())
	if err != nil {
		return back, p.down(err)
	}
	if err := p.checkIssuer(m, answer["iss"]); err != nil {
		f.cfg.Logger.WarnContext(r.Context(), "oidcauth: answer refused", "provider", p.cfg.Name, "reason", err)
		return back, err
	}
	switch refusal := answer["error"]; refusal {
	case "":
	case "access_denied", "login_required", "interaction_required", "consent_required", "user_cancelled_authorize":
		return back, fmt.Errorf("oidcauth: %q: %w", refusal, auth.ErrCancelled)
	default:
		return back, p.down(fmt.Errorf("the provider answers %q", refusal))
	}
	if answer["code"] == "" {
		return back, refused("the answer has neither a code nor an error")
	}
	code := &Code{provider: p, attempt: a, key: key, code: answer["code"]}
	back.Credentials = code
	back.Identify = func(r *http.Request) (*auth.Identity, error) {
		found, err := code.redeem(r.Context())
		if err != nil {
			return nil, err
		}
		return found.identity, nil
	}
	back.Remember = func(r *http.Request) error { return f.remember(r, code) }
	return back, nil
}

// checkIssuer is RFC 9207: an answer names who gives it.
func (p *Provider) checkIssuer(m *metadata, iss string) error {
	switch {
	case p.cfg.OAuth != nil:
		return nil // its issuer is a name of ours
	case iss == "" && m.sendsIss:
		return refused("the answer does not say whose it is (iss), though the provider promises that")
	case iss != "" && iss != p.cfg.Issuer:
		return refused("the answer is of %q (iss)", iss)
	}
	return nil
}

// one reads the parts of an answer. One that comes twice could be read in two ways.
func one(query string) (map[string]string, error) {
	if len(query) > 4*maxAnswer {
		return nil, errors.New("the answer is too long")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the answer is no query")
	}
	answer := map[string]string{}
	for _, name := range answerFields {
		switch v := values[name]; {
		case len(v) > 1:
			return nil, fmt.Errorf("the answer has %d times %q", len(v), name)
		case len(v) == 1 && len(v[0]) > maxAnswer:
			return nil, fmt.Errorf("the answer has a %q of %d bytes", name, len(v[0]))
		case len(v) == 1:
			answer[name] = v[0]
		}
	}
	return answer, nil
}

// Posted implements auth.FormReturn. It answers a provider's form (response_mode=form_post): with a redirect to the same answer as a link. The form comes from
// another site, so browsers send it without our cookie; to a link they add it. It looks at nothing and changes nothing, so it
// needs no protection against forged forms. It reports whether the request was such a form.
func (f *Flow) Posted(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxAnswer)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form cannot be read.", http.StatusBadRequest)
		return true
	}
	on := url.Values{}
	for _, name := range answerFields {
		if v := r.PostForm[name]; v != nil {
			on[name] = v
		}
	}
	w.Header().Set("Location", "?"+on.Encode())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return true
}
