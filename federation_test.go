package cardea_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// A federatedSite is an account site with two places where people have accounts: "here", whose newcomers get an account, and
// "there", whose do not.
type federatedSite struct {
	*accountSite
	here, there *oidctest.Provider
	clock       *movableClock
}

type movableClock struct{ ahead time.Duration }

func (c *movableClock) now() time.Time { return time.Now().Add(c.ahead) }

type federatedOptions struct {
	policies func(s *federatedSite) []userdb.IdentityPolicy // defaults to Create for here
	config   func(cfg *cardea.Config)
	provider func(cfg *oidcauth.Config) // of here
}

func newFederatedSite(t *testing.T, o federatedOptions) *federatedSite {
	t.Helper()
	s := &federatedSite{here: oidctest.New(t), there: oidctest.New(t), clock: &movableClock{}}
	s.there.User = oidctest.User{Subject: "there-1", Name: "june", Email: "june@example.org", EmailVerified: true}
	for _, p := range []*oidctest.Provider{s.here, s.there} {
		p.Now = s.clock.now
	}
	here := oidcauth.Config{Name: "here", Title: "Here", Issuer: s.here.Issuer, ClientID: "site", ClientSecret: "secret of the site", Groups: "groups", EndSession: true, BackChannel: true}
	there := oidcauth.Config{Name: "there", Title: "There", Issuer: s.there.Issuer, ClientID: "site", ClientSecret: "secret of the site"}
	if o.provider != nil {
		o.provider(&here)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	var providers []*oidcauth.Provider
	for _, cfg := range []oidcauth.Config{here, there} {
		cfg.Now, cfg.Logger = s.clock.now, logger
		p, err := oidcauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		providers = append(providers, p)
	}
	db := cardeatest.DB(t)
	flow, err := oidcauth.NewFlow(db.Once(), providers, oidcauth.FlowConfig{Now: s.clock.now, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	s.accountSite = newAccountSiteOn(t, db, func(cfg *cardea.Config) {
		cfg.Federation, cfg.Logger, cfg.Now = flow, logger, s.clock.now
		cfg.AuthenticationBackends = []string{userdb.ModelBackend, "oidc"}
		cfg.BackendKinds = map[string]func(string) (auth.Backend, error){
			cardea.KindOIDC: func(name string) (auth.Backend, error) { return oidcauth.NewBackend(name, providers...), nil },
		}
		cfg.Identities = []userdb.IdentityPolicy{{Issuer: s.here.Issuer, Create: true}}
		if o.policies != nil {
			cfg.Identities = o.policies(s)
		}
		if o.config != nil {
			o.config(cfg)
		}
	})
	s.here.Register("site", "secret of the site", s.URL("/accounts/oidc/here/callback/"))
	s.there.Register("site", "secret of the site", s.URL("/accounts/oidc/there/callback/"))
	return s
}

// with presses a provider's button on the login page.
func with(b *cardeatest.Browser, title string) *cardeatest.Browser {
	return b.Visit("/accounts/login/?next=/").Press("Log in with " + title)
}

// linkHere links the account of a user who is logged in.
func linkHere(b *cardeatest.Browser) *cardeatest.Browser {
	return b.Visit("/accounts/linked/").Press("Link Here").AtPath("/accounts/linked/")
}

func (s *federatedSite) user(name string) *userdb.User {
	s.t.Helper()
	u, err := s.db.Users().ByName(context.Background(), name)
	if err != nil {
		s.t.Fatalf("the user %s: %v", name, err)
	}
	return u
}

// told ends the test unless the last mail to ada has that subject.
func (s *federatedSite) told(subject string) {
	s.t.Helper()
	got := s.mail.Messages("ada@example.com")
	if len(got) == 0 || !strings.Contains(got[len(got)-1].Subject, subject) {
		s.t.Errorf("the owner is not told %q: %v", subject, got)
	}
}

// TestFederatedLogin: the button leads to the provider and back, the first time to a new account without a password, and every time
// to the same one and to the page that was asked for.
func TestFederatedLogin(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	s.Visit("/").AtPath("/accounts/login/").Press("Log in with Here").AtPath("/").Sees("Hello, jane")
	jane := s.user("jane")
	if jane.Email != "jane@example.com" || jane.Password == "" || jane.Password[0] != '!' {
		t.Errorf("the new account has the address %q and the password %q", jane.Email, jane.Password)
	}
	s.Visit("/accounts/profile/").HasStatus(200)
	s.Visit("/accounts/sessions/").Sees("Logged in at another place")
	kept := -1
	if err := s.db.Pool().QueryRow("SELECT COUNT(*) FROM cardea_once").Scan(&kept); err != nil || kept != 0 {
		t.Errorf("after the login %d attempts are kept (%v)", kept, err)
	}
	s.Press("Log out").Sees("Log in")
	s.here.Set(func(p *oidctest.Provider) { p.User.Name, p.User.Email = "other", "other@example.com" })
	with(s.Browser, "Here").AtPath("/").Sees("Hello, jane")

	// Where nobody gets an account, the page says how to come by one, and whoever is known is not told from who is not.
	b := s.Another()
	with(b, "There").HasStatus(403).Sees("There did not log you in here").Sees("link the two")
	b.Visit("/accounts/profile/").AtPath("/accounts/login/")
}

// TestFederatedButton: a link from elsewhere logs nobody in: it shows a button; and nobody's form presses it.
func TestFederatedButton(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	s.Visit("/accounts/oidc/here/login/?next=/").HasStatus(200).Sees("You go to Here")
	if s.here.Calls("/authorize") != 0 {
		t.Error("looking at the page begins a login")
	}
	evil := s.Another()
	req, err := http.NewRequest(http.MethodPost, evil.URL("/accounts/oidc/here/login/"), strings.NewReader("next=/"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://evil.example")
	evil.Do(req).HasStatus(403)
	s.Press("Go to Here").AtPath("/").Sees("Hello, jane")
	s.Another().Visit("/accounts/oidc/nowhere/login/").HasStatus(404)
	s.Another().Visit("/accounts/oidc/nowhere/callback/?state=x").HasStatus(404)
	s.Another().Visit("/accounts/oidc/here/callback/").HasStatus(400).Sees("not open any more")
}

// TestFederatedCancelled: who comes back without logging in reads so, and can begin again where they were.
func TestFederatedCancelled(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	s.here.Set(func(p *oidctest.Provider) { p.User.Refuses = true })
	with(s.Browser, "Here").HasStatus(200).Sees("You did not log in with Here")
	if !strings.Contains(s.Body, "/accounts/login/?next=%2f") {
		t.Errorf("the way on has lost where the person wanted to go:\n%s", s.Body)
	}
	s.here.Set(func(p *oidctest.Provider) { p.User.Refuses = false })
	with(s.Browser, "Here").AtPath("/").Sees("Hello, jane")
}

// TestLinkedAccounts: a user links an account, logs in by it, and unlinks it; the owner is told each time.
func TestLinkedAccounts(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	b := logInAs(s.Browser, "ada", "correct horse")
	b.Visit("/accounts/profile/").Sees("Linked accounts")
	b.Visit("/accounts/linked/").Sees("There is none yet").Press("Link There").AtPath("/accounts/linked/").
		Sees("Your account at There is linked").Sees("june@example.org").SeesNot("Link There")
	s.deliver(1)
	s.told("was linked with There")
	other := s.Another()
	with(other, "There").AtPath("/").Sees("Hello, ada")
	with(s.Another(), "Here").AtPath("/").Sees("Hello, jane") // who is somebody else

	b.Visit("/accounts/linked/").Press("Unlink").AtPath("/accounts/linked/").Sees("not linked any more").SeesNot("june@example.org")
	s.deliver(1)
	s.told("not linked with There any more")
	with(s.Another(), "There").HasStatus(403)
}

// TestLinkedByTheSite: an account in a directory, which nobody could link again, is shown and not theirs to unlink.
func TestLinkedByTheSite(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{policies: func(s *federatedSite) []userdb.IdentityPolicy {
		return []userdb.IdentityPolicy{{Issuer: s.here.Issuer, Create: true}, {Issuer: "ldap", MatchUsername: true}}
	}})
	ada := s.user("ada").AuthID()
	for _, issuer := range []string{"ldap", s.there.Issuer} {
		if err := s.db.LinkIdentity(t.Context(), ada, &auth.Identity{Issuer: issuer, Subject: "ada-1"}); err != nil {
			t.Fatal(err)
		}
	}
	b := logInAs(s.Browser, "ada", "correct horse")
	for _, id := range linkedOf(t, s, ada) {
		b.Visit("/accounts/linked/").Sees("look after it")
		body := postForm(t, b, "/accounts/linked/", url.Values{"id": {id.ID}}).body
		if refused := strings.Contains(body, "look after that account"); refused != (id.Issuer == "ldap") {
			t.Errorf("unlinking the account of %s: refused is %v\n%s", id.Issuer, refused, body)
		}
	}
	if left := linkedOf(t, s, ada); len(left) != 1 || left[0].Issuer != "ldap" {
		t.Errorf("what is left: %+v", left)
	}
}

func linkedOf(t *testing.T, s *federatedSite, user string) []account.Identity {
	t.Helper()
	list, err := s.Accounts.Identities(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestLastWayIn: somebody without a password keeps the last account that logs them in.
func TestLastWayIn(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	b := with(s.Browser, "Here").Sees("Hello, jane")
	b.Visit("/accounts/linked/").Press("Unlink").Sees("could not log in any more")
	with(s.Another(), "Here").Sees("Hello, jane")
	b.Visit("/accounts/linked/").Press("Link There").AtPath("/accounts/linked/").Sees("june@example.org")
	b.Visit("/accounts/linked/").Press("Unlink").Sees("not linked any more") // the last of the two forms: There
	with(s.Another(), "There").HasStatus(403)
	b.Visit("/accounts/linked/").Press("Unlink").Sees("could not log in any more")
}

// TestFederatedFresh: whoever is asked to prove it again is sent to the provider to log in anew, and an old login there does not do.
func TestFederatedFresh(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	s.here.Set(func(p *oidctest.Provider) { p.User.LoggedIn = s.clock.now().Add(-3 * time.Hour) })
	b := with(s.Browser, "Here").Sees("Hello, jane")
	b.Visit("/accounts/linked/").AtPath("/accounts/login/").Sees("fresh login").Press("Log in with Here").AtPath("/accounts/linked/")

	s.clock.ahead += time.Hour
	s.here.Set(func(p *oidctest.Provider) {
		p.Faults.Claims = map[string]any{"auth_time": s.clock.now().Add(-2 * time.Hour).Unix()}
	})
	b.Visit("/accounts/linked/").AtPath("/accounts/login/").Press("Log in with Here").HasStatus(403)
	b.Visit("/accounts/linked/").AtPath("/accounts/login/")
	s.here.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
	b.Press("Log in with Here").AtPath("/accounts/linked/")

	s.clock.ahead += time.Hour
	b.Press("Unlink").HasStatus(403).Sees("Please enter your password again").Press("Log in with Here").AtPath("/accounts/linked/")
}

// TestProviderDown: a provider that is down stops its own button, with a page that says so, and nothing else.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/.well-known", "/token", "/keys"} {
		s := newFederatedSite(t, federatedOptions{})
		s.here.Set(func(p *oidctest.Provider) { p.Faults.Down = []string{path} })
		b := s.Another()
		with(b, "Here").HasStatus(503).Sees("Here does not answer right now")
		if b.Header.Get("Retry-After") == "" {
			t.Errorf("%s down: no Retry-After", path)
		}
		b.Visit("/").AtPath("/accounts/login/")
		logInAs(s.Another(), "ada", "correct horse").Visit("/").Sees("Hello, ada")
		linked := logInAs(s.Another(), "ada", "correct horse")
		linked.Visit("/accounts/linked/").Press("Link There").Sees("june@example.org")
		with(s.Another(), "There").Sees("Hello, ada")
		s.here.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
		s.clock.ahead += 10 * time.Second
		with(b, "Here").AtPath("/").Sees("Hello, jane")
	}
}

// TestBackChannel: the provider ends the logins that were made by it, and no others.
func TestBackChannel(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	s.here.Set(func(p *oidctest.Provider) { p.User.SID = "one" })
	logInAs(s.Browser, "ada", "correct horse")
	linkHere(s.Browser)
	first, second := s.Another(), s.Another()
	with(first, "Here").Sees("Hello, ada")
	s.here.Set(func(p *oidctest.Provider) { p.User.SID = "two" })
	with(second, "Here").Sees("Hello, ada")
	send := func(over map[string]any, status int) {
		t.Helper()
		token, err := s.here.LogoutToken("site", over)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{status, 400} { // the second time it is used
			resp, err := http.PostForm(s.URL("/accounts/oidc/here/backchannel/"), url.Values{"logout_token": {token}})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want || resp.Header.Get("Set-Cookie") != "" {
				t.Errorf("a logout token (%v) is answered %d, want %d; cookie %q", over, resp.StatusCode, want, resp.Header.Get("Set-Cookie"))
			}
		}
	}
	state := func(want ...bool) {
		t.Helper()
		for i, b := range []*cardeatest.Browser{s.Browser, first, second} {
			if in := b.Visit("/").Status == 200 && strings.Contains(b.Body, "Hello, ada"); in != want[i] {
				t.Errorf("session %d: logged in %v, want %v", i, in, want[i])
			}
		}
	}
	send(map[string]any{"sid": "one", "sub": nil}, 200)
	state(true, false, true)
	send(map[string]any{"aud": "another"}, 400)
	state(true, false, true)
	with(first, "Here").Sees("Hello, ada")
	send(map[string]any{"sid": nil}, 200)
	state(true, false, false) // the login by password stays
	send(map[string]any{"sid": nil, "sub": "nobody"}, 200)
	state(true, false, false)
}

// TestLeave: who logs out here is logged out at the provider too, and comes back to the login page.
func TestLeave(t *testing.T) {
	t.Parallel()
	s := newFederatedSite(t, federatedOptions{})
	with(s.Browser, "Here").Sees("Hello, jane")
	s.Visit("/accounts/profile/").Press("Log out").AtPath("/accounts/login/")
	if s.here.Calls("/logout") != 1 {
		t.Errorf("the provider was asked %d times to log out", s.here.Calls("/logout"))
	}
	s.Visit("/").AtPath("/accounts/login/")
	logInAs(s.Browser, "ada", "correct horse")
	s.Visit("/accounts/profile/").Press("Log out").AtPath("/accounts/logout/")
	if s.here.Calls("/logout") != 1 {
		t.Error("a login by password ends at the provider")
	}
}
