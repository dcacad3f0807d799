package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/throttle"
)

// Authenticate asks the back ends in order whose credentials these are. It reads and changes no session.
//
// The errors are an [ErrInvalid] when nobody matched or a back end denied; a [*LimitedError] when there were too many tries, a
// [*BusyError] when there was no room to check, an [*OutageError] when something did not work, or the context's error when
// the visitor went away. A user who is not active counts as no match,
// unless the back end is an [InactiveAdmitter].
func (a *Auth[U]) Authenticate(r *http.Request, creds any) (*Verified[U], error) {
	var account string
	var err error
	if _, vouched := creds.(Vouched); !vouched {
		account = a.account(r, creds)
		err = a.admit(r, account)
	}
	var v *Verified[U]
	if err == nil {
		v, err = a.ask(r, creds)
	}
	if err != nil {
		var limited *LimitedError
		if errors.Is(err, ErrInvalid) || errors.As(err, &limited) {
			a.failed(r, creds, err)
		}
		return nil, err
	}
	v.account = account
	if a.cfg.Policy == nil { // else a login may still be incomplete: guesses at a second factor go on counting
		ctx, cancel := writing(r, writeTime)
		defer cancel()
		if err := a.forgive(ctx, account); err != nil {
			return nil, a.broken(r, "forget the tries", err)
		}
	}
	return v, nil
}

// account returns the name to count tries by. Credentials that name no account are counted by where they come from.
func (a *Auth[U]) account(r *http.Request, creds any) string {
	if c, ok := creds.(Account); ok {
		if name := c.Account(); name != "" {
			return name
		}
	}
	if a.cfg.Limiter == nil {
		return ""
	}
	return "nobody at " + origin.From(r).Addr.String()
}

// admit counts a try.
func (a *Auth[U]) admit(r *http.Request, account string) error {
	if a.cfg.Limiter == nil {
		return nil
	}
	return a.limited(r, a.cfg.Limiter.Try(r.Context(), account, origin.From(r).Addr))
}

// limited gives the limiter's answer its type.
func (a *Auth[U]) limited(r *http.Request, err error) error {
	var limited *throttle.LimitedError
	if errors.As(err, &limited) {
		return &LimitedError{RetryAfter: limited.RetryAfter, Err: err}
	}
	return a.broken(r, "count the try", err)
}

// forgive forgets the tries of an account that has logged in, never those of the address.
func (a *Auth[U]) forgive(ctx context.Context, account string) error {
	if a.cfg.Limiter == nil || account == "" { // a trusted user made no try
		return nil
	}
	return a.cfg.Limiter.Succeeded(ctx, account)
}

// ask goes through the stack.
func (a *Auth[U]) ask(r *http.Request, creds any) (*Verified[U], error) {
	var down error
	answer := func(err error) error {
		if down != nil { // somebody who was not asked might have known: not a refusal
			return down
		}
		return err
	}
	for i, b := range a.cfg.Backends {
		id, err := b.Authenticate(r, creds)
		if err == nil {
			var u U
			if u, err = a.identified(r, a.names[i], id); err == nil {
				return &Verified[U]{auth: a, user: u, proof: a.proof(a.names[i], id), limit: id.Limit}, nil
			}
			if !errors.Is(err, ErrInvalid) {
				return nil, err // the user table is down, whoever was asked
			}
		}
		switch {
		case errors.Is(err, ErrNoMatch):
			continue
		case errors.Is(err, ErrInvalid):
			a.cfg.Logger.InfoContext(r.Context(), "auth: denied", "backend", a.names[i], "reason", err)
			return nil, answer(err)
		}
		err = a.broken(r, fmt.Sprintf("back end %q", a.names[i]), err)
		if _, ok := b.(skipper); !ok || r.Context().Err() != nil {
			return nil, answer(err)
		}
		a.cfg.Logger.WarnContext(r.Context(), "auth: back end skipped", "error", err)
		if down == nil {
			down = err
		}
	}
	return nil, answer(fmt.Errorf("auth: %w", ErrInvalid))
}

// identified finds the local user whom an identity names, or answers ErrNoMatch.
func (a *Auth[U]) identified(r *http.Request, backend string, id *Identity) (u U, err error) {
	switch {
	case id == nil || id.UserID == "" && (id.Issuer == "" || id.Subject == ""):
		return u, a.broken(r, fmt.Sprintf("back end %q", backend), errors.New("the identity names nobody"))
	case id.UserID == "":
		u, err = a.users.ByIdentity(r.Context(), id)
	default:
		var ok bool
		if u, ok = id.Attached.(U); !ok || u.AuthID() != id.UserID {
			u, err = a.users.ByID(r.Context(), id.UserID)
		}
	}
	switch {
	case errors.Is(err, ErrNoUser):
		if id.UserID == "" {
			a.cfg.Logger.InfoContext(r.Context(), "auth: an identity was proven that is nobody's here", "backend", backend, "issuer", id.Issuer, "subject", id.Subject)
		}
		return u, ErrNoMatch
	case errors.Is(err, ErrInvalid):
		return u, err
	case err != nil:
		return u, a.broken(r, "look up the user", err)
	case !a.admits(u, backend):
		return u, ErrNoMatch
	}
	return u, nil
}

// admits tells whether a user may be logged in by that back end.
func (a *Auth[U]) admits(u U, backend string) bool {
	return u.Active() || slices.Contains(a.inactive, backend)
}

func (a *Auth[U]) proof(backend string, id *Identity) Proof {
	now := a.now()
	at := id.At.UTC().Truncate(time.Second)
	if id.At.IsZero() || at.After(now) { // a clock that runs ahead must not make a proof that stays fresh
		at = now
	}
	return Proof{Backend: backend, Methods: slices.Clone(id.Methods), At: at}
}

func (a *Auth[U]) failed(r *http.Request, creds any, err error) {
	if len(a.cfg.OnFailure) == 0 {
		return
	}
	m := masked(creds)
	for _, h := range a.cfg.OnFailure {
		h(r, m, err)
	}
}

// broken gives an error that is not an answer its type: busy, the visitor went away, or an outage. nil stays nil.
func (a *Auth[U]) broken(r *http.Request, op string, err error) error {
	var busy *BusyError
	var full *password.BusyError
	var outage *OutageError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &outage): // by its right name already
		return err
	case errors.As(err, &busy):
		return busy
	case errors.As(err, &full):
		return &BusyError{RetryAfter: full.RetryAfter, Err: err}
	case errors.Is(err, password.ErrBusy):
		return &BusyError{Err: err}
	case r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return fmt.Errorf("auth: %s: %w", op, err)
	}
	return &OutageError{Op: op, Err: err}
}

// now is the time in whole seconds of UTC, as it is stored.
func (a *Auth[U]) now() time.Time { return a.cfg.Now().UTC().Truncate(time.Second) }

const (
	// writeTime bounds a write that decides about the answer.
	writeTime = 3 * time.Second
	// asideTime bounds what is written after a login that stands already: when the store hangs, the session is still to be
	// saved, and all of it together has to be over before a person takes the page for dead.
	asideTime = time.Second
)

// writing is the context of a write that the visitor's leaving must not stop halfway.
func writing(r *http.Request, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), limit)
}
