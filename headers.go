package cardea

import (
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

// The security headers of every response. A program's handler that sets one of them wins. They are shared between responses;
// a handler that appends to one gets a copy.
var (
	frameOptions       = []string{"DENY"}
	contentTypeOptions = []string{"nosniff"}
	referrerPolicy     = []string{"same-origin"}
	openerPolicy       = []string{"same-origin"}
	resourcePolicy     = []string{"same-origin"}
	transportSecurity  = []string{"max-age=31536000; includeSubDomains"}
)

// contentPolicy is the Content-Security-Policy. Browsers hold the redirect after a form to it too, so the hosts to which a log-in may
// lead are named.
func contentPolicy(nextHosts []string) []string {
	forms := strings.Join(append([]string{"'self'"}, nextHosts...), " ")
	return []string{"default-src 'self'; object-src 'none'; base-uri 'none'; form-action " + forms + "; frame-ancestors 'none'"}
}

// secure sets the security headers before anything else runs, so that refusals carry them too.
func secure(next http.Handler, contentPolicy []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = contentPolicy
		h["X-Frame-Options"] = frameOptions
		h["X-Content-Type-Options"] = contentTypeOptions
		h["Referrer-Policy"] = referrerPolicy
		h["Cross-Origin-Resource-Policy"] = resourcePolicy
		respond.From(r.Context()).Snapshot()
		next.ServeHTTP(w, r)
	})
}

// strict adds what only counts where the way to the visitor is safe, once origin knows it: the separation from the windows of
// other sites, which browsers ignore with a complaint elsewhere, and over HTTPS the promise to stay with it.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if info := origin.From(r); info.Secure || info.Loopback {
			h := w.Header()
			h["Cross-Origin-Opener-Policy"] = openerPolicy
			if info.Secure {
				h["Strict-Transport-Security"] = transportSecurity
			}
			respond.From(r.Context()).Snapshot()
		}
		next.ServeHTTP(w, r)
	})
}
