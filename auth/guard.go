package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/cardea-go/cardea/origin"
)

// The guards follow one rule: somebody who is not logged in is sent to log in, as by Required, and somebody who is, and still
// may not pass, gets 403 with a number that stands in the log too, and is never sent round in circles.

// RequirePermission makes a guard that lets users through who have all of these permissions, such as "blog.change_post": see
// [Auth.Permissions]. Without a name, or with one that nobody could have, it panics.
func (a *Auth[U]) RequirePermission(names ...string) func(http.Handler) http.Handler {
	if len(names) == 0 {
		panic("auth: RequirePermission without a permission: name one, or use Required")
	}
	for _, name := range names {
		if app, codename, ok := strings.Cut(name, "."); !ok || app == "" || codename == "" {
			panic(fmt.Sprintf("auth: RequirePermission(%q): the name of a permission is app_label.codename, such as blog.change_post", name))
		}
	}
	if len(a.cfg.Permissions) == 0 {
		panic("auth: RequirePermission without a source of permissions: set Config.Permissions")
	}
	return a.guard(func(w http.ResponseWriter, r *http.Request, user U) bool {
		name, missing, err := a.Permissions(r).Missing(names...)
		switch {
		case err != nil:
			a.cfg.Error(w, r, a.broken(r, "ask for permissions", err))
		case missing:
			a.deny(w, r, DeniedError{Guard: "RequirePermission", UserID: user.AuthID(), Permission: name, Reason: "the permission is missing"})
		default:
			return true
		}
		return false
	})
}

// RequireTest makes a guard that lets users through for whom test says yes. reason says in the log what a denied user is not,
// for example "not an editor". The test is asked about users who are logged in only. A token that is limited to some permissions is
// turned away: what it was limited to says nothing about the test.
func (a *Auth[U]) RequireTest(reason string, test func(r *http.Request, user U) bool) func(http.Handler) http.Handler {
	return a.guard(func(w http.ResponseWriter, r *http.Request, user U) bool {
		if _, limited := a.Limit(r); limited {
			a.deny(w, r, DeniedError{Guard: "RequireTest", UserID: user.AuthID(), Reason: "the token is limited to permissions, and the test is about the user"})
			return false
		}
		if test(r, user) {
			return true
		}
		a.deny(w, r, DeniedError{Guard: "RequireTest", UserID: user.AuthID(), Reason: reason})
		return false
	})
}

// RequireSession is Required for pages that no program with a token, or with a name and a password by HTTP Basic, may use: those get
// 403.
func (a *Auth[U]) RequireSession(next http.Handler) http.Handler {
	return a.guard(func(w http.ResponseWriter, r *http.Request, user U) bool {
		if OwnCredentials(r) {
			a.deny(w, r, DeniedError{Guard: "RequireSession", UserID: user.AuthID(), Reason: "the request carries credentials of its own"})
			return false
		}
		return true
	})(next)
}

// guard makes a guard of what happens to those who are logged in; pass answers the request where it says no.
func (a *Auth[U]) guard(pass func(w http.ResponseWriter, r *http.Request, user U) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, err := a.Lookup(r)
			switch {
			case err != nil:
				a.refuse(w, r, err)
			case pass(w, r, user):
				next.ServeHTTP(w, r)
			}
		})
	}
}

// AnonymousOnly lets only requests through that have no user, half logins included: for pages such as a sign-up. Users are sent
// to where a login would lead, see [Auth.Next]; programs get 403. The login page stays open to those whom a guard sent there
// to prove themselves again.
func (a *Auth[U]) AnonymousOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := a.Lookup(r)
		at := origin.From(r)
		switch {
		case errors.Is(err, ErrAnonymous), err == nil && Again(r) && isHere(at, seen(at, a.cfg.LoginURL)):
			next.ServeHTTP(w, r)
			return
		case err != nil:
			a.cfg.Error(w, r, err)
			return
		}
		target := a.Next(r)
		if isHere(at, target) {
			target = seen(at, a.cfg.LoginRedirectURL)
		}
		if !acceptsPages(r) || isHere(at, target) {
			a.deny(w, r, DeniedError{Guard: "AnonymousOnly", UserID: user.AuthID(), Reason: "only for visitors who are not logged in"})
			return
		}
		if err := origin.Redirect(w, r, target, http.StatusFound); err != nil {
			a.cfg.Error(w, r, err)
		}
	})
}

// LoginRequired makes a guard for a whole site: nothing is open to visitors who are not logged in, except what one of the
// exemptions names, and the pages to which the guard itself sends people. What is exempt costs no look at the session.
//
//	site.LoginRequired(auth.Paths("/{$}", "/static/", "/accounts/"))(mux)
//
// Where next is a *http.ServeMux (or has its Handler method), an address that it does not know is 404 for everybody, as with
// Django's LoginRequiredMiddleware.
func (a *Auth[U]) LoginRequired(exempt ...func(r *http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		mux, _ := next.(interface {
			Handler(r *http.Request) (http.Handler, string)
		})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, open := range exempt {
				if open(r) {
					next.ServeHTTP(w, r)
					return
				}
			}
			if mux != nil {
				if _, pattern := mux.Handler(r); pattern == "" {
					next.ServeHTTP(w, r)
					return
				}
			}
			_, err := a.Lookup(r)
			if err != nil && !(errors.Is(err, ErrAnonymous) && a.isEntrance(r, err)) {
				a.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// isEntrance reports whether refuse would send the request to the very page that it asks for.
func (a *Auth[U]) isEntrance(r *http.Request, err error) bool {
	at := origin.From(r)
	return !ambiguous(r.URL) && isHere(at, seen(at, a.entrance(err)))
}

// Paths makes an exemption for [Auth.LoginRequired] from paths, in the words of http.ServeMux: "/about" is this page, "/static/"
// it and all below, "/{$}" the home page alone. A path that some router could take for another one, with dots, doubled or
// encoded slashes in it, is not exempt. Paths panics at one that does not begin with a slash, and at "/", which would open
// everything.
func Paths(paths ...string) func(r *http.Request) bool {
	exact := map[string]bool{}
	var below []string
	for _, p := range paths {
		plain, only := strings.CutSuffix(p, "{$}")
		switch {
		case p == "/":
			panic(`auth: Paths("/") exempts the whole site: "/{$}" is the home page alone`)
		case !strings.HasPrefix(p, "/") || strings.ContainsAny(plain, "{}") || plainPath(plain) != plain || only && !strings.HasSuffix(plain, "/"):
			panic(fmt.Sprintf(`auth: Paths(%q): a path is like "/about", "/static/" or "/news/{$}"`, p))
		case only || !strings.HasSuffix(p, "/"):
			exact[plain] = true
		default:
			below = append(below, p)
		}
	}
	return func(r *http.Request) bool {
		p := r.URL.Path
		if plainPath(p) != p || ambiguous(r.URL) {
			return false
		}
		if exact[p] {
			return true
		}
		for _, prefix := range below {
			if strings.HasPrefix(p, prefix) {
				return true
			}
		}
		return false
	}
}

// plainPath is path.Clean that keeps a slash at the end.
func plainPath(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// ambiguous reports whether routers differ about a path: some decode slashes before they look, some do not.
func ambiguous(u *url.URL) bool {
	escaped := strings.ToLower(u.EscapedPath())
	return strings.Contains(escaped, "%2f") || strings.Contains(escaped, "%5c") || strings.Contains(u.Path, `\`)
}

// isHere reports whether a target of a redirect is the page that was asked for, whatever the query.
func isHere(at *origin.Info, target string) bool {
	return pathOf(at, at.Path) == pathOf(at, target)
}

func pathOf(at *origin.Info, target string) string {
	if rest, ok := strings.CutPrefix(target, at.URL()); ok && strings.HasPrefix(rest, "/") {
		target = rest
	}
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	if plain, err := url.PathUnescape(target); err == nil {
		return plain
	}
	return target
}
