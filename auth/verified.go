package auth

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/cardea-go/cardea/perm"
)

// A Verified is a user whom an Auth has checked, or trusts: what [Auth.Login] asks for. Only [Auth.Authenticate] and
// [Auth.Trust] make one, and it counts at the Auth that made it only.
type Verified[U User] struct {
	auth    *Auth[U]
	user    U
	proof   Proof
	account string // whose tries are forgiven when the login is complete
	limit   *perm.Set
}

// User returns who was verified.
func (v *Verified[U]) User() U { return v.user }

// Proof returns how, by which back end and when.
func (v *Verified[U]) Proof() Proof { return v.proof }

// Trust vouches for a user without credentials, for a sign-up, a reset link or a test. backend is one of the configured
// names, or empty when there is just one; methods say how the user was proven, if at all. Each call is logged with its place.
func (a *Auth[U]) Trust(u U, backend string, methods ...string) *Verified[U] {
	if backend == "" {
		backend = a.onlyName()
	}
	_, file, line, _ := runtime.Caller(1)
	a.cfg.Logger.InfoContext(context.Background(), "auth: user trusted without credentials",
		"user", u.AuthID(), "backend", backend, "methods", methods, "at", fmt.Sprintf("%s:%d", file, line))
	return &Verified[U]{auth: a, user: u, proof: Proof{Backend: backend, Methods: slices.Clone(methods), At: a.now()}}
}

func (a *Auth[U]) checkVerified(v *Verified[U]) error {
	switch {
	case v == nil || v.auth != a:
		return fmt.Errorf("auth: Login: %w", ErrUnverified)
	case !slices.Contains(a.names, v.proof.Backend):
		return fmt.Errorf("auth: Login: %w: back end %q is not one of %q", ErrUnverified, v.proof.Backend, a.names)
	case v.limit != nil || a.readsRequests(v.proof.Backend):
		return fmt.Errorf("auth: Login: credentials of a request, such as a token, open no session: %w", ErrDenied)
	case !a.admits(v.user, v.proof.Backend):
		return fmt.Errorf("auth: Login: the account is not active: %w", ErrDenied)
	}
	return nil
}

// onlyName is the name of the back end that people can log in by, if there is just one.
func (a *Auth[U]) onlyName() string {
	only := ""
	for i, b := range a.cfg.Backends {
		switch _, ok := reader(b); {
		case ok:
		case only != "":
			return ""
		default:
			only = a.names[i]
		}
	}
	return only
}

// readsRequests reports whether a back end's credentials come with each request.
func (a *Auth[U]) readsRequests(name string) bool {
	for i, b := range a.cfg.Backends {
		if _, ok := reader(b); ok && a.names[i] == name {
			return true
		}
	}
	return false
}
