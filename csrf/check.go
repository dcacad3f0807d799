package csrf

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// The reasons for a refusal that are not put together below, in Django's words; the last one is ours.
const (
	noCookie    = "CSRF cookie not set."
	noToken     = "CSRF token missing."
	crossOrigin = "Cross-origin request: Sec-Fetch-Site says that another site sent it."
)

// check judges a request; nil lets it pass.
func (s *state) check(r *http.Request) *Failure {
	if s.layer.cfg.Exempt != nil && s.layer.cfg.Exempt(r) {
		s.exempt = true
		return nil
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return nil
	}
	info := origin.From(r)
	f := s.layer.checkSender(r, info)
	if f == nil {
		f = s.checkToken(r)
	}
	if f != nil {
		f.SameOrigin = sameOrigin(r, info)
		f.maxBody, f.maxFields = s.layer.cfg.MaxBody, s.layer.cfg.MaxFields
	}
	return f
}

// checkSender judges by what the browser says about where the request comes from.
func (l *Layer) checkSender(r *http.Request, info *origin.Info) *Failure {
	if header, ok := joined(r, "Origin"); ok {
		if !l.trusted.allowsOrigin(header, info.URL()) {
			return refusal("Origin checking failed - " + header + " does not match any trusted origins.")
		}
		return nil
	}
	vouched := false
	if info.Secure {
		referer, ok := joined(r, "Referer")
		var reason string
		reason, vouched = l.trusted.checkReferer(referer, ok, info.Host, info.Port, l.cfg.CookieDomain)
		if reason != "" {
			return refusal(reason)
		}
	}
	if !vouched && l.protection.Check(r) != nil {
		return refusal(crossOrigin)
	}
	return nil
}

// checkToken compares the token that the request carries with the secret that it came with, which is not the one in force
// after a rotation earlier in the same request.
func (s *state) checkToken(r *http.Request) *Failure {
	s.mu.Lock()
	s.load()
	secret, problem := s.incoming, s.problem
	s.mu.Unlock()
	switch {
	case problem != "":
		return refusal("CSRF cookie " + problem + ".")
	case secret == "":
		return refusal(noCookie)
	}
	header, inHeader := joined(r, s.layer.header)
	if judge(header, secret) == "" { // the body need not be looked at
		return nil
	}
	token, source := "", "POST"
	if r.Method == http.MethodPost {
		var f *Failure
		if token, f = s.layer.formToken(r, secret); f != nil {
			return f
		}
	}
	if token == "" {
		if !inHeader {
			return refusal(noToken)
		}
		token, source = header, "the '"+s.layer.header+"' HTTP header"
	}
	if problem := judge(token, secret); problem != "" {
		return refusal(fmt.Sprintf("CSRF token from %s %s.", source, problem))
	}
	return nil
}

// judge returns what is wrong with a token, or "".
func judge(token, secret string) string {
	if problem := checkFormat(token); problem != "" {
		return problem
	}
	if !match(token, secret) {
		return notEqual
	}
	return ""
}

func refusal(reason string) *Failure { return &Failure{Status: http.StatusForbidden, Reason: reason} }

// sameOrigin reports whether the browser itself says that this very site sent the request.
func sameOrigin(r *http.Request, info *origin.Info) bool {
	if header, ok := joined(r, "Origin"); ok && header == info.URL() {
		return true
	}
	site, _ := joined(r, "Sec-Fetch-Site")
	return site == "same-origin"
}

// joined returns a header's lines as one, which is how Django sees them, and whether there was any.
func joined(r *http.Request, canonical string) (string, bool) {
	lines, ok := r.Header[canonical]
	return strings.Join(lines, ","), ok
}
