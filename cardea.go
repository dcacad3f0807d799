// Package cardea puts the usual stack together: users, log in and log out, sessions, one-time messages, CSRF protection and the
// ready pages, in the order that works.
//
// [New] takes a database and a [Config]; [Site.Handler] wraps a program's own handler; [Site.Serve] runs it. Everything the
// stack is made of is a package of its own, and [Assemble] takes other parts.
package cardea

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// A Site is one stack, put together. U is the program's own type of user. Its fields are there to be used and not to be
// replaced. A Site may be used by several goroutines at once.
type Site[U auth.User] struct {
	Auth     *auth.Auth[U]
	Sessions *sessions.Manager
	Pages    *pages.Pages
	Hashers  *password.Hashers // nil for a site whose parts have none
	Accounts *account.Service  // nil for a site whose parts have none
	Tokens   tokenauth.Keeper  // nil for a site without Config.APITokens
	Profile  Profile

	contentPolicy []string

	origin   *origin.Origin
	csrf     *csrf.Layer
	messages *messages.Layer
	logger   *slog.Logger
	now      func() time.Time
	sweepers []sweeper
	courier  *mail.Courier // nil when no mail leaves
}

// New makes a site whose users, sessions and counters live in db. An empty database gets its tables. A database that Django
// made is refused unless cfg names a profile, since Default would re-hash its passwords and rename its cookies.
func New(db *userdb.DB, cfg Config) (*Site[*userdb.User], error) {
	if db == nil {
		return NewWith[userdb.User](nil, cfg)
	}
	return NewWith(db.Users(), cfg)
}

// NewWith is [New] for a program's own type of user, which embeds userdb.User.
func NewWith[T any, P userdb.Embeds[T]](users *userdb.Table[T], cfg Config) (*Site[P], error) {
	parts, err := databaseParts[T, P](users, cfg)
	if err != nil {
		return nil, fmt.Errorf("cardea: %w", err)
	}
	return whole(assemble(parts, cfg))
}

// Assemble makes a site of any parts: the way for a type of user that lives elsewhere. Where the parts have no back ends, they are
// those that cfg names, all of them made by its BackendKinds.
func Assemble[U auth.User](parts Parts[U], cfg Config) (*Site[U], error) {
	if len(cfg.AuthenticationBackends) > 0 && cfg.Backends == nil {
		if parts.Backends != nil {
			return nil, errors.New("cardea: Parts.Backends and authentication_backends are both set: leave one out")
		}
		var err error
		if parts.Backends, err = cfg.namedBackends(nil); err != nil {
			return nil, fmt.Errorf("cardea: %w", err)
		}
	}
	return whole(assemble(parts, cfg))
}

func whole[U auth.User](s *Site[U], err error) (*Site[U], error) {
	if err != nil {
		return nil, fmt.Errorf("cardea: %w", err)
	}
	return s, nil
}

// Handler wraps a program's handler, usually the whole of it, with the layers in their order: response writer, security
// headers, the pages' own files, origin, tokens, sessions, CSRF, authentication, messages.
func (s *Site[U]) Handler(app http.Handler) http.Handler {
	h := s.messages.Handler(app)
	h = s.Auth.Handler(h)
	h = s.csrf.Handler(h)
	h = s.Sessions.Handler(h)
	h = s.Auth.Claims(h)
	h = strict(h)
	h = s.origin.Handler(h)
	h = s.Pages.Assets(h)
	h = secure(h, s.contentPolicy)
	return respond.Handler(h, respond.Config{Error: s.Error, Logger: s.logger})
}

// Error answers any error of this library, or of a program, with the right status and words: see [pages.Pages.Error].
func (s *Site[U]) Error(w http.ResponseWriter, r *http.Request, err error) {
	s.Pages.Error(w, r, err)
}

// A View is what [Site.Render] gives a template.
type View[U auth.User] struct {
	User     U // the zero value when nobody is logged in
	LoggedIn bool
	Perms    *perm.Perms        // what the user may do: {{if .Perms.Has "shop.add_order"}}
	Messages []messages.Message // shown now, gone afterwards
	CSRF     template.HTML      // the hidden field of a form
	Next     string             // where the visitor wanted to go, if that is safe
	Data     any
}

// Render writes the template of that name with a [View] that holds data. It reads all a page needs before the first byte is
// sent, and goes through a buffer, so that a failure is an error page and never half a page.
func (s *Site[U]) Render(w http.ResponseWriter, r *http.Request, t *template.Template, name string, data any) {
	v := View[U]{Data: data}
	user, err := s.Auth.Lookup(r)
	switch {
	case err == nil:
		v.User, v.LoggedIn = user, true
	case !errors.Is(err, auth.ErrAnonymous):
		s.Error(w, r, err)
		return
	}
	v.Perms = s.Auth.Permissions(r)
	v.Messages = messages.Take(r)
	v.CSRF = csrf.Field(r)
	v.Next = s.Pages.Next(r)
	if err := pages.Write(w, r, http.StatusOK, t, name, v); err != nil {
		s.Error(w, r, err)
	}
}
