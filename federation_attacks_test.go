package cardea_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/userdb"
)

// stopAt presses a button and follows the login up to an address on the way, which is returned and not asked for.
func stopAt(t *testing.T, b *cardeatest.Browser, press func(), prefix string) string {
	t.Helper()
	at := ""
	client := b.Client()
	before := client.CheckRedirect
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), prefix) {
			at = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { client.CheckRedirect = before }()
	if press(); at == "" {
		t.Fatalf("the login did not come by %s", prefix)
	}
	return at
}

// TestM14OneProviderForAnother: what was begun at one provider is not finished by another one's answer, at either address.
func TestM14OneProviderForAnother(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{policies: func(s *federatedSite) []userdb.IdentityPolicy {
		return []userdb.IdentityPolicy{{Issuer: s.here.Issuer, Create: true}, {Issuer: s.there.Issuer, Create: true}}
	}})
	here, there := s.URL("/accounts/oidc/here/callback/"), s.URL("/accounts/oidc/there/callback/")
	answer := stopAt(t, s.Browser, func() { with(s.Browser, "Here") }, here)
	s.Visit(strings.Replace(answer, "/oidc/here/", "/oidc/there/", 1)).HasStatus(400).Sees("not open any more")
	other := stopAt(t, s.Browser, func() { with(s.Browser, "There") }, there)
	mixed, foreign := mustParse(t, answer), mustParse(t, other).Query()
	q := mixed.Query()
	q.Set("code", foreign.Get("code"))
	q.Set("iss", foreign.Get("iss"))
	s.Visit(here + "?" + q.Encode()).HasStatus(403)
	s.Visit("/").AtPath("/accounts/login/")
	s.Visit(other).AtPath("/").Sees("Hello, june") // control: its own answer, at its own address
}

// TestM17LinkedToTheWrongOwner: an account elsewhere is linked by its owner, in one browser, to the user who is logged in there, freshly.
func TestM17LinkedToTheWrongOwner(t *testing.T) {
	t.Parallel()
	here := func(s *federatedSite) string { return s.URL("/accounts/oidc/here/callback/") }
	link := func(b *cardeatest.Browser) func() {
		return func() { b.Visit("/accounts/linked/").Press("Link Here") }
	}
	linked := func(t *testing.T, s *federatedSite, name string, want int) {
		t.Helper()
		if got, err := s.db.Identities(context.Background(), s.user(name).AuthID()); err != nil || len(got) != want {
			t.Errorf("%s has %d linked accounts (%v), want %d", name, len(got), err, want)
		}
	}
	t.Run("the answer of the attacker's account in the victim's browser", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		cardeatest.User(t, s.db, "eve", "wicked horse")
		eve, ada := s.Another(), s.Browser
		logInAs(eve, "eve", "wicked horse")
		answer := stopAt(t, eve, link(eve), here(s))
		logInAs(ada, "ada", "correct horse")
		ada.Visit(answer).HasStatus(400)
		link(ada)() // also while an attempt of ada's own is open
		ada.Visit(answer).HasStatus(400)
		linked(t, s, "eve", 0)
		linked(t, s, "ada", 1) // her own
	})
	t.Run("a login of the attacker's in the victim's browser", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		eve := s.Another()
		answer := stopAt(t, eve, func() { with(eve, "Here") }, here(s))
		s.Visit(answer).HasStatus(400)
		s.Visit("/").AtPath("/accounts/login/")
		eve.Visit(answer).AtPath("/").Sees("Hello, jane")
	})
	t.Run("somebody else is logged in by now", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		cardeatest.User(t, s.db, "bob", "other horse")
		logInAs(s.Browser, "ada", "correct horse")
		answer := stopAt(t, s.Browser, link(s.Browser), here(s))
		logInAs(s.Browser, "bob", "other horse")
		s.Visit(answer).HasStatus(400)
		linked(t, s, "ada", 0)
		linked(t, s, "bob", 0)
		s.Visit("/accounts/profile/").Press("Log out")
		linkHere(logInAs(s.Browser, "ada", "correct horse"))
		linked(t, s, "ada", 1)
	})
	t.Run("nobody is logged in by now", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		logInAs(s.Browser, "ada", "correct horse")
		answer := stopAt(t, s.Browser, link(s.Browser), here(s))
		s.Visit("/accounts/profile/").Press("Log out")
		s.Visit(answer).HasStatus(400)
		linked(t, s, "ada", 0)
		if n, err := s.db.CountUsers(context.Background()); n != 1 || err != nil {
			t.Errorf("linking made a user: there are %d (%v)", n, err)
		}
	})
	t.Run("an old login", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		logInAs(s.Browser, "ada", "correct horse")
		s.Visit("/accounts/linked/").HasStatus(200)
		s.clock.ahead += 11 * time.Minute
		s.Press("Link Here").AtPath("/accounts/login/")
		linked(t, s, "ada", 0)
		s.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/accounts/linked/").Press("Link Here").AtPath("/accounts/linked/")
		linked(t, s, "ada", 1)
		s.clock.ahead += 11 * time.Minute
		s.Press("Unlink").HasStatus(403).Sees("Please enter your password again")
		linked(t, s, "ada", 1)
	})
	t.Run("without a form of the site", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		logInAs(s.Browser, "ada", "correct horse")
		s.Visit("/accounts/oidc/here/link/").HasStatus(405)
		req, err := http.NewRequest(http.MethodPost, s.URL("/accounts/oidc/here/link/"), strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://evil.example")
		s.Do(req).HasStatus(403)
		if s.here.Calls("/authorize") != 0 {
			t.Error("a form of another site begins to link")
		}
	})
	t.Run("an account that is somebody's", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		with(s.Another(), "Here").Sees("Hello, jane")
		logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/linked/").Press("Link Here").HasStatus(409).Sees("linked with another one here")
		linked(t, s, "ada", 0)
		linked(t, s, "jane", 1)
	})
	t.Run("another user's linked account", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		cardeatest.User(t, s.db, "bob", "other horse")
		bob := s.Another()
		linkHere(logInAs(bob, "bob", "other horse"))
		ids, err := s.db.Identities(context.Background(), s.user("bob").AuthID())
		if err != nil || len(ids) != 1 {
			t.Fatalf("%v, %v", ids, err)
		}
		s.there.Set(func(p *oidctest.Provider) { p.User.Email = "" })
		logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/linked/").Press("Link There")
		s.Visit("/accounts/linked/").Fill("id", ids[0].ID).Submit().Sees("not linked any more")
		linked(t, s, "bob", 1)
		linked(t, s, "ada", 1)
	})
}

// TestM20M22FederatedTries: a login elsewhere, good or bad, neither clears the count of an address nor hides behind a header.
func TestM20M22FederatedTries(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{config: func(cfg *cardea.Config) { cfg.InsecureHTTP = true }})
	limited := 0
	for i := range 130 {
		req, err := http.NewRequest(http.MethodGet, s.URL("/accounts/login/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		guess := s.Another()
		guess.Do(req)
		if i%10 == 0 {
			with(guess, "Here") // the attacker's own account
		}
		name := "user" + strings.Repeat("x", i) // a new account each time
		guess.Visit("/accounts/login/").Fill("username", name).Fill("password", "guess").Submit()
		if guess.Status == http.StatusTooManyRequests {
			limited = i
			break
		}
	}
	if limited == 0 {
		t.Fatal("130 guesses with good logins between them were all looked at")
	}
	// The limit holds for logins by the provider too, whatever a stranger's header says.
	answer := stopAt(t, s.Browser, func() { with(s.Browser, "Here") }, s.URL("/accounts/oidc/here/callback/"))
	req, err := http.NewRequest(http.MethodGet, answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "192.0.2.77")
	s.Do(req).HasStatus(http.StatusTooManyRequests)
	s.clock.ahead += 15 * time.Minute
	with(s.Browser, "Here").AtPath("/").Sees("Hello, jane")
}

// TestM31MutableNames: whoever gets the name or the address of somebody at the provider does not get the account here.
func TestM31MutableNames(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	with(s.Another(), "Here").Sees("Hello, jane")
	s.here.Set(func(p *oidctest.Provider) { p.User.Subject = "another" }) // with the same name and address
	b := with(s.Another(), "Here").AtPath("/").Sees("Hello, jane-2")
	b.Visit("/accounts/profile/").SeesNot("jane@example.com")
	for _, subject := range []string{"Another", "another ", "ANOTHER"} { // other spellings are others
		s.here.Set(func(p *oidctest.Provider) { p.User.Subject = subject })
		with(s.Another(), "Here").AtPath("/").SeesNot("jane-2")
	}
	s.here.Set(func(p *oidctest.Provider) {
		p.User = oidctest.User{Subject: "another", Name: "ada", Email: "ada@example.com", EmailVerified: true}
	})
	with(s.Another(), "Here").AtPath("/").Sees("Hello, jane-2")
}

// TestM33FederatedNext: wherever a login elsewhere is to lead, and whatever the provider sends back, nobody is sent away from the site.
func TestM33FederatedNext(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(vectors.Dir(t), "safe_redirect.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		In struct {
			URL *string `json:"url"`
		} `json:"in"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	s := newFederatedSite(t, federatedOptions{})
	callback := s.URL("/accounts/oidc/here/callback/")
	base := strings.TrimSuffix(s.URL("/"), "/")
	end := func(next string) string {
		t.Helper()
		answer := stopAt(t, s.Browser, func() {
			s.Visit("/accounts/oidc/here/login/").Fill("next", next).Press("Go to Here")
		}, callback)
		// The parameters of the answer are not ours: a next among them counts for nothing.
		req, err := http.NewRequest(http.MethodGet, answer+"&next=https://evil.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		for _, c := range s.Client().Jar.Cookies(req.URL) {
			req.AddCookie(c)
		}
		resp, err := http.DefaultTransport.RoundTrip(req) // which does not judge the Location
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Header.Get("Location")
	}
	if got := end("/wanted/?page=2"); got != "/wanted/?page=2" {
		t.Fatalf("control: a login leads to %q", got)
	}
	seen := 0
	for i, c := range cases {
		if c.In.URL == nil || i%7 != 0 && !strings.HasPrefix(*c.In.URL, "/") { // the others are tried at the plain login
			continue
		}
		seen++
		s.clock.ahead += time.Minute
		if location := end(*c.In.URL); leadsAway(t, base, location) {
			t.Errorf("with next=%q: Location %q", *c.In.URL, location)
		}
	}
	if seen < 30 {
		t.Errorf("only %d URLs were tried", seen)
	}
}

// TestM37FederatedPreHijacking: the five attacks of whoever makes an account before its owner comes, as far as logins elsewhere go. In
// each the account carries the victim's address, and the victim ends up alone in an account that is nobody else's.
func TestM37FederatedPreHijacking(t *testing.T) {
	t.Parallel()
	// The attacker has an account with the victim's address, whose password and sessions the attacker has: somebody made it in the
	// administration, where nothing asks whose the address is.
	victims := func(s *federatedSite) {
		s.here.Set(func(p *oidctest.Provider) {
			p.User = oidctest.User{Subject: "victim", Name: "vic", Email: "ada@example.com", EmailVerified: true}
		})
	}
	apart := func(t *testing.T, s *federatedSite, attacker, victim *cardeatest.Browser) {
		t.Helper()
		victim.Visit("/").AtPath("/").Sees("Hello, vic")
		attacker.Visit("/").AtPath("/").Sees("Hello, ada")
		logInAs(s.Another(), "vic", "correct horse").Sees("do not match")
	}
	t.Run("classic-federated merge", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		logInAs(s.Browser, "ada", "correct horse")
		victims(s)
		victim := with(s.Another(), "Here")
		apart(t, s, s.Browser, victim)
		if vic := s.user("vic"); vic.Email != "" {
			t.Errorf("two users have the address %q", vic.Email)
		}
	})
	t.Run("unexpired session", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{policies: func(s *federatedSite) []userdb.IdentityPolicy {
			return []userdb.IdentityPolicy{{Issuer: s.here.Issuer, MatchUsername: true, Create: true}} // the issuer owns the names
		}})
		logInAs(s.Browser, "ada", "correct horse").Visit("/").Sees("Hello, ada")
		s.here.Set(func(p *oidctest.Provider) {
			p.User = oidctest.User{Subject: "victim", Name: "ada", Email: "ada@example.com", EmailVerified: true}
		})
		with(s.Another(), "Here").AtPath("/").Sees("Hello, ada") // who adopts the account
		s.Visit("/").AtPath("/accounts/login/")
		logInAs(s.Another(), "ada", "correct horse").Sees("do not match")
	})
	t.Run("trojan identifier", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{policies: func(s *federatedSite) []userdb.IdentityPolicy {
			return []userdb.IdentityPolicy{{Issuer: s.here.Issuer, Create: true}}
		}})
		linkHere(logInAs(s.Browser, "ada", "correct horse")) // the attacker's own account at the provider
		victims(s)
		victim := with(s.Another(), "Here")
		apart(t, s, s.Browser, victim)
	})
	t.Run("trojan identifier, recovered by mail", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		attacker := s.Another()
		linkHere(logInAs(s.Browser, "ada", "correct horse"))
		s.deliver(1)
		s.told("was linked with Here")
		with(attacker, "Here").Sees("Hello, ada") // control
		const owners = "purple stapler meadow"
		victim := s.Another()
		victim.Visit(s.askReset("ada@example.com")).Fill("new_password1", owners).Fill("new_password2", owners).Submit().
			AtPath("/accounts/reset/done/").Sees("they log in to it no more")
		attacker.Visit("/").AtPath("/accounts/login/")
		with(attacker, "Here").AtPath("/").SeesNot("ada") // but in an account of its own
		logInAs(victim, "ada", owners).Visit("/").Sees("Hello, ada")
		s.deliver(1)
		if got := s.mail.Messages("ada@example.com"); !strings.Contains(got[len(got)-1].Text, "log in to it no more") {
			t.Errorf("the owner is told %q", got[len(got)-1].Text)
		}
	})
	t.Run("unexpired change of address", func(t *testing.T) {
		t.Parallel()
		s := newFederatedSite(t, federatedOptions{})
		victims(s)
		s.here.Set(func(p *oidctest.Provider) { p.User.Email = "vic@example.com" })
		victim := with(s.Another(), "Here").Sees("Hello, vic")
		logInAs(s.Browser, "ada", "correct horse")
		token := tokenOf(t, s.askEmail(s.Browser, "correct horse", "attacker@example.com"))
		victim.Visit("/accounts/email/" + token + "/").Sees("This link does not work") // a link of one account does nothing to another
		if vic := s.user("vic"); vic.Email != "vic@example.com" {
			t.Errorf("the victim's address is %q", vic.Email)
		}
	})
	t.Run("provider that does not verify", func(t *testing.T) {
		t.Parallel()
		for _, verified := range []any{false, nil, "no"} {
			s := newFederatedSite(t, federatedOptions{policies: func(s *federatedSite) []userdb.IdentityPolicy {
				return []userdb.IdentityPolicy{{Issuer: s.here.Issuer, Create: true, MatchVerifiedEmail: true, LocalEmailsVerified: true}}
			}})
			s.here.Set(func(p *oidctest.Provider) {
				p.User = oidctest.User{Subject: "attacker", Name: "eve", Email: "ada@example.com", EmailVerified: verified}
			})
			eve := with(s.Another(), "Here").AtPath("/").Sees("Hello, eve")
			eve.Visit("/accounts/profile/").SeesNot("ada@example.com")
			s.here.Set(func(p *oidctest.Provider) { // control: whose address the provider has verified
				p.User = oidctest.User{Subject: "ada's own", Name: "a", Email: "ada@example.com", EmailVerified: true}
			})
			with(s.Another(), "Here").AtPath("/").Sees("Hello, ada")
		}
	})
}

// TestM38EveryWayIn: what keeps somebody out keeps them out by every way in: the table of rules and ways.
func TestM38EveryWayIn(t *testing.T) {
	t.Parallel()
	ways := map[string]func(s *federatedSite, b *cardeatest.Browser){
		"by password": func(_ *federatedSite, b *cardeatest.Browser) { logInAs(b, "ada", "correct horse") },
		"elsewhere":   func(_ *federatedSite, b *cardeatest.Browser) { with(b, "Here") },
	}
	rules := map[string]struct {
		config func(cfg *cardea.Config, on *bool)
		on     func(t *testing.T, s *federatedSite)
	}{
		"inactive": {on: func(t *testing.T, s *federatedSite) {
			if _, err := s.db.Pool().Exec("UPDATE auth_user SET is_active = false WHERE username = 'ada'"); err != nil {
				t.Fatal(err)
			}
		}},
		"a policy that refuses": {config: func(cfg *cardea.Config, on *bool) {
			cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error {
				if *on {
					return auth.ErrDenied
				}
				return nil
			}
		}},
		"a policy that wants more": {config: func(cfg *cardea.Config, on *bool) {
			cfg.Policy = func(_ *http.Request, _ auth.User, proofs []auth.Proof) error {
				if *on {
					return &auth.Incomplete{Need: []string{"otp"}, URL: "/second/"}
				}
				return nil
			}
		}},
		"a policy that is broken": {config: func(cfg *cardea.Config, on *bool) {
			cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error {
				if *on {
					return errors.New("the policy is down")
				}
				return nil
			}
		}},
		"a deleted account": {on: func(t *testing.T, s *federatedSite) {
			if err := s.db.Users().Delete(context.Background(), s.ada, s.db.Sessions(nil, userdb.SessionsConfig{})); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for rule, r := range rules {
		for way, try := range ways {
			t.Run(rule+", "+way, func(t *testing.T) {
				t.Parallel()
				on := false
				s := newFederatedSite(t, federatedOptions{
					policies: func(*federatedSite) []userdb.IdentityPolicy { return nil },
					config: func(cfg *cardea.Config) {
						if r.config != nil {
							r.config(cfg, &on)
						}
					},
				})
				linkHere(logInAs(s.Browser, "ada", "correct horse"))
				control := s.Another()
				if try(s, control); control.Visit("/").Status != 200 || !strings.Contains(control.Body, "Hello, ada") {
					t.Fatalf("control: without the rule nobody is logged in:\n%s", control.Body)
				}
				on = true
				if r.on != nil {
					r.on(t, s)
				}
				b := s.Another()
				try(s, b)
				if b.Visit("/"); strings.Contains(b.Body, "Hello") {
					t.Errorf("somebody is logged in:\n%s", b.Body)
				}
				if control.Visit("/"); strings.Contains(control.Body, "Hello") {
					t.Errorf("the session from before goes on:\n%s", control.Body)
				}
			})
		}
	}
}

// TestFederatedEqualAnswers: somebody unknown, somebody who may not log in, and a forged answer are told the same.
func TestFederatedEqualAnswers(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{policies: func(*federatedSite) []userdb.IdentityPolicy { return nil }})
	linkHere(logInAs(s.Browser, "ada", "correct horse"))
	bodies := map[string]string{}
	try := func(name string) {
		b := with(s.Another(), "Here").HasStatus(403)
		bodies[name] = b.Body
	}
	if _, err := s.db.Pool().Exec("UPDATE auth_user SET is_active = false WHERE username = 'ada'"); err != nil {
		t.Fatal(err)
	}
	try("inactive")
	s.here.Set(func(p *oidctest.Provider) { p.User.Subject = "nobody" })
	try("unknown")
	s.here.Set(func(p *oidctest.Provider) { p.Faults.WrongKey = true })
	try("forged")
	for name, body := range bodies {
		if body != bodies["unknown"] {
			t.Errorf("%s reads\n%s\nand unknown\n%s", name, body, bodies["unknown"])
		}
	}
}

// TestFederatedBackEndRemoved: the session remembers which back end let somebody in, and is nobody's when that is taken away.
func TestFederatedBackEndRemoved(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	with(s.Browser, "Here").AtPath("/").Sees("Hello, jane")
	ada := logInAs(s.Another(), "ada", "correct horse")
	var backend string
	cfg := cardeatest.Config()
	cfg.Now = s.clock.now
	site, err := cardea.New(s.db, cfg) // with passwords only
	if err != nil {
		t.Fatal(err)
	}
	next := site.Handler(site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		backend = site.Auth.Proofs(r)[0].Backend
	})))
	without := cardeatest.NewBrowser(t, next)
	carry(t, ada, without)
	if without.Visit("/x"); without.Status != 200 || backend != userdb.ModelBackend {
		t.Errorf("control: a session by password: status %d, back end %q", without.Status, backend)
	}
	carry(t, s.Browser, without)
	req, err := http.NewRequest(http.MethodGet, without.URL("/x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	without.Do(req).HasStatus(401)
}

// carry gives one browser the cookies of another.
func carry(t *testing.T, from, to *cardeatest.Browser) {
	t.Helper()
	to.Client().Jar.SetCookies(mustParse(t, to.URL("/")), from.Client().Jar.Cookies(mustParse(t, from.URL("/"))))
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
