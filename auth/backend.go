package auth

import (
	"net/http"
	"time"

	"github.com/cardea-go/cardea/perm"
)

// A Backend proves identities. It knows nothing of the site's user type. Back ends are asked in the order of Config.Backends.
// The conformance suite is authtest.RunBackend.
type Backend interface {
	// Name is what sessions record. A session that names a back end which is not configured is anonymous, so where the login
	// is shared with Django this is Django's dotted path. It never changes.
	Name() string

	// Authenticate says whose credentials these are:
	//
	//   - an Identity and nil: a match;
	//   - ErrNoMatch: not this back end's kind of credentials, or wrong ones; the next back end is asked;
	//   - ErrDenied: refused, and no other back end is asked;
	//   - anything else: broken. The stack stops, and the answer is the failure, never "wrong password". A back end stacked
	//     as SkipIfDown(b) lets the next ones be asked; if none of them matches, the answer is still the failure.
	//
	// It may be called concurrently. r is never nil; its body is not the back end's to read. Unknown, inactive and otherwise
	// unusable accounts must cost as much work as a wrong secret.
	Authenticate(r *http.Request, creds any) (*Identity, error)
}

// An InactiveAdmitter is a [Backend] that can let users in who are not active, as Django's AllowAllUsersModelBackend does: they log in
// by it, and sessions of it that are theirs count. [Auth.SignIn] refuses them all the same, as Django's form does.
type InactiveAdmitter interface {
	// AdmitsInactive says whether it does. Its answer never changes.
	AdmitsInactive() bool
}

// admitsInactive looks through SkipIfDown.
func admitsInactive(b Backend) bool {
	if s, ok := b.(skipper); ok {
		b = s.Backend
	}
	a, ok := b.(InactiveAdmitter)
	return ok && a.AdmitsInactive()
}

// An Identity is what a back end has proven. It names its bearer either by UserID or by Issuer and Subject.
type Identity struct {
	UserID   string // primary key of the user; only from a back end that owns the user table
	Attached any    // the user that the back end loaded on the way, saving a query; used only if its AuthID is UserID

	Issuer, Subject string // who says so, and a name that is stable there
	Name, Email     string
	EmailVerified   bool
	Groups          []string
	Claims          map[string]any

	// Limit is what the bearer of the credentials may do at most, of what the user may: for tokens. It binds superusers too. nil is
	// no limit, an empty set nothing that needs a permission.
	Limit *perm.Set

	Methods []string  // how it was proven, by RFC 8176 names: "pwd", "otp", "hwk". Defaults to none
	At      time.Time // when it was proven. Defaults to now
}

// SkipIfDown makes a stack go on past b when b is broken, for example when a directory server does not answer. If none of
// the others matches, the answer is b's failure. Refusals of b count as always.
func SkipIfDown(b Backend) Backend { return skipper{b} }

type skipper struct{ Backend }
