package cardea

import (
	"net/http"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

// The security headers of every response. A program's handler that sets one of them wins. They are shared between responses;
// a handler that appends to one gets a copy.
var (
	contentSecurityPolicy = []string{"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"}
	frameOptions          = []string{"DENY"}
	contentTypeOptions    = []string{"nosniff"}
	referrerPolicy        = []string{"same-origin"}
	openerPolicy          = []string{"same-origin"}
	resourcePolicy        = []string{"same-origin"}
	transportSecurity     = []string{"max-age=31536000; includeSubDomains"}
)

// secure sets the security headers before anything else runs, so that refusals carry them too.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = contentSecurityPolicy
		h["X-Frame-Options"] = frameOptions
		h["X-Content-Type-Options"] = contentTypeOptions
		h["Referrer-Policy"] = referrerPolicy
		h["Cross-Origin-Opener-Policy"] = openerPolicy
		h["Cross-Origin-Resource-Policy"] = resourcePolicy
		respond.From(r.Context()).Snapshot()
		next.ServeHTTP(w, r)
	})
}

// strict adds the promise to stay with HTTPS, once origin knows that the visitor came by it.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin.From(r).Secure {
			w.Header()["Strict-Transport-Security"] = transportSecurity
			respond.From(r.Context()).Snapshot()
		}
		next.ServeHTTP(w, r)
	})
}
