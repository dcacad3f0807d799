// Package oidc holds the stories of people who log in with an account elsewhere, at the binary: at an OpenID provider of ours, which
// does what a provider has to do, and wrong what a test tells it to.
package oidc
