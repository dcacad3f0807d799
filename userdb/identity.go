package userdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

var (
	// ErrIdentityTaken says that an identity is another user's already.
	ErrIdentityTaken = errors.New("this identity belongs to another account")

	// ErrNoIdentity says that a user has no identity of that ID.
	ErrNoIdentity = errors.New("no such identity")

	// ErrLastWayIn says that without this identity its user could not log in any more.
	ErrLastWayIn = errors.New("this identity is the last way to log in")
)

// An Identity is what an outside issuer calls a user of this site: a row of cardea_identity. Issuer and Subject are compared byte
// for byte, and the two together belong to one user.
type Identity struct {
	ID       string // of the row
	User     string // the user's primary key, as AuthID gives it
	Issuer   string
	Subject  string
	Email    string // what the issuer said at the last login; it opens nothing
	Created  time.Time
	LastUsed *time.Time // nil: never
}

// WaysIn are the ways by which a user can log in at this site.
type WaysIn struct {
	Password  bool     // by a password in the table of users
	Issuers   []string // by an identity of one of these
	Unchecked bool     // the caller has seen to it, or wants the account closed to its owner
}

// identityTable makes cardea_identity. An identity goes with its user.
func (m *migration) identityTable(users, userKey string) djangoTable {
	d, moment := m.db.dialect, m.db.dialect.moment()
	behind, after := m.references("", users, m.userKey()), ""
	if d == MySQL {
		after = ", CONSTRAINT cardea_identity_user_id_fk FOREIGN KEY (user_id) REFERENCES " + d.ident(users) + " (" + m.userKey() + ") ON DELETE CASCADE"
	}
	return djangoTable{"cardea_identity", []string{
		"CREATE TABLE cardea_identity (id varchar(26) NOT NULL PRIMARY KEY, issuer varchar(255) NOT NULL, subject varchar(255) NOT NULL, " +
			"user_id " + userKey + " NOT NULL" + behind + ", email varchar(254) NOT NULL, created_at " + moment + " NOT NULL, last_used " + moment + " NULL, " +
			"CONSTRAINT cardea_identity_uniq UNIQUE (issuer, subject)" + after + ")" + m.engine(),
		"CREATE INDEX cardea_identity_user_id ON cardea_identity (user_id)",
	}}
}

// Identities returns the identities of the user with this primary key, oldest first.
func (t *Table[T]) Identities(ctx context.Context, userID string) ([]Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	const op = "list the identities of a user"
	key, ok := t.parseKey(userID)
	if !ok {
		return nil, nil // nobody's
	}
	list, err := t.db.identities(ctx, "user_id = "+t.db.dialect.keyMark(t.keyType)+" ORDER BY created_at, id", key)
	return list, t.db.dialect.failed(op, err)
}

// LinkIdentity makes an identity that was proven that of the user with this primary key, who has to be the one who asks. One that is the
// user's already stays so; another user's is [ErrIdentityTaken]; a user who is gone or not active is auth.ErrNoUser.
func (t *Table[T]) LinkIdentity(ctx context.Context, userID string, id *auth.Identity) error {
	const op = "link an identity"
	if err := checkIdentity(id); err != nil {
		return fmt.Errorf("userdb: %s: %w", op, err)
	}
	err := t.insisting(ctx, func(ctx context.Context, in *Table[T]) error {
		u, err := in.locked(ctx, userID)
		if err != nil {
			return err
		}
		rec := in.record(u)
		if !rec.IsActive {
			return auth.ErrNoUser
		}
		switch found, err := in.db.identity(ctx, id); {
		case err == nil && found.User == rec.AuthID():
			return nil
		case err == nil:
			return ErrIdentityTaken
		case !errors.Is(err, ErrNoIdentity):
			return err
		}
		return in.db.addIdentity(ctx, in.key(rec), id, nil)
	})
	return t.db.dialect.failed(op, err)
}

// UnlinkIdentity removes the identity with this ID from the user with this primary key. If none of the ways in is left then, nothing
// changes and the error is [ErrLastWayIn], also when two are removed at once. An identity that is not the user's is [ErrNoIdentity].
func (t *Table[T]) UnlinkIdentity(ctx context.Context, userID, identityID string, ways WaysIn) error {
	const op = "unlink an identity"
	if !storable(identityID) {
		return fmt.Errorf("userdb: %s: %w", op, ErrNoIdentity)
	}
	err := t.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		in := t.in(tx)
		u, err := in.locked(ctx, userID)
		if errors.Is(err, auth.ErrNoUser) {
			return ErrNoIdentity
		}
		if err != nil {
			return err
		}
		d, rec := tx.dialect, in.record(u)
		n, err := tx.exec(ctx, "DELETE FROM cardea_identity WHERE user_id = "+d.keyMark(in.keyType)+" AND "+d.is("id"), d.same([]any{in.key(rec)}, identityID)...)
		switch {
		case err != nil:
			return err
		case n == 0:
			return ErrNoIdentity
		case ways.Unchecked, ways.Password && password.Usable(rec.Password):
			return nil
		}
		left, err := in.Identities(ctx, userID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(left, func(i Identity) bool { return slices.Contains(ways.Issuers, i.Issuer) }) {
			return ErrLastWayIn
		}
		return nil
	})
	return t.db.dialect.failed(op, err)
}

// Identities returns the identities of a user of Django's table; see [Table.Identities].
func (db *DB) Identities(ctx context.Context, userID string) ([]Identity, error) {
	return db.Users().Identities(ctx, userID)
}

// LinkIdentity makes an identity that of a user of Django's table; see [Table.LinkIdentity].
func (db *DB) LinkIdentity(ctx context.Context, userID string, id *auth.Identity) error {
	return db.Users().LinkIdentity(ctx, userID, id)
}

// UnlinkIdentity removes an identity from a user of Django's table; see [Table.UnlinkIdentity].
func (db *DB) UnlinkIdentity(ctx context.Context, userID, identityID string, ways WaysIn) error {
	return db.Users().UnlinkIdentity(ctx, userID, identityID, ways)
}

// checkIdentity refuses what names nobody and what could not be stored as it is.
func checkIdentity(id *auth.Identity) error {
	for _, f := range [...]struct{ column, value string }{{"issuer", id.Issuer}, {"subject", id.Subject}} {
		switch {
		case f.value == "":
			return &FieldError{f.column, "is empty"}
		case !storable(f.value):
			return &FieldError{f.column, "contains a NUL or is not UTF-8"}
		case utf8.RuneCountInString(f.value) > 255:
			return &FieldError{f.column, "is longer than 255 characters"}
		}
	}
	return nil
}

// errMeanwhile says that another process has stored what was looked for before.
var errMeanwhile = errors.New("stored meanwhile")

// insisting runs f in a transaction. When another process has stored the same meanwhile, it runs again, and finds that.
func (t *Table[T]) insisting(ctx context.Context, f func(ctx context.Context, in *Table[T]) error) error {
	for tries := 0; ; tries++ {
		err := t.db.atomically(ctx, func(ctx context.Context, tx *DB) error { return f(ctx, t.in(tx)) })
		again := errors.Is(err, ErrDuplicate) || errors.Is(err, errMeanwhile)
		if !again {
			_, again = t.db.dialect.duplicate(err)
		}
		if !again || tries == 3 || t.db.pool == nil {
			return err
		}
	}
}

// locked returns a user whose row no other transaction changes until this one ends.
func (t *Table[T]) locked(ctx context.Context, userID string) (*T, error) {
	key, ok := t.parseKey(userID)
	if !ok {
		return nil, auth.ErrNoUser
	}
	password := t.column(colPassword)
	n, err := t.db.exec(ctx, "UPDATE "+t.db.dialect.ident(t.name)+" SET "+password+" = "+password+" WHERE "+t.byKey(), key)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, auth.ErrNoUser
	}
	return t.ByID(ctx, userID)
}

// identity returns the row of an identity, or ErrNoIdentity.
func (db *DB) identity(ctx context.Context, id *auth.Identity) (Identity, error) {
	d := db.dialect
	list, err := db.identities(ctx, d.is("issuer")+" AND "+d.is("subject"), d.same(d.same(nil, id.Issuer), id.Subject)...)
	if err == nil && len(list) == 0 {
		err = ErrNoIdentity
	}
	if err != nil {
		return Identity{}, err
	}
	return list[0], nil
}

func (db *DB) identities(ctx context.Context, where string, args ...any) ([]Identity, error) {
	var list []Identity
	d := db.dialect
	err := db.each(ctx, "SELECT id, issuer, subject, user_id, email, "+d.timeColumn("created_at")+", "+d.timeColumn("last_used")+
		" FROM cardea_identity WHERE "+where, args, func(scan func(...any) error) error {
		var one Identity
		var user sql.NullString
		var created, used stamp
		err := scan(&one.ID, &one.Issuer, &one.Subject, &user, &one.Email, &created, &used)
		one.User, one.Created, one.LastUsed = d.djangoID(user.String), created.Time, used.pointer()
		list = append(list, one)
		return err
	})
	return list, err
}

// addIdentity stores an identity. One that is there is a violation of uniqueness.
func (db *DB) addIdentity(ctx context.Context, user any, id *auth.Identity, used *time.Time) error {
	d := db.dialect
	_, err := db.exec(ctx, "INSERT INTO cardea_identity (id, issuer, subject, user_id, email, created_at, last_used) VALUES (?, ?, ?, ?, ?, ?, ?)",
		rand.Text(), id.Issuer, id.Subject, user, clip(id.Email, 254), d.time(time.Now()), d.nullTime(used))
	return err
}
