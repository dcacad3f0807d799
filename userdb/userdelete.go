package userdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cardea-go/cardea/auth"
)

// ErrReferenced says that a user cannot be deleted, because rows of tables that are not ours refer to the user.
var ErrReferenced = errors.New("rows of other tables of the site refer to this user")

// Delete removes a user and, in the same transaction, what is the user's: sessions, groups, permissions, mailed links, tokens, and the entries
// in the log of Django's administration, which go with their user in Django too. At the next request of any process nobody is logged
// in as this user.
//
// Which sessions that Django made are the user's stands in their signed data, which sessions reads; see [SessionStore.Of]. With
// nil those rows stay until they expire, and log nobody in.
//
// A user who is gone is auth.ErrNoUser. When rows of other tables refer to the user, nothing changes and the error is
// [ErrReferenced]; on PostgreSQL and SQLite, inside the application's own transaction, it comes with its Commit.
func (t *Table[T]) Delete(ctx context.Context, u *T, sessions *SessionStore) error {
	const op = "delete a user"
	rec := t.record(u)
	keys, err := keysOf(ctx, sessions, rec.AuthID())
	if err != nil {
		return err
	}
	var ended []string
	err = t.db.atomically(ctx, func(ctx context.Context, tx *DB) (err error) {
		in := t.in(tx)
		if err := in.dropJoins(ctx, t.key(rec)); err != nil {
			return err
		}
		if ended, err = in.endAccess(ctx, rec.AuthID(), keys, sessions); err != nil {
			return err
		}
		n, err := tx.exec(ctx, "DELETE FROM "+tx.dialect.ident(t.name)+" WHERE "+t.byKey(), t.key(rec))
		if err == nil && n == 0 {
			err = auth.ErrNoUser
		}
		return err
	})
	if sessions != nil {
		sessions.tell(ctx, ended)
	}
	if t.db.dialect.referenced(err) {
		err = fmt.Errorf("%w (%w)", ErrReferenced, err)
	}
	return t.db.dialect.failed(op, err)
}

// SetActive says whether a user may log in, in the table and in u. Switched off, the user's sessions, mailed links and tokens end in the
// same transaction, so that switching on again revives none; sessions means what it does for Delete. A user who is gone is
// auth.ErrNoUser.
func (t *Table[T]) SetActive(ctx context.Context, u *T, active bool, sessions *SessionStore) error {
	const op = "activate a user"
	rec := t.record(u)
	if t.columns[colActive] == "" {
		return fmt.Errorf("userdb: %s: %w", op, &FieldError{"is_active", "is not in the table " + t.name})
	}
	var keys []string
	if !active {
		var err error
		if keys, err = keysOf(ctx, sessions, rec.AuthID()); err != nil {
			return err
		}
	}
	var ended []string
	err := t.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		n, err := tx.exec(ctx, "UPDATE "+tx.dialect.ident(t.name)+" SET "+t.column(colActive)+" = ? WHERE "+t.byKey(), active, t.key(rec))
		switch {
		case err != nil || active && n > 0:
			return err
		case n == 0:
			return auth.ErrNoUser
		}
		ended, err = t.in(tx).endAccess(ctx, rec.AuthID(), keys, sessions)
		return err
	})
	if sessions != nil {
		sessions.tell(ctx, ended)
	}
	if err == nil {
		rec.IsActive = active
	}
	return t.db.dialect.failed(op, err)
}

// keysOf returns the keys of a user's sessions that the transaction would take too long to find.
func keysOf(ctx context.Context, sessions *SessionStore, owner string) ([]string, error) {
	if sessions == nil {
		return nil, nil
	}
	found, err := sessions.Of(ctx, owner)
	keys := make([]string, len(found))
	for i, one := range found {
		keys[i] = one.key
	}
	return keys, err
}

// dropJoins removes what refers to a user and stays when the user is switched off.
func (t *Table[T]) dropJoins(ctx context.Context, key any) error {
	d := t.db.dialect
	if _, err := t.db.exec(ctx, "DELETE FROM cardea_identity WHERE user_id = "+d.keyMark(t.keyType), key); err != nil {
		return err
	}
	for _, j := range t.joinTables() {
		if _, err := t.db.exec(ctx, "DELETE FROM "+d.ident(j.name)+" WHERE "+d.ident(j.owner)+" = "+d.keyMark(j.key), key); err != nil {
			return err
		}
	}
	tables, err := t.db.tables(ctx)
	if err == nil && tables["django_admin_log"] {
		_, err = t.db.exec(ctx, "DELETE FROM django_admin_log WHERE user_id = "+d.keyMark(t.keyType), key)
	}
	return err
}

// endAccess ends a user's sessions, those with these keys and those in our own table, and the links in mails. It returns the keys of
// all sessions that it ended.
func (t *Table[T]) endAccess(ctx context.Context, owner string, keys []string, sessions *SessionStore) (ended []string, err error) {
	d := t.db.dialect
	if sessions == nil {
		sessions = t.db.Sessions(nil, SessionsConfig{Users: t})
	}
	own, _, err := sessions.on(t.db).query(ctx, false, "c.user_id = ?", "", []any{d.ownerID(owner)})
	if err != nil {
		return ended, err
	}
	for _, one := range own {
		keys = append(keys, one.key)
	}
	for len(keys) > 0 {
		part := keys[:min(batch, len(keys))]
		keys = keys[len(part):]
		_, gone, err := sessions.endIn(ctx, t.db, part)
		ended = append(ended, gone...)
		if err != nil {
			return ended, err
		}
	}
	for _, table := range [...]string{"cardea_session", "cardea_link", "cardea_token"} {
		if _, err := t.db.exec(ctx, "DELETE FROM "+table+" WHERE user_id = ?", d.ownerID(owner)); err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// on is the same store inside a transaction.
func (s *SessionStore) on(tx *DB) *SessionStore {
	return &SessionStore{db: tx, codec: s.codec, cfg: s.cfg, loads: s.loads}
}

// referenced reports whether err is the violation of a foreign key.
func (d *Dialect) referenced(err error) bool {
	if err == nil {
		return false
	}
	switch d {
	case PostgreSQL:
		return sqlState(err) == "23503"
	case MySQL:
		return strings.Contains(err.Error(), "Error 1451")
	}
	return strings.Contains(err.Error(), "FOREIGN KEY constraint failed")
}
