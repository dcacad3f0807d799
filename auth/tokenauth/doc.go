// Package tokenauth lets programs in by tokens that users make for them: "Authorization: Bearer cardea_…".
//
// A token is shown once, when it is made, and kept as a hash. It may do what its owner may at the time of the request and its
// scopes name, which are permissions such as "blog.add_post", or "all". It ends with its owner's account, when it is ended, or when its
// time is up. See [auth.RequestCredentials] for what a request with a token is not: it has no session, no cookies and no CSRF check.
//
// The [Backend] goes into auth.Config.Backends. The tables are package userdb's.
package tokenauth
