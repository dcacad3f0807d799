package account

import (
	"context"
	"errors"

	"github.com/cardea-go/cardea/auth"
)

// ChangePassword gives the user with this ID a new password, if old is the present one, and tells the owner by mail. It returns
// the new encoded password, so that the session which asked for it can be renewed. What can be mended is an [*Invalid]; a user
// who is gone or switched off is auth.ErrNoUser, and too many tries are an *auth.LimitedError.
//
// Somebody without a password cannot set one this way: there is no old one to show.
func (s *Service) ChangePassword(ctx context.Context, id, old string, chosen NewPassword, base string, asked Asked) (encoded string, err error) {
	u, err := s.tables.Users.ByID(ctx, id)
	if err != nil {
		return "", outage("look up the user", err)
	}
	if !u.Active {
		return "", auth.ErrNoUser
	}
	var found Invalid
	ok, err := s.knows(ctx, u, old, asked)
	switch {
	case err != nil:
		return "", err
	case !ok && old == "":
		found.add("old_password", "Enter your old password.")
	case !ok:
		found.add("old_password", "Your old password was entered incorrectly. Please enter it again.")
	}
	if err := s.check(ctx, chosen, u, "new_password", &found); err != nil {
		return "", err
	}
	if err := found.or(); err != nil {
		return "", err
	}
	if encoded, err = s.cfg.Hashers.Make(ctx, chosen.First); err != nil {
		return "", err
	}
	done, err := s.replacePassword(ctx, u, encoded, false, base, asked)
	switch {
	case err != nil:
		return "", err
	case !done:
		return "", invalid("old_password", "Your password was changed a moment ago in another place. If that was not you, reset it.")
	}
	return encoded, nil
}

// knows reports whether typed is the present password of u, and counts the try. A blank one never is.
func (s *Service) knows(ctx context.Context, u User, typed string, asked Asked) (bool, error) {
	if typed == "" {
		return false, nil
	}
	account := "password of " + u.ID
	if err := limit(ctx, s.cfg.Tries, account, asked); err != nil {
		return false, err
	}
	ok, _, err := s.cfg.Hashers.Check(ctx, typed, u.PasswordHash)
	if err != nil || !ok {
		return false, err
	}
	if s.cfg.Tries != nil {
		if err := s.cfg.Tries.Succeeded(ctx, account); err != nil {
			s.cfg.Logger.ErrorContext(ctx, "account: forget the tries of an account", "error", err)
		}
	}
	return true, nil
}

// replacePassword stores a password and tells the owner, both or neither. Who has recovered the account by mail may not be who has used
// it so far: then what else logs in to it ends.
func (s *Service) replacePassword(ctx context.Context, u User, encoded string, recovered bool, base string, asked Asked) (done bool, err error) {
	err = s.tables.Together(ctx, func(ctx context.Context, t Tables) error {
		done = false
		ok, err := t.Users.ReplacePassword(ctx, u, encoded)
		if err != nil {
			return err
		}
		if !ok {
			return errRace
		}
		done = true
		unlinked := 0
		if recovered && t.Identities != nil {
			if unlinked, err = t.Identities.Forget(ctx, u.ID); err != nil {
				return err
			}
		}
		if u.Email == "" {
			return nil
		}
		return s.enqueue(ctx, t.Outbox, KindPasswordChanged, notice{User: u.ID, To: u.Email, Unlinked: unlinked > 0, Base: base, Asked: asked})
	})
	if errors.Is(err, errRace) {
		return false, nil
	}
	return done && err == nil, outage("change a password", err)
}

// errRace ends a transaction that came second.
var errRace = errors.New("account: changed meanwhile")
