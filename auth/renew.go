package auth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/cardea-go/cardea/sessions"
)

// Renew is [Auth.Refresh] for those who know the user by what changed alone: it keeps the request's session alive over a change
// of its user's password to encoded, under a new key. Should the password have been changed again since, it is
// sessions.ErrInterrupted: whoever changed it then meant to end all sessions, this one too.
func (a *Auth[U]) Renew(r *http.Request, encoded string) error {
	before, err := a.Lookup(r)
	if err != nil {
		return fmt.Errorf("auth: Renew: %w", err)
	}
	ctx, cancel := writing(r, writeTime)
	defer cancel()
	u, err := a.users.ByID(ctx, before.AuthID())
	switch {
	case errors.Is(err, ErrNoUser):
		return fmt.Errorf("auth: Renew: %w", sessions.ErrInterrupted)
	case err != nil:
		return a.broken(r, "look up the user", err)
	case u.PasswordHash() != encoded:
		return fmt.Errorf("auth: Renew: %w", sessions.ErrInterrupted)
	}
	return a.Refresh(r, u)
}
