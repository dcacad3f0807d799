package oidcauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
)

// TestFaults: whatever a provider does wrong lets nobody in, and the same provider without the fault does.
func TestFaults(t *testing.T) {
	t.Parallel()
	claims := func(name string, value any) oidctest.Faults {
		return oidctest.Faults{Claims: map[string]any{name: value}}
	}
	hour := int64(time.Hour / time.Second)
	now := time.Now().Unix()
	for _, tt := range []struct {
		name   string
		faults oidctest.Faults
		want   string // "refused", "no attempt", "cancelled" or "outage"
		reason string // in the log, or behind "outage"
	}{
		{"wrong nonce", claims("nonce", "another"), "refused", "nonce"},
		{"no nonce", claims("nonce", nil), "refused", "nonce"},
		{"wrong issuer", claims("iss", "https://evil.example"), "refused", "different provider"},
		{"no issuer", claims("iss", nil), "refused", "different provider"},
		{"wrong audience", claims("aud", "another-client"), "refused", "expected audience"},
		{"no audience", claims("aud", nil), "refused", "expected audience"},
		{"two audiences and no azp", oidctest.Faults{Claims: map[string]any{"aud": []string{clientID, "other"}, "azp": nil}}, "refused", "azp"},
		{"issued to another client", claims("azp", "another-client"), "refused", "azp"},
		{"wrong at_hash", claims("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "refused", "at_hash"},
		{"expired", claims("exp", now-hour), "refused", "expired"},
		{"no expiry", claims("exp", nil), "refused", "expired"},
		{"from the future", claims("iat", now+hour), "refused", "from the future"},
		{"no iat", claims("iat", nil), "refused", "iat"},
		{"not yet valid", claims("nbf", now+hour), "refused", "nbf"},
		{"a login in the future", claims("auth_time", now+hour), "refused", "auth_time"},
		{"no subject", claims("sub", nil), "refused", "subject"},
		{"endless subject", claims("sub", strings.Repeat("s", 256)), "refused", "subject"},
		{"a logout token for an ID token", oidctest.Faults{Type: "logout+jwt"}, "refused", "type"},
		{"wrong key", oidctest.Faults{WrongKey: true}, "refused", "signature"},
		{"unknown key", oidctest.Faults{UnknownKey: true}, "refused", "signature"},
		{"alg none", oidctest.Faults{None: true}, "refused", "none"},
		{"HS256 by the public key", oidctest.Faults{HMAC: true}, "refused", "HS256"},
		{"HS256 by the client's secret", oidctest.Faults{HMACSecret: true}, "refused", "HS256"},
		{"wrong iss beside the code", oidctest.Faults{Iss: "https://evil.example"}, "refused", "(iss)"},
		{"no iss beside the code", oidctest.Faults{Iss: "-"}, "refused", "(iss)"},
		{"another state", oidctest.Faults{State: "AAAAAAAAAAAAAAAAAAAAAAAAAA"}, "no attempt", ""},
		{"access denied", oidctest.Faults{Error: "access_denied"}, "cancelled", ""},
		{"error at the provider", oidctest.Faults{Error: "server_error"}, "outage", "server_error"},
		{"no ID token", oidctest.Faults{NoIDToken: true}, "outage", "without an ID token"},
		{"discovery down", oidctest.Faults{Down: []string{"/.well-known"}}, "outage", "503"},
		{"discovery of another issuer", oidctest.Faults{Discovery: map[string]any{"issuer": "https://evil.example"}}, "outage", "evil.example"},
		{"discovery leads to plain HTTP", oidctest.Faults{Discovery: map[string]any{"token_endpoint": "http://evil.example/token"}}, "outage", "https://"},
		{"discovery announces no public keys", oidctest.Faults{Discovery: map[string]any{"id_token_signing_alg_values_supported": []string{"HS256", "none"}}}, "outage", "algorithm"},
		{"discovery elsewhere", oidctest.Faults{Redirects: map[string]string{"/.well-known/openid-configuration": "/keys"}}, "outage", "307"},
		{"token down", oidctest.Faults{Down: []string{"/token"}}, "outage", "503"},
		{"token elsewhere", oidctest.Faults{Redirects: map[string]string{"/token": "/userinfo"}}, "outage", "307"},
		{"keys down", oidctest.Faults{Down: []string{"/keys"}}, "outage", "503"},
		{"keys huge", oidctest.Faults{Huge: []string{"/keys"}}, "outage", "larger than"},
		{"discovery huge", oidctest.Faults{Huge: []string{"/.well-known"}}, "outage", "larger than"},
		{"token huge", oidctest.Faults{Huge: []string{"/token"}}, "outage", ""},
		{"slow", oidctest.Faults{Slow: 3 * time.Second}, "outage", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := &testClock{}
			g := newRig(t, func(cfg *oidcauth.Config) {
				cfg.Now = clock.now
				if tt.faults.Slow > 0 {
					cfg.Timeout = 500 * time.Millisecond
				}
			})
			g.provider.Set(func(p *oidctest.Provider) { p.Faults, p.Now = tt.faults, clock.now })
			begun := time.Now()
			g.Visit("/go/here?next=/cart")
			if waited := time.Since(begun); tt.faults.Slow > 0 && waited >= tt.faults.Slow {
				t.Errorf("the site waited %v for a slow provider", waited)
			}
			if !strings.HasPrefix(g.Body, tt.want) {
				t.Errorf("the answer is %q, want %q\n%s", g.Body, tt.want, g.log)
			}
			if told := g.log.String() + g.Body; !strings.Contains(told, tt.reason) {
				t.Errorf("the log does not say %q:\n%s", tt.reason, told)
			}
			if g.Visit("/whoami"); g.Body != "nobody" {
				t.Errorf("somebody is logged in: %s", g.Body)
			}
			g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
			clock.pass(10 * time.Second) // a failure is remembered for a moment
			g.in()
			if strings.Contains(g.log.String(), clientSecret) {
				t.Errorf("the log holds the client's secret")
			}
		})
	}
}

// TestCodeOnce: an answer works once, a code works once, and only in the browser that asked.
func TestCodeOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	callback := g.stopAt("/go/here", g.URL("/accounts/oidc/here/callback/"))
	if stranger := g.Another().Visit(callback); stranger.Body != "no attempt" {
		t.Errorf("in a browser without a cookie: %s", stranger.Body)
	}
	other := g.Another()
	other.Visit("/go/here")
	if other.Visit(callback); other.Body != "no attempt" {
		t.Errorf("in a browser with another cookie: %s", other.Body)
	}
	if g.Visit(callback); !strings.HasPrefix(g.Body, "in as ") {
		t.Fatalf("in the browser that asked, after others have tried: %s\n%s", g.Body, g.log)
	}
	if g.Visit(callback); g.Body != "no attempt" {
		t.Errorf("the second time: %s", g.Body)
	}

	// A code that was used is refused by the provider, whatever the state is.
	used := mustURL(t, callback).Query().Get("code")
	fresh := mustURL(t, g.stopAt("/go/here", g.URL("/accounts/oidc/here/callback/")))
	q := fresh.Query()
	q.Set("code", used)
	fresh.RawQuery = q.Encode()
	if g.Visit(fresh.String()); g.Body != "refused" {
		t.Errorf("a code that was used: %s", g.Body)
	}
	// With a provider that takes codes again, and any verifier, the nonce still holds.
	g.provider.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{ReusableCodes: true, NoPKCE: true} })
	again := mustURL(t, g.stopAt("/go/here", g.URL("/accounts/oidc/here/callback/")))
	q.Set("state", again.Query().Get("state"))
	again.RawQuery = q.Encode()
	if g.Visit(again.String()); g.Body != "refused" {
		t.Errorf("a code that was used, at a careless provider: %s", g.Body)
	}
	g.in()
}

// TestPKCE: the verifier belongs to the attempt: a code that was stolen works in no other one, though state and browser are right.
func TestPKCE(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.provider.Set(func(p *oidctest.Provider) { p.Faults.Claims = nil })
	prefix := g.URL("/accounts/oidc/here/callback/")
	stolen := mustURL(t, g.stopAt("/go/here", prefix)).Query().Get("code")
	swap := func() {
		mine := mustURL(t, g.stopAt("/go/here", prefix))
		q := mine.Query()
		q.Set("code", stolen)
		mine.RawQuery = q.Encode()
		g.Visit(mine.String())
	}
	if swap(); g.Body != "refused" || !strings.Contains(g.log.String(), "does not take the code") {
		t.Errorf("a stolen code: %s\n%s", g.Body, g.log)
	}
	q := mustURL(t, g.stopAt("/go/here", g.provider.Issuer+"/authorize")).Query()
	if len(q.Get("code_challenge")) != 43 || q.Get("code_challenge_method") != "S256" {
		t.Errorf("the challenge is %q by %q", q.Get("code_challenge"), q.Get("code_challenge_method"))
	}
	g.in()
}

// TestTwoTabs: attempts side by side in one browser do not meet, in whichever order they end.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	prefix := g.URL("/accounts/oidc/here/callback/")
	first, second := g.stopAt("/go/here?next=/one", prefix), g.stopAt("/go/here?next=/two", prefix)
	if g.Visit(second); !strings.HasSuffix(g.Body, `next "/two"`) {
		t.Errorf("the second tab: %s", g.Body)
	}
	if g.Visit(first); !strings.HasSuffix(g.Body, `next "/one"`) {
		t.Errorf("the first tab: %s", g.Body)
	}
}

// TestAttemptTime: an attempt is open for ten minutes.
func TestAttemptTime(t *testing.T) {
	t.Parallel()
	clock := &testClock{}
	g := newRig(t, func(cfg *oidcauth.Config) { cfg.Now = clock.now })
	g.provider.Set(func(p *oidctest.Provider) { p.Now = func() time.Time { return time.Now() } })
	prefix := g.URL("/accounts/oidc/here/callback/")
	late := g.stopAt("/go/here", prefix)
	intime := g.stopAt("/go/here", prefix)
	clock.pass(-9*time.Minute - 30*time.Second)
	clock.pass(9*time.Minute + 30*time.Second)
	if g.Visit(intime); !strings.HasPrefix(g.Body, "in as ") {
		t.Errorf("in time: %s\n%s", g.Body, g.log)
	}
	clock.pass(10*time.Minute + time.Second)
	if g.Visit(late); g.Body != "no attempt" {
		t.Errorf("after ten minutes: %s", g.Body)
	}
}

// TestMixUp is M14 and the mix-up of RFC 9700, section 4.4: what was begun at one provider ends at no other.
func TestMixUp(t *testing.T) {
	t.Parallel()
	other := oidctest.New(t)
	g := newRigWith(t, nil, other)
	here, there := g.URL("/accounts/oidc/here/callback/"), g.URL("/accounts/oidc/there/callback/")
	answer := mustURL(t, g.stopAt("/go/here", here))

	// The answer of one provider at the other one's address.
	if g.Visit(there + "?" + answer.RawQuery); g.Body != "no attempt" {
		t.Errorf("the answer of one provider for the other one: %s", g.Body)
	}
	if calls := other.Calls("/token"); calls != 0 {
		t.Errorf("the other provider was given the code, %d times", calls)
	}
	// The state of one attempt with the code of another provider: the answer names who gives it.
	foreign := mustURL(t, g.stopAt("/go/there", there)).Query()
	mixed := answer.Query()
	mixed.Set("code", foreign.Get("code"))
	mixed.Set("iss", foreign.Get("iss"))
	if g.Visit(here + "?" + mixed.Encode()); g.Body != "refused" || g.provider.Calls("/token") != 0 {
		t.Errorf("a code of the other provider: %s, after %d calls", g.Body, g.provider.Calls("/token"))
	}
	g.in()
	if g.Visit("/go/there"); !strings.HasPrefix(g.Body, "in as ") {
		t.Errorf("at the other provider: %s", g.Body)
	}
	if g.Visit("/go/nowhere"); g.Body != "no provider" {
		t.Errorf("at a provider that there is not: %s", g.Body)
	}
}

// TestAmbiguousAnswers: an answer that can be read in two ways is none.
func TestAmbiguousAnswers(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	prefix := g.URL("/accounts/oidc/here/callback/")
	for _, more := range []string{"&code=x", "&state=x", "&iss=x", "&error=a&error=b", "&x=%zz", "&error=" + strings.Repeat("e", 9<<10)} {
		callback := g.stopAt("/go/here", prefix)
		if g.Visit(callback + more); g.Body != "no attempt" {
			t.Errorf("with %.20s: %s", more, g.Body)
		}
		if g.Visit(callback); !strings.HasPrefix(g.Body, "in as ") { // nothing was used up
			t.Errorf("without %.20s: %s", more, g.Body)
		}
	}
	for _, query := range []string{"", "?state=", "?code=x", "?error=access_denied"} {
		if g.Visit("/accounts/oidc/here/callback/" + query); g.Body != "no attempt" {
			t.Errorf("%q: %s", query, g.Body)
		}
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
