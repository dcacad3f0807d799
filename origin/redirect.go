package origin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// ErrUnsafeRedirect is the error of [Redirect] for a target that it does not send; the answer to it is 400.
var ErrUnsafeRedirect = errors.New("unsafe redirect")

// maxRedirect is the longest target in characters, Django's MAX_URL_REDIRECT_LENGTH.
const maxRedirect = 16384

// Redirect answers with status and a Location of target, percent-encoded by [IRIToURI] and otherwise as it is, unlike
// http.Redirect, which rewrites relative targets. It returns [ErrUnsafeRedirect] and writes nothing if target has another
// scheme than http, https or ftp, cannot be parsed, or is longer than 16384 characters. It does not check the host: what
// comes from the visitor must have passed [Info.SafeNext], and a request's own path [EscapeLeadingSlashes].
func Redirect(w http.ResponseWriter, r *http.Request, target string, status int) error {
	if status < 300 || status > 399 {
		return fmt.Errorf("origin: redirect with status %d", status)
	}
	if len(target) > maxRedirect && utf8.RuneCountInString(target) > maxRedirect {
		return fmt.Errorf("origin: redirect: %w: target longer than %d characters", ErrUnsafeRedirect, maxRedirect)
	}
	u, err := urlsplit(target)
	if err != nil {
		return fmt.Errorf("origin: redirect: %w: %w", ErrUnsafeRedirect, err)
	}
	switch u.scheme {
	case "", "http", "https", "ftp":
	default:
		return fmt.Errorf("origin: redirect: %w: scheme %q", ErrUnsafeRedirect, u.scheme)
	}
	h := w.Header()
	h.Set("Location", IRIToURI(target))
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/html; charset=utf-8") // of the empty body, as Django's
	}
	w.WriteHeader(status)
	return nil
}

// RedirectToLogin returns loginURL with next in the query parameter field, replacing one that is there. An empty field adds
// none. It is the Location of Django's django.contrib.auth.views.redirect_to_login.
func RedirectToLogin(next, loginURL, field string) string {
	u, err := urlsplit(loginURL)
	if err != nil {
		return IRIToURI(loginURL) // not a URL; nothing can be added to it
	}
	if field != "" {
		u.query = setField(u.query, field, next)
	}
	return IRIToURI(u.String())
}

// setField parses query as Django's QueryDict, sets field to value and writes it back: fields of the same name come
// together where the first one was.
func setField(query, field, value string) string {
	type entry struct {
		key    string
		values []string
	}
	var entries []entry
	at := map[string]int{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k, v = unquote(strings.ReplaceAll(k, "+", " ")), unquote(strings.ReplaceAll(v, "+", " "))
		i, ok := at[k]
		if !ok {
			i = len(entries)
			at[k] = i
			entries = append(entries, entry{key: k})
		}
		entries[i].values = append(entries[i].values, v)
	}
	if i, ok := at[field]; ok {
		entries[i].values = []string{value}
	} else {
		entries = append(entries, entry{field, []string{value}})
	}
	var b strings.Builder
	for _, e := range entries {
		for _, v := range e.values {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(quote(e.key, &querySafe))
			b.WriteByte('=')
			b.WriteString(quote(v, &querySafe))
		}
	}
	return b.String()
}

// LoginRedirect returns where a request for pathAndQuery (usually i.Path) that needs a login is sent: loginURL with "next"
// set to pathAndQuery if the login page is on the same site, else to its absolute URL. It is the Location of Django's
// login_required, except that escapes in the path stay as the visitor sent them.
func LoginRedirect(pathAndQuery, loginURL string, i *Info) string {
	next := escapePathAndQuery(pathAndQuery)
	if u, err := urlsplit(loginURL); err == nil {
		if u.scheme != "" && u.scheme != i.Scheme || u.netloc != "" && u.netloc != i.Host {
			next = i.URL() + next
		}
	}
	return RedirectToLogin(next, loginURL, "next")
}

// escapePathAndQuery encodes the path as EscapeURIPath does, except that it keeps escapes, and the query as IRIToURI does.
func escapePathAndQuery(s string) string {
	path, query, _ := strings.Cut(s, "?")
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && isEscape(path[i:]) {
			b.WriteByte('%')
		} else {
			b.WriteString(EscapeURIPath(path[i : i+1]))
		}
	}
	if query != "" {
		b.WriteByte('?')
		b.WriteString(IRIToURI(query))
	}
	return b.String()
}
