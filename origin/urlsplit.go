package origin

import (
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// parts are the parts of a URL as Python's urllib.parse.urlsplit finds them. Go's net/url splits and refuses differently.
type parts struct {
	scheme, netloc, path, query, fragment string
}

var (
	errBrackets = errors.New("invalid bracketed host in URL")
	errNFKC     = errors.New("URL's host contains characters that become separators under NFKC")
)

func urlsplit(s string) (u parts, err error) {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	s = removeNewlines(s)
	if i := strings.IndexByte(s, ':'); i > 0 && isScheme(s[:i]) {
		u.scheme, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		s = s[2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		u.netloc, s = s[:end], s[end:]
		if err := checkBrackets(u.netloc); err != nil {
			return parts{}, err
		}
	}
	s, u.fragment, _ = strings.Cut(s, "#")
	u.path, u.query, _ = strings.Cut(s, "?")
	return u, checkNFKC(u.netloc)
}

// removeNewlines drops TAB, CR and LF wherever they are, as browsers do.
func removeNewlines(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return true
}

// checkBrackets allows [ and ] only around an IPv6 address, or an address of a future version, that is the whole host.
func checkBrackets(netloc string) error {
	if !strings.ContainsAny(netloc, "[]") {
		return nil
	}
	host := netloc[strings.LastIndexByte(netloc, '@')+1:]
	inner, ok := strings.CutPrefix(host, "[")
	if !ok {
		return errBrackets
	}
	inner, port, ok := strings.Cut(inner, "]")
	if !ok || port != "" && port[0] != ':' {
		return errBrackets
	}
	if future, ok := strings.CutPrefix(inner, "v"); ok {
		version, address, ok := strings.Cut(future, ".")
		if !ok || version == "" || address == "" || strings.Trim(version, "0123456789abcdefABCDEF") != "" {
			return errBrackets
		}
		return nil
	}
	if addr, err := netip.ParseAddr(inner); err != nil || !addr.Is6() {
		return errBrackets
	}
	return nil
}

// checkNFKC refuses a host that gains a separator when normalised, as "℀" (a/c) does: a browser would go elsewhere.
func checkNFKC(netloc string) error {
	if isASCII(netloc) {
		return nil
	}
	bare := strings.NewReplacer("@", "", ":", "", "#", "", "?", "").Replace(netloc)
	if normal := norm.NFKC.String(bare); normal != bare && strings.ContainsAny(normal, "/?#@:") {
		return errNFKC
	}
	return nil
}

// String puts the parts together, as Python's urlunsplit. An empty host stays visible where leaving it out would make the
// path the host.
func (u *parts) String() string {
	var b strings.Builder
	if u.scheme != "" {
		b.WriteString(u.scheme)
		b.WriteByte(':')
	}
	hierarchical := u.scheme == "http" || u.scheme == "https" || u.scheme == "ftp"
	switch {
	case u.netloc != "":
		b.WriteString("//")
		b.WriteString(u.netloc)
		if u.path != "" && u.path[0] != '/' {
			b.WriteByte('/')
		}
	case strings.HasPrefix(u.path, "//"), hierarchical && (u.path == "" || u.path[0] == '/'):
		b.WriteString("//")
	}
	b.WriteString(u.path)
	if u.query != "" {
		b.WriteByte('?')
		b.WriteString(u.query)
	}
	if u.fragment != "" {
		b.WriteByte('#')
		b.WriteString(u.fragment)
	}
	return b.String()
}
