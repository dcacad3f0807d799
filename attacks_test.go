package cardea_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
)

// TestSessionFixation: a session that somebody planted in a person's browser is not the one that she logs in to.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(cfg *cardea.Config) { cfg.Profile = profile })

			attacker := g.person()
			attacker.get("/cart")
			name, planted := attacker.name("sessionid"), attacker.cookie("sessionid")
			if len(planted) != 32 {
				t.Fatalf("the planted key is %q", planted)
			}
			for what, key := range map[string]string{"the attacker's": planted, "a made up": "attackerchosethis0123456789abcdef"} {
				victim := g.person()
				victim.cookies[name] = key
				if a := victim.logIn("ada", "correct horse"); !a.redirects() {
					t.Fatalf("log-in: status %d", a.status)
				}
				if got := victim.cookie("sessionid"); got == key || len(got) != 32 {
					t.Errorf("%s key %q became %q at the log-in", what, key, got)
				}
				if !victim.isIn() {
					t.Error("control: the victim is not logged in under her new key")
				}
				attacker.cookies[name] = key
				if attacker.isIn() {
					t.Errorf("who planted %s key is logged in", what)
				}
			}

			again := g.person()
			again.logIn("ada", "correct horse")
			stolen := again.cookie("sessionid")
			again.logIn("ada", "correct horse")
			attacker.cookies[name] = stolen
			if attacker.isIn() {
				t.Error("a key stolen before the same person logged in again is still good")
			}
			if !again.isIn() {
				t.Error("control: after the second log-in nobody is logged in")
			}
		})
	}
}

// TestLoginCSRF: no other site logs a person in to the attacker's account.
func TestLoginCSRF(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	attacker := g.person()
	attacker.get("/accounts/login/")
	token := attacker.cookie("csrftoken")

	// Every case but the last is somebody else's form. header replaces what a browser would say.
	for _, tt := range []struct {
		name    string
		token   string // "own": of the victim's cookie
		cookie  bool   // the victim has been here
		header  map[string]string
		allowed bool
	}{
		{"no token, first visit", "", false, nil, false},
		{"no token", "", true, nil, false},
		{"the attacker's token", token, true, nil, false},
		{"the attacker's token, first visit", token, false, nil, false},
		{"another origin", "own", true, map[string]string{"Origin": "https://evil.example"}, false},
		{"an opaque origin", "own", true, map[string]string{"Origin": "null"}, false},
		{"an empty origin", "own", true, map[string]string{"Origin": ""}, false},
		{"another port", "own", true, map[string]string{"Origin": g.server.URL + "0"}, false},
		{"another scheme", "own", true, map[string]string{"Origin": strings.Replace(g.server.URL, "http:", "https:", 1)}, false},
		{"the browser says cross-site", "own", true, map[string]string{"Origin": "-", "Sec-Fetch-Site": "cross-site"}, false},
		{"control", "own", true, nil, true},
	} {
		victim := g.person()
		if tt.cookie {
			victim.get("/accounts/login/")
		}
		if tt.token == "own" {
			tt.token = victim.cookie("csrftoken")
		}
		form := url.Values{"username": {"ada"}, "password": {"correct horse"}, "csrfmiddlewaretoken": {tt.token}}
		req, err := http.NewRequest(http.MethodPost, g.server.URL+"/accounts/login/", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", g.server.URL)
		for name, value := range tt.header {
			if req.Header.Set(name, value); value == "-" {
				req.Header.Del(name)
			}
		}
		a := victim.do(req)
		if got := a.status != http.StatusForbidden; got != tt.allowed {
			t.Errorf("%s: status %d", tt.name, a.status)
		}
		if got := victim.isIn(); got != tt.allowed {
			t.Errorf("%s: logged in: %v", tt.name, got)
		}
	}
}

// TestReplayedLogout: the cookie of a session that was logged out is worth nothing, whoever kept it.
func TestReplayedLogout(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	ada := g.person()
	ada.logIn("ada", "correct horse")
	name, kept := ada.name("sessionid"), ada.cookie("sessionid")
	thief := g.person()
	thief.cookies[name] = kept
	if !thief.isIn() {
		t.Fatal("control: the cookie is not good before the log-out")
	}
	if a := ada.post("/accounts/logout/", url.Values{}); a.status != http.StatusOK || ada.cookie("sessionid") != "" {
		t.Fatalf("log-out: status %d, cookie %q", a.status, ada.cookie("sessionid"))
	}
	thief.cookies[name] = kept
	if thief.isIn() {
		t.Error("the cookie of a session that was logged out is still good")
	}
	thief.cookies[name] = kept
	if thief.get("/cart"); thief.cookie("sessionid") == kept {
		t.Error("a write has revived the session under its old key")
	}
	if thief.isIn() {
		t.Error("a write to the dead session has logged somebody in")
	}
}

// TestFlippedByte: a cookie with one wrong bit, wherever it is, is worth nothing.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(cfg *cardea.Config) { cfg.Profile = profile })
			ada := g.person()
			ada.logIn("ada", "correct horse")
			ada.get("/note")
			token := ada.cookie("csrftoken")
			accepted := map[string]func(p *person) bool{
				"sessionid": (*person).isIn,
				"csrftoken": func(p *person) bool {
					return p.post("/form", url.Values{"text": {"x"}, "csrfmiddlewaretoken": {token}}).status == http.StatusOK
				},
				"messages": func(p *person) bool { return p.get("/notes").body != "" },
			}
			for base, accept := range accepted {
				name, value := ada.name(base), ada.cookie(base)
				if len(value) < 32 {
					t.Fatalf("cookie %s is %q", base, value)
				}
				try := func(value string) bool {
					p := g.person()
					for n, v := range ada.cookies {
						p.cookies[n] = v
					}
					p.cookies[name] = value
					return accept(p)
				}
				if !try(value) {
					t.Fatalf("control: cookie %s as it is was not accepted", base)
				}
				for i := range value {
					flipped := []byte(value)
					flipped[i] ^= 1
					if try(string(flipped)) {
						t.Errorf("cookie %s with byte %d flipped was accepted: %q", base, i, flipped)
					}
				}
			}
		})
	}
}
