package oidcauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
)

// TestIdentity: what an ID token says of a person arrives, and what it does not say is not made up.
func TestIdentity(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.Groups = "realm_access.roles" })
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	g.provider.Set(func(p *oidctest.Provider) {
		p.User = oidctest.User{Subject: "s-1", Name: "jane", Email: "jane@example.com", EmailVerified: "true", LoggedIn: at, Claims: map[string]any{
			"realm_access": map[string]any{"roles": []string{"editors", "", "bad\nname"}},
			"amr":          []string{"pwd", "otp", "Not A Method", strings.Repeat("x", 17)}, "given_name": "Jane",
		}}
	})
	g.in()
	id := g.lastID
	if id.Issuer != g.provider.Issuer || id.Subject != "s-1" || id.Name != "jane" || id.Email != "jane@example.com" || !id.EmailVerified {
		t.Errorf("the identity is %+v", id)
	}
	if strings.Join(id.Groups, ",") != "editors" || strings.Join(id.Methods, ",") != "pwd,otp" || id.Claims["given_name"] != "Jane" || id.UserID != "" {
		t.Errorf("groups %q, methods %q, claims %v, user %q", id.Groups, id.Methods, id.Claims, id.UserID)
	}
	if g.Visit("/whoami"); g.Body != "s-1 by oidc [pwd otp] at "+strconv.FormatInt(at.Unix(), 10) {
		t.Errorf("the session says %q, want the provider's time %d", g.Body, at.Unix())
	}
	for _, verified := range []any{nil, false, "false", "yes", 1} {
		g.provider.Set(func(p *oidctest.Provider) { p.User.EmailVerified = verified })
		if g.in(); g.lastID.EmailVerified {
			t.Errorf("email_verified = %v counts as verified", verified)
		}
	}
}

// TestKeyRotation: a provider may change its keys; an unknown key has them fetched again, and not over and over.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	clock := &testClock{}
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.Now = clock.now })
	g.provider.Set(func(p *oidctest.Provider) { p.Now = clock.now })
	g.in()
	g.in()
	if n := g.provider.Calls("/keys"); n != 1 {
		t.Errorf("two logins fetched the keys %d times", n)
	}
	if err := g.provider.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if g.Visit("/go/here"); g.Body != "refused" { // they were fetched a moment ago
		t.Errorf("by a new key, within 30 seconds: %s", g.Body)
	}
	clock.pass(31 * time.Second)
	g.in()
	if n := g.provider.Calls("/keys"); n != 2 {
		t.Errorf("after a rotation the keys were fetched %d times, want twice", n)
	}
	clock.pass(31 * time.Second)
	g.provider.Set(func(p *oidctest.Provider) { p.Faults.UnknownKey = true })
	for range 5 {
		if g.Visit("/go/here"); g.Body != "refused" {
			t.Errorf("by an unknown key: %s", g.Body)
		}
	}
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{WrongKey: true} })
	for range 5 {
		if g.Visit("/go/here"); g.Body != "refused" {
			t.Errorf("by a wrong key: %s", g.Body)
		}
	}
	if n := g.provider.Calls("/keys"); n != 3 {
		t.Errorf("ten forged tokens fetched the keys %d times, want once", n-2)
	}
	// When the keys cannot be fetched anew, nobody knows whether an unknown key is wrong.
	clock.pass(31 * time.Second)
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{UnknownKey: true, Down: []string{"/keys"}} })
	if g.Visit("/go/here"); !strings.HasPrefix(g.Body, "outage") {
		t.Errorf("by an unknown key, with the keys down: %s", g.Body)
	}
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{Down: []string{"/keys"}} })
	g.in() // by a known key
}

// TestSkew: clocks may differ by a minute, either way, and not by two.
func TestSkew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		off  time.Duration
		want string
	}{{50 * time.Second, "in as"}, {-50 * time.Second, "in as"}, {2 * time.Minute, "refused"}, {-7 * time.Minute, "refused"}} {
		g := newRig(t, nil)
		g.provider.Set(func(p *oidctest.Provider) { p.Now = func() time.Time { return time.Now().Add(tt.off) } })
		if g.Visit("/go/here"); !strings.HasPrefix(g.Body, tt.want) {
			t.Errorf("a clock that is off by %v: %s, want %s\n%s", tt.off, g.Body, tt.want, g.log)
		}
	}
}

// TestFreshLogin: who is to log in anew does so at the provider, or is refused; the control is the same provider with a new login.
func TestFreshLogin(t *testing.T) {
	t.Parallel()
	old := time.Now().Add(-time.Hour)
	claims := func(at any) func(p *oidctest.Provider) {
		return func(p *oidctest.Provider) { p.Faults.Claims = map[string]any{"auth_time": at} }
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		g := newRig(t, nil)
		q := mustURL(t, g.stopAt("/go/here?again=1", g.provider.Issuer+"/authorize")).Query()
		if q.Get("prompt") != "login" || q.Get("max_age") != "0" {
			t.Errorf("asked with prompt %q and max_age %q", q.Get("prompt"), q.Get("max_age"))
		}
		g.Visit("/go/here?again=1")
		if !strings.HasPrefix(g.Body, "in as") {
			t.Fatalf("a new login: %s\n%s", g.Body, g.log)
		}
		for name, at := range map[string]any{"old": old.Unix(), "unsaid": nil, "no number": "yesterday"} {
			g.provider.Set(claims(at))
			if g.Visit("/go/here?again=1"); g.Body != "refused" {
				t.Errorf("%s auth_time: %s", name, g.Body)
			}
		}
		g.provider.Set(claims(old.Unix()))
		if g.Visit("/go/here"); !strings.HasPrefix(g.Body, "in as") { // nobody asked
			t.Errorf("an old login where a new one was not asked for: %s", g.Body)
		}
	})
	t.Run("again, at a provider that does not say", func(t *testing.T) {
		t.Parallel()
		g := newRig(t, func(cfg *oidcauth.Config) { cfg.NoAuthTime = true })
		g.provider.Set(claims(nil))
		if g.Visit("/go/here?again=1"); !strings.HasPrefix(g.Body, "in as") {
			t.Errorf("%s\n%s", g.Body, g.log)
		}
	})
	t.Run("max_age", func(t *testing.T) {
		t.Parallel()
		g := newRig(t, func(cfg *oidcauth.Config) { cfg.MaxAge = 2 * time.Hour })
		if q := mustURL(t, g.stopAt("/go/here", g.provider.Issuer+"/authorize")).Query(); q.Get("max_age") != "7200" {
			t.Errorf("asked with max_age %q", q.Get("max_age"))
		}
		g.provider.Set(claims(old.Unix()))
		g.in()
		for name, at := range map[string]any{"too old": old.Add(-2 * time.Hour).Unix(), "unsaid": nil} {
			g.provider.Set(claims(at))
			if g.Visit("/go/here"); g.Body != "refused" {
				t.Errorf("%s: %s", name, g.Body)
			}
		}
	})
}

// TestRequirements: acr and claims that are asked for have to be there.
func TestRequirements(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(cfg *oidcauth.Config) {
		cfg.ACR, cfg.Require, cfg.Params = []string{"gold", "silver"}, map[string]string{"hd": "example.com"}, map[string]string{"hd": "example.com"}
	})
	q := mustURL(t, g.stopAt("/go/here", g.provider.Issuer+"/authorize")).Query()
	if q.Get("acr_values") != "gold silver" || q.Get("hd") != "example.com" {
		t.Errorf("asked with acr_values %q and hd %q", q.Get("acr_values"), q.Get("hd"))
	}
	for _, tt := range []struct {
		claims map[string]any
		want   string
	}{
		{map[string]any{"acr": "silver", "hd": "example.com"}, "in as"},
		{map[string]any{"acr": "bronze", "hd": "example.com"}, "refused"},
		{map[string]any{"hd": "example.com"}, "refused"},
		{map[string]any{"acr": "gold", "hd": "example.org"}, "refused"},
		{map[string]any{"acr": "gold"}, "refused"},
	} {
		g.provider.Set(func(p *oidctest.Provider) { p.User.Claims = tt.claims })
		if g.Visit("/go/here"); !strings.HasPrefix(g.Body, tt.want) {
			t.Errorf("%v: %s, want %s", tt.claims, g.Body, tt.want)
		}
	}
}

// TestUserInfo: what the user-info endpoint says adds to the ID token, if it is about the same subject, and replaces nothing.
func TestUserInfo(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.UserInfo = true })
	g.provider.Set(func(p *oidctest.Provider) {
		p.Faults.UserInfo = map[string]any{"groups": []string{"editors"}, "preferred_username": "other", "email_verified": true, "email": "evil@example.com"}
		p.Faults.Claims = map[string]any{"email_verified": nil}
	})
	g.in()
	if id := g.lastID; strings.Join(id.Groups, ",") != "editors" || id.Name != "jane" || id.Email != "jane@example.com" || id.EmailVerified {
		t.Errorf("the identity is %+v", id)
	}
	g.provider.Set(func(p *oidctest.Provider) { p.Faults.UserInfo = map[string]any{"sub": "somebody else"} })
	if g.Visit("/go/here"); g.Body != "refused" {
		t.Errorf("about another subject: %s", g.Body)
	}
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{Down: []string{"/userinfo"}} })
	if g.Visit("/go/here"); !strings.HasPrefix(g.Body, "outage") {
		t.Errorf("user info down: %s", g.Body)
	}
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
	g.in()
}

// TestFormPost: an answer that comes as a form from the provider's page becomes a link, which the browser sends with its cookie; the
// form itself does nothing.
func TestFormPost(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.FormPost = true })
	g.Visit("/go/here?next=/cart")
	if !strings.Contains(g.Body, `method="post"`) {
		t.Fatalf("the provider answers with %s", g.Body)
	}
	form := url.Values{"evil": {"x"}}
	for _, name := range []string{"code", "state", "iss"} {
		_, rest, _ := strings.Cut(g.Body, `name="`+name+`" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		form.Set(name, strings.ReplaceAll(value, "&#43;", "+"))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // without cookies
	resp, err := client.PostForm(g.URL("/accounts/oidc/here/callback/"), form)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	on := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(on, "?") || strings.Contains(on, "evil") || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("the form is answered %d, to %q, cookies %q", resp.StatusCode, on, resp.Header["Set-Cookie"])
	}
	callback := g.URL("/accounts/oidc/here/callback/" + on)
	if b := g.Another().Visit(callback); b.Body != "no attempt" {
		t.Errorf("in another browser: %s", b.Body)
	}
	if g.Visit(callback); !strings.HasPrefix(g.Body, "in as") {
		t.Errorf("with the cookie: %s\n%s", g.Body, g.log)
	}
}

// TestNothingForStrangers: what a visitor gets who begins and does not come back is one small cookie, and no session.
func TestNothingForStrangers(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	for range 3 {
		g.stopAt("/go/here", g.provider.Issuer+"/authorize")
	}
	u := mustURL(t, g.URL("/"))
	var names []string
	for _, c := range g.Client().Jar.Cookies(u) {
		names = append(names, c.Name)
		if len(c.Value) > 40 {
			t.Errorf("the cookie %s has %d characters", c.Name, len(c.Value))
		}
	}
	if strings.Join(names, " ") != "cardea_oidc" {
		t.Errorf("the cookies are %q, want cardea_oidc alone", names)
	}
}

// TestLinkJourney: an attempt for linking says whose it is, and logs nobody in.
func TestLinkJourney(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	if g.Visit("/go/here?user=7"); g.Body != "user 7 is "+g.provider.User.Subject+" at "+g.provider.Issuer {
		t.Errorf("%s\n%s", g.Body, g.log)
	}
	if g.Visit("/whoami"); g.Body != "nobody" {
		t.Errorf("linking logs in %s", g.Body)
	}
}

// TestBackend holds the back end against the rules of all back ends, with codes that were brought back and not looked at yet.
func TestBackend(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.catch = true
	bring := func(change func(p *oidctest.Provider)) any {
		g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{}; change(p) })
		g.Visit("/go/here")
		if g.caught == nil || g.caught.Credentials == nil {
			t.Fatalf("nobody came back\n%s", g.log)
		}
		code := g.caught.Credentials
		_, _ = g.backend.Authenticate(httptest.NewRequest("GET", "/", nil), code) // now, while the fault is there
		return code
	}
	good := bring(func(*oidctest.Provider) {})
	wrong := map[string]any{
		"nonce":     bring(func(p *oidctest.Provider) { p.Faults.Claims = map[string]any{"nonce": "x"} }),
		"signature": bring(func(p *oidctest.Provider) { p.Faults.WrongKey = true }),
	}
	authtest.RunBackend(t, func(*testing.T) authtest.Backend {
		return authtest.Backend{Backend: g.backend, Good: good, Who: g.provider.User.Subject, Wrong: wrong, Secret: clientSecret}
	})
	var none *oidcauth.Code
	if _, err := g.backend.Authenticate(httptest.NewRequest("GET", "/", nil), none); !errors.Is(err, auth.ErrNoMatch) {
		t.Errorf("no code at all: %v", err)
	}
	other := oidcauth.NewBackend("other")
	if _, err := other.Authenticate(httptest.NewRequest("GET", "/", nil), good); !errors.Is(err, auth.ErrNoMatch) {
		t.Errorf("a back end that does not have the provider: %v", err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, good); strings.Contains(text, g.caught.Credentials.(*oidcauth.Code).Account()[8:]) || !strings.Contains(text, "here") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}
