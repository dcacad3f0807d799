package auth

import "net/http"

// Peek is [Auth.Who] for layers that answer somebody else than the browser, such as a proxy that asks before each request who is
// logged in: the rest of the request only looks at the session, see sessions.Session.ReadOnly. A session whose hash does not fit is not
// ended, and one by an older key counts and is not renewed. The context of r is what is read with.
func (a *Auth[U]) Peek(r *http.Request) (User, error) {
	_, v := a.visit(r)
	if !v.resolved {
		a.sessions.Session(r).ReadOnly(r.Context())
	}
	return a.Who(r)
}
