package cardea_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// A tokenRig is a site with tokens and HTTP Basic, whose program has an API.
type tokenRig struct {
	*rig
	ada *userdb.User
}

func newTokenRig(t *testing.T, change func(*cardea.Config)) *tokenRig {
	t.Helper()
	g := &tokenRig{rig: newRig(t, func(cfg *cardea.Config) {
		cfg.APITokens, cfg.Basic = true, true
		if change != nil {
			change(cfg)
		}
	})}
	g.server = httptest.NewServer(g.site.Handler(api(g.site)))
	t.Cleanup(g.server.Close)
	var err error
	if g.ada, err = g.db.Users().ByName(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	return g
}

// api is a program whose addresses say what a request finds. The status is 299, so that nothing else is taken for it.
func api(site *cardea.Site[*userdb.User]) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	page := template.Must(template.New("page").Parse(`{{if .LoggedIn}}{{.User.Username}}{{end}} csrf:{{.CSRF}} view:{{.Perms.Has "auth.view_user"}} add:{{.Perms.Has "auth.add_user"}}`))
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		w.WriteHeader(299)
		fmt.Fprintf(w, "%s %s", r.Method, user.Username)
	})
	mux.Handle("/api", site.Auth.Required(ok))
	mux.HandleFunc("/open", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })
	mux.Handle("/view", site.Auth.RequirePermission("auth.view_user")(ok))
	mux.Handle("/add", site.Auth.RequirePermission("auth.add_user")(ok))
	mux.Handle("/fresh", site.Auth.Fresh(time.Hour)(ok))
	mux.Handle("/staff", site.Auth.RequireTest("not staff", func(_ *http.Request, u *userdb.User) bool { return u.IsStaff })(ok))
	mux.Handle("/people", site.Auth.RequireSession(ok))
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { site.Render(w, r, page, "page", nil) })
	mux.HandleFunc("/session", func(w http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		_, found := s.Get("_auth_user_id")
		u, _ := site.Auth.User(r)
		fmt.Fprintf(w, "found %v, set %v, flush %v, login %v, logout %v, csrf %q", found,
			errors.Is(s.Set("cart", 1), sessions.ErrNoSession), errors.Is(s.Flush(), sessions.ErrNoSession),
			errors.Is(site.Auth.Login(r, site.Auth.Trust(u, "")), sessions.ErrNoSession), errors.Is(site.Auth.Logout(r), sessions.ErrNoSession), csrf.Token(r))
	})
	mux.HandleFunc("/note", func(w http.ResponseWriter, r *http.Request) {
		found := messages.Take(r)
		if err := messages.Success(r, "a note"); err != nil {
			panic(err)
		}
		for _, m := range found {
			fmt.Fprint(w, m.Text+" ")
		}
	})
	mux.HandleFunc("/swap", func(w http.ResponseWriter, r *http.Request) { // a token in the query for a session
		secret, _ := tokenauth.ParseSecret(r.URL.Query().Get("token"))
		v, err := site.Auth.Authenticate(r, secret)
		if err != nil {
			site.Error(w, r, err)
			return
		}
		fmt.Fprint(w, "verified ", v.User().Username, ", denied ", errors.Is(site.Auth.Login(r, v), auth.ErrDenied))
	})
	return mux
}

// token makes a token of ada's.
func (g *tokenRig) token(scopes ...string) (tokenauth.Token, string) {
	g.t.Helper()
	return g.tokenOf(g.ada, 0, scopes...)
}

func (g *tokenRig) tokenOf(u *userdb.User, lasts time.Duration, scopes ...string) (tokenauth.Token, string) {
	g.t.Helper()
	t := tokenauth.Token{User: u.AuthID(), Name: "a program", Scopes: scopes, Created: g.clock.now()}
	if lasts > 0 {
		t.Expires = t.Created.Add(lasts)
	}
	made, secret, err := g.site.Tokens.MakeToken(g.t.Context(), t)
	if err != nil {
		g.t.Fatal(err)
	}
	return made, secret.Reveal()
}

// program is somebody without cookies whose requests carry these Authorization headers.
func (g *tokenRig) program(authorization ...string) *person {
	p := g.person()
	p.header = http.Header{"Accept": {"application/json"}}
	if authorization != nil {
		p.header["Authorization"] = authorization
	}
	return p
}

// call sends a request without a body.
func (p *person) call(method, path string) answer {
	p.rig.t.Helper()
	return p.send(method, path, nil)
}

func (g *tokenRig) want(what string, a answer, status int) {
	g.t.Helper()
	if a.status != status {
		g.t.Errorf("%s: status %d, want %d\n%.300s", what, a.status, status, a.body)
	}
}

// hasNoCookie fails for an answer that sets one.
func (g *tokenRig) hasNoCookie(what string, a answer) {
	g.t.Helper()
	if got := a.header["Set-Cookie"]; got != nil {
		g.t.Errorf("%s: Set-Cookie %q", what, got)
	}
	if got := strings.Join(a.header["Vary"], ", "); strings.Contains(got, "Cookie") {
		g.t.Errorf("%s: Vary %q", what, got)
	}
}

func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
