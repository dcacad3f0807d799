package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/sessions"
)

// Login makes v the user of the request's session. Every login gives the session a new key, so that a key which somebody
// planted is worth nothing; the data of an anonymous session is kept, that of another user, or from before a change of the
// password, is gone. The CSRF secret is rotated, the last login recorded, and the hooks told.
//
// When the policy asks for more, Login remembers the half login (see [Auth.Pending]), logs nobody in, and returns the
// policy's [*Incomplete]. The errors otherwise: [ErrUnverified] for a v that is not this Auth's, an [ErrInvalid] when the
// account is not active, the policy refuses or the credentials are a token, sessions.ErrNoSession for a request that carries credentials
// of its own, sessions.ErrTooLate after the header was sent, an [*OutageError].
func (a *Auth[U]) Login(r *http.Request, v *Verified[U]) error {
	if err := a.checkVerified(v); err != nil {
		return err
	}
	x, visit := a.visit(r)
	if x.Sessionless() {
		return fmt.Errorf("auth: Login: %w", sessions.ErrNoSession)
	}
	if x.Committed() {
		return x.Late("auth: Login")
	}
	visit.read = true
	s := a.sessions.Session(r)
	err := a.enter(r, s, v)
	if ended(err) {
		// Another request has ended or replaced the session since it was loaded. What this request has proven stands by
		// itself, so it enters an empty session; nothing of the dead one comes back. What the other made of it stays: of two
		// logins by a double click, whichever answer the browser keeps is good.
		s.Abandon()
		err = a.enter(r, s, v)
	}
	var more *Incomplete
	switch {
	case errors.As(err, &more):
		visit.resolved = false // decided by what the session holds now
		csrf.Rotate(r)
		return err
	case errors.Is(err, ErrInvalid):
		return err
	case err != nil:
		return a.broken(r, "write the login", err)
	}
	visit.set(v.user, nil)
	csrf.Rotate(r)
	a.note(r, v)
	for _, h := range a.cfg.OnLogin {
		h(r, v.user)
	}
	return nil
}

// enter writes a login, or half of one, into the session.
func (a *Auth[U]) enter(r *http.Request, s *sessions.Session, v *Verified[U]) error {
	id, hash, now := v.user.AuthID(), a.current.hash(v.user.PasswordHash()), a.now()
	before, _, beforeHash := stored(s)
	if err := s.Err(); err != nil {
		return err
	}
	stays := before == "" && !s.Has(keyID) || before == id && a.current.matches(beforeHash, v.user.PasswordHash())
	var notes notes
	var earlier []Proof
	if stays {
		notes = readNotes(s)
		if before == id {
			earlier = notes.proofs(id)
		}
		if p, ok := notes.pending(now); ok && p.User == id && p.Hash == hash {
			earlier = append(earlier, p.Proofs...)
		}
	}
	proofs := merge(earlier, v.proof)
	incomplete := a.judge(r, v.user, proofs)
	if more := (*Incomplete)(nil); incomplete != nil && !errors.As(incomplete, &more) {
		return incomplete
	}
	if !stays {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	if notes == nil {
		notes = make(map[string]json.RawMessage)
	}
	if incomplete != nil {
		notes.setPending(pending{User: id, Hash: hash, Since: now, Proofs: proofs})
	} else {
		notes.setProofs(id, proofs)
		if err := s.SetOwner(id); err != nil {
			return err
		}
	}
	rest := notes.json()
	err := s.Cycle(func(d *sessions.Data) {
		if incomplete == nil {
			d.Set(keyID, quoted(id))
			d.Set(keyBackend, quoted(v.proof.Backend))
			d.Set(keyHash, quoted(hash))
		}
		d.Delete(keyNotes) // it goes last
		d.Set(keyNotes, rest)
	})
	if err != nil {
		return err
	}
	return incomplete
}

// judge asks the policy about a login.
func (a *Auth[U]) judge(r *http.Request, u U, proofs []Proof) error {
	if a.cfg.Policy == nil {
		return nil
	}
	err := a.cfg.Policy(r, u, proofs)
	var more *Incomplete
	if err == nil || errors.As(err, &more) || errors.Is(err, ErrInvalid) {
		return err
	}
	return a.broken(r, "ask the policy", err)
}

// note writes what follows from a login. The login stands, whatever comes of it.
func (a *Auth[U]) note(r *http.Request, v *Verified[U]) {
	ctx, cancel := writing(r, asideTime)
	defer cancel()
	if a.cfg.Policy != nil {
		if err := a.forgive(ctx, v.account); err != nil {
			a.cfg.Logger.ErrorContext(ctx, "auth: forget the tries of an account", "error", err)
		}
	}
	if a.recorder == nil {
		return
	}
	if err := a.recorder.RecordLogin(ctx, v.user, a.cfg.Now()); err != nil {
		a.cfg.Logger.ErrorContext(ctx, "auth: record the last login", "user", v.user.AuthID(), "error", err)
	}
}

// Logout ends the request's session, whole or half logged in: it is deleted in the store now, whatever becomes of the response.
// The hooks are told before, also when nobody was logged in. The errors: sessions.ErrNoSession for a request that carries
// credentials of its own, which nobody can log out, sessions.ErrTooLate after the header was sent, an
// [*OutageError] when the session could not be deleted.
func (a *Auth[U]) Logout(r *http.Request) (err error) {
	x, visit := a.visit(r)
	if x.Sessionless() {
		return fmt.Errorf("auth: Logout: %w", sessions.ErrNoSession)
	}
	if x.Committed() {
		return x.Late("auth: Logout")
	}
	visit.read = true
	defer func() { // also when a hook panics
		var nobody U
		s := a.sessions.Session(r)
		err = a.broken(r, "delete the session", s.Flush())
		if visit.set(nobody, ErrAnonymous); err != nil {
			visit.set(nobody, err)
		}
		visit.session = s.Err() != nil
	}()
	if len(a.cfg.OnLogout) == 0 {
		return nil
	}
	var user User
	if u, err := a.Lookup(r); err == nil {
		user = u
	}
	for _, h := range a.cfg.OnLogout {
		h(r, user)
	}
	return nil
}

// Refresh keeps the request's session alive over a change of its user's password; u is the user with the new one. The key is
// new in any case; the hash is rewritten only if u is the request's user, whom the request must have asked for before the
// change. It returns an [ErrAnonymous] when nobody is logged in, sessions.ErrTooLate after the header was sent,
// sessions.ErrInterrupted when the session was ended meanwhile, or an [*OutageError].
func (a *Auth[U]) Refresh(r *http.Request, u U) error {
	x, visit := a.visit(r)
	if x.Sessionless() {
		return fmt.Errorf("auth: Refresh: %w", sessions.ErrNoSession)
	}
	if x.Committed() {
		return x.Late("auth: Refresh")
	}
	now, err := a.Lookup(r)
	if err != nil {
		return fmt.Errorf("auth: Refresh: %w", err)
	}
	mine := now.AuthID() == u.AuthID()
	hash := quoted(a.current.hash(u.PasswordHash()))
	err = a.sessions.Session(r).Cycle(func(d *sessions.Data) {
		if mine {
			d.Set(keyHash, hash)
		}
	})
	switch {
	case ended(err):
		return fmt.Errorf("auth: Refresh: %w", err)
	case err != nil:
		return a.broken(r, "renew the session", err)
	case mine:
		visit.set(u, nil)
	}
	return nil
}

// Pending returns the user of a half login and what was proven so far, for the page that asks for the rest. The error is an
// [ErrAnonymous] when no half login waits, or it is older than 15 minutes, or the password has changed since. The rest is
// proven by another Authenticate (or Trust) and Login of the same user, which completes it.
func (a *Auth[U]) Pending(r *http.Request) (nobody U, proofs []Proof, err error) {
	x, visit := a.visit(r)
	if x.Committed() && !visit.read {
		return nobody, nil, x.Late("the half login was first asked for")
	}
	visit.read = true
	s := a.sessions.Session(r)
	p, ok := readNotes(s).pending(a.now())
	if err := s.Err(); err != nil {
		return nobody, nil, a.broken(r, "read the session", err)
	}
	if !ok {
		return nobody, nil, ErrAnonymous
	}
	u, err := a.users.ByID(r.Context(), p.User)
	switch {
	case errors.Is(err, ErrNoUser):
		return nobody, nil, ErrAnonymous
	case err != nil:
		return nobody, nil, a.broken(r, "look up the user", err)
	case !a.admitsAll(u, p.Proofs) || !a.current.matches(p.Hash, u.PasswordHash()):
		return nobody, nil, ErrAnonymous
	}
	return u, p.Proofs, nil
}

// admitsAll tells whether a user may be logged in by each of the back ends that proved something.
func (a *Auth[U]) admitsAll(u U, proofs []Proof) bool {
	for _, p := range proofs {
		if !a.admits(u, p.Backend) {
			return false
		}
	}
	return u.Active() || len(proofs) > 0
}
