package auth

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A Proof says how, by which back end and when a login was proven.
type Proof struct {
	Backend string    `json:"backend"`
	Methods []string  `json:"methods,omitempty"` // RFC 8176 names: "pwd", "otp", "hwk"
	At      time.Time `json:"at,omitzero"`       // zero: nobody knows, so never fresh
}

// A Policy says whether proofs are enough for this user and this request. It is asked at each login and at each request that
// asks for its user. nil means enough; an [*Incomplete] says what is missing; an error that is [ErrInvalid] refuses; any other
// is an outage. It must not ask the Auth for the request's user: that is what is being decided.
type Policy func(r *http.Request, user User, proofs []Proof) error

// Proofs returns how the request's user was proven, nil when nobody is logged in. A login made by Django, which keeps no
// proofs, counts as a password of unknown time.
func (a *Auth[U]) Proofs(r *http.Request) []Proof {
	u, err := a.Lookup(r)
	if err != nil {
		return nil
	}
	return a.proven(r, u)
}

// proven returns the proofs of the request's user.
func (a *Auth[U]) proven(r *http.Request, u U) []Proof {
	if _, v := a.visit(r); v.known != nil {
		return []Proof{v.known.proof}
	}
	return proofsIn(a.sessions.Session(r), u.AuthID())
}

const (
	maxProofs  = 8                // the newest are kept
	pendingAge = 15 * time.Minute // how long a half login waits for the rest
)

// notes is what Cardea keeps in a session under keyNotes. Members it does not know are kept.
type notes map[string]json.RawMessage

// A pending is a half login: who it is has been proven, but the policy asked for more.
type pending struct {
	User   string    `json:"user"`
	Hash   string    `json:"hash"` // session hash: a change of the password ends the half login too
	Since  time.Time `json:"since"`
	Proofs []Proof   `json:"proofs"`
}

// SessionProofs returns how the user of a session was proven, of what a store holds of it, such as a session in a list. A login made
// by Django, which keeps no proofs, counts as a password of unknown time; without a login there are none.
func SessionProofs(d sessions.Data) []Proof {
	raw, ok := d.Get(keyID)
	if !ok {
		return nil
	}
	id, ok := jsonString(raw)
	if !ok {
		id = string(raw)
	}
	return proofsIn(d, id)
}

// proofsIn are the proofs of a login of the user with that id.
func proofsIn(s members, id string) []Proof {
	if p := readNotes(s).proofs(id); p != nil {
		return p
	}
	raw, _ := s.Get(keyBackend)
	name, _ := jsonString(raw)
	return []Proof{{Backend: name, Methods: []string{"pwd"}}}
}

// members is a session, or what one holds.
type members interface {
	Get(key string) (json.RawMessage, bool)
}

func readNotes(s members) notes {
	n := notes{}
	if raw, ok := s.Get(keyNotes); ok && json.Unmarshal(raw, &n) != nil || n == nil {
		return notes{} // not ours to read: as if there were none
	}
	return n
}

func (n notes) get(name string, v any) bool {
	raw, ok := n[name]
	return ok && json.Unmarshal(raw, v) == nil
}

func (n notes) set(name string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and times always marshal
	}
	n[name] = raw
}

// proofs returns those of the login of this user; they never pass to another one.
func (n notes) proofs(id string) []Proof {
	var user string
	var p []Proof
	if !n.get("user", &user) || user != id || !n.get("proofs", &p) || len(p) == 0 {
		return nil
	}
	return p
}

func (n notes) setProofs(id string, p []Proof) {
	n.set("user", id)
	n.set("proofs", p)
	delete(n, "pending")
}

func (n notes) setPending(p pending) { n.set("pending", p) }

func (n notes) json() json.RawMessage {
	raw, err := json.Marshal(n)
	if err != nil {
		panic(err) // its members have been marshalled or parsed before
	}
	return raw
}

func (n notes) pending(now time.Time) (pending, bool) {
	var p pending
	ok := n.get("pending", &p)
	age := now.Sub(p.Since)
	return p, ok && p.User != "" && age <= pendingAge && age >= -time.Minute
}

// merge lays a new proof over earlier ones: the same methods by the same back end count once, at the newer time.
func merge(earlier []Proof, p Proof) []Proof {
	out := slices.DeleteFunc(slices.Clone(earlier), func(e Proof) bool {
		return e.Backend == p.Backend && slices.Equal(e.Methods, p.Methods)
	})
	out = append(out, p)
	return out[max(0, len(out)-maxProofs):]
}
