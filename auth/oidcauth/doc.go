// Package oidcauth logs people in with an account that they have elsewhere: by OpenID Connect, or by plain OAuth 2.0 and a call
// that says who it is.
//
// A [Provider] is one such place. [NewBackend] makes a back end of some of them, whose credentials are a [*Code]; a [Flow] takes
// browsers there and back, for the pages of package pages. Nobody is asked at start: a provider that is down then, or later, stops
// its own button and nothing else.
//
// The flow is the authorization code with PKCE (RFC 7636), as RFC 9700 wants it: every attempt has its own state, nonce and
// verifier, works once, in the browser that began it and within ten minutes; the answer has to come from the provider that was
// asked (RFC 9207, and one redirect URI each); the ID token is checked as OpenID Connect Core 1.0 says in section 3.1.3.7, with
// the asymmetric algorithms that the provider announces and no others. Who somebody is, is issuer and subject: names and
// e-mail addresses change hands.
package oidcauth
