package userdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/sessions"
)

// The rules of tokens:
//
//  1. The database keeps a hash of each, by which it is found: a comparison of secrets byte by byte never happens.
//  2. A request costs one statement, which brings the owner with it. That is a hint, as with sessions.
//  3. A token is ended by deleting it. It goes with its owner, and when its owner is switched off by Cardea.

// A TokenStore keeps the tokens of programs, in the table cardea_token.
type TokenStore struct {
	db    *DB
	users UserTable
	find  string
}

var (
	_ tokenauth.Store  = (*TokenStore)(nil)
	_ tokenauth.Keeper = (*TokenStore)(nil)
)

// Tokens returns the tokens of the users in that table: [DB.Users], a [Table] of the site's own, or [UsersOf].
func (db *DB) Tokens(users UserTable) *TokenStore {
	s := &TokenStore{db: db, users: users}
	columns := ""
	if list := users.joinedColumns("u."); list != "" {
		columns = ", " + list
	}
	s.find = db.dialect.bind("SELECT " + s.columns() + columns + " FROM cardea_token t JOIN " + db.dialect.ident(users.Name()) +
		" u ON u." + db.dialect.ident(users.keyColumn()) + " = t.user_id WHERE t.token_hash = ?")
	return s
}

// tokenTable makes cardea_token. The tokens of a user go with the user.
func (m *migration) tokenTable(users, userKey string) djangoTable {
	d, moment := m.db.dialect, m.db.dialect.moment()
	text := map[*Dialect]string{SQLite: "text", PostgreSQL: "text", MySQL: "mediumtext"}[d]
	behind, after := m.references("", users, m.userKey()), ""
	if d == MySQL {
		after = ", CONSTRAINT cardea_token_user_id_fk FOREIGN KEY (user_id) REFERENCES " + d.ident(users) + " (" + m.userKey() + ") ON DELETE CASCADE"
	}
	return djangoTable{"cardea_token", []string{
		"CREATE TABLE cardea_token (id varchar(26) NOT NULL PRIMARY KEY, user_id " + userKey + " NOT NULL" + behind + ", " +
			"name varchar(100) NOT NULL, token_hash varchar(40) NOT NULL UNIQUE, hint varchar(20) NOT NULL, scopes " + text + " NOT NULL, " +
			"created_at " + moment + " NOT NULL, expires_at " + moment + " NULL, last_used " + moment + " NULL" + after + ")" + m.engine(),
		"CREATE INDEX cardea_token_user_id ON cardea_token (user_id)",
	}}
}

// columns are those that a tokenRow scans, of the table t.
func (s *TokenStore) columns() string {
	d := s.db.dialect
	return "t.id, t.user_id, t.name, t.hint, t.scopes, " + d.timeColumn("t.created_at") + ", " + d.timeColumn("t.expires_at") + ", " +
		d.timeColumn("t.last_used")
}

// A tokenRow scans a token.
type tokenRow struct {
	id, user, name, hint, scopes string
	created, expires, used       stamp
}

func (r *tokenRow) dests() []any {
	return []any{&r.id, &r.user, &r.name, &r.hint, &r.scopes, &r.created, &r.expires, &r.used}
}

func (r *tokenRow) token(d *Dialect) tokenauth.Token {
	return tokenauth.Token{
		ID: r.id, User: d.djangoID(r.user), Name: r.name, Hint: r.hint, Scopes: strings.Fields(r.scopes),
		Created: r.created.Time, Expires: r.expires.Time, LastUsed: r.used.Time,
	}
}

// FindToken implements [tokenauth.Store].
func (s *TokenStore) FindToken(ctx context.Context, secret tokenauth.Secret) (tokenauth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var row tokenRow
	dests := row.dests()
	user := s.users.joinedRow()
	if user != nil {
		dests = append(dests, user.dests()...)
	}
	err := s.db.q.QueryRowContext(ctx, s.find, sessions.HashKey(secret.Reveal())).Scan(dests...)
	if errors.Is(err, sql.ErrNoRows) {
		return tokenauth.Token{}, tokenauth.ErrNotFound
	}
	if err != nil {
		return tokenauth.Token{}, s.db.dialect.failed("find a token", err)
	}
	t := row.token(s.db.dialect)
	if user != nil {
		t.Attached = user.attached(nil)
	}
	return t, nil
}

// TokenUsed implements [tokenauth.Store].
func (s *TokenStore) TokenUsed(ctx context.Context, id string, now, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	_, err := s.db.exec(ctx, "UPDATE cardea_token SET last_used = ? WHERE id = ? AND (last_used IS NULL OR last_used < ?)", d.time(now), id, d.time(since))
	return d.failed("note the use of a token", err)
}

// MakeToken implements [tokenauth.Keeper], in one transaction with a look at the owner.
func (s *TokenStore) MakeToken(ctx context.Context, t tokenauth.Token) (tokenauth.Token, tokenauth.Secret, error) {
	if err := t.Check(); err != nil {
		return tokenauth.Token{}, tokenauth.Secret{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d, secret := s.db.dialect, tokenauth.NewSecret()
	t.ID, t.Name, t.Hint, t.LastUsed = rand.Text(), strings.TrimSpace(t.Name), secret.Hint(), time.Time{}
	t.Created = t.Created.UTC().Truncate(time.Microsecond)
	var expires any
	if !t.Expires.IsZero() {
		t.Expires = t.Expires.UTC().Truncate(time.Microsecond)
		expires = d.time(t.Expires)
	}
	err := s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		n := 1
		var err error
		if s.users.joinedColumns("") != "" { // else only the site knows who is active
			active, args := s.users.active(true)
			err = tx.row(ctx, "SELECT COUNT(*) FROM "+d.ident(s.users.Name())+" WHERE "+d.ident(s.users.keyColumn())+" = ? AND "+active,
				append([]any{d.ownerID(t.User)}, args...)...).Scan(&n)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return auth.ErrNoUser
		}
		_, err = tx.exec(ctx, "INSERT INTO cardea_token (id, user_id, name, token_hash, hint, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			t.ID, d.ownerID(t.User), t.Name, sessions.HashKey(secret.Reveal()), t.Hint, strings.Join(t.Scopes, " "), d.time(t.Created), expires)
		return err
	})
	if errors.Is(err, auth.ErrNoUser) {
		return tokenauth.Token{}, tokenauth.Secret{}, fmt.Errorf("userdb: make a token: %w", err)
	}
	if err != nil {
		return tokenauth.Token{}, tokenauth.Secret{}, d.failed("make a token", err)
	}
	return t, secret, nil
}

// Tokens implements [tokenauth.Keeper].
func (s *TokenStore) Tokens(ctx context.Context, user string) ([]tokenauth.Token, error) {
	if user == "" {
		return nil, nil
	}
	return s.list(ctx, " WHERE t.user_id = ?", s.db.dialect.ownerID(user))
}

// AllTokens returns the tokens of all users, the newest first, for those who look after a site.
func (s *TokenStore) AllTokens(ctx context.Context) ([]tokenauth.Token, error) {
	return s.list(ctx, "")
}

func (s *TokenStore) list(ctx context.Context, where string, args ...any) ([]tokenauth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	var list []tokenauth.Token
	err := s.db.each(ctx, "SELECT "+s.columns()+" FROM cardea_token t"+where+" ORDER BY t.created_at DESC, t.id", args, func(scan func(...any) error) error {
		var row tokenRow
		if err := scan(row.dests()...); err != nil {
			return err
		}
		list = append(list, row.token(d))
		return nil
	})
	return list, d.failed("list tokens", err)
}

// EndToken implements [tokenauth.Keeper].
func (s *TokenStore) EndToken(ctx context.Context, user, id string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	n, err := s.db.exec(ctx, "DELETE FROM cardea_token WHERE id = ? AND user_id = ?", id, d.ownerID(user))
	if err == nil && n == 0 {
		return tokenauth.ErrNotFound
	}
	return d.failed("end a token", err)
}

// EndTokens implements [tokenauth.Keeper].
func (s *TokenStore) EndTokens(ctx context.Context, user string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	n, err := s.db.exec(ctx, "DELETE FROM cardea_token WHERE user_id = ?", d.ownerID(user))
	return int(n), d.failed("end tokens", err)
}
