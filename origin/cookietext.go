package origin

import (
	"strings"
	"unicode/utf8"
)

const legalNameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

// What Python's http.cookies writes unquoted, and what it leaves as it is inside quotes.
var (
	legalInCookie  = setOf("!#$%&'*+-.^_`|~:")
	quotedInCookie = setOf("!#$%&'*+-.^_`|~: ()/<=>?@[]{}")
)

// ParseCookieHeader returns the cookies of a Cookie header as Django does (django.http.cookie.parse_cookie): split at
// semicolons only, a part without "=" is the value of the empty name, the last of a name wins, quoted values are decoded.
// To look for one cookie [CookiePolicy.Read] is cheaper.
func ParseCookieHeader(header string) map[string]string {
	cookies := map[string]string{}
	for chunk := range strings.SplitSeq(decode(header), ";") {
		key, value, ok := strings.Cut(chunk, "=")
		if !ok {
			key, value = "", key
		}
		key, value = strip(key), strip(value)
		if key != "" || value != "" {
			cookies[key] = DecodeCookieValue(value)
		}
	}
	return cookies
}

// findCookie returns what ParseCookieHeader finds under prefix+name in the headers taken as one, without a map. The name is
// ASCII and not empty.
func findCookie(headers []string, prefix, name string) (value string, ok bool) {
	for i := len(headers) - 1; i >= 0; i-- {
		rest := headers[i]
		for more := true; more; {
			chunk := rest
			at := strings.LastIndexByte(rest, ';')
			if more = at >= 0; more {
				rest, chunk = rest[:at], rest[at+1:]
			}
			key, val, found := strings.Cut(chunk, "=")
			if !found {
				continue
			}
			if key, found = strings.CutPrefix(strip(key), prefix); found && key == name {
				return DecodeCookieValue(decode(strip(val))), true
			}
		}
	}
	return "", false
}

// EncodeCookieValue returns v as Python's http.cookies writes it: as it is if it consists of harmless characters, else in
// quotes with octal escapes.
func EncodeCookieValue(v string) string {
	plain := v != ""
	for i := 0; i < len(v) && plain; i++ {
		plain = legalInCookie.has(v[i])
	}
	if plain {
		return v
	}
	b := append(make([]byte, 0, len(v)+16), '"')
	for _, r := range v {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r > 0xff || r < 0x80 && quotedInCookie.has(byte(r)):
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, '\\', '0'+byte(r>>6), '0'+byte(r>>3&7), '0'+byte(r&7))
		}
	}
	return string(append(b, '"'))
}

// DecodeCookieValue undoes [EncodeCookieValue], as Python's http.cookies: what is not in quotes stays as it is, \ooo stands
// for a character up to U+00FF, and \x for x, unless x is a line feed.
func DecodeCookieValue(v string) string {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return v
	}
	v = v[1 : len(v)-1]
	at := strings.IndexByte(v, '\\')
	if at < 0 {
		return v
	}
	b := append(make([]byte, 0, len(v)), v[:at]...)
	for i := at; i < len(v); i++ {
		switch {
		case v[i] != '\\' || i+1 == len(v) || v[i+1] == '\n':
			b = append(b, v[i])
		case isOctal(v[i+1:]):
			b = utf8.AppendRune(b, rune(v[i+1]-'0')<<6|rune(v[i+2]-'0')<<3|rune(v[i+3]-'0'))
			i += 3
		default:
			i++
			b = append(b, v[i])
		}
	}
	return string(b)
}

func isOctal(s string) bool {
	return len(s) >= 3 && '0' <= s[0] && s[0] <= '3' && '0' <= s[1] && s[1] <= '7' && '0' <= s[2] && s[2] <= '7'
}
