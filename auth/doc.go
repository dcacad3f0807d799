// Package auth answers who a request's user is, and lets people log in and out.
//
// An [Auth] joins three things: a user table ([Users]), an ordered stack of back ends that prove identities ([Backend]), and
// the sessions that remember a login. Its [Auth.Handler] goes inside the layers of packages origin, sessions and csrf. After that,
//
//	verified, err := a.Authenticate(r, auth.Password{Username: name, Password: password})
//	if err == nil {
//		err = a.Login(r, verified)
//	}
//
// logs a person in, [Auth.User] says who it is, [Auth.Required] guards a page, and [Auth.Logout] ends it. No call takes the
// response writer: the cookie is written when the header is sent, and therefore a login after the header is an error.
//
// What a login leaves in the session is what Django leaves there, so that both can read it: _auth_user_id, _auth_user_backend
// and _auth_user_hash. The last one is made from the user's encoded password ([SessionHash]): a change of the password ends
// every other session. Beside them, under _cardea, stand the [Proof]s: how, by which back end and when the login was proven.
//
// Failures fail closed. A refusal is [ErrInvalid]; being busy, limited or out of order is not, and never looks like a wrong
// password. When the user cannot be looked up, [Auth.User] says no and the response becomes the error page, so that an outage
// never shows a page as "anonymous"; [Auth.Lookup] tells the two apart.
package auth
