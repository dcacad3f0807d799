package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/perm"
)

// The rules for requests that carry credentials of their own:
//
//  1. What a back end claims, by RequestCredentials, is decided before the session is read: no session is read or made, no cookie
//     is set, and the user is the one of the credentials. They are checked once, before the application runs. What is refused is
//     answered 401, or 429 after too many; what cannot be checked is 503. No cookie is ever looked at instead.
//  2. Only those in "Authorization: Bearer" are free of the CSRF check: browsers send everything else by themselves, or might.
//  3. Several Authorization headers are refused with 400, for two programs on the way may differ about which one counts.
//  4. What nobody claims is ignored: such a request is one without the header.

// RequestCredentials is implemented by a [Backend] whose credentials come with each request, such as a token, in place of a session.
// Its Authenticate is the one that is asked about them. They open no session: Login refuses them.
type RequestCredentials interface {
	// Credentials returns the credentials in the header of r, and whether there are any that are this back end's to judge, good or
	// bad. It only looks at the header: it is called for every request, before anything is known of it.
	Credentials(r *http.Request) (creds any, claimed bool)
}

// A ClaimError is the refusal of credentials that a request carries in its header. It is an [ErrInvalid].
type ClaimError struct {
	Status int // 401; 400 for several headers, 403 for HTTP Basic over plain HTTP
	Err    error
}

func (e *ClaimError) Error() string { return "auth: the credentials of the request: " + text(e.Err) }

// Unwrap returns the reason.
func (e *ClaimError) Unwrap() error { return e.Err }

// Is makes a ClaimError an [ErrInvalid].
func (e *ClaimError) Is(target error) bool { return target == ErrInvalid }

// OwnCredentials reports whether a request is known by credentials of its own, a token or HTTP Basic, and therefore has no session.
func OwnCredentials(r *http.Request) bool {
	x := respond.From(r.Context())
	return x != nil && x.Sessionless()
}

// A claim is what a request carries.
type claim struct {
	creds   any
	backend int // in Config.Backends; basic and broken are none
	bearer  bool
}

const (
	basicClaim = -1
	severalOf  = -2
)

// known is a claim that was found to be right.
type known struct {
	proof Proof
	limit *perm.Set // what its bearer may do at most; nil: all that the user may
}

// claimOf is the key under which a request keeps its *claim.
type claimOf[U User] struct{ auth *Auth[U] }

// reader returns the RequestCredentials of a back end, also of one that may be down.
func reader(b Backend) (RequestCredentials, bool) {
	if s, ok := b.(skipper); ok {
		b = s.Backend
	}
	c, ok := b.(RequestCredentials)
	return c, ok
}

// Claims finds out whether requests carry credentials of their own. It goes inside the handler of package origin and outside the
// sessions' one, and is needed where a back end has [RequestCredentials] or Config.BasicRealm is set.
func (a *Auth[U]) Claims(next http.Handler) http.Handler {
	if !a.claims {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		if x == nil {
			panic("auth: Auth.Claims must stand inside the handler of package origin, as in the site's Handler")
		}
		c := a.claimed(r)
		if c != nil {
			x.Self(c.bearer)
		}
		x.Attach(claimOf[U]{a}, c)
		next.ServeHTTP(w, r)
	})
}

func (a *Auth[U]) claimed(r *http.Request) *claim {
	lines := r.Header["Authorization"]
	if len(lines) > 1 {
		return &claim{backend: severalOf}
	}
	scheme := ""
	if len(lines) == 1 {
		scheme, _, _ = strings.Cut(strings.TrimSpace(lines[0]), " ")
	}
	for i, b := range a.cfg.Backends {
		if c, ok := reader(b); ok {
			if creds, claimed := c.Credentials(r); claimed {
				return &claim{creds: creds, backend: i, bearer: strings.EqualFold(scheme, "Bearer")}
			}
		}
	}
	if a.cfg.BasicRealm != "" && strings.EqualFold(scheme, "Basic") {
		username, password, ok := r.BasicAuth()
		if !ok {
			return &claim{backend: basicClaim}
		}
		return &claim{creds: Password{Username: username, Password: password}, backend: basicClaim}
	}
	return nil
}

// settle checks a claim, before the application runs. Without an error, v knows the user from then on.
func (a *Auth[U]) settle(r *http.Request, v *visit[U], c *claim) error {
	v.read = true
	verified, err := a.weigh(r, c)
	if err == nil && a.cfg.Policy != nil {
		err = a.judge(r, verified.user, []Proof{verified.proof})
	}
	var limited *LimitedError
	var refused *ClaimError
	switch {
	case err == nil:
	case errors.As(err, &limited), errors.As(err, &refused):
		return err
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrAnonymous): // an *Incomplete: the rest cannot be proven this way
		return &ClaimError{Status: http.StatusUnauthorized, Err: err}
	default:
		return err
	}
	if c.backend == basicClaim && a.cfg.Policy != nil {
		ctx, cancel := writing(r, writeTime)
		defer cancel()
		if err := a.forgive(ctx, verified.account); err != nil {
			return a.broken(r, "forget the tries", err)
		}
	}
	v.known = &known{proof: verified.proof, limit: verified.limit}
	v.set(verified.user, nil)
	return nil
}

var (
	errSeveral   = errors.New("several Authorization headers")
	errMalformed = errors.New("not a name and a password")
	errPlainHTTP = errors.New("a password over plain HTTP")
)

// weigh finds out whose the credentials are.
func (a *Auth[U]) weigh(r *http.Request, c *claim) (*Verified[U], error) {
	at := origin.From(r)
	switch {
	case c.backend == severalOf:
		return nil, &ClaimError{Status: http.StatusBadRequest, Err: errSeveral}
	case c.backend != basicClaim:
		return a.askOne(r, c)
	case !at.Secure && !at.Loopback: // which insecure_http lets in
		return nil, &ClaimError{Status: http.StatusForbidden, Err: errPlainHTTP}
	case c.creds == nil:
		if err := a.countBad(r); err != nil {
			return nil, err
		}
		return nil, &ClaimError{Status: http.StatusUnauthorized, Err: errMalformed}
	}
	v, err := a.Authenticate(r, c.creds)
	if err == nil && !v.user.Active() { // as with a form
		return nil, fmt.Errorf("auth: %w", ErrInactive)
	}
	return v, err
}

// askOne asks the back end that claims the credentials, and no other. What it refuses is counted by address.
func (a *Auth[U]) askOne(r *http.Request, c *claim) (*Verified[U], error) {
	b, name := a.cfg.Backends[c.backend], a.names[c.backend]
	id, err := b.Authenticate(r, c.creds)
	var u U
	if err == nil {
		u, err = a.identified(r, name, id)
	}
	switch {
	case err == nil:
		v := &Verified[U]{auth: a, user: u, proof: a.proof(name, id), limit: id.Limit}
		if c.bearer { // nobody knows when its owner has last proven anything: never fresh
			v.proof.At = time.Time{}
		}
		return v, nil
	case !errors.Is(err, ErrInvalid):
		return nil, a.broken(r, fmt.Sprintf("back end %q", name), err)
	}
	if counted := a.countBad(r); counted != nil {
		err = counted
	}
	var limited *LimitedError
	if errors.Is(err, ErrInvalid) || errors.As(err, &limited) {
		a.failed(r, c.creds, err)
	}
	return nil, err
}

// countBad counts credentials that were refused without naming an account. Good ones are never counted.
func (a *Auth[U]) countBad(r *http.Request) error {
	if a.cfg.Limiter == nil {
		return nil
	}
	return a.limited(r, a.cfg.Limiter.TryAddress(r.Context(), "request", origin.From(r).Addr))
}

// challenge says in the header of a refusal what a program may prove itself by. Basic is offered to what is no browser's only, for a
// browser would ask with a window of its own.
func (a *Auth[U]) challenge(w http.ResponseWriter, r *http.Request, c *claim) {
	if !a.claims {
		return
	}
	h := w.Header()
	h.Del("WWW-Authenticate")
	for _, b := range a.cfg.Backends {
		if _, ok := reader(b); ok {
			value := "Bearer"
			if c != nil && c.bearer {
				value = `Bearer error="invalid_token"`
			}
			if c != nil && c.backend == severalOf {
				value = `Bearer error="invalid_request"`
			}
			h.Add("WWW-Authenticate", value)
			break
		}
	}
	if a.cfg.BasicRealm != "" && !ofBrowser(r) {
		h.Add("WWW-Authenticate", "Basic realm="+strconv.Quote(a.cfg.BasicRealm)+`, charset="UTF-8"`)
	}
}

// ofBrowser reports whether a browser made the request, be it for a page or for a script.
func ofBrowser(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || r.Header.Get("X-Requested-With") != "" || acceptsPages(r)
}
