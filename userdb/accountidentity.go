package userdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
)

// identities is the table of identities as package account sees it.
type identities[T any] struct{ table *Table[T] }

var _ account.Identities = identities[User]{}

// Of implements account.Identities.
func (i identities[T]) Of(ctx context.Context, user string) ([]account.Identity, error) {
	found, err := i.table.Identities(ctx, user)
	list := make([]account.Identity, len(found))
	for n, one := range found {
		list[n] = account.Identity{ID: one.ID, Issuer: one.Issuer, Subject: one.Subject, Email: one.Email, Created: one.Created, LastUsed: one.LastUsed}
	}
	return list, err
}

// Owner implements account.Identities.
func (i identities[T]) Owner(ctx context.Context, issuer, subject string) (string, error) {
	id := &auth.Identity{Issuer: issuer, Subject: subject}
	if checkIdentity(id) != nil {
		return "", nil // nobody's
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	found, err := i.table.db.identity(ctx, id)
	if errors.Is(err, ErrNoIdentity) {
		return "", nil
	}
	return found.User, i.table.db.dialect.failed("look for an identity", err)
}

// Link implements account.Identities.
func (i identities[T]) Link(ctx context.Context, user string, id *auth.Identity) error {
	err := i.table.LinkIdentity(ctx, user, id)
	if errors.Is(err, ErrIdentityTaken) || errors.Is(err, ErrDuplicate) { // somebody was faster
		return fmt.Errorf("%w (%w)", account.ErrTaken, err)
	}
	return err
}

// Unlink implements account.Identities.
func (i identities[T]) Unlink(ctx context.Context, user, id string, ways account.Ways) error {
	err := i.table.UnlinkIdentity(ctx, user, id, WaysIn{Password: ways.Password, Issuers: ways.Issuers})
	switch {
	case errors.Is(err, ErrNoIdentity):
		return fmt.Errorf("%w (%w)", account.ErrNoIdentity, err)
	case errors.Is(err, ErrLastWayIn):
		return fmt.Errorf("%w (%w)", account.ErrLastWayIn, err)
	}
	return err
}

// Forget implements account.Identities.
func (i identities[T]) Forget(ctx context.Context, user string) (int, error) {
	t := i.table
	key, ok := t.parseKey(user)
	if !ok {
		return 0, nil // nobody's
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	n, err := t.db.exec(ctx, "DELETE FROM cardea_identity WHERE user_id = "+t.db.dialect.keyMark(t.keyType), key)
	return int(n), t.db.dialect.failed("forget the identities of a user", err)
}
