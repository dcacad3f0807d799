// Package remoteuser logs in whom a proxy names in a header: Django's RemoteUserMiddleware and RemoteUserBackend.
//
// The proxy checks who somebody is, by Kerberos or a certificate for example, and sets the header. Anybody else could write the same header,
// so it is read from the peers that [Config].Proxies names and from nobody else; REMOTE_USER of the environment is never looked at. The
// proxy has to overwrite what the visitor sent under that name. What cannot be the proxy's, such as two such headers, or one
// that is spelled with underscores, is ignored and logged.
//
//	proxied, err := remoteuser.New(remoteuser.Config{
//		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")},
//		Find:    ..., // the user of a name
//	})
//	site, err := cardea.New(db, cardea.Config{Backends: []auth.Backend{proxied, ...}, ...})
//	handler := site.Handler(proxied.Handler(site.Auth, mux))
package remoteuser
