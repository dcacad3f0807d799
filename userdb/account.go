package userdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/cardea-go/cardea/account"
)

// Accounts returns what package account works on: this table of users, cardea_link and cardea_outbox.
func (t *Table[T]) Accounts() account.Tables {
	return account.Tables{
		Users:  accounts[T]{t},
		Links:  t.db.Links(),
		Outbox: t.db.Outbox(),
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
	where, arg := "username LIKE ? ESCAPE '\\'", escapeLike(username)
	switch a.db.dialect {
	case PostgreSQL:
		where, arg = "UPPER(username) = UPPER(?)", username
	case MySQL:
		where = "username LIKE ?"
	}
	found, err := a.query(ctx, "look up a user name", where+" LIMIT 1", arg)
	return len(found) > 0, err
}

// ReplacePassword implements account.Changes.
func (a accounts[T]) ReplacePassword(ctx context.Context, u account.User, to string) (bool, error) {
	if utf8.RuneCountInString(to) > 128 {
		return false, fmt.Errorf("userdb: replace a password: %w", &FieldError{"password", "is longer than 128 characters"})
	}
	return a.replace(ctx, "replace a password", "password", u, to)
}

// ReplaceEmail implements account.Changes.
func (a accounts[T]) ReplaceEmail(ctx context.Context, u account.User, to string) (bool, error) {
	to = NormalizeEmail(to)
	if !storable(to) || utf8.RuneCountInString(to) > 254 {
		return false, fmt.Errorf("userdb: replace an address: %w", &FieldError{"email", "is longer than 254 characters, contains a NUL or is not UTF-8"})
	}
	return a.replace(ctx, "replace an address", "email", u, to)
}

// replace changes one column of a user who is active, and whose password and address are as they were seen.
func (a accounts[T]) replace(ctx context.Context, op, column string, u account.User, to string) (bool, error) {
	id, err := strconv.ParseInt(u.ID, 10, 64)
	if err != nil {
		return false, nil // nobody's
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := a.db.dialect
	args := d.same(d.same([]any{to, id, true}, u.PasswordHash), u.Email)
	n, err := a.db.exec(ctx, "UPDATE "+d.ident(a.name)+" SET "+column+" = ? WHERE id = "+d.bigint()+" AND is_active = ? AND "+
		d.is("password")+" AND "+d.is("email"), args...)
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
