package userdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/auth"
)

// ByNameOrCreate returns the user of this name, as [Table.ByName] does, or makes one, as Django's RemoteUserBackend: for names that somebody
// else owns, such as the proxy of package auth/remoteuser. The name is stored as it is, the user is active, and encoded is the password:
// "" as Django writes it, or password.Unusable(); neither opens anything. A name that cannot be stored is auth.ErrNoUser.
func (t *Table[T]) ByNameOrCreate(ctx context.Context, username, encoded string) (u *T, created bool, err error) {
	u, err = t.ByName(ctx, username)
	if !errors.Is(err, auth.ErrNoUser) {
		return u, false, err
	}
	u = new(T)
	rec := t.record(u)
	*rec = User{Username: username, Password: encoded, IsActive: true, DateJoined: time.Now()}
	if t.NameIsEmail() {
		rec.Email = username
	}
	if err := t.check(rec); err != nil {
		return nil, false, fmt.Errorf("userdb: user by name or new: %w: %w", err, auth.ErrNoUser)
	}
	err = t.insert(ctx, u)
	if errors.Is(err, ErrDuplicate) { // somebody was faster
		u, err = t.ByName(ctx, username)
		return u, false, err
	}
	if err != nil {
		return nil, false, err
	}
	return u, true, nil
}

// Follow brings an active user into the state that an issuer has just said, as a policy's Update, MirrorGroups, StaffGroups and SuperuserGroups
// have it: for back ends that find their users themselves, as auth/remoteuser does. Where [Table.WithIdentities] finds them it happens
// by itself.
func (t *Table[T]) Follow(ctx context.Context, u *T, p IdentityPolicy, id *auth.Identity) error {
	if !t.record(u).IsActive {
		return nil
	}
	err := t.insisting(ctx, func(ctx context.Context, in *Table[T]) error { return in.follow(ctx, u, p, id) })
	return t.db.dialect.failed("follow an issuer", err)
}
