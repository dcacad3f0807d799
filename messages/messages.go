// Package messages keeps one-time notices for a visitor, "Your changes were saved", until a page shows them: usually the page
// after a redirect. Each is shown exactly once.
//
// It is django.contrib.messages: the notices travel in a cookie, in the session, or in the cookie with what does not fit going
// to the session, in Django's own form, so that a notice added by a Django process can be shown by Cardea and the other way
// round.
//
// [Take] consumes at the call. Call it before the page is written, and pass the result to the template. A response with a
// status of 500 or more neither consumes nor keeps anything: what it would have shown stays for the next page, and what was
// added while it failed is dropped. A request that carries its own credentials, such as a token, finds nothing and leaves nothing.
package messages

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

// Storage says where messages wait. They are Django's three.
type Storage int

// The storages (MESSAGE_STORAGE).
const (
	// Fallback keeps messages in the cookie, and the newest of too many in the session.
	Fallback Storage = iota
	// Cookie keeps messages in the cookie, and drops the oldest of too many.
	Cookie
	// Session keeps messages in the session.
	Session
)

// Config holds a Layer's settings.
type Config struct {
	// Storage is where messages wait. Defaults to Fallback.
	Storage Storage
	// Keys sign the cookie. Required unless Storage is Session.
	Keys signing.Keys
	// Sessions keep what does not go into the cookie. Required unless Storage is Cookie.
	Sessions *sessions.Manager
	// Cookie carries the messages; it has no end of its own. Its name defaults to "messages". Django gives it the session
	// cookie's attributes, except for the path.
	Cookie origin.CookiePolicy
	// Level is the least level that is kept (MESSAGE_LEVEL). Defaults to LevelInfo; use 1 for everything.
	Level Level
	// Tags are laid over the default tags (MESSAGE_TAGS).
	Tags map[Level]string
	// Now is the clock of the cookie's signature. Defaults to time.Now.
	Now func() time.Time
}

// Layer is the middleware. It is safe for concurrent use.
type Layer struct {
	cfg    Config
	tags   *tagTable
	signer *signing.TimestampSigner // nil with Session
}

// New checks cfg and returns the middleware.
func New(cfg Config) (*Layer, error) {
	l := &Layer{tags: newTagTable(cfg.Tags)}
	if cfg.Storage < Fallback || cfg.Storage > Session {
		return nil, fmt.Errorf("messages: unknown Storage %d", cfg.Storage)
	}
	if cfg.Storage != Cookie && cfg.Sessions == nil {
		return nil, errors.New("messages: this Storage needs Sessions")
	}
	if cfg.Cookie.Name == "" {
		cfg.Cookie.Name = "messages"
	}
	if cfg.Storage != Session {
		if err := cfg.Cookie.Validate(); err != nil {
			return nil, fmt.Errorf("messages: %w", err)
		}
		signer, err := signing.NewTimestampSigner(cfg.Keys.ForCookies(), signing.SignerConfig{Salt: "django.contrib.messages"})
		if err != nil {
			return nil, fmt.Errorf("messages: %w", err)
		}
		l.signer = signer
	}
	cfg.Keys = signing.Keys{}
	if cfg.Level == 0 {
		cfg.Level = LevelInfo
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l.cfg = cfg
	return l, nil
}

// Handler gives the requests to next their messages. It belongs inside the layers of origin and sessions.
func (l *Layer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		if x == nil {
			panic("messages: the request did not pass the site's outermost handler; wrap the app with site.Handler")
		}
		if x.Value(l) == nil {
			b := &box{layer: l, x: x, r: r, level: l.cfg.Level}
			x.Attach(l, b)
			x.OnHeader(b)
		}
		next.ServeHTTP(w, r)
	})
}

// Option says more about a message that is added.
type Option struct {
	// ExtraTags are more words for the class attribute, separated by spaces.
	ExtraTags string
	// Safe says that the text is HTML and may go to the page as it is. Never say so of anything that a visitor typed.
	Safe bool
}

// Add keeps a message until a page takes it. An empty text, and a level below the one configured, are passed over. It fails with
// [sessions.ErrTooLate] when the response's header was sent, which the message would have had to travel in. It panics if r did
// not pass a [Layer].
func Add(r *http.Request, level Level, text string, options ...Option) error {
	return find(r, "messages.Add").add(level, text, options)
}

// Debug adds a message of LevelDebug, which by default is passed over; see [Add].
func Debug(r *http.Request, text string, options ...Option) error {
	return find(r, "messages.Debug").add(LevelDebug, text, options)
}

// Info adds a message of LevelInfo; see [Add].
func Info(r *http.Request, text string, options ...Option) error {
	return find(r, "messages.Info").add(LevelInfo, text, options)
}

// Success adds a message of LevelSuccess; see [Add].
func Success(r *http.Request, text string, options ...Option) error {
	return find(r, "messages.Success").add(LevelSuccess, text, options)
}

// Warning adds a message of LevelWarning; see [Add].
func Warning(r *http.Request, text string, options ...Option) error {
	return find(r, "messages.Warning").add(LevelWarning, text, options)
}

// Error adds a message of LevelError; see [Add].
func Error(r *http.Request, text string, options ...Option) error {
	return find(r, "messages.Error").add(LevelError, text, options)
}

// Take returns the messages that wait for the visitor, oldest first, those added to this request included, and consumes them: a
// second call returns what was added in between. After the response's header was sent it returns nothing, which is logged, and
// the messages wait for the next page. It panics if r did not pass a [Layer].
func Take(r *http.Request) []Message { return find(r, "messages.Take").take() }

// SetLevel changes the least level that is kept, for the rest of this request; 0 is the configured one again.
func SetLevel(r *http.Request, level Level) { find(r, "messages.SetLevel").setLevel(level) }

func find(r *http.Request, op string) *box {
	b, ok := respond.Find[*box](r.Context())
	if !ok {
		panic(op + ": the request did not pass a messages.Layer; wrap the app with site.Handler or messages.Layer.Handler")
	}
	return b
}
