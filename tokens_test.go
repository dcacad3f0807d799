package cardea_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

// TestTokenRequest: a request with a token is known by it alone. No session is read or made, no cookie set, no CSRF token asked for.
func TestTokenRequest(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	g.makeUser("bob", g.ada.Password, false)
	_, secret := g.token("all")
	p := g.program("Bearer " + secret)
	bob := g.person()
	if !bob.logIn("bob", "correct horse").redirects() {
		t.Fatal("control: bob cannot log in")
	}
	key := bob.cookie("sessionid")

	// In one request with bob's cookies, the token counts and they are not looked at.
	both := g.program("bearer   " + secret)
	both.cookies = bob.cookies
	for name, who := range map[string]*person{"a token": p, "a token beside a cookie": both} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			a := who.call(method, "/api")
			g.want(name+": "+method, a, 299)
			if a.body != method+" ada" {
				t.Errorf("%s: got %q", name, a.body)
			}
			g.hasNoCookie(name, a)
			if a.header.Get("Vary") != "Authorization" || a.header.Get("Cache-Control") != "no-store, private" {
				t.Errorf("%s: Vary %q, Cache-Control %q", name, a.header["Vary"], a.header["Cache-Control"])
			}
		}
		a := who.get("/session")
		if want := `found false, set true, flush true, login true, logout true, csrf ""`; a.body != want {
			t.Errorf("%s: %s, want %s", name, a.body, want)
		}
		g.hasNoCookie(name, a)
		for range 2 {
			if a := who.get("/note"); a.body != "" || a.status != 200 {
				t.Errorf("%s: status %d, found the notice %q", name, a.status, a.body)
			}
		}
		g.hasNoCookie(name+", a notice", who.get("/note"))
		a = who.get("/page")
		if a.body != "ada csrf: view:false add:false" {
			t.Errorf("%s: the page is %q", name, a.body)
		}
		g.hasNoCookie(name+", a page", a)
	}
	if bob.cookie("sessionid") != key || bob.get("/session").body == "" {
		t.Error("bob's session was touched")
	}

	// The controls: the same with the cookie alone.
	bob = g.person()
	bob.logIn("bob", "correct horse")
	bob.header.Set("Accept", "application/json")
	if a := bob.call("GET", "/api"); a.body != "GET bob" {
		t.Errorf("by cookie: got %q", a.body)
	}
	g.want("by cookie, POST without a CSRF token", bob.call("POST", "/api"), 403)
	bob.get("/note")
	if a := bob.get("/note"); a.body != "a note " {
		t.Errorf("by cookie: the notice is %q", a.body)
	}
	if a := bob.get("/page"); !strings.Contains(a.body, "csrf:<input") || strings.Join(a.header["Vary"], ", ") != "Cookie, Authorization" {
		t.Errorf("by cookie: Vary %q, the page is %q", a.header["Vary"], a.body)
	}
	if a := bob.get("/open"); a.header["Vary"] != nil {
		t.Errorf("a page that asks for nobody: Vary %q", a.header["Vary"])
	}
	g.want("with nothing", g.program().call("GET", "/api"), 401)
	if a := g.program().call("GET", "/api"); strings.Join(a.header["Www-Authenticate"], ", ") != `Bearer, Basic realm="Cardea", charset="UTF-8"` {
		t.Errorf("with nothing: WWW-Authenticate %q", a.header["Www-Authenticate"])
	}
}

// TestTokenCosts: one statement a request, and one more when the use of the token is due to be noted, every five minutes.
func TestTokenCosts(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	made, secret := g.token("all")
	p := g.program("Bearer " + secret)
	for i, want := range []int64{2, 1, 1} { // the first is noted
		before := g.statements.Load()
		g.want("a request", p.call("POST", "/api"), 299)
		if got := g.statements.Load() - before; got != want {
			t.Errorf("request %d costs %d statements, want %d", i, got, want)
		}
	}
	g.clock.step(6 * time.Minute)
	before := g.statements.Load()
	p.call("GET", "/api")
	if got := g.statements.Load() - before; got != 2 {
		t.Errorf("after six minutes a request costs %d statements, want 2", got)
	}
	list, err := g.site.Tokens.Tokens(t.Context(), g.ada.AuthID())
	if err != nil || len(list) != 1 || list[0].ID != made.ID || g.clock.now().Sub(list[0].LastUsed) > time.Minute {
		t.Errorf("got %+v and %v", list, err)
	}
}

// TestM13AuthorizationHeaders: nothing in the header makes the site stumble. What begins like a token is one or is refused; what is
// anything else is as if it were not there; and two headers are refused.
func TestM13AuthorizationHeaders(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	_, secret := g.token("all")
	flipped := secret[:20] + map[bool]string{true: "b", false: "a"}[secret[20] == 'a'] + secret[21:]
	const ignored, refused, several = 401, 401, 400 // an ignored one finds nobody logged in
	for _, c := range []struct {
		name   string
		lines  []string
		status int
		claims bool // the answer says that credentials were refused
	}{
		{"control", []string{"Bearer " + secret}, 299, false},
		{"another case of the scheme", []string{"bEaReR " + secret}, 299, false},
		{"blanks", []string{"  Bearer    " + secret + "  "}, 299, false},
		{"nothing", nil, ignored, false},
		{"empty", []string{""}, ignored, false},
		{"the scheme alone", []string{"Bearer"}, ignored, false},
		{"a token alone", []string{secret}, ignored, false},
		{"no blank", []string{"Bearer" + secret}, ignored, false},
		{"a tab", []string{"Bearer\t" + secret}, ignored, false},
		{"another scheme", []string{"Token " + secret}, ignored, false},
		{"another maker's token", []string{"Bearer ghx_" + secret[7:]}, ignored, false},
		{"another case of the prefix", []string{"Bearer CARDEA_" + secret[7:]}, ignored, false},
		{"the prefix alone", []string{"Bearer cardea_"}, refused, true},
		{"a letter less", []string{"Bearer " + secret[:len(secret)-1]}, refused, true},
		{"a letter more", []string{"Bearer " + secret + "A"}, refused, true},
		{"another letter", []string{"Bearer " + flipped}, refused, true},
		{"another case", []string{"Bearer cardea_" + strings.ToLower(secret[7:])}, refused, true},
		{"two in one line", []string{"Bearer " + secret + ", Bearer " + secret}, refused, true},
		{"two in one line without a comma", []string{"Bearer " + secret + " " + secret}, refused, true},
		{"a quote", []string{`Bearer "` + secret + `"`}, ignored, false},
		{"no UTF-8", []string{"Bearer cardea_\xff\xfe" + secret[9:]}, refused, true},
		{"very long", []string{"Bearer cardea_" + strings.Repeat("A", 30<<10)}, refused, true},
		{"two headers", []string{"Bearer " + secret, "Bearer " + secret}, several, true},
		{"two headers, one empty", []string{"Bearer " + secret, ""}, several, true},
		{"two headers of other schemes", []string{"Token a", "Digest b"}, several, true},
		{"Basic, not base64", []string{"Basic ???"}, refused, true},
		{"Basic, no colon", []string{"Basic YWRh"}, refused, true},
		{"Basic, nothing", []string{"Basic"}, refused, true},
		{"Basic, NUL and no UTF-8", []string{"Basic AP86AP8="}, refused, true},
	} {
		g.clock.step(time.Hour) // so that no limit is met
		p := g.program(c.lines...)
		a := p.call("GET", "/api")
		g.want(c.name, a, c.status)
		if got := strings.Contains(a.body, "not accepted"); got != c.claims {
			t.Errorf("%s: refused as credentials: %v\n%s", c.name, got, a.body)
		}
		if bearer := strings.Join(a.header["Www-Authenticate"], ", "); c.status == 401 && !strings.HasPrefix(bearer, "Bearer") {
			t.Errorf("%s: WWW-Authenticate %q", c.name, bearer)
		}
		// The program does not run with what was refused, not even where nobody asks who it is, and no cookie counts in its place.
		if !c.claims {
			continue
		}
		g.clock.step(time.Hour)
		in := g.person()
		in.logIn("ada", "correct horse")
		if a := in.call("GET", "/api"); a.status != 299 {
			t.Fatalf("control: by cookie: status %d", a.status)
		}
		in.header = p.header
		g.want(c.name+", beside a good cookie", in.call("GET", "/api"), c.status)
		g.want(c.name+", at an open address", in.call("GET", "/open"), c.status)
	}
	if strings.Contains(g.logs.String(), "panic") || strings.Contains(g.logs.String(), secret) {
		t.Errorf("the log has a panic or a token in it:\n%s", g.logs)
	}
}

// TestM30TokensOfUsersWhoMayNot: a token is worth nothing from the moment on at which its owner is switched off or gone, its time is
// up, or it was ended. A change of password leaves it alone: it was made to be without one.
func TestM30TokensOfUsersWhoMayNot(t *testing.T) {
	t.Parallel()
	exec := func(query string) func(*tokenRig, context.Context, *userdb.User) error {
		return func(g *tokenRig, ctx context.Context, u *userdb.User) error {
			_, err := g.db.Pool().ExecContext(ctx, query, u.ID)
			return err
		}
	}
	for _, c := range []struct {
		name   string
		change func(g *tokenRig, ctx context.Context, u *userdb.User) error
		status int
	}{
		{"control", func(*tokenRig, context.Context, *userdb.User) error { return nil }, 299},
		{"another password", func(g *tokenRig, ctx context.Context, u *userdb.User) error {
			return g.db.Users().SetPassword(ctx, u, "plain$another")
		}, 299},
		{"switched off", func(g *tokenRig, ctx context.Context, u *userdb.User) error {
			return g.db.Users().SetActive(ctx, u, false, nil)
		}, 401},
		{"switched off and on", func(g *tokenRig, ctx context.Context, u *userdb.User) error {
			if err := g.db.Users().SetActive(ctx, u, false, nil); err != nil {
				return err
			}
			return g.db.Users().SetActive(ctx, u, true, nil)
		}, 401},
		{"switched off by Django", exec("UPDATE auth_user SET is_active = 0 WHERE id = ?"), 401},
		{"deleted", func(g *tokenRig, ctx context.Context, u *userdb.User) error { return g.db.Users().Delete(ctx, u, nil) }, 401},
		{"deleted by SQL", exec("DELETE FROM auth_user WHERE id = ?"), 401},
		{"expired", func(g *tokenRig, _ context.Context, _ *userdb.User) error { g.clock.step(24 * time.Hour); return nil }, 401},
		{"all ended", func(g *tokenRig, ctx context.Context, u *userdb.User) error {
			n, err := g.site.Tokens.EndTokens(ctx, u.AuthID())
			if err == nil && n != 1 {
				err = fmt.Errorf("ended %d", n)
			}
			return err
		}, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newTokenRig(t, nil)
			_, secret := g.tokenOf(g.ada, 24*time.Hour, "all")
			p := g.program("Bearer " + secret)
			g.want("before", p.call("POST", "/api"), 299)
			if err := c.change(g, t.Context(), g.ada); err != nil {
				t.Fatal(err)
			}
			a := p.call("POST", "/api")
			g.want("after", a, c.status)
			if got := a.header["Www-Authenticate"]; c.status == 401 && (len(got) == 0 || got[0] != `Bearer error="invalid_token"`) {
				t.Errorf("WWW-Authenticate %q", got)
			}
			basic := g.program()
			basic.header.Set("Authorization", basicHeader("ada", "correct horse"))
			if ok := basic.call("GET", "/api").status == 299; ok != (c.name == "control" || c.name == "expired" || c.name == "all ended" || c.name == "switched off and on") {
				t.Errorf("by HTTP Basic: %v", ok)
			}
		})
	}
}

func basicHeader(username, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(username, password)
	return r.Header.Get("Authorization")
}

// TestTokenScopes: a token may do what its owner may now and its scopes name, whoever the owner is.
func TestTokenScopes(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	ctx := t.Context()
	users := g.db.Users()
	_, view := g.token("auth.view_user")
	_, all := g.token("all")
	super := g.makeUser("root", "", false)
	super.IsSuperuser, super.IsStaff = true, true
	if err := users.Update(ctx, super); err != nil {
		t.Fatal(err)
	}
	_, rootView := g.tokenOf(super, 0, "auth.view_user")
	_, rootAll := g.tokenOf(super, 0, "all")
	check := func(when, secret string, view, add, staff int, page string) {
		t.Helper()
		p := g.program("Bearer " + secret)
		g.want(when+", view", p.call("GET", "/view"), view)
		g.want(when+", add", p.call("POST", "/add"), add)
		g.want(when+", staff", p.call("GET", "/staff"), staff)
		g.want(when+", whoever is logged in", p.call("GET", "/api"), 299)
		if a := p.call("GET", "/page"); !strings.HasSuffix(a.body, page) {
			t.Errorf("%s: the page is %q, want %q", when, a.body, page)
		}
	}
	check("without permissions", view, 403, 403, 403, "view:false add:false")
	check("all, without permissions", all, 403, 403, 403, "view:false add:false")
	if err := users.Grant(ctx, g.ada, "auth.view_user"); err != nil {
		t.Fatal(err)
	}
	if err := users.Grant(ctx, g.ada, "auth.add_user"); err != nil {
		t.Fatal(err)
	}
	check("limited to one of two", view, 299, 403, 403, "view:true add:false")
	check("all", all, 299, 299, 403, "view:true add:true")
	check("a superuser's, limited", rootView, 299, 403, 403, "view:true add:false")
	check("a superuser's, all", rootAll, 299, 299, 299, "view:true add:true")
	if err := users.Revoke(ctx, g.ada, "auth.view_user"); err != nil {
		t.Fatal(err)
	}
	check("after it was taken away", view, 403, 403, 403, "view:false add:false")
}

// TestTokensStayOutside: what a person has to do, a token does not: fresh logins, the pages of accounts, logging in.
func TestTokensStayOutside(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	_, secret := g.token("all")
	p := g.program("Bearer " + secret)
	ada := g.person()
	ada.logIn("ada", "correct horse")
	for path, status := range map[string]int{
		"/fresh": 299, "/people": 299, "/accounts/profile/": 200, "/accounts/password_change/": 200, "/accounts/sessions/": 200,
		"/accounts/login/": 200,
	} {
		g.want("a token at "+path, p.call("GET", path), 403)
		g.want("ada at "+path, ada.get(path), status)
	}
	g.want("a token at the form for passwords", p.call("POST", "/accounts/password_change/"), 403)
	if a := g.program().get("/swap?token=" + secret); a.body != "verified ada, denied true" {
		t.Errorf("a token for a session: %q", a.body)
	}
}

// TestTokensAreOff: without the setting there are none, and what looks like one is ignored.
func TestTokensAreOff(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	_, secret := g.token("all")
	site, err := cardea.New(g.db, cardea.Config{SecretKey: strings.Repeat("s", 40), Hashers: g.site.Hashers})
	if err != nil {
		t.Fatal(err)
	}
	if site.Tokens != nil {
		t.Error("there are tokens")
	}
	server := newServer(t, site.Handler(api(site)))
	for _, line := range []string{"Bearer " + secret, basicHeader("ada", "correct horse")} {
		p := g.program(line)
		g.want("control", p.call("GET", "/api"), 299)
		p.base = server
		a := p.call("GET", "/api")
		g.want("off", a, 401)
		if got := a.header["Www-Authenticate"]; len(got) != 1 || got[0] != "Cookie" {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
}
