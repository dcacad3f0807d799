// Package ldapauth proves who somebody is by a password in an LDAP directory.
//
//	ldap, err := ldapauth.New(ldapauth.Config{
//		Servers:  []string{"ldaps://ldap1.example.com", "ldaps://ldap2.example.com"},
//		BindDN:   "cn=site,ou=services,dc=example,dc=com", BindPassword: secret,
//		UserBase: "ou=people,dc=example,dc=com",
//	})
//	site, err := cardea.New(db, cardea.Config{
//		Backends:   []auth.Backend{passwords, auth.SkipIfDown(ldap)},
//		Identities: []userdb.IdentityPolicy{{Issuer: "ldap", Create: true, MatchUsername: true, Update: true}},
//	})
//
// It finds the entry of who logs in with an account of the site's own and binds with the entry's name and the password that was typed, or
// it binds at once with a name made of what was typed (Config.UserDN). How the person becomes a user of the site is not its business but
// that of a userdb.IdentityPolicy; the key is an attribute that never changes, such as entryUUID.
//
// The answers: an unknown name, a wrong password and an entry that is locked are ErrNoMatch, and each costs one search and one bind.
// A group that is denied, or a required one that is missing, is ErrDenied. A server that is down or silent, an account of the site's
// that is refused, a referral and whatever else keeps the question open is a failure and never ErrNoMatch.
package ldapauth
