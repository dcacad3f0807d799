package auth

import (
	"errors"
	"net/http"

	"github.com/cardea-go/cardea/perm"
)

// permissionsOf is the key under which a request keeps its *perm.Perms.
type permissionsOf[U User] struct{ auth *Auth[U] }

// Permissions returns what the request's user may do, by Config.Permissions, for code and, as a field of what a template is
// given, for templates: {{if .Perms.Has "blog.add_post"}}. No source is asked before the first question, and each at most once
// for a request and user. Visitors who are not logged in have what a source gives everybody. When the user cannot be looked up,
// every question answers with that error.
//
// A user type whose method Superuser() bool says yes has every permission. For a request with a token they are what its owner may
// now and the token names, superusers included.
func (a *Auth[U]) Permissions(r *http.Request) *perm.Perms {
	var s perm.Subject
	user, err := a.Lookup(r)
	switch {
	case err == nil:
		s = perm.Subject{ID: user.AuthID(), Active: user.Active(), User: user}
		if super, ok := any(user).(interface{ Superuser() bool }); ok {
			s.Superuser = super.Superuser()
		}
	case !errors.Is(err, ErrAnonymous):
		return perm.Unknown(err)
	}
	x, v := a.visit(r)
	key := permissionsOf[U]{a}
	if kept, ok := x.Value(key).(*perm.Perms); ok {
		if k := kept.Subject(); k.ID == s.ID && k.Active == s.Active && k.Superuser == s.Superuser {
			return kept
		}
	}
	p := perm.For(r.Context(), s, a.cfg.Permissions...)
	if v.known != nil && v.known.limit != nil {
		p = p.Within(*v.known.limit)
	}
	x.Attach(key, p)
	return p
}

// Limit returns what the request may do at most, and false when that is all that its user may: see Identity.Limit.
func (a *Auth[U]) Limit(r *http.Request) (perm.Set, bool) {
	if _, v := a.visit(r); v.known != nil && v.known.limit != nil {
		return *v.known.limit, true
	}
	return perm.Set{}, false
}
