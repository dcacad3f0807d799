// Package origin knows what the visitor sees: the scheme, host and prefix in the address bar, the address the request
// came from, and the cookies the browser will keep.
//
// A server behind a proxy sees none of that directly, and everything a header says about it can be forged. [Origin.Handler]
// settles it once per request: it refuses a Host header that the site does not answer to, believes forwarding headers only
// from the proxies that [Config] names, and serves plain HTTP only on the loopback unless told otherwise. What it found out
// is [Info], which the layers inside read with [From].
//
// The package also holds Django's rules for URLs and cookies ([URLHasAllowedHostAndScheme], [IRIToURI], [RedirectToLogin],
// [CookiePolicy] and others), so that a site can share its login with a Django site.
package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Config says which requests a site answers and which proxies it believes. The zero value serves the loopback only, over
// HTTP or HTTPS, and believes nobody.
type Config struct {
	// AllowedHosts are the host names that the site answers to, in the form of Django's ALLOWED_HOSTS: "example.com",
	// ".example.com" (it and its subdomains), "[2001:db8::1]", "*" (any, if something else checks). Ports do not matter.
	// Defaults to the loopback names: localhost, *.localhost, 127.0.0.0/8, [::1].
	AllowedHosts []string

	// TrustedProxies are the peers whose forwarding headers count. Defaults to none.
	TrustedProxies []netip.Prefix
	// TrustUnixSocket makes peers on a Unix socket trusted proxies: only local programs can reach one.
	TrustUnixSocket bool

	// SecureProxyHeader and SecureProxyValue are Django's SECURE_PROXY_SSL_HEADER: the header by which a trusted proxy says
	// that the visitor came over HTTPS. If the header is present and says something else, the visitor came over HTTP.
	// The name may be in Django's form, HTTP_X_FORWARDED_PROTO. They default to X-Forwarded-Proto and https.
	SecureProxyHeader, SecureProxyValue string
	// UseForwardedHost takes the host from a trusted proxy's X-Forwarded-Host (Django's USE_X_FORWARDED_HOST).
	UseForwardedHost bool
	// UseForwardedPort takes Info.Port from a trusted proxy's X-Forwarded-Port (Django's USE_X_FORWARDED_PORT).
	UseForwardedPort bool
	// ClientAddressHeader is where a trusted proxy writes the client's address. Of a list the right-most address that is
	// not a trusted proxy counts. Defaults to X-Forwarded-For.
	ClientAddressHeader string

	// Prefix is the path under which the visitor sees the site, such as "/app", whether a proxy strips it (then it is put
	// in front of Info.Path) or the program itself does, with http.StripPrefix. Defaults to none.
	Prefix string
	// UseForwardedPrefix takes the prefix from a trusted proxy's X-Forwarded-Prefix, which that proxy has stripped.
	UseForwardedPrefix bool

	// SiteURL is the site's absolute URL, used for links that leave the browser, such as mailed ones ([Info.Base]).
	// Defaults to what the visitor sees.
	SiteURL string

	// NextHosts are other hosts to which a "next" may lead, with the port if that is not the usual one, all among AllowedHosts: Django's
	// LoginView.success_url_allowed_hosts. Defaults to none.
	NextHosts []string

	// InsecureHTTP serves plain HTTP to others than the loopback too. Passwords and cookies can then be read on the way.
	InsecureHTTP bool

	// Reject answers a request that is not served: err is a [*HostError] or an [*InsecureError].
	// Defaults to a plain-text 400 or 403.
	Reject func(w http.ResponseWriter, r *http.Request, err error)
}

// Origin is the middleware. It is safe for concurrent use.
type Origin struct {
	cfg     Config
	siteURL string // without trailing slash
}

// New checks cfg and returns the middleware. A host pattern that can never match, a setting that trusts proxies when none is
// named, a malformed prefix or URL are errors.
func New(cfg Config) (*Origin, error) {
	cfg.AllowedHosts = slices.Clone(cfg.AllowedHosts)
	for _, pattern := range cfg.AllowedHosts {
		if err := checkPattern(pattern); err != nil {
			return nil, fmt.Errorf("origin: AllowedHosts: %w", err)
		}
	}
	if err := cfg.checkProxies(); err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	if cfg.Prefix != "" {
		if cfg.Prefix = strings.TrimSuffix(cfg.Prefix, "/"); cfg.Prefix != "" && !validPrefix(cfg.Prefix) {
			return nil, fmt.Errorf("origin: Prefix %q is not a path such as /app", cfg.Prefix)
		}
	}
	cfg.NextHosts = slices.Clone(cfg.NextHosts)
	for i, host := range cfg.NextHosts {
		if cfg.NextHosts[i] = lower(host); strings.HasPrefix(host, ".") || !cfg.answersTo(host) {
			return nil, fmt.Errorf("origin: NextHosts: %q is not a host among the allowed ones", host)
		}
	}
	o := &Origin{cfg: cfg, siteURL: strings.TrimRight(cfg.SiteURL, "/")}
	if cfg.SiteURL != "" {
		if err := checkSiteURL(cfg.SiteURL); err != nil {
			return nil, fmt.Errorf("origin: SiteURL: %w", err)
		}
	}
	if o.cfg.Reject == nil {
		o.cfg.Reject = reject
	}
	return o, nil
}

func checkSiteURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q does not start with https:// or http://", s)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return fmt.Errorf("%q has more than a scheme, a host and a path", s)
	}
	if domain, _ := SplitDomainPort(u.Host); domain == "" {
		return fmt.Errorf("%q has no valid host", s)
	}
	if prefix := strings.TrimSuffix(u.EscapedPath(), "/"); prefix != "" && !validPrefix(prefix) {
		return fmt.Errorf("%q has no valid path", s)
	}
	return nil
}

// validPrefix reports whether p is a plain absolute path without a trailing slash, which cannot be read as a host.
func validPrefix(p string) bool {
	if p[0] != '/' || len(p) > 1024 || IRIToURI(p) != p || strings.ContainsAny(p, "?#[]@") {
		return false
	}
	for segment := range strings.SplitSeq(p[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// reject is the default of Config.Reject.
func reject(w http.ResponseWriter, _ *http.Request, err error) {
	var insecure *InsecureError
	if errors.As(err, &insecure) {
		http.Error(w, insecure.Error(), http.StatusForbidden)
		return
	}
	http.Error(w, "This site does not answer to the host name in the request. "+
		"Whoever runs it can add the name to its allowed hosts.", http.StatusBadRequest)
}
