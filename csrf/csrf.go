// Package csrf keeps other sites from sending forms in a visitor's name.
//
// The rules are Django's (django/middleware/csrf.py), so that a form rendered by Django may be posted to Cardea and the other
// way round. A request that may change something is judged in this order:
//
//  1. Exempt requests, requests that are known by a token in their header and by nothing else, and GET, HEAD, OPTIONS and TRACE, pass.
//  2. An Origin header must name the site itself or a trusted origin. Without one, a request over HTTPS must have a Referer
//     that does, and what no configured origin has vouched for must pass [http.CrossOriginProtection] too.
//  3. The request must carry a token made of the visitor's secret, which lives in a cookie or in the session: in the header
//     X-CSRFToken, looked at first, or in the form field csrfmiddlewaretoken of a POST.
//
// To find the field, a form is read as far as needed and within limits, and put back: the app may read the body as if nobody
// had. Of a multipart form no more is read than up to the token, so [Field] belongs at its top.
//
// A login makes a new secret ([Rotate]), and a form that was open in another tab then carries an old token. It is refused, but
// where the browser says that the form came from this very site, [Failure.Inputs] gives back what was typed, to be shown again
// with a new token.
package csrf

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// FieldName is the name of the form field that carries the token.
const FieldName = "csrfmiddlewaretoken"

// sessionKey is where the secret lives with Config.UseSessions.
const sessionKey = "_csrftoken"

// Config holds a Layer's settings. The zero value is a working one.
type Config struct {
	// Cookie is the cookie of the secret. Its name defaults to "csrftoken". Set ScriptReadable, as Django does, for scripts
	// that copy the token from the cookie into the header.
	Cookie origin.CookiePolicy
	// CookieAge is how long browsers keep the cookie (CSRF_COOKIE_AGE); below zero, until they close. Defaults to 52 weeks.
	CookieAge time.Duration

	// UseSessions keeps the secret in the session instead (CSRF_USE_SESSIONS), which Sessions must then name.
	UseSessions bool
	Sessions    *sessions.Manager

	// TrustedOrigins are other origins whose forms are accepted (CSRF_TRUSTED_ORIGINS): "https://example.com", or
	// "https://*.example.com" for the domain and all its subdomains.
	TrustedOrigins []string
	// CookieDomain is the domain that a Referer may belong to instead of the request's own host: ".example.com" includes
	// subdomains. Defaults to Cookie.Domain.
	CookieDomain string
	// HeaderName is the header that may carry the token; Django's form HTTP_X_CSRFTOKEN is understood. Defaults to
	// "X-CSRFToken".
	HeaderName string

	// MaxBody is how many bytes of a form are read in search of the token (DATA_UPLOAD_MAX_MEMORY_SIZE); a form that is
	// larger is answered 413. Of a multipart form only what comes before the token counts, and a form of which so much was
	// read with files among it has no token. Defaults to 2.5 MiB.
	MaxBody int64
	// MaxFields is how many fields a form may have (DATA_UPLOAD_MAX_NUMBER_FIELDS); more are answered 400. Defaults to 1000.
	MaxFields int

	// Exempt says which requests are not checked: those that carry no credentials a browser sends by itself.
	Exempt func(r *http.Request) bool
	// Failure answers a refused request; it may call [Token] and [Field]. Defaults to a plain page with the status of the
	// failure, which offers to send the form again where that is safe.
	Failure func(w http.ResponseWriter, r *http.Request, f *Failure)

	Now    func() time.Time // defaults to time.Now
	Logger *slog.Logger     // takes refusals; defaults to slog.Default() at the time of logging
}

// Layer is the middleware. It is safe for concurrent use.
type Layer struct {
	cfg        Config
	header     string // canonical
	trusted    trusted
	protection http.CrossOriginProtection
}

// New checks cfg and returns the middleware. A malformed trusted origin or cookie, and UseSessions without Sessions, are errors.
func New(cfg Config) (*Layer, error) {
	if cfg.Cookie.Name == "" {
		cfg.Cookie.Name = "csrftoken"
	}
	if err := cfg.Cookie.Validate(); err != nil {
		return nil, fmt.Errorf("csrf: %w", err)
	}
	if cfg.UseSessions && cfg.Sessions == nil {
		return nil, errors.New("csrf: UseSessions needs Sessions")
	}
	trusted, err := parseTrusted(cfg.TrustedOrigins)
	if err != nil {
		return nil, err
	}
	if cfg.CookieAge == 0 {
		cfg.CookieAge = 52 * 7 * 24 * time.Hour
	}
	if cfg.CookieDomain == "" {
		cfg.CookieDomain = cfg.Cookie.Domain
	}
	if cfg.HeaderName == "" {
		cfg.HeaderName = "X-CSRFToken"
	}
	if meta, ok := strings.CutPrefix(cfg.HeaderName, "HTTP_"); ok {
		cfg.HeaderName = strings.ReplaceAll(meta, "_", "-")
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 2621440
	}
	if cfg.MaxFields <= 0 {
		cfg.MaxFields = 1000
	}
	if cfg.Failure == nil {
		cfg.Failure = writeFailure
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Layer{cfg: cfg, header: http.CanonicalHeaderKey(cfg.HeaderName), trusted: trusted}, nil
}

// Handler checks the requests to next. It belongs inside the layers of origin and sessions, and outside the one of auth.
func (l *Layer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		if x == nil {
			panic("csrf: the request did not pass the site's outermost handler; wrap the app with site.Handler")
		}
		if x.Value(l) != nil { // checked already: the layer is there twice
			next.ServeHTTP(w, r)
			return
		}
		s := &state{layer: l, x: x, r: r}
		x.Attach(l, s)
		if x.Explicit() { // no browser sends such credentials by itself, and no cookie counts
			s.aside = true
			next.ServeHTTP(w, r)
			return
		}
		x.OnHeader(s)
		if f := s.check(r); f != nil {
			l.logger().WarnContext(r.Context(), "csrf: request refused", "reason", f.Reason, "status", f.Status,
				"method", r.Method, "path", r.URL.Path)
			l.cfg.Failure(w, r, f)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (l *Layer) logger() *slog.Logger {
	if l.cfg.Logger != nil {
		return l.cfg.Logger
	}
	return slog.Default()
}
