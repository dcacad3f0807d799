package forwardauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// A question is what a proxy asks about.
type question struct {
	host   string // lower case, with the port if that is not the usual one
	uri    string // path and query as the visitor sent them
	method string
}

// read finds out what the proxy asks about. Each header has to be there, once: a proxy that does not write one would pass on the
// visitor's.
func read(r *http.Request) (q question, err error) {
	at := origin.From(r)
	if !at.Trusted {
		return q, errors.New("the peer is not one of the trusted proxies")
	}
	host, err := one(r, "X-Forwarded-Host")
	if err != nil {
		return q, err
	}
	if q.uri, err = one(r, "X-Forwarded-Uri"); err != nil {
		return q, err
	}
	if q.method, err = one(r, "X-Forwarded-Method"); err != nil {
		return q, err
	}
	if _, err = one(r, "X-Forwarded-Proto"); err != nil {
		return q, err
	}
	domain, port := origin.SplitDomainPort(host)
	if domain == "" {
		return q, fmt.Errorf("X-Forwarded-Host %q is no host", printable(host))
	}
	if q.host = domain; port != "" && port != map[string]string{"http": "80", "https": "443"}[at.Scheme] {
		q.host += ":" + port
	}
	if !strings.HasPrefix(q.uri, "/") {
		return q, fmt.Errorf("X-Forwarded-Uri %q does not begin with a slash", printable(q.uri))
	}
	return q, nil
}

// one returns the value of a header that has to be there once, with one value.
func one(r *http.Request, name string) (string, error) {
	lines := r.Header[name]
	switch {
	case len(lines) == 0:
		return "", fmt.Errorf("the proxy does not send %s", name)
	case len(lines) > 1 || name != "X-Forwarded-Uri" && strings.Contains(lines[0], ","):
		return "", fmt.Errorf("%s has several values: the proxy has to overwrite what the visitor sent", name)
	case lines[0] == "":
		return "", fmt.Errorf("%s is empty", name)
	}
	return lines[0], nil
}

// write says who somebody is. All headers are always there: a proxy that copies one which is not would pass on the visitor's.
func (p Person) write(h http.Header) {
	groups := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = value(g, ",")
	}
	h["Remote-User"] = []string{value(p.Username, "")}
	h["Remote-Name"] = []string{value(p.Name, "")}
	h["Remote-Email"] = []string{value(p.Email, "")}
	h["Remote-Groups"] = []string{strings.Join(groups, ",")}
}

// value makes a text the value of a header. What is beyond ASCII, control characters, the percent sign and what separates are percent-encoded
// as UTF-8, and so are blanks at the beginning and the end, which would get lost.
func value(s, separators string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		blank := c == ' ' && (i == 0 || i == len(s)-1)
		if c < ' ' || c >= 0x7f || c == '%' || blank || strings.IndexByte(separators, c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
