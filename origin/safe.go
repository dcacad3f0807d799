package origin

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxURL is the longest URL in characters that is looked at, Django's MAX_URL_LENGTH.
const maxURL = 2048

// URLHasAllowedHostAndScheme reports whether a redirect to url stays on one of the allowed hosts (which include ports, and
// are compared exactly) and on HTTP, or on HTTPS alone if that is required. A relative URL does. It is Django's
// django.utils.http.url_has_allowed_host_and_scheme with Python's urlsplit.
//
// The answer is about url without the blanks around it, and holds only for a URL that is sent through [IRIToURI], as
// [Redirect] does: "/x\n/y" is safe once its line feed is written %0A. [Info.SafeNext] sees to the blanks.
func URLHasAllowedHostAndScheme(url string, allowedHosts []string, requireHTTPS bool) bool {
	url = strip(url)
	if url == "" || !hostAndSchemeAllowed(url, allowedHosts, requireHTTPS) {
		return false
	}
	// Browsers take \ for /, but in userinfo it can be itself, so both readings must be safe.
	if strings.IndexByte(url, '\\') < 0 {
		return true
	}
	return hostAndSchemeAllowed(strings.ReplaceAll(url, `\`, "/"), allowedHosts, requireHTTPS)
}

func hostAndSchemeAllowed(url string, allowedHosts []string, requireHTTPS bool) bool {
	// Browsers find a host after three slashes too, urlsplit does not.
	if strings.HasPrefix(url, "///") || len(url) > maxURL && utf8.RuneCountInString(url) > maxURL {
		return false
	}
	u, err := urlsplit(url)
	if err != nil || u.scheme != "" && u.netloc == "" {
		return false
	}
	if first, _ := utf8.DecodeRuneInString(url); unicode.Is(unicode.C, first) {
		return false
	}
	if u.netloc == "" {
		return true
	}
	switch u.scheme {
	case "https":
	case "http", "":
		if requireHTTPS {
			return false
		}
	default:
		return false
	}
	return slices.Contains(allowedHosts, u.netloc)
}
