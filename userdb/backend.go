package userdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

// ModelBackend is the name of Django's own back end of this kind, which a session that both sides read has to carry.
const ModelBackend = "django.contrib.auth.backends.ModelBackend"

// An Identifier is what people log in with beside the password.
type Identifier int

// The identifiers of [BackendConfig].
const (
	Username Identifier = iota
	// Email is the address, whatever its case. An address that several users have is nobody's.
	Email
	// Either is the user name if somebody has it, else the address.
	Either
)

// ParseIdentifier reads "username", "email" or "either".
func ParseIdentifier(text string) (Identifier, error) {
	for i, name := range [...]string{"username", "email", "either"} {
		if strings.EqualFold(text, name) {
			return Identifier(i), nil
		}
	}
	return 0, fmt.Errorf("userdb: unknown identifier %q: it is username, email or either", text)
}

// A BackendConfig configures [PasswordBackend].
type BackendConfig struct {
	// Name is what sessions record. Defaults to [ModelBackend].
	Name string
	// Identifier is what people log in with. Defaults to Username.
	Identifier Identifier
	// Inactive lets users in who are not active, as Django's AllowAllUsersModelBackend does; see auth.InactiveAdmitter.
	Inactive bool
	// Logger hears of hashes that could not be renewed. Defaults to slog.Default().
	Logger *slog.Logger
}

// PasswordBackend proves who someone is by a password in the table of users, as Django's ModelBackend does. It takes
// [auth.Password] and nothing else.
//
// Every refusal costs one check: that of the password, or, where there is none to check, of a decoy. Users who are not active
// look like a wrong password, unless the configuration lets them in. After a right one, a hash that is not as the hashers would write it is written anew, unless the
// password was changed in between.
func PasswordBackend[T any](users *Table[T], hashers *password.Hashers, cfg BackendConfig) auth.Backend {
	if cfg.Name == "" {
		cfg.Name = ModelBackend
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &passwordBackend[T]{users, hashers, cfg}
}

type passwordBackend[T any] struct {
	users   *Table[T]
	hashers *password.Hashers
	cfg     BackendConfig
}

// Name implements auth.Backend.
func (b *passwordBackend[T]) Name() string { return b.cfg.Name }

// AdmitsInactive implements auth.InactiveAdmitter.
func (b *passwordBackend[T]) AdmitsInactive() bool { return b.cfg.Inactive }

// Authenticate implements auth.Backend.
func (b *passwordBackend[T]) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	var typed auth.Password
	switch c := creds.(type) {
	case auth.Password:
		typed = c
	case *auth.Password:
		if c == nil {
			return nil, auth.ErrNoMatch
		}
		typed = *c
	default:
		return nil, auth.ErrNoMatch
	}
	ctx := r.Context()
	u, err := b.find(ctx, typed.Username)
	if errors.Is(err, auth.ErrNoUser) {
		if err := b.hashers.Decoy(ctx, typed.Password); err != nil {
			return nil, fmt.Errorf("userdb: check a password: %w", err)
		}
		return nil, auth.ErrNoMatch
	}
	if err != nil {
		return nil, err
	}
	rec := b.users.record(u)
	ok, upgrade, err := b.hashers.Check(ctx, typed.Password, rec.Password)
	if err != nil {
		return nil, fmt.Errorf("userdb: check a password: %w", err)
	}
	if !ok || !rec.IsActive && !b.cfg.Inactive {
		return nil, auth.ErrNoMatch
	}
	if upgrade {
		b.upgrade(ctx, rec, typed.Password)
	}
	return &auth.Identity{UserID: rec.AuthID(), Attached: u, Name: rec.Username, Email: rec.Email, Methods: []string{"pwd"}}, nil
}

// find returns the user whom the identifier means, or auth.ErrNoUser.
func (b *passwordBackend[T]) find(ctx context.Context, name string) (*T, error) {
	if b.cfg.Identifier != Email {
		u, err := b.users.ByName(ctx, name)
		if b.cfg.Identifier == Username || !errors.Is(err, auth.ErrNoUser) {
			return u, err
		}
	}
	found, err := b.users.ByEmail(ctx, NormalizeEmail(name))
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, auth.ErrNoUser
	}
	return found[0], nil
}

// asideTime bounds a write that nobody asked for, while somebody waits.
const asideTime = time.Second

// upgrade renews a hash. Nobody asked for it, so that it fails is no reason to refuse a right password.
func (b *passwordBackend[T]) upgrade(ctx context.Context, rec *User, typed string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	encoded, err := b.hashers.Make(ctx, typed)
	if err == nil {
		writing, cancel := context.WithTimeout(ctx, asideTime)
		defer cancel()
		var done bool
		if done, err = b.users.upgradePassword(writing, rec, encoded); err == nil && !done {
			b.cfg.Logger.InfoContext(ctx, "userdb: a password was changed while its hash was renewed; the change stays", "user", rec.AuthID())
		}
	}
	if err != nil {
		b.cfg.Logger.WarnContext(ctx, "userdb: a password hash could not be renewed", "user", rec.AuthID(), "error", err)
	}
}
