// Package forwardauth answers proxies that ask before each request whether its visitor may pass: nginx's auth_request, Caddy's
// forward_auth, Traefik's ForwardAuth. So one site protects programs in any language.
//
// The proxy sends the visitor's cookies and says, in X-Forwarded-Host and X-Forwarded-Uri, what was asked for. The first [Rule] for that host
// and path decides: 200 with who it is in Remote-User, Remote-Name, Remote-Email and Remote-Groups; 401 with where to log in, or a
// redirect there; 403. Nothing is written, and where sessions and users are in one database it costs one statement.
//
//	verify, err := forwardauth.New(site.Auth, forwardauth.Config{
//		Rules: []forwardauth.Rule{
//			{Host: "wiki.example.com", Path: "/static", Public: true},
//			{Host: "wiki.example.com", Groups: []string{"staff"}},
//		},
//		Describe: func(ctx context.Context, user auth.User) (forwardauth.Person, error) { ... },
//	})
//	mux.Handle("GET /auth/verify", verify)
package forwardauth
