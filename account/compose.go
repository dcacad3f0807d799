package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/password"
)

// The kinds of mail in the outbox.
const (
	KindPasswordReset   = "password_reset"
	KindPasswordChanged = "password_changed"
	KindSignup          = "signup"
	KindEmailChange     = "email_change"
	KindEmailChanged    = "email_changed"

	KindIdentityLinked   = "identity_linked"
	KindIdentityUnlinked = "identity_unlinked"
	KindTokenMade        = "token_made"
)

// What the outbox holds of each kind: never a link, never a token.
type (
	request struct { // password_reset, signup
		Email string `json:"email"` // as typed
		Base  string `json:"base"`
		Asked Asked  `json:"asked"`
	}
	notice struct { // password_changed
		User  string `json:"user"`
		To    string `json:"to"`
		Base  string `json:"base"`
		Asked Asked  `json:"asked"`

		Unlinked bool `json:"unlinked,omitempty"` // accounts elsewhere
	}
	emailChange struct { // email_change, email_changed
		User  string `json:"user"`
		Link  string `json:"link,omitempty"` // the row, not a token
		Old   string `json:"old"`
		New   string `json:"new"`
		Base  string `json:"base"`
		Asked Asked  `json:"asked"`
	}
)

// A Letter is what a template of mail gets.
type Letter struct {
	Site     string
	Base     string // the URL of the site, without a slash at the end
	Home     string // the URL of the pages, with one
	Link     string // what to press; "" when there is nothing
	Username string // "" for somebody without an account
	Name     string // how to address the person, or ""
	Email    string // an address that the mail is about, or ""
	Provider string // a place elsewhere that the mail is about, or ""
	Unlinked bool   // accounts elsewhere log in to this one no more
	When     string
	Where    string // address and device, or ""
	Lasts    string // how long the link works, or ""
	Token    string // the name of a token that the mail is about, or ""
}

// Compose makes the messages of an item of the outbox, with their links. None means that there is nobody to tell. It is a
// mail.Compose; an item of another package's kind is [ErrKind].
func (s *Service) Compose(ctx context.Context, it mail.Item) ([]*mail.Message, error) {
	switch it.Kind {
	case KindPasswordReset:
		return composed(ctx, it, s.composeReset)
	case KindPasswordChanged:
		return composed(ctx, it, s.composeChanged)
	case KindSignup:
		return composed(ctx, it, s.composeSignup)
	case KindEmailChange:
		return composed(ctx, it, s.composeEmailChange)
	case KindEmailChanged:
		return composed(ctx, it, s.composeEmailChanged)
	case KindIdentityLinked, KindIdentityUnlinked:
		return composed(ctx, it, s.composeIdentity(it.Kind))
	case KindTokenMade:
		return composed(ctx, it, s.composeTokenMade)
	}
	return nil, fmt.Errorf("%w: %q", ErrKind, it.Kind)
}

// ErrKind is the answer to a mail that this package knows nothing of.
var ErrKind = errors.New("account: not a kind of mail of accounts")

func composed[T any](ctx context.Context, it mail.Item, compose func(context.Context, T) ([]*mail.Message, error)) ([]*mail.Message, error) {
	var about T
	if err := json.Unmarshal(it.Data, &about); err != nil {
		return nil, fmt.Errorf("account: read a mail of kind %s: %w", it.Kind, err)
	}
	return compose(ctx, about)
}

// composeReset mails everybody with that address who can log in with a password, as Django's PasswordResetForm does.
func (s *Service) composeReset(ctx context.Context, about request) ([]*mail.Message, error) {
	found, err := s.tables.Users.ByEmail(ctx, about.Email)
	if err != nil {
		return nil, err
	}
	var letters []*mail.Message
	for _, u := range found {
		if !u.Active || !password.Usable(u.PasswordHash) || !auth.SameIdentifier(about.Email, u.Email) {
			continue
		}
		l := s.letter(about.Base, about.Asked, &u)
		l.Link = l.Home + "reset/" + auth.EncodeUID(u.ID) + "/" + s.cfg.ResetTokens.Make(subject(u), s.cfg.Now()) + "/"
		l.Lasts = lasts(s.cfg.ResetTime)
		m, err := s.write("password_reset", u.Email, l)
		if err != nil {
			return nil, err
		}
		letters = append(letters, m)
	}
	return letters, nil
}

func (s *Service) composeChanged(ctx context.Context, about notice) ([]*mail.Message, error) {
	u, gone, err := s.addressee(ctx, about.User)
	if err != nil || gone {
		return nil, err
	}
	l := s.letter(about.Base, about.Asked, &u)
	l.Link, l.Unlinked = l.Home+"password_reset/", about.Unlinked
	return s.one("password_changed", about.To, l)
}

// addressee looks up whom a mail is about. Who is gone gets none.
func (s *Service) addressee(ctx context.Context, id string) (u User, gone bool, err error) {
	u, err = s.tables.Users.ByID(ctx, id)
	if errors.Is(err, auth.ErrNoUser) {
		return u, true, nil
	}
	return u, false, err
}

// letter is what all mails have.
func (s *Service) letter(base string, asked Asked, u *User) Letter {
	l := Letter{Site: s.cfg.Site, Base: base, Home: base + s.cfg.Path, When: asked.At.In(s.cfg.Location).Format("2 January 2006, 15:04 MST")}
	if at, err := url.Parse(base); err == nil && l.Site == "" {
		l.Site = at.Host
	}
	if u != nil {
		l.Username, l.Name = u.Username, strings.TrimSpace(u.FirstName+" "+u.LastName)
		if l.Name == "" {
			l.Name = u.Username
		}
	}
	var where []string
	if asked.Address.IsValid() {
		where = append(where, asked.Address.String())
	}
	if device := Device(asked.Agent); device != "" {
		where = append(where, device)
	}
	l.Where = strings.Join(where, ", ")
	return l
}

// lasts says a length of time in words.
func lasts(d time.Duration) string {
	plural := func(n time.Duration, unit string) string {
		if n == 1 {
			return "one " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d <= 0:
		return ""
	case d%(24*time.Hour) == 0:
		return plural(d/(24*time.Hour), "day")
	case d%time.Hour == 0:
		return plural(d/time.Hour, "hour")
	}
	return plural(max(1, d/time.Minute), "minute")
}

func (s *Service) one(template, to string, l Letter) ([]*mail.Message, error) {
	m, err := s.write(template, to, l)
	if err != nil {
		return nil, err
	}
	return []*mail.Message{m}, nil
}

func (s *Service) write(template, to string, l Letter) (*mail.Message, error) {
	m, err := s.templates.write(template, l)
	if err != nil {
		return nil, err
	}
	m.From, m.To = s.cfg.From, to
	return m, nil
}
