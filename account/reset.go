package account

import (
	"context"
	"errors"

	"github.com/cardea-go/cardea/auth"
)

// RequestReset asks for a mail with a link to set a new password. It puts one row into the outbox, whether anybody has the
// address or not; an address that is none is an [*Invalid], and too many requests are an *auth.LimitedError, both without a look
// at the accounts. base is the site's URL without a slash at the end, from a host that was checked.
func (s *Service) RequestReset(ctx context.Context, email, base string, asked Asked) error {
	return s.request(ctx, KindPasswordReset, email, base, asked)
}

// request puts what somebody who is not logged in asks for into the outbox.
func (s *Service) request(ctx context.Context, kind, email, base string, asked Asked) error {
	email, err := s.address(email)
	if err != nil {
		return err
	}
	if err := limit(ctx, s.cfg.Requests, kind+" "+email, asked); err != nil {
		return err
	}
	return outage("ask for a mail", s.enqueue(ctx, s.tables.Outbox, kind, request{Email: email, Base: base, Asked: asked}))
}

// CheckReset returns the user of a reset link, or [ErrLink]. It uses nothing up. The token is Django's: a password that was set,
// a login, another address and the passing of time end it. Beyond Django, so does switching the account off.
func (s *Service) CheckReset(ctx context.Context, uidb64, token string) (User, error) {
	id, err := auth.DecodeUID(uidb64)
	if err != nil {
		return User{}, ErrLink
	}
	u, err := s.tables.Users.ByID(ctx, id)
	switch {
	case errors.Is(err, auth.ErrNoUser):
		return User{}, ErrLink
	case err != nil:
		return User{}, outage("look up the user of a link", err)
	case !u.Active || !s.cfg.ResetTokens.Check(subject(u), token, s.cfg.Now()):
		return User{}, ErrLink
	}
	return u, nil
}

// Reset sets a new password by a reset link and tells the owner by mail. Of any number of uses of a link one succeeds, for the
// password that the token was made for is replaced by one conditional statement. Accounts elsewhere that logged in to this one do so no
// more: whoever linked them may not be the owner of the address. The errors are [ErrLink] and an [*Invalid].
func (s *Service) Reset(ctx context.Context, uidb64, token string, chosen NewPassword, base string, asked Asked) error {
	u, err := s.CheckReset(ctx, uidb64, token)
	if err != nil {
		return err
	}
	var found Invalid
	if err := s.check(ctx, chosen, u, "new_password", &found); err != nil {
		return err
	}
	if err := found.or(); err != nil {
		return err
	}
	encoded, err := s.cfg.Hashers.Make(ctx, chosen.First)
	if err != nil {
		return err
	}
	done, err := s.replacePassword(ctx, u, encoded, true, base, asked)
	if err == nil && !done {
		return ErrLink
	}
	return err
}

// subject is what a reset token is bound to.
func subject(u User) auth.ResetSubject {
	return auth.ResetSubject{ID: u.ID, PasswordHash: u.PasswordHash, LastLogin: u.LastLogin, Email: u.Email}
}
