package auth

import (
	"context"
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/sessions"
)

// A Federation takes browsers to places where people have accounts elsewhere, and back: what the pages need to offer a login there.
// Package oidcauth has one. Its methods may be called concurrently, for different requests.
type Federation interface {
	// Providers are the places, in the order of their buttons.
	Providers() []Provider
	// Begin notes what a browser sets out for and returns the address at the provider where it is to go. A provider that is not one
	// is ErrNoProvider; a [*LimitedError] is one attempt too many; an ErrUnreachable means that the provider does not answer.
	Begin(w http.ResponseWriter, r *http.Request, j Journey) (to string, err error)
	// Return takes the answer with which a provider sends a browser back. What the browser set out for is used up by it. The errors:
	// ErrNoProvider; [ErrJourney]; an [ErrInvalid] for an answer that cannot be believed; [ErrCancelled], with the Journey, when the
	// person changed their mind there; ErrUnreachable.
	Return(w http.ResponseWriter, r *http.Request, provider string) (Arrival, error)
	// Leave returns the address at which the request's user ends the login at the provider too, or "": to go to after a logout.
	// back is where the provider is to send the browser then.
	Leave(r *http.Request, back string) string
}

// A BackChannel is a [Federation] that hears from its providers whose logins have ended.
type BackChannel interface {
	// BackChannel answers such a request of a provider. It needs no protection against forged forms. What is not on is 404.
	BackChannel(w http.ResponseWriter, r *http.Request, provider string, end Ender)
}

// An Ender ends sessions that a provider says are over.
type Ender interface {
	// UserOf returns the id of the user whose identity this is, or "".
	UserOf(ctx context.Context, issuer, subject string) (string, error)
	// EndSessions ends those live sessions of a user whose data match, and returns how many those were.
	EndSessions(ctx context.Context, user string, match func(sessions.Data) bool) (int, error)
}

// A FormReturn is a [Federation] to which providers may send their answers as forms, from their own pages.
type FormReturn interface {
	// Posted answers a request that is such a form, by a redirect to the same answer as a link, and reports whether it was one. It
	// changes nothing, so it needs no protection against forged forms.
	Posted(w http.ResponseWriter, r *http.Request) bool
}

// A Provider is one place where people have accounts.
type Provider struct {
	Name   string // in addresses
	Title  string // on buttons
	Issuer string // of the identities that it proves
}

// A Journey is what a browser sets out for.
type Journey struct {
	Provider string // by name
	Next     string // where the person wants to be afterwards: a path or URL that was found safe
	User     string // who is logged in and wants this account linked; "" for a login
	Again    bool   // somebody is to prove who it is once more
}

// An Arrival is a browser that is back. Who it is has not been looked at yet.
type Arrival struct {
	Journey
	// Credentials are for SignIn.
	Credentials any
	// Identify says who it is without logging anybody in, with the errors of a [Backend].
	Identify func(r *http.Request) (*Identity, error)
	// Remember keeps in the session what ending the login takes. It is for after the SignIn.
	Remember func(r *http.Request) error
}

var (
	// ErrNoProvider is a name that no provider has.
	ErrNoProvider = errors.New("no such provider")
	// ErrJourney is a return that nobody set out for: the attempt is used up, too old, or another browser's.
	ErrJourney = errors.New("no such attempt to log in")
	// ErrCancelled is the return of somebody who did not log in at the provider after all.
	ErrCancelled = errors.New("the login was cancelled")
	// ErrUnreachable is a provider that does not answer, or not as it should.
	ErrUnreachable = errors.New("the provider does not answer as it should")
)
