package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

// Config says how sessions live. The zero value is Django's: two weeks after the last change.
type Config struct {
	// Cookie carries the key. Its Name defaults to "sessionid".
	Cookie origin.CookiePolicy
	// Age is how long a session lives after it was last saved, and its cookie. Defaults to 14 days.
	Age time.Duration
	// Idle ends a session that nobody used for this long, give or take TouchEvery. Defaults to no such limit.
	Idle time.Duration
	// Absolute ends a session this long after it began (Record.Created) however busy it is. Defaults to no such limit.
	Absolute time.Duration
	// ExpireAtBrowserClose lets the cookie live until the browser closes, unless the session says otherwise. The stored
	// session still lives for Age.
	ExpireAtBrowserClose bool
	// SaveEveryRequest saves at each request, changed or not, so that Age counts from the last visit. Idle does the same
	// with far fewer writes.
	SaveEveryRequest bool
	// TouchEvery is how often at most a session that is only read is noted as seen, where Idle is set or the store keeps
	// Record.Seen. At most a tenth of Idle. Defaults to 5 minutes.
	TouchEvery time.Duration
	// ReadTimeout bounds each Load. Defaults to 3 seconds.
	ReadTimeout time.Duration
	// WriteTimeout bounds each saving, rotating or ending of a session, which goes on when the person has gone away.
	// Defaults to 3 seconds.
	WriteTimeout time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger hears what no response tells. Defaults to slog.Default().
	Logger *slog.Logger
}

// A Manager gives each request its Session, and saves it. It is safe for concurrent use.
type Manager struct {
	store     Store
	toucher   Toucher // nil if the store is none
	tracer    Tracer  // nil if the store is none
	stateless bool
	cfg       Config
}

// New returns a Manager over store. A setting that makes no sense is an error.
func New(store Store, cfg Config) (*Manager, error) {
	if store == nil {
		return nil, errors.New("sessions: New without a Store")
	}
	if cfg.Cookie.Name == "" {
		cfg.Cookie.Name = "sessionid"
	}
	if err := cfg.Cookie.Validate(); err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"Age", &cfg.Age, 14 * 24 * time.Hour},
		{"Idle", &cfg.Idle, 0},
		{"Absolute", &cfg.Absolute, 0},
		{"TouchEvery", &cfg.TouchEvery, 5 * time.Minute},
		{"ReadTimeout", &cfg.ReadTimeout, 3 * time.Second},
		{"WriteTimeout", &cfg.WriteTimeout, 3 * time.Second},
	} {
		if *d.value < 0 {
			return nil, fmt.Errorf("sessions: Config.%s is %v, less than nothing", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	if cfg.Idle > 0 {
		cfg.TouchEvery = min(cfg.TouchEvery, cfg.Idle/10)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	m := &Manager{store: store, cfg: cfg}
	m.toucher, _ = store.(Toucher)
	m.tracer, _ = store.(Tracer)
	_, m.stateless = store.(Stateless)
	return m, nil
}

// Store returns the store that the Manager was made with.
func (m *Manager) Store() Store { return m.store }

// Handler gives each request to next its Session. It stands inside the handler of package origin. A failure replaces the
// response by the site's error page: a [*StoreError] is 503, [ErrInterrupted] is 400.
//
// A request that carries credentials of its own, such as a token, has a Session in which nothing is and nothing can be kept: see
// [ErrNoSession]. Its cookie is not looked at.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		if x == nil {
			panic("sessions: wrap Manager.Handler in the Handler of package origin, or use the site's")
		}
		s := &Session{manager: m, exchange: x, request: r, none: x.Sessionless()}
		if s.none {
			x.Attach(m, s)
			next.ServeHTTP(w, r)
			return
		}
		s.sent, s.cookie = m.cfg.Cookie.Read(r)
		if s.cookie && AcceptKey(s.sent) {
			s.key = s.sent
		}
		x.Attach(m, s)
		x.OnHeader((*responder)(s))
		next.ServeHTTP(w, r)
	})
}

// Session returns the request's Session of this Manager. It panics when the request did not pass its Handler.
func (m *Manager) Session(r *http.Request) *Session {
	if x := respond.From(r.Context()); x != nil {
		if s, ok := x.Value(m).(*Session); ok {
			return s
		}
	}
	panic("sessions: this request has no session: wrap the handler with this Manager's Handler, or with the site's")
}

// From returns the request's Session of the innermost Manager. It panics when the request passed none.
func From(r *http.Request) *Session {
	if s, ok := respond.Find[*Session](r.Context()); ok {
		return s
	}
	panic("sessions: this request has no session: wrap the handler with Manager.Handler, or with the site's")
}

// reading returns a context for reading from the store on behalf of r.
func (m *Manager) reading(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), m.cfg.ReadTimeout)
}

// writing returns a context for writing to the store on behalf of r: what a person did holds when they go away.
func (m *Manager) writing(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), m.cfg.WriteTimeout)
}
