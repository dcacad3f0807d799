package auth

import (
	"fmt"
	"net/http"
)

// A Gate is the face of an [Auth] for what does not need to know the site's user type: pages, adapters, guards.
type Gate interface {
	// Who is [Auth.Lookup].
	Who(r *http.Request) (User, error)
	// SignIn is [Auth.Authenticate] and, on a match, [Auth.Login].
	SignIn(r *http.Request, creds any) error
	// Logout is [Auth.Logout].
	Logout(r *http.Request) error
	// Required is [Auth.Required].
	Required(next http.Handler) http.Handler
}

// Who returns the request's user, or why there is none, as [Auth.Lookup] does.
func (a *Auth[U]) Who(r *http.Request) (User, error) {
	u, err := a.Lookup(r)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// SignIn checks credentials and logs their owner in, with the errors of [Auth.Authenticate] and [Auth.Login], as a form does:
// where a back end admits users who are not active, they are an [ErrInactive] here all the same.
func (a *Auth[U]) SignIn(r *http.Request, creds any) error {
	v, err := a.Authenticate(r, creds)
	if err != nil {
		return err
	}
	if !v.user.Active() {
		return fmt.Errorf("auth: %w", ErrInactive)
	}
	return a.Login(r, v)
}
