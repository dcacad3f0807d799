package cardea_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
)

// TestM24M38LimitsOnEveryPath: the form and HTTP Basic count the tries of an account together, and bad tokens are counted by address;
// none of them is a way around the limit of another.
func TestM24M38LimitsOnEveryPath(t *testing.T) {
	t.Parallel()
	form := func(g *tokenRig, plain string) int {
		p := g.person()
		a := p.post("/accounts/login/", map[string][]string{"username": {"ada"}, "password": {plain}})
		if strings.Contains(a.body, "Too many tries") { // the form says so itself
			return http.StatusTooManyRequests
		}
		return a.status
	}
	basic := func(g *tokenRig, plain string) int {
		return g.program(basicHeader("ada", plain)).call("GET", "/api").status
	}
	for name, used := range map[string]func(*tokenRig, string) int{"the form": form, "Basic": basic} {
		t.Run("guesses by "+name, func(t *testing.T) {
			t.Parallel()
			g := newTokenRig(t, nil)
			_, secret := g.token("all")
			if f, b := form(g, "correct horse"), basic(g, "correct horse"); f != 303 || b != 299 {
				t.Fatalf("control: the form %d, Basic %d", f, b)
			}
			for i := range 20 {
				if got := used(g, "wrong"); got == http.StatusTooManyRequests {
					if i < 5 {
						t.Fatalf("only %d tries", i)
					}
					break
				} else if i == 19 {
					t.Fatal("no end of tries")
				}
			}
			if f, b := form(g, "correct horse"), basic(g, "correct horse"); f != 429 || b != 429 {
				t.Errorf("with the right password: the form %d, Basic %d, want 429 of both", f, b)
			}
			g.want("a token of the account, which nobody guesses", g.program("Bearer "+secret).call("GET", "/api"), 299)
			g.clock.step(time.Hour)
			if f, b := form(g, "correct horse"), basic(g, "correct horse"); f != 303 || b != 299 {
				t.Errorf("an hour later: the form %d, Basic %d", f, b)
			}
		})
	}
	t.Run("guesses at tokens", func(t *testing.T) {
		t.Parallel()
		g := newTokenRig(t, func(cfg *cardea.Config) { cfg.InsecureHTTP = true })
		_, secret := g.token("all")
		bad := g.program("Bearer cardea_" + strings.Repeat("A", 36))
		// M22: what the request says about its address does not count, for no proxy is trusted.
		forwarded := 0
		last := 0
		for i := range 150 {
			bad.header.Set("X-Forwarded-For", "192.0.2."+string(rune('0'+i%10)))
			a := bad.call("GET", "/api")
			if last = a.status; last == 429 {
				if a.header.Get("Retry-After") == "" {
					t.Error("429 without Retry-After")
				}
				break
			}
			// M20: good requests in between forgive nothing.
			g.want("a good one in between", g.program("Bearer "+secret).call("GET", "/api"), 299)
			forwarded = i
		}
		if last != 429 || forwarded < 50 {
			t.Errorf("after %d bad tokens the answer is %d", forwarded, last)
		}
		g.want("a good token", g.program("Bearer "+secret).call("GET", "/api"), 299)
		// M23: others at the address, such as the person whose program goes on with an old token, can still log in.
		if f := form(g, "correct horse"); f != 303 {
			t.Errorf("a log-in at the same address: %d", f)
		}
		g.clock.step(time.Hour)
		g.want("an hour later", bad.call("GET", "/api"), 401)
	})
}

// TestBasic: a name and a password count for one request, and it is a request without a session that a browser could have made.
func TestBasic(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	p := g.program(basicHeader("ada", "correct horse"))
	a := p.call("GET", "/api")
	g.want("GET", a, 299)
	g.hasNoCookie("GET", a)
	if a.header.Get("Vary") != "Authorization" || a.header.Get("Cache-Control") != "no-store, private" {
		t.Errorf("Vary %q, Cache-Control %q", a.header["Vary"], a.header["Cache-Control"])
	}
	if a := p.get("/session"); a.body[:len("found false, set true, flush true, login true, logout true")] != "found false, set true, flush true, login true, logout true" {
		t.Errorf("got %s", a.body)
	}
	g.clock.step(time.Hour)
	p = g.program(basicHeader("ada", "correct horse"))
	g.want("POST without a CSRF token", p.call("POST", "/api"), 403)
	p.get("/page") // which hands out a CSRF cookie
	form := map[string][]string{"csrfmiddlewaretoken": {p.cookie("csrftoken")}}
	g.want("POST with one", p.send("POST", "/api", form), 299)
	g.want("fresh, for the password came with it", p.call("GET", "/fresh"), 299)
	g.want("the pages of accounts", p.call("GET", "/accounts/profile/"), 403)

	wrong := g.program(basicHeader("ada", "wrong"))
	a = wrong.call("GET", "/api")
	g.want("wrong", a, 401)
	if got := strings.Join(a.header["Www-Authenticate"], ", "); got != `Bearer, Basic realm="Cardea", charset="UTF-8"` {
		t.Errorf("WWW-Authenticate %q", got)
	}
	// No browser is made to ask with a window of its own.
	for name, value := range map[string]string{"Sec-Fetch-Mode": "cors", "X-Requested-With": "XMLHttpRequest"} {
		script := g.program()
		script.header.Set(name, value)
		a := script.call("GET", "/api")
		g.want(name, a, 401)
		if got := strings.Join(a.header["Www-Authenticate"], ", "); got != "Bearer" {
			t.Errorf("%s: WWW-Authenticate %q", name, got)
		}
	}
	if a := g.person().get("/api"); a.status != 302 || a.header["Www-Authenticate"] != nil {
		t.Errorf("a browser: status %d, WWW-Authenticate %q", a.status, a.header["Www-Authenticate"])
	}
}

// TestBasicOverPlainHTTP: where insecure_http lets plain HTTP in, a password with each request is still refused.
func TestBasicOverPlainHTTP(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, func(cfg *cardea.Config) {
		cfg.InsecureHTTP, cfg.AllowedHosts = true, []string{"example.com", "127.0.0.1"}
	})
	_, secret := g.token("all")
	ask := func(host, authorization string) answer {
		req, err := http.NewRequest("GET", g.server.URL+"/api", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		return g.program(authorization).do(req)
	}
	g.want("control: loopback", ask("127.0.0.1", basicHeader("ada", "correct horse")), 299)
	g.want("control: a token", ask("example.com", "Bearer "+secret), 299)
	a := ask("example.com", basicHeader("ada", "correct horse"))
	g.want("plain HTTP", a, 403)
	if !strings.Contains(a.body, "HTTPS") {
		t.Errorf("got %s", a.body)
	}
}

// TestTokenOutage: a database that is down is 503, whatever the token and the cookie.
func TestTokenOutage(t *testing.T) {
	t.Parallel()
	g := newTokenRig(t, nil)
	_, secret := g.token("all")
	p := g.program("Bearer " + secret)
	g.want("control", p.call("GET", "/api"), 299)
	if err := g.db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{"a token": "Bearer " + secret, "Basic": basicHeader("ada", "correct horse")} {
		a := g.program(line).call("GET", "/api")
		g.want(name, a, 503)
		if a.header.Get("Retry-After") == "" || a.header["Www-Authenticate"] != nil {
			t.Errorf("%s: %v", name, a.header)
		}
	}
}

// TestM07PolicyIsAskedOfTokens: what a policy asks of logins it asks of requests with credentials of their own.
func TestM07PolicyIsAskedOfTokens(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		g := newTokenRig(t, func(cfg *cardea.Config) {
			cfg.Policy = func(_ *http.Request, _ auth.User, proofs []auth.Proof) error {
				for _, p := range proofs {
					if strict && (p.Backend == "cardea.tokens") != p.At.IsZero() {
						t.Errorf("the proof %+v", p)
					}
				}
				if strict {
					return &auth.Incomplete{Need: []string{"otp"}, URL: "/otp"}
				}
				return nil
			}
		})
		_, secret := g.token("all")
		want := map[bool]int{false: 299, true: 401}[strict]
		g.want("a token", g.program("Bearer "+secret).call("GET", "/api"), want)
		g.want("Basic", g.program(basicHeader("ada", "correct horse")).call("GET", "/api"), want)
	}
}
