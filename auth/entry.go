package auth

import (
	"errors"
	"net/http"
)

// An Entry says who came in by a request's session, and how.
type Entry struct {
	User    User   // nil when nobody is logged in, not even half
	Backend string // the name that the session records, that of the last proof while half logged in
	Half    bool   // the policy asks for more, see [Auth.Pending]: User is not logged in
}

// Entry returns whose login, or half login, the request's session holds: for layers that log people in and out by something
// beside a form, such as auth/remoteuser. The error is an outage, or sessions.ErrTooLate.
func (a *Auth[U]) Entry(r *http.Request) (Entry, error) {
	u, err := a.Lookup(r)
	if err == nil {
		_, backend, _ := stored(a.sessions.Session(r))
		return Entry{User: u, Backend: backend}, nil
	}
	if !errors.Is(err, ErrAnonymous) {
		return Entry{}, err
	}
	half, proofs, err := a.Pending(r)
	switch {
	case err == nil && len(proofs) > 0:
		return Entry{User: half, Backend: proofs[len(proofs)-1].Backend, Half: true}, nil
	case err == nil, errors.Is(err, ErrAnonymous):
		return Entry{}, nil
	}
	return Entry{}, err
}

// Enter checks credentials and logs their owner in, as [Auth.SignIn] does, except that it leaves to the back end whether users
// who are not active may come in: nobody has filled in a form.
func (a *Auth[U]) Enter(r *http.Request, creds any) error {
	v, err := a.Authenticate(r, creds)
	if err != nil {
		return err
	}
	return a.Login(r, v)
}
