package userdb

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/cardea-go/cardea/account"
)

// Accounts returns what package account works on: this table of users, cardea_link and cardea_outbox.
func (t *Table[T]) Accounts() account.Tables {
	var outside account.Identities
	if t.byIdentity == nil { // who has one of their own may look elsewhere
		outside = identities[T]{t}
	}
	return account.Tables{
		Identities: outside,

		Users:  accounts[T]{t},
		Links:  t.db.Links(),
		Outbox: t.db.Outbox(),
		Shape: account.Shape{
			NameIsEmail: t.NameIsEmail(), FreeName: t.columns[colUsername] != "username", NameLength: t.NameLength(), WithoutEmail: !t.HasEmail(),
			WithoutNames: t.columns[colFirstName] == "" || t.columns[colLastName] == "", Missing: t.Missing(),
		},
		Together: func(ctx context.Context, f func(ctx context.Context, in account.Tables) error) error {
			return t.db.atomically(ctx, func(ctx context.Context, tx *DB) error { return f(ctx, t.in(tx).Accounts()) })
		},
	}
}

// accounts is a table of users as package account sees it.
type accounts[T any] struct{ *Table[T] }

var _ account.Store = accounts[User]{}

func (a accounts[T]) account(u *T) account.User {
	rec := a.record(u)
	return account.User{
		ID: rec.AuthID(), Username: rec.Username, Email: rec.Email, FirstName: rec.FirstName, LastName: rec.LastName,
		PasswordHash: rec.Password, LastLogin: rec.LastLogin, Active: rec.IsActive,
	}
}

// ByID implements account.Users.
func (a accounts[T]) ByID(ctx context.Context, id string) (account.User, error) {
	u, err := a.Table.ByID(ctx, id)
	if err != nil {
		return account.User{}, err
	}
	return a.account(u), nil
}

// ByEmail implements account.Users.
func (a accounts[T]) ByEmail(ctx context.Context, address string) ([]account.User, error) {
	found, err := a.Table.ByEmail(ctx, address)
	users := make([]account.User, len(found))
	for i, u := range found {
		users[i] = a.account(u)
	}
	return users, err
}

// NameTaken implements account.Users: as Django's UserCreationForm, whatever the case.
func (a accounts[T]) NameTaken(ctx context.Context, username string) (bool, error) {
	if !storable(username) {
		return false, nil
	}
	where, arg := a.sameText(colUsername, username)
	found, err := a.query(ctx, "look up a user name", where+" LIMIT 1", arg)
	return len(found) > 0, err
}

// ReplacePassword implements account.Changes.
func (a accounts[T]) ReplacePassword(ctx context.Context, u account.User, to string) (bool, error) {
	if n := a.size(colPassword); utf8.RuneCountInString(to) > n {
		return false, fmt.Errorf("userdb: replace a password: %w", &FieldError{"password", fmt.Sprintf("is longer than %d characters", n)})
	}
	return a.replace(ctx, "replace a password", colPassword, u, to)
}

// ReplaceEmail implements account.Changes.
func (a accounts[T]) ReplaceEmail(ctx context.Context, u account.User, to string) (bool, error) {
	to = NormalizeEmail(to)
	n := a.size(colEmail)
	switch {
	case !a.HasEmail():
		return false, fmt.Errorf("userdb: replace an address: %w", &FieldError{"email", "is not in the table " + a.name})
	case !storable(to) || utf8.RuneCountInString(to) > n:
		return false, fmt.Errorf("userdb: replace an address: %w", &FieldError{"email", fmt.Sprintf("is longer than %d characters, contains a NUL or is not UTF-8", n)})
	}
	done, err := a.replace(ctx, "replace an address", colEmail, u, to)
	if _, taken := a.db.dialect.duplicate(err); taken && a.db.pool != nil {
		return false, nil
	}
	return done, err
}

// replace changes one column of a user who is active, and whose password and address are as they were seen.
func (a accounts[T]) replace(ctx context.Context, op string, column int, u account.User, to string) (bool, error) {
	key, ok := a.parseKey(u.ID)
	if !ok {
		return false, nil // nobody's
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := a.db.dialect
	active, args := a.active(true)
	args = d.same(append([]any{to, key}, args...), u.PasswordHash)
	where := a.byKey() + " AND " + active + " AND " + d.is(a.column(colPassword))
	if a.HasEmail() {
		where, args = where+" AND "+d.is(a.address()), d.same(args, u.Email)
	}
	n, err := a.db.exec(ctx, "UPDATE "+d.ident(a.name)+" SET "+a.column(column)+" = ? WHERE "+where, args...)
	return n == 1, d.failed(op, err)
}

// Create implements account.Changes.
func (a accounts[T]) Create(ctx context.Context, u account.User) (account.User, error) {
	made := new(T)
	rec := a.record(made)
	rec.Username, rec.Email, rec.FirstName, rec.LastName = u.Username, u.Email, u.FirstName, u.LastName
	rec.Password, rec.IsActive = u.PasswordHash, u.Active
	err := a.Table.Create(ctx, made)
	if errors.Is(err, ErrDuplicate) {
		return account.User{}, fmt.Errorf("%w (%w)", account.ErrTaken, err)
	}
	if err != nil {
		return account.User{}, err
	}
	return a.account(made), nil
}
