package oidcauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/sessions"
)

// TestLeave: a logout goes on to the provider, with the ID token and the way back, and is one here whatever the provider does.
func TestLeave(t *testing.T) {
	t.Parallel()
	clock := &testClock{}
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.Now = clock.now })
	g.provider.Set(func(p *oidctest.Provider) { p.Now = clock.now })
	if g.Visit("/leave"); !strings.HasPrefix(g.Body, "left without") {
		t.Errorf("nobody: %s", g.Body)
	}
	g.in()
	q := mustURL(t, g.stopAt("/leave", g.provider.Issuer+"/logout")).Query()
	if strings.Count(q.Get("id_token_hint"), ".") != 2 || q.Get("client_id") != clientID || q.Get("post_logout_redirect_uri") != g.URL("/whoami") {
		t.Errorf("the provider is told %v", q)
	}
	if g.Visit("/whoami"); g.Body != "nobody" {
		t.Errorf("after the logout: %s", g.Body)
	}
	g.in()
	g.provider.Set(func(p *oidctest.Provider) { p.Faults.Down = []string{"/"} })
	clock.pass(2 * time.Hour) // what is known of the provider is old by now, and serves
	if at := g.stopAt("/leave", g.provider.Issuer+"/logout"); at == "" {
		t.Error("no logout at a provider that is down")
	}
	if g.Visit("/whoami"); g.Body != "nobody" {
		t.Errorf("after the logout: %s", g.Body)
	}
	// Where it is off, no ID token is kept, and the logout stays here.
	off := newRig(t, func(cfg *oidcauth.Config) { cfg.EndSession = false })
	off.in()
	if off.Visit("/leave"); !strings.HasPrefix(off.Body, "left without") {
		t.Errorf("end_session off: %s", off.Body)
	}
}

// TestLogoutTokens: whatever is wrong with a logout token ends nothing, and the same token without the fault ends the session.
func TestLogoutTokens(t *testing.T) {
	t.Parallel()
	hour := int64(3600)
	now := time.Now().Unix()
	const event = "http://schemas.openid.net/event/backchannel-logout"
	one := func(name string, value any) map[string]any { return map[string]any{name: value} }
	for _, tt := range []struct {
		name   string
		claims map[string]any
		faults oidctest.Faults
	}{
		{"wrong issuer", one("iss", "https://evil.example"), oidctest.Faults{}},
		{"wrong audience", one("aud", "another"), oidctest.Faults{}},
		{"expired", one("exp", now-hour), oidctest.Faults{}},
		{"no expiry", one("exp", nil), oidctest.Faults{}},
		{"from the future", one("iat", now+hour), oidctest.Faults{}},
		{"old", one("iat", now-hour), oidctest.Faults{}},
		{"no iat", one("iat", nil), oidctest.Faults{}},
		{"no jti", one("jti", nil), oidctest.Faults{}},
		{"no events", one("events", nil), oidctest.Faults{}},
		{"another event", one("events", map[string]any{"x": map[string]any{}}), oidctest.Faults{}},
		{"an event that is no object", one("events", map[string]any{event: "yes"}), oidctest.Faults{}},
		{"an event that is null", one("events", map[string]any{event: nil}), oidctest.Faults{}},
		{"a nonce", one("nonce", "x"), oidctest.Faults{}},
		{"neither sub nor sid", map[string]any{"sub": nil, "sid": nil}, oidctest.Faults{}},
		{"another type", nil, oidctest.Faults{Type: "at+jwt"}},
		{"wrong key", nil, oidctest.Faults{WrongKey: true}},
		{"unknown key", nil, oidctest.Faults{UnknownKey: true}},
		{"alg none", nil, oidctest.Faults{None: true}},
		{"HS256 by the public key", nil, oidctest.Faults{HMAC: true}},
		{"HS256 by the client's secret", nil, oidctest.Faults{HMACSecret: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newLogoutRig(t)
			g.provider.Set(func(p *oidctest.Provider) { p.Faults = tt.faults })
			if status := g.logout(tt.claims); status != http.StatusBadRequest || g.ended.ended != 0 {
				t.Errorf("status %d, %d sessions ended", status, g.ended.ended)
			}
			g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
			if status := g.logout(nil); status != http.StatusOK || g.ended.ended != 1 {
				t.Errorf("without the fault: status %d, %d sessions ended\n%s", status, g.ended.ended, g.log)
			}
		})
	}
}

// TestLogoutRequests: what is no such request is told so; a token counts once, unless ending the sessions failed.
func TestLogoutRequests(t *testing.T) {
	t.Parallel()
	g := newLogoutRig(t)
	address := g.URL("/accounts/oidc/here/backchannel/")
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", resp.StatusCode)
	}
	for name, form := range map[string]url.Values{"nothing": {}, "two": {"logout_token": {"a", "b"}}, "nonsense": {"logout_token": {"a.b.c"}}} {
		if status := post(t, address, form); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := post(t, g.URL("/accounts/oidc/nowhere/backchannel/"), url.Values{"logout_token": {"x"}}); status != http.StatusNotFound {
		t.Errorf("of no provider: %d", status)
	}
	g.ended.fails = errors.New("the database is down")
	token, err := g.provider.LogoutToken(clientID, nil)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"logout_token": {token}}
	if status := post(t, address, form); status != http.StatusServiceUnavailable {
		t.Errorf("with the database down: %d", status)
	}
	g.ended.fails = nil
	if status := post(t, address, form); status != http.StatusOK || g.ended.ended != 1 {
		t.Errorf("again, with the database up: %d, %d sessions ended", status, g.ended.ended)
	}
	if status := post(t, address, form); status != http.StatusBadRequest || g.ended.ended != 1 {
		t.Errorf("the same token once more: %d, %d sessions ended", status, g.ended.ended)
	}
	off := newRig(t, func(cfg *oidcauth.Config) { cfg.BackChannel = false })
	if status := post(t, off.URL("/accounts/oidc/here/backchannel/"), form); status != http.StatusNotFound {
		t.Errorf("where it is off: %d", status)
	}
}

// newLogoutRig is a site where the provider's user 7 has one session that was begun there.
func newLogoutRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t, nil)
	var d sessions.Data
	note, err := json.Marshal(map[string]string{"provider": "here", "sid": "s-1"})
	if err != nil {
		t.Fatal(err)
	}
	d.Set("_cardea_oidc", note)
	g.provider.Set(func(p *oidctest.Provider) { p.User.SID = "s-1" })
	g.ended.users = map[string]string{g.provider.Issuer + " " + g.provider.User.Subject: "7"}
	g.ended.data = map[string][]sessions.Data{"7": {d, {}}}
	return g
}

// logout sends a logout token with these claims and returns the status.
func (g *rig) logout(claims map[string]any) int {
	g.t.Helper()
	token, err := g.provider.LogoutToken(clientID, claims)
	if err != nil {
		g.t.Fatal(err)
	}
	return post(g.t, g.URL("/accounts/oidc/here/backchannel/"), url.Values{"logout_token": {token}})
}

func post(t *testing.T, address string, form url.Values) int {
	t.Helper()
	resp, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
