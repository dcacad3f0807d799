package userdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/sessions"
)

// Links returns the one-time links of accounts, in the table cardea_link. It holds a hash of each token.
func (db *DB) Links() *LinkStore { return &LinkStore{db} }

// A LinkStore is an [account.Links], and sweeps what is too old.
type LinkStore struct{ db *DB }

var _ account.Links = (*LinkStore)(nil)

// linkTable makes cardea_link. A link of a user goes with the user.
func (m *migration) linkTable(users, userKey string) djangoTable {
	d, moment := m.db.dialect, m.db.dialect.moment()
	behind, after := m.references("", users, m.userKey()), ""
	if d == MySQL {
		after = ", CONSTRAINT cardea_link_user_id_fk FOREIGN KEY (user_id) REFERENCES " + d.ident(users) + " (" + m.userKey() + ") ON DELETE CASCADE"
	}
	return djangoTable{"cardea_link", []string{
		"CREATE TABLE cardea_link (id varchar(26) NOT NULL PRIMARY KEY, kind varchar(40) NOT NULL, token_hash varchar(40) NULL UNIQUE, " +
			"user_id " + userKey + " NULL" + behind + ", email varchar(254) NOT NULL, state varchar(64) NOT NULL, " +
			"created_at " + moment + " NOT NULL, expires_at " + moment + " NOT NULL" + after + ")" + m.engine(),
		"CREATE INDEX cardea_link_user_id ON cardea_link (user_id)",
		"CREATE INDEX cardea_link_expires_at ON cardea_link (expires_at)",
	}}
}

// Make implements [account.Links].
func (s *LinkStore) Make(ctx context.Context, l account.Link) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d, id := s.db.dialect, rand.Text()
	_, err := s.db.exec(ctx, "INSERT INTO cardea_link (id, kind, user_id, email, state, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		id, l.Kind, d.ownerID(l.User), l.Email, l.State, d.time(l.Created), d.time(l.Expires))
	if err != nil {
		return "", d.failed("make a link", err)
	}
	return id, nil
}

// Arm implements [account.Links].
func (s *LinkStore) Arm(ctx context.Context, id string, now time.Time) (token string, l account.Link, err error) {
	token = rand.Text()
	err = s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		d := s.db.dialect
		n, err := tx.exec(ctx, "UPDATE cardea_link SET token_hash = ? WHERE id = ? AND expires_at > ?", sessions.HashKey(token), id, d.time(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return account.ErrLink
		}
		l, err = tx.Links().one(ctx, "id = ?", id)
		return err
	})
	if err != nil {
		return "", account.Link{}, s.failed("arm a link", err)
	}
	return token, l, nil
}

// Look implements [account.Links].
func (s *LinkStore) Look(ctx context.Context, kind, token string, now time.Time) (account.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	l, err := s.one(ctx, "token_hash = ? AND kind = ? AND expires_at > ?", sessions.HashKey(token), kind, s.db.dialect.time(now))
	return l, s.failed("look at a link", err)
}

// Use implements [account.Links]. The DELETE decides who used it.
func (s *LinkStore) Use(ctx context.Context, kind, token string, now time.Time) (l account.Link, err error) {
	err = s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		d := s.db.dialect
		if l, err = tx.Links().Look(ctx, kind, token, now); err != nil {
			return err
		}
		n, err := tx.exec(ctx, "DELETE FROM cardea_link WHERE token_hash = ? AND kind = ? AND expires_at > ?", sessions.HashKey(token), kind, d.time(now))
		if err == nil && n == 0 {
			err = account.ErrLink
		}
		return err
	})
	if err != nil {
		return account.Link{}, s.failed("use a link", err)
	}
	return l, nil
}

// Pending implements [account.PendingLinks].
func (s *LinkStore) Pending(ctx context.Context, kind, user string, now time.Time) (account.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	l, err := s.one(ctx, "user_id = ? AND kind = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 1", d.ownerID(user), kind, d.time(now))
	return l, s.failed("look for a link", err)
}

// Drop implements [account.PendingLinks].
func (s *LinkStore) Drop(ctx context.Context, kind, user, email string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	where, args := "user_id IS NULL AND email = ?", []any{kind, email}
	if user != "" {
		where, args = "user_id = ?", []any{kind, d.ownerID(user)}
	}
	_, err := s.db.exec(ctx, "DELETE FROM cardea_link WHERE kind = ? AND "+where, args...)
	return d.failed("end links", err)
}

// Sweep deletes the links that are too old and returns how many there were.
func (s *LinkStore) Sweep(ctx context.Context, now time.Time) (int, error) {
	return s.db.sweep(ctx, "cardea_link", "id", "expires_at < ?", s.db.dialect.time(now))
}

// one reads a link, or ErrLink.
func (s *LinkStore) one(ctx context.Context, where string, args ...any) (account.Link, error) {
	var (
		l                account.Link
		user             sql.NullString
		created, expires stamp
	)
	d := s.db.dialect
	err := s.db.row(ctx, "SELECT id, kind, user_id, email, state, "+d.timeColumn("created_at")+", "+d.timeColumn("expires_at")+
		" FROM cardea_link WHERE "+where, args...).Scan(&l.ID, &l.Kind, &user, &l.Email, &l.State, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Link{}, account.ErrLink
	}
	l.User, l.Created, l.Expires = d.djangoID(user.String), created.Time, expires.Time
	return l, err
}

// failed keeps the contract's answer as it is.
func (s *LinkStore) failed(op string, err error) error {
	if errors.Is(err, account.ErrLink) {
		return fmt.Errorf("userdb: %w", account.ErrLink)
	}
	return s.db.dialect.failed(op, err)
}
