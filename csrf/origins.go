package csrf

import (
	"fmt"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// trusted is the configured list of origins, taken apart as Django's middleware takes CSRF_TRUSTED_ORIGINS apart.
type trusted struct {
	exact     map[string]bool     // entries without a wildcard, compared as text
	wildcards map[string][]string // by scheme: patterns such as ".example.com", from "https://*.example.com"
	netlocs   []string            // every entry's host and port, the wildcard's star dropped, for the Referer
}

func parseTrusted(entries []string) (trusted, error) {
	t := trusted{exact: map[string]bool{}, wildcards: map[string][]string{}}
	for _, entry := range entries {
		u, ok := split(entry)
		if !ok || !strings.Contains(entry, "://") || u.scheme == "" || u.netloc == "" || u.rest != "" {
			return trusted{}, fmt.Errorf("csrf: trusted origin %q: want scheme://host or scheme://*.host, without a path", entry)
		}
		host := strings.TrimLeft(u.netloc, "*")
		if host == "" || strings.Contains(host, "*") || host != u.netloc && !strings.HasPrefix(host, ".") {
			return trusted{}, fmt.Errorf("csrf: trusted origin %q: a wildcard is written scheme://*.host", entry)
		}
		t.netlocs = append(t.netlocs, host)
		if host == u.netloc {
			t.exact[entry] = true
		} else {
			t.wildcards[u.scheme] = append(t.wildcards[u.scheme], host)
		}
	}
	return t, nil
}

// allowsOrigin judges an Origin header; own is the request's own origin.
func (t *trusted) allowsOrigin(header, own string) bool {
	if header == own || t.exact[header] {
		return true
	}
	u, ok := split(header)
	if !ok {
		return false
	}
	for _, pattern := range t.wildcards[u.scheme] {
		if origin.IsSameDomain(u.netloc, pattern) {
			return true
		}
	}
	return false
}

// The answers of the Referer check, in Django's words.
const (
	noReferer        = "Referer checking failed - no Referer."
	malformedReferer = "Referer checking failed - Referer is malformed."
	insecureReferer  = "Referer checking failed - Referer is insecure while host is secure."
)

// checkReferer judges the Referer of a request over HTTPS without an Origin. host is the request's own host, port the server's.
// It returns Django's reason for a refusal, or "", and whether the configuration, rather than the request's own host,
// allowed it.
func (t *trusted) checkReferer(referer string, present bool, host, port, cookieDomain string) (reason string, configured bool) {
	if !present {
		return noReferer, false
	}
	u, ok := split(referer)
	switch {
	case !ok || u.scheme == "" || u.netloc == "":
		return malformedReferer, false
	case u.scheme != "https":
		return insecureReferer, false
	}
	for _, pattern := range t.netlocs {
		if origin.IsSameDomain(u.netloc, pattern) {
			return "", true
		}
	}
	good := host
	if cookieDomain != "" {
		good = cookieDomain
		if port != "" && port != "443" && port != "80" {
			good += ":" + port
		}
	}
	if !origin.IsSameDomain(u.netloc, good) {
		return "Referer checking failed - " + u.String() + " does not match any trusted origins.", false
	}
	return "", cookieDomain != ""
}

// parts are the pieces of a URL as Python's urlsplit cuts them.
type parts struct{ scheme, netloc, rest string }

func (p parts) String() string { return p.scheme + "://" + p.netloc + p.rest }

// split cuts a URL as Python's urlsplit does, as far as a check of scheme and host needs; ok is false where it raises
// ValueError. A netloc outside ASCII is refused as a whole: browsers send host names in ASCII.
func split(url string) (p parts, ok bool) {
	url = strings.TrimLeftFunc(url, func(r rune) bool { return r <= ' ' })
	url = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(url)
	if i := strings.IndexByte(url, ':'); i > 0 && validScheme(url[:i]) {
		p.scheme, url = strings.ToLower(url[:i]), url[i+1:]
	}
	if strings.HasPrefix(url, "//") {
		url = url[2:]
		end := strings.IndexAny(url, "/?#")
		if end < 0 {
			end = len(url)
		}
		p.netloc, url = url[:end], url[end:]
		if !validNetloc(p.netloc) {
			return parts{}, false
		}
	}
	p.rest = url
	return p, true
}

func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' {
			continue
		}
		if i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i])) {
			return false
		}
	}
	return true
}

func validNetloc(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	open, end := strings.IndexByte(s, '['), strings.IndexByte(s, ']')
	return (open < 0) == (end < 0)
}
