package origin

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/cardea-go/cardea/internal/respond"
)

// Info is what the visitor of one request sees. It is made by [Origin.Handler] and must not be changed.
type Info struct {
	Scheme string // "https" or "http"
	Host   string // as the visitor sent it, with a port if there was one
	Port   string // the server's port, as Django's request.get_port(); "" if unknown
	Prefix string // the path under which the site is seen, "" or "/app"
	Path   string // the escaped path and query as the visitor sent them, Prefix included; never empty

	Secure   bool // Scheme is https
	Loopback bool // the host is a loopback name, and both peer and client are on this machine

	Addr netip.Addr // the client's address; not valid if unknown, as on a Unix socket

	Peer    netip.Addr // the other end of the connection, a proxy perhaps; not valid on a Unix socket
	Trusted bool       // the peer is one of Config.TrustedProxies, or on a Unix socket that is trusted: its headers count

	base string
	next *[]string // Config.NextHosts, nil where there are none
}

// From returns what [Origin.Handler] found out about r. It panics if r did not pass an Origin.
func From(r *http.Request) *Info {
	if info, ok := respond.Find[*Info](r.Context()); ok {
		return info
	}
	panic("origin: the request did not pass Origin.Handler; wrap the site's handler with it (cardea's site.Handler does)")
}

// URL returns scheme://host.
func (i *Info) URL() string { return i.Scheme + "://" + i.Host }

// Base returns the URL to put in front of a path of the site in a link that leaves the browser, such as a mailed one:
// Config.SiteURL, or scheme://host and the prefix. It has no trailing slash.
func (i *Info) Base() string {
	if i.base != "" {
		return i.base
	}
	return i.URL() + i.Prefix
}

// PageOf returns the page of this site that a request was sent from, as its Referer says, path and query; "" where that is another
// site's, or is not said.
func (i *Info) PageOf(r *http.Request) string {
	from, ok := i.SafeNext(r.Referer())
	if !ok {
		return ""
	}
	page, ok := strings.CutPrefix(from, i.URL())
	if !ok || !strings.HasPrefix(page, "/") {
		return ""
	}
	return page
}

// SafeNext reports whether candidate, a "next" parameter, stays on the visitor's host or one of Config.NextHosts (and on HTTPS, if that
// is where the visitor is), and returns it without the blanks around it if so. Send it with [Redirect], whose encoding is the other half
// of the check.
func (i *Info) SafeNext(candidate string) (string, bool) {
	// Django sends the blanks too, encoded: of "// " it makes "//%20", which some clients take for a host.
	candidate = strip(candidate)
	hosts, sent := []string{i.Host}, IRIToURI(candidate)
	if i.next != nil {
		hosts = append(hosts, *i.next...)
	}
	// The beginning of what is sent is judged too: Django takes "//", a tab and "/" for a path, and sends "//%09/", which names a host.
	if !URLHasAllowedHostAndScheme(candidate, hosts, i.Secure) || !URLHasAllowedHostAndScheme(sent[:min(len(sent), maxURL)], hosts, i.Secure) {
		return "", false
	}
	return candidate, true
}
