package origin

import "fmt"

// HostError says why the request's host is not served. The answer to it is 400.
type HostError struct {
	Host   string // as it was sent; it may hold anything
	Reason string
}

func (e *HostError) Error() string {
	host := e.Host
	if len(host) > 255 {
		host = host[:255] + "…"
	}
	return fmt.Sprintf("host %q: %s", host, e.Reason)
}

// InsecureError says that a request came over plain HTTP from or to another machine. Its text is one paragraph for whoever
// runs the site.
type InsecureError struct {
	Host string // the validated host of the request
}

func (e *InsecureError) Error() string {
	return "This site does not answer over plain HTTP except on this machine itself, since passwords and cookies could be read " +
		"on the way. Serve HTTPS with --tls-cert and --tls-key; or, behind a proxy that speaks HTTPS, name the proxy's address " +
		"in trusted_proxies and let it send X-Forwarded-Proto; or, on a network that you trust, start with --insecure-http."
}
