package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
)

// An Identity is an account elsewhere by which a user logs in here.
type Identity struct {
	ID       string // of the row
	Issuer   string
	Subject  string
	Email    string // as the issuer said last; it opens nothing
	Created  time.Time
	LastUsed *time.Time // nil: never
}

// Ways are the ways by which people can log in at this site.
type Ways struct {
	Password bool     // by a password
	Issuers  []string // by an account at one of these
}

// Identities keeps which accounts elsewhere users have.
type Identities interface {
	// Of returns those of a user, oldest first.
	Of(ctx context.Context, user string) ([]Identity, error)
	// Owner returns the id of the user whose identity this is, or "".
	Owner(ctx context.Context, issuer, subject string) (string, error)
	// Link makes an identity a user's. Another user's is [ErrTaken]; a user who is gone or not active is auth.ErrNoUser.
	Link(ctx context.Context, user string, id *auth.Identity) error
	// Unlink removes the identity with this ID from a user. [ErrNoIdentity] says that the user has none of that ID, and
	// [ErrLastWayIn] that the user could not log in any more; then nothing changes, also when two are removed at once.
	Unlink(ctx context.Context, user, id string, ways Ways) error
	// Forget removes all identities of a user and returns how many those were.
	Forget(ctx context.Context, user string) (int, error)
}

var (
	// ErrNoIdentity is the answer of [Identities] when a user has no such identity.
	ErrNoIdentity = errors.New("account: no such identity")
	// ErrLastWayIn is the answer of [Identities] to whoever would lock themselves out.
	ErrLastWayIn = errors.New("account: this is the last way to log in")
)

// KeepsIdentities reports whether there is a table of identities.
func (s *Service) KeepsIdentities() bool { return s.tables.Identities != nil }

// Identities returns the accounts elsewhere of the user with this ID, oldest first.
func (s *Service) Identities(ctx context.Context, id string) ([]Identity, error) {
	list, err := s.tables.Identities.Of(ctx, id)
	return list, outage("list the identities of a user", err)
}

// IdentityOwner returns the ID of the user whose identity this is, or "".
func (s *Service) IdentityOwner(ctx context.Context, issuer, subject string) (string, error) {
	user, err := s.tables.Identities.Owner(ctx, issuer, subject)
	return user, outage("look for an identity", err)
}

// LinkIdentity makes an account elsewhere, which was proven, one by which the user with this ID logs in, and tells the owner by mail.
// The user has to be the one who asks, and freshly logged in. One that is the user's already stays so; another user's is [ErrTaken].
// provider is what people call the issuer.
func (s *Service) LinkIdentity(ctx context.Context, id string, found *auth.Identity, provider, base string, asked Asked) error {
	err := s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		u, err := t.Users.ByID(ctx, id)
		if err != nil {
			return err
		}
		has, err := t.Identities.Of(ctx, id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(has, func(i Identity) bool { return i.Issuer == found.Issuer && i.Subject == found.Subject }) {
			return nil
		}
		if err := t.Identities.Link(ctx, id, found); err != nil {
			return err
		}
		return s.tellIdentity(ctx, t, KindIdentityLinked, u, provider, base, asked)
	})
	return outage("link an identity", err)
}

// UnlinkIdentity ends that the user with this ID logs in by an account elsewhere, and tells the owner by mail. The last way in stays:
// [ErrLastWayIn]. One that is not the user's is [ErrNoIdentity].
func (s *Service) UnlinkIdentity(ctx context.Context, id, identity, provider, base string, ways Ways, asked Asked) error {
	err := s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		u, err := t.Users.ByID(ctx, id)
		if err != nil {
			return err
		}
		if err := t.Identities.Unlink(ctx, id, identity, ways); err != nil {
			return err
		}
		return s.tellIdentity(ctx, t, KindIdentityUnlinked, u, provider, base, asked)
	})
	return outage("unlink an identity", err)
}

// identityNotice is what the outbox holds of such a mail.
type identityNotice struct {
	User     string `json:"user"`
	To       string `json:"to"`
	Provider string `json:"provider"`
	Base     string `json:"base"`
	Asked    Asked  `json:"asked"`
}

func (s *Service) tellIdentity(ctx context.Context, t Tables, kind string, u User, provider, base string, asked Asked) error {
	if u.Email == "" {
		return nil
	}
	return s.enqueue(ctx, t.Outbox, kind, identityNotice{User: u.ID, To: u.Email, Provider: provider, Base: base, Asked: asked})
}

func (s *Service) composeIdentity(template string) func(context.Context, identityNotice) ([]*mail.Message, error) {
	return func(ctx context.Context, about identityNotice) ([]*mail.Message, error) {
		u, gone, err := s.addressee(ctx, about.User)
		if err != nil || gone {
			return nil, err
		}
		l := s.letter(about.Base, about.Asked, &u)
		l.Provider, l.Link = about.Provider, l.Home+"linked/"
		return s.one(template, about.To, l)
	}
}
