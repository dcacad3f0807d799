package auth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// Required lets only requests through that have a user. Others are sent to the login page with 302, to come back by "next", as
// Django does; a program that says what it is gets 401 instead, for it could not fill in a form: by X-Requested-With, by
// Authorization, by an Accept that names JSON or leaves out HTML, or by Sec-Fetch-Dest as a script's fetch. When the user cannot be looked up the answer is an error, never "log in".
func (a *Auth[U]) Required(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := a.Lookup(r); err != nil {
			a.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a request for whose user Lookup gave an error.
func (a *Auth[U]) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, ErrAnonymous) || !acceptsPages(r) {
		if errors.Is(err, ErrAnonymous) {
			a.challenge(w, r, nil)
		}
		a.cfg.Error(w, r, err)
		return
	}
	a.redirect(w, r, a.entrance(err))
}

// entrance is where somebody goes on whom Lookup called anonymous.
func (a *Auth[U]) entrance(err error) string {
	var more *Incomplete
	if errors.As(err, &more) && more.URL != "" {
		return more.URL
	}
	return a.cfg.LoginURL
}

func (a *Auth[U]) redirect(w http.ResponseWriter, r *http.Request, loginURL string) {
	at := origin.From(r)
	target := origin.LoginRedirect(at.Path, seen(at, loginURL), at)
	if err := origin.Redirect(w, r, target, http.StatusFound); err != nil {
		a.cfg.Error(w, r, err)
	}
}

// Next returns where a login leads: the last "next" of the form, or without one that of the query, if it is a safe target of
// this site; else Config.LoginRedirectURL. The form counts once it has been parsed.
func (a *Auth[U]) Next(r *http.Request) string {
	at := origin.From(r)
	values, ok := r.PostForm["next"]
	if !ok {
		values = r.URL.Query()["next"]
	}
	if len(values) > 0 {
		if target, ok := at.SafeNext(values[len(values)-1]); ok {
			return target
		}
	}
	return seen(at, a.cfg.LoginRedirectURL)
}

// seen turns a path of the site into what the visitor sees; absolute URLs stay.
func seen(at *origin.Info, url string) string {
	if strings.HasPrefix(url, "/") {
		return at.Prefix + url
	}
	return url
}

// AcceptsPages tells a browser that a person looks at, and who says nothing, from a program, as [Auth.Required] does.
func AcceptsPages(r *http.Request) bool { return acceptsPages(r) }

func acceptsPages(r *http.Request) bool {
	if r.Header.Get("X-Requested-With") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Sec-Fetch-Dest") == "empty" {
		return false
	}
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	if strings.Contains(accept, "application/json") {
		return false
	}
	return accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*")
}
