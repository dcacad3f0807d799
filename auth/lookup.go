package auth

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/sessions"
)

// The keys of a session, in the order in which a login writes them. The first three are Django's.
const (
	keyID      = "_auth_user_id"
	keyBackend = "_auth_user_backend"
	keyHash    = "_auth_user_hash"
	keyNotes   = "_cardea"
)

// A visit is what an Auth knows about one request. It is filled at the first question, and is not safe for concurrent use.
type visit[U User] struct {
	read     bool // the response depends on who the user is
	resolved bool
	user     U
	err      error // an ErrAnonymous, or why nothing is known
	session  bool  // which the session's own hook reports
	claims   bool  // credentials of the request's own could have been the answer
	known    *known
}

// BeforeHeader keeps a response that read the user out of every cache, and turns one that could not learn the user into an
// error page, unless it is an error already.
func (v *visit[U]) BeforeHeader(x *respond.Exchange, status int) error {
	if v.err != nil && !errors.Is(v.err, ErrAnonymous) && !v.session && status < http.StatusInternalServerError {
		return v.err
	}
	if v.read && v.claims {
		x.VaryBy("Authorization")
	}
	if h := x.Header(); v.read && h["Cache-Control"] == nil {
		h["Cache-Control"] = []string{"no-store, private"}
	}
	return nil
}

func (v *visit[U]) set(u U, err error) { v.resolved, v.user, v.err = true, u, err }

// Handler makes next know its user. It goes inside the sessions' handler, and touches nothing until somebody asks; but what
// [Auth.Claims] has found in the request is checked first, and next does not run when it is refused.
//
// A response that asked for the user carries Cache-Control: no-store, private, unless next has set that header itself: the
// back button shows nothing after a logout.
func (a *Auth[U]) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		if x == nil {
			panic("auth: Auth.Handler must stand inside the sessions' Handler, as in the site's Handler")
		}
		if x.Value(a) == nil { // else this Handler is there twice
			v := &visit[U]{claims: a.claims}
			x.Attach(a, v)
			x.OnHeader(v)
			if !a.settled(w, r, x, v) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// settled checks the credentials that the request carries itself, if any, and answers it where they are not accepted.
func (a *Auth[U]) settled(w http.ResponseWriter, r *http.Request, x *respond.Exchange, v *visit[U]) bool {
	if !a.claims {
		return true
	}
	c, ok := x.Value(claimOf[U]{a}).(*claim)
	if !ok {
		panic("auth: a back end reads credentials from requests: put Auth.Claims around the sessions' Handler, as in the site's Handler")
	}
	if c == nil {
		return true
	}
	err := a.settle(r, v, c)
	if err == nil {
		return true
	}
	var refused *ClaimError
	if errors.As(err, &refused) && refused.Status != http.StatusForbidden {
		a.challenge(w, r, c)
	}
	a.cfg.Error(w, r, err)
	return false
}

func (a *Auth[U]) visit(r *http.Request) (*respond.Exchange, *visit[U]) {
	if x := respond.From(r.Context()); x != nil {
		if v, ok := x.Value(a).(*visit[U]); ok {
			return x, v
		}
	}
	panic("auth: this request has not passed Auth.Handler: wrap the application in the site's Handler")
}

// User returns the request's user, and false when nobody is logged in. When that cannot be known it returns false too, and
// the response becomes an error page; a handler that does more than answer asks [Auth.Lookup].
//
// It is the new user right after [Auth.Login] and nobody right after [Auth.Logout]. A request's first question must come
// before the header is sent and from one goroutine.
func (a *Auth[U]) User(r *http.Request) (U, bool) {
	u, err := a.Lookup(r)
	return u, err == nil
}

// Lookup returns the request's user. The error is an [ErrAnonymous] when nobody is logged in, or an [*Incomplete], which is
// one too, when the policy asks for more; sessions.ErrTooLate when the first question comes after the header; an
// [*OutageError] when the session or the user could not be read.
func (a *Auth[U]) Lookup(r *http.Request) (U, error) {
	x, v := a.visit(r)
	if !v.resolved {
		if x.Committed() {
			var nobody U
			v.set(nobody, x.Late("the user was first asked for"))
		} else {
			v.read = true
			s := a.sessions.Session(r)
			u, err := a.resolve(r, s)
			v.set(u, err)
			v.session = s.Err() != nil
		}
	}
	return v.user, v.err
}

// resolve follows Django's get_user: what is not a login of ours is left alone; a hash that is missing or does not fit the
// user's password ends the session; a hash by an older key is renewed under a new session key.
func (a *Auth[U]) resolve(r *http.Request, s *sessions.Session) (nobody U, err error) {
	id, backend, hash := stored(s)
	if err := s.Err(); err != nil {
		return nobody, a.broken(r, "read the session", err)
	}
	if id == "" || !a.knows(backend) {
		return nobody, ErrAnonymous
	}
	u, err := a.byID(r, s, id)
	switch {
	case errors.Is(err, ErrNoUser):
		return nobody, ErrAnonymous
	case err != nil:
		return nobody, a.broken(r, "look up the user", err)
	case !a.admits(u, backend):
		return nobody, ErrAnonymous
	}
	encoded := u.PasswordHash()
	if !a.current.matches(hash, encoded) {
		older := a.byOlderKey(hash, encoded)
		switch {
		case !older && s.IsReadOnly():
			return nobody, ErrAnonymous
		case !older:
			if err := s.Flush(); err != nil {
				return nobody, a.broken(r, "end a session whose hash does not fit", err)
			}
			return nobody, ErrAnonymous
		case s.IsReadOnly():
		default:
			if err := a.renew(s, encoded); err != nil {
				return nobody, a.broken(r, "renew the session hash", err)
			}
		}
	}
	if a.cfg.Policy != nil {
		if err := a.cfg.Policy(r, u, proofsIn(s, id)); err != nil {
			return nobody, a.refused(r, err)
		}
	}
	return u, nil
}

// byID takes the user that the store joined to the session, if it is the right one, or asks the table.
func (a *Auth[U]) byID(r *http.Request, s *sessions.Session, id string) (U, error) {
	if u, ok := s.Attached().(U); ok && u.AuthID() == id {
		return u, nil
	}
	return a.users.ByID(r.Context(), id)
}

// renew rewrites a hash that was made by an older key. That another request has just done so, or logged out, is not this
// request's concern: nobody asked for the change.
func (a *Auth[U]) renew(s *sessions.Session, encoded string) error {
	hash := quoted(a.current.hash(encoded))
	err := s.Cycle(func(d *sessions.Data) { d.Set(keyHash, hash) })
	if ended(err) {
		return nil
	}
	return err
}

// refused is what a policy's no means for a request that asks for its user.
func (a *Auth[U]) refused(r *http.Request, err error) error {
	switch {
	case errors.Is(err, ErrAnonymous): // an *Incomplete, too
		return err
	case errors.Is(err, ErrInvalid):
		return errors.Join(ErrAnonymous, err)
	}
	return a.broken(r, "ask the policy", err)
}

func (a *Auth[U]) knows(backend string) bool {
	for _, n := range a.names {
		if n == backend {
			return true
		}
	}
	return false
}

func (a *Auth[U]) byOlderKey(hash, encoded string) bool {
	for _, k := range a.fallback {
		if k.matches(hash, encoded) {
			return true
		}
	}
	return false
}

// stored returns what a login has left in the session; what is missing or of another type is empty.
func stored(s *sessions.Session) (id, backend, hash string) {
	raw, _ := s.Get(keyID)
	id, ok := jsonString(raw)
	if !ok && json.Valid(raw) && len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		id = string(raw) // Django takes numbers as well
	}
	raw, _ = s.Get(keyBackend)
	backend, _ = jsonString(raw)
	raw, _ = s.Get(keyHash)
	hash, _ = jsonString(raw)
	return id, backend, hash
}

func jsonString(raw json.RawMessage) (string, bool) {
	n := len(raw)
	if n < 2 || raw[0] != '"' || raw[n-1] != '"' {
		return "", false
	}
	for _, c := range raw[1 : n-1] {
		if c == '\\' || c == '"' || c < ' ' || c >= 0x80 {
			var v string
			err := json.Unmarshal(raw, &v)
			return v, err == nil
		}
	}
	return string(raw[1 : n-1]), true
}

// ended reports that the session was ended or replaced by another request between its load and this change.
func ended(err error) bool { return errors.Is(err, sessions.ErrInterrupted) }

func quoted(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always marshal
	}
	return b
}
