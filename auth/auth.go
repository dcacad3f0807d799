package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/throttle"
)

// Config says how an [Auth] works. Backends and Keys are required.
type Config struct {
	// Backends are asked in order whose credentials these are. Their names are distinct.
	Backends []Backend

	// Keys make the session hashes: Current writes, and Fallbacks are still accepted.
	Keys signing.Keys

	// Limiter counts tries by account and by address before any back end is asked; it needs the layer of package origin to
	// know the address. Defaults to no limit.
	Limiter *throttle.Limiter

	// BasicRealm lets programs send a user name and a password with each request, by HTTP Basic, and is what their owners are told the
	// password is for. Each request then costs a password check, and counts as a try. Defaults to no HTTP Basic.
	BasicRealm string

	// Policy is asked at each login and at each request whether what was proven is enough. Defaults to yes.
	Policy Policy

	// Permissions are asked in order what a user may do. Defaults to the table of users, if that is a perm.Source.
	Permissions []perm.Source

	// LoginURL is where Required sends people: a path of this site, before which the prefix it is mounted at
	// is put, or an absolute URL. Defaults to "/accounts/login/".
	LoginURL string

	// LoginRedirectURL is where Next leads when the request does not say. Defaults to "/accounts/profile/".
	LoginRedirectURL string

	// OnLogin is told of each complete login, after it.
	OnLogin []func(r *http.Request, user User)

	// OnLogout is told of each logout, before the session is cleared; user is nil when nobody was logged in.
	OnLogout []func(r *http.Request, user User)

	// OnFailure is told of each refusal of credentials: err is an ErrInvalid or a *LimitedError. A credential whose name
	// contains "api", "token", "key", "secret", "password" or "signature" is shown as 20 asterisks.
	OnFailure []func(r *http.Request, credentials map[string]string, err error)

	// Error answers a request that a guard neither lets through nor redirects: ErrAnonymous for a program that is not
	// logged in, a *ClaimError or *LimitedError for one whose own credentials are refused, a *DeniedError for somebody who is logged
	// in, else an outage. Defaults to a line of plain text, 401, 403, 429 or 503.
	Error func(w http.ResponseWriter, r *http.Request, err error)

	// Stale answers a browser whose login is too old for a Fresh guard. Defaults to Reenter.
	Stale func(w http.ResponseWriter, r *http.Request)

	// Notice is given what Reenter wants a person to read on the next page. Defaults to saying nothing.
	Notice func(r *http.Request, text string)

	// Logger hears of denials, of trusted logins, of skipped back ends and of failures beside the point. Defaults to slog.Default().
	Logger *slog.Logger

	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// An Auth knows who a request's user is. Its methods may be called concurrently, for different requests; make one with [New].
type Auth[U User] struct {
	users    Users[U]
	recorder LoginRecorder[U] // nil when users does not keep the last login
	sessions *sessions.Manager
	cfg      Config
	names    []string // of Backends
	inactive []string // of those that admit inactive users
	claims   bool     // requests may carry credentials of their own
	current  *hashKey
	fallback []*hashKey
}

// New makes an Auth over a user table and a session manager. Whatever is missing or contradicts itself in cfg is an error.
func New[U User](users Users[U], sm *sessions.Manager, cfg Config) (*Auth[U], error) {
	if users == nil || sm == nil {
		return nil, errors.New("auth: New needs users and a session manager")
	}
	names, err := backendNames(cfg.Backends)
	if err != nil {
		return nil, err
	}
	var inactive []string
	for i, b := range cfg.Backends {
		if admitsInactive(b) {
			inactive = append(inactive, names[i])
		}
	}
	if cfg.LoginURL == "" {
		cfg.LoginURL = "/accounts/login/"
	}
	if cfg.LoginRedirectURL == "" {
		cfg.LoginRedirectURL = "/accounts/profile/"
	}
	if strings.ContainsFunc(cfg.BasicRealm, func(c rune) bool { return c > unicode.MaxASCII || unicode.IsControl(c) }) {
		return nil, fmt.Errorf("auth: Config.BasicRealm %q cannot stand in a header: use ASCII", cfg.BasicRealm)
	}
	for _, u := range []string{cfg.LoginURL, cfg.LoginRedirectURL} {
		if err := checkURL(u); err != nil {
			return nil, err
		}
	}
	if err := checkHooks(cfg); err != nil {
		return nil, err
	}
	if cfg.Error == nil {
		cfg.Error = plainError
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Auth[U]{users: users, sessions: sm, cfg: cfg, names: names, inactive: inactive}
	if source, ok := users.(perm.Source); ok && cfg.Permissions == nil {
		a.cfg.Permissions = []perm.Source{source}
	}
	if cfg.Stale == nil {
		a.cfg.Stale = a.Reenter
	}
	a.recorder, _ = users.(LoginRecorder[U])
	a.claims = cfg.BasicRealm != ""
	for _, b := range cfg.Backends {
		if _, ok := reader(b); ok {
			a.claims = true
		}
	}
	if a.current, a.fallback, err = hashKeys(cfg.Keys); err != nil {
		return nil, err
	}
	a.cfg.Keys = signing.Keys{} // what is not kept does not print
	return a, nil
}

func backendNames(backends []Backend) ([]string, error) {
	if len(backends) == 0 {
		return nil, errors.New("auth: Config.Backends is empty: nobody could log in")
	}
	var names []string
	seen := map[string]bool{}
	for i, b := range backends {
		if s, ok := b.(skipper); b == nil || ok && s.Backend == nil {
			return nil, fmt.Errorf("auth: Config.Backends[%d] is nil", i)
		}
		name := b.Name()
		switch {
		case name == "" || strings.ContainsFunc(name, unicode.IsControl):
			return nil, fmt.Errorf("auth: Config.Backends[%d] has the name %q: sessions could not record it", i, name)
		case seen[name]:
			return nil, fmt.Errorf("auth: two back ends are named %q: sessions could not tell them apart", name)
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, nil
}

func hashKeys(keys signing.Keys) (current *hashKey, fallback []*hashKey, err error) {
	if keys.Current == "" {
		return nil, nil, errors.New("auth: Config.Keys.Current is empty: anybody could make a session hash")
	}
	for i, secret := range keys.Fallbacks {
		if secret == "" {
			return nil, nil, fmt.Errorf("auth: Config.Keys.Fallbacks[%d] is empty: anybody could make a session hash", i)
		}
		fallback = append(fallback, newHashKey(secret))
	}
	return newHashKey(keys.Current), fallback, nil
}

func checkURL(u string) error {
	path := strings.HasPrefix(u, "/") && !strings.HasPrefix(u, "//")
	absolute := strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://")
	if !path && !absolute || strings.ContainsFunc(u, unicode.IsControl) || strings.Contains(u, `\`) {
		return fmt.Errorf("auth: %q is neither a path that starts with one slash nor a URL of http or https", u)
	}
	return nil
}

func checkHooks(cfg Config) error {
	for _, h := range cfg.OnLogin {
		if h == nil {
			return errors.New("auth: Config.OnLogin holds a nil hook")
		}
	}
	for _, h := range cfg.OnLogout {
		if h == nil {
			return errors.New("auth: Config.OnLogout holds a nil hook")
		}
	}
	for _, h := range cfg.OnFailure {
		if h == nil {
			return errors.New("auth: Config.OnFailure holds a nil hook")
		}
	}
	for _, p := range cfg.Permissions {
		if p == nil {
			return errors.New("auth: Config.Permissions holds a nil source")
		}
	}
	return nil
}

func plainError(w http.ResponseWriter, _ *http.Request, err error) {
	if errors.Is(err, ErrAnonymous) {
		http.Error(w, "Log in first.", http.StatusUnauthorized)
		return
	}
	var refused *ClaimError
	if errors.As(err, &refused) {
		http.Error(w, "The credentials of this request are not accepted.", refused.Status)
		return
	}
	var limited *LimitedError
	if errors.As(err, &limited) {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.RetryAfter.Seconds()))))
		http.Error(w, "Too many tries. Wait a little.", http.StatusTooManyRequests)
		return
	}
	var denied *DeniedError
	if errors.As(err, &denied) {
		http.Error(w, "This is not open to you. If you think it should be, tell the people who run this site the number "+denied.ID+".",
			http.StatusForbidden)
		return
	}
	http.Error(w, "Something we depend on does not answer. Try again soon.", http.StatusServiceUnavailable)
}
