package csrf

import (
	"encoding/json"
	"html/template"
	"net/http"
	"sync"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

// Token returns a token for a form or a script of the response to r: another text at each call, good as long as the visitor's
// secret is. Asking for it makes the response set the cookie and vary by Cookie. The first call must come before the header is
// sent; afterwards the token is "", which is logged. It is "" too for a request that carries a token of its own, to which no cookie
// is given. It panics if r did not pass a [Layer].
func Token(r *http.Request) string { return mustFind(r, "csrf.Token").token("csrf.Token") }

// Field returns the hidden input that carries a [Token], to stand at the top of a form.
func Field(r *http.Request) template.HTML {
	token := mustFind(r, "csrf.Field").token("csrf.Field")
	if token == "" {
		return ""
	}
	return template.HTML(`<input type="hidden" name="` + FieldName + `" value="` + token + `">`) //nolint:gosec // letters and digits
}

// Rotate gives the visitor a new secret, as a login must: who planted the old one can do nothing with the new. It does nothing
// if r did not pass a [Layer], and is too late after the header, which is logged.
func Rotate(r *http.Request) {
	if s, ok := respond.Find[*state](r.Context()); ok {
		s.rotate()
	}
}

func mustFind(r *http.Request, op string) *state {
	s, ok := respond.Find[*state](r.Context())
	if !ok {
		panic(op + ": the request did not pass a csrf.Layer; wrap the app with site.Handler or csrf.Layer.Handler")
	}
	return s
}

// state is what the layer knows of one request. The mutex is for handlers that were timed out and go on.
type state struct {
	layer  *Layer
	x      *respond.Exchange
	r      *http.Request
	exempt bool
	aside  bool // the request carries a token of its own: there is no secret, and none is made

	mu       sync.Mutex
	loaded   bool
	incoming string // the secret that the request came with, bare; "" if none
	problem  string // why the cookie that it came with holds no secret
	secret   string // the one in force for the response
	asked    bool   // the response shows a token
	changed  bool   // the visitor needs a new cookie
}

// load reads the secret that the request came with. A malformed cookie is replaced at once.
func (s *state) load() {
	if s.loaded {
		return
	}
	s.loaded = true
	if s.layer.cfg.UseSessions {
		s.loadSession()
		return
	}
	value, ok := s.layer.cfg.Cookie.Read(s.r)
	if !ok {
		return
	}
	if s.problem = checkFormat(value); s.problem != "" {
		s.secret, s.changed = newSecret(), true
		return
	}
	s.incoming = bare(value)
	s.secret = s.incoming
}

// loadSession takes any text of the session for the secret, as Django does: one that is malformed matches no token, and is
// replaced when a token is asked for.
func (s *state) loadSession() {
	raw, _ := s.layer.cfg.Sessions.Session(s.r).Get(sessionKey)
	var value string
	if json.Unmarshal(raw, &value) != nil {
		return
	}
	if checkFormat(value) == "" {
		value = bare(value)
		s.secret = value
	}
	s.incoming = value
}

func (s *state) token(op string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aside || s.layer.cfg.UseSessions && s.x.Sessionless() {
		return ""
	}
	if !s.asked && !s.changed && s.x.Committed() {
		_ = s.x.Late(op)
		return ""
	}
	s.asked = true
	s.load()
	if s.secret == "" {
		s.secret, s.changed = newSecret(), true
	}
	return mask(s.secret)
}

func (s *state) rotate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aside {
		return
	}
	if s.x.Committed() {
		_ = s.x.Late("csrf.Rotate")
		return
	}
	s.load()
	s.secret, s.changed = newSecret(), true
}

// BeforeHeader sets the cookie, or puts the secret into the session.
func (s *state) BeforeHeader(x *respond.Exchange, _ int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.exempt && !s.layer.cfg.UseSessions {
		s.load() // for the sake of a malformed cookie
	}
	if !s.asked && !s.changed {
		return nil
	}
	if s.layer.cfg.UseSessions {
		return s.saveSession()
	}
	life := origin.Life{Now: s.layer.cfg.Now()}
	if s.layer.cfg.CookieAge > 0 {
		life.MaxAge = s.layer.cfg.CookieAge
	}
	s.layer.cfg.Cookie.Set(x.Header(), s.r, s.secret, life)
	x.VaryByCookie()
	return nil
}

// saveSession writes only what differs: a page that shows a token does not by itself change the session.
func (s *state) saveSession() error {
	session := s.layer.cfg.Sessions.Session(s.r)
	raw, _ := session.Get(sessionKey)
	if string(raw) == `"`+s.secret+`"` {
		return nil
	}
	return session.Set(sessionKey, s.secret)
}
