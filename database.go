package cardea

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// preparation bounds what [New] does at the database: looking at it, and making its tables.
const preparation = 30 * time.Second

// databaseParts are the parts of a site whose users, sessions and counters live in one database.
func databaseParts[T any, P userdb.Embeds[T]](users *userdb.Table[T], cfg Config) (parts Parts[P], err error) {
	if users == nil {
		return parts, errors.New("New needs a database: userdb.Open(ctx, \"sqlite\", \"site.db\")")
	}
	if users, err = users.WithIdentities(cfg.Identities...); err != nil {
		return parts, err
	}
	_, row, err := named(cfg.Profile)
	if err != nil {
		return parts, err
	}
	identifier := userdb.Username
	if cfg.Identifier != "" {
		if identifier, err = userdb.ParseIdentifier(cfg.Identifier); err != nil {
			return parts, err
		}
	}
	hashers, err := NewHashers(cfg)
	if err != nil {
		return parts, err
	}
	backends, err := cfg.namedBackends(databaseKinds(func(name string, inactive bool) auth.Backend {
		return userdb.PasswordBackend(users, hashers, userdb.BackendConfig{Name: name, Identifier: identifier, Inactive: inactive, Logger: cfg.Logger})
	}))
	if err != nil {
		return parts, err
	}
	codec, err := sessions.NewCodec(signing.Keys{Current: cfg.SecretKey, Fallbacks: cfg.SecretKeyFallbacks}, "", row.compress)
	if err != nil {
		return parts, err
	}
	db := users.DB()
	ctx, cancel := context.WithTimeout(context.Background(), preparation)
	defer cancel()
	if err := prepare(ctx, db, cfg.Profile, users); err != nil {
		return parts, err
	}
	var store sessions.Store = db.Sessions(codec, userdb.SessionsConfig{HashKeys: row.hashKeys, Users: users, Now: cfg.Now, Logger: cfg.Logger})
	if cfg.SessionStore != nil {
		store = cfg.SessionStore
	}
	return Parts[P]{
		Users:    pointers[T, P]{users},
		Backends: backends,
		Sessions: store,
		Throttle: db.Throttle(),
		Hashers:  hashers,
		Accounts: users.Accounts(),
		Outbox:   db.Outbox(),
		Tokens:   db.Tokens(users),
		Describe: func(u P) pages.Description { return describe(u.Base()) },
	}, nil
}

// pointers is a table of T as users of its pointer type P.
type pointers[T any, P userdb.Embeds[T]] struct{ *userdb.Table[T] }

func (p pointers[T, P]) ByID(ctx context.Context, id string) (P, error) { return p.Table.ByID(ctx, id) }

func (p pointers[T, P]) ByIdentity(ctx context.Context, id *auth.Identity) (P, error) {
	return p.Table.ByIdentity(ctx, id)
}

func (p pointers[T, P]) RecordLogin(ctx context.Context, u P, at time.Time) error {
	return p.Table.RecordLogin(ctx, u, at)
}

// Prepare sees to the tables of db: an empty database gets them, and one that Django made is [ErrDjangoDatabase] unless a
// profile is named. New calls it.
func Prepare(ctx context.Context, db *userdb.DB, profile Profile) error {
	return prepare(ctx, db, profile, nil)
}

func prepare(ctx context.Context, db *userdb.DB, profile Profile, users userdb.UserTable) error {
	owner, err := db.Owner(ctx)
	if err != nil {
		return err
	}
	if owner == userdb.OwnedByDjango && profile == "" {
		return ErrDjangoDatabase
	}
	if owner == userdb.Empty {
		_, err := db.Migrate(ctx, userdb.MigrateOptions{Users: users})
		return err
	}
	ready, err := db.Migrated(ctx)
	if err != nil {
		return err
	}
	if !ready {
		return ErrNotMigrated
	}
	return nil
}

var (
	// ErrDjangoDatabase is the refusal to work on a database that Django made before a profile was named.
	ErrDjangoDatabase = errors.New("this database was made by Django: name the profile \"django\" to share it with the Django site " +
		"as it is, or \"default\" to take it over, which re-hashes passwords at log-in and uses cookies of its own")
	// ErrNotMigrated is the refusal to work on a database that lacks some of our tables.
	ErrNotMigrated = errors.New("the database lacks some tables: run \"cardea migrate\" on it")
)

// describe is what the pages show of a user of the database.
func describe(u *userdb.User) pages.Description {
	var facts []pages.Fact
	if u.Username != u.Email {
		facts = append(facts, pages.Fact{Name: "User name", Value: u.Username})
	}
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		facts = append(facts, pages.Fact{Name: "Name", Value: name})
	}
	if u.Email != "" {
		facts = append(facts, pages.Fact{Name: "E-mail address", Value: u.Email})
	}
	if u.LastLogin != nil {
		facts = append(facts, pages.Fact{Name: "Last log-in", Value: u.LastLogin.UTC().Format("2 January 2006, 15:04 MST")})
	}
	return pages.Description{Name: u.Name(), Login: u.Username, Facts: facts}
}
