package browser_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/integration/harness"
)

// A federation is a site with two places where people have accounts, which are other sites in the eyes of a browser: Work, whose people
// get an account here, and Club, which answers by a form, and whose people do not.
type federation struct {
	*server
	work, club *oidctest.Provider
}

func serveFederation(t *testing.T) *federation {
	t.Helper()
	f := &federation{work: oidctest.New(t), club: oidctest.New(t)}
	f.club.User = oidctest.User{Subject: "club-1", Name: "countess", Email: "countess@example.org", EmailVerified: true}
	for _, p := range []*oidctest.Provider{f.work, f.club} {
		p.Issuer = strings.Replace(p.Issuer, "127.0.0.1", "localhost", 1)
	}
	file := filepath.Join(t.TempDir(), "site.toml")
	text := fmt.Sprintf(`authentication_backends = ["database", "oidc"]
[[oidc]]
name = "work"
title = "Work"
issuer = %q
client_id = "site"
create = true
end_session = true
backchannel_logout = true
[[oidc]]
name = "club"
title = "Club"
issuer = %q
client_id = "site"
client_secret = "not told"
form_post = true
`, f.work.Issuer, f.club.Issuer)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.server = serve(t, harness.CheapHashing, "CARDEA_CONFIG="+file, "CARDEA_OIDC_WORK_CLIENT_SECRET=not told either")
	makeUser(t, f.dir, "sqlite:cardea.db", harness.CheapHashing)
	f.work.Register("site", "not told either", f.url+"/accounts/oidc/work/callback/")
	f.club.Register("site", "not told", f.url+"/accounts/oidc/club/callback/")
	return f
}

// open opens a tab whose person may go to the two places.
func (f *federation) open(t *testing.T) *tab {
	t.Helper()
	b := open(t, f.url)
	for _, p := range []*oidctest.Provider{f.work, f.club} {
		u, err := url.Parse(p.Issuer)
		b.must("address", err)
		b.seen.allow(u.Host)
	}
	return b
}

// comes presses a button that leads elsewhere, and returns the status of the page at which the person comes back.
func (b *tab) comes(button, path string) int {
	b.t.Helper()
	b.press(button)
	b.until("back at "+path, func() bool {
		return eval[bool](b, fmt.Sprintf("location.origin + location.pathname === %q && document.readyState === 'complete'", strings.TrimSuffix(b.base.String(), "/")+path))
	})
	return eval[int](b, `performance.getEntriesByType("navigation")[0].responseStatus`)
}

// federationPages leads a person to every page that has to do with accounts elsewhere, and to the states of each.
func federationPages(t *testing.T, in *inspector) {
	f := serveFederation(t)
	b := f.open(t)
	see := func(page string, want, status int) {
		t.Helper()
		in.inspect(b, page, want, status)
	}
	work := func(change func(p *oidctest.Provider)) { f.work.Set(change) }

	see("login, with buttons", 200, b.visit("/accounts/login/?next=/accounts/profile/"))
	see("a link to a provider", 200, b.visit("/accounts/oidc/work/login/?next=/accounts/profile/"))
	see("linking by a link", 405, b.visit("/accounts/oidc/work/link/"))
	see("back-channel logout by a link", 405, b.visit("/accounts/oidc/work/backchannel/"))
	see("back without having left", 400, b.visit("/accounts/oidc/work/callback/"))

	work(func(p *oidctest.Provider) { p.User.Refuses = true })
	b.visit("/accounts/login/")
	see("cancelled there", 200, b.comes("Log in with Work", "/accounts/oidc/work/callback/"))
	work(func(p *oidctest.Provider) { p.User.Refuses, p.Faults.Down = false, []string{"/token"} })
	b.visit("/accounts/login/")
	see("the provider is down", 503, b.comes("Log in with Work", "/accounts/oidc/work/callback/"))
	work(func(p *oidctest.Provider) {
		p.Faults = oidctest.Faults{Empty: []string{"/authorize"}}
	})
	b.visit("/accounts/login/")
	see("on the way", 200, b.press("Log in with Work"))
	b.sees("Going to Work", "If nothing happens")
	work(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
	b.visit("/accounts/login/?next=/accounts/profile/")
	see("profile, of somebody from elsewhere", 200, b.comes("Log in with Work", "/accounts/profile/"))
	b.sees("jane")
	see("linked, one", 200, b.visit("/accounts/linked/"))
	see("linked, the last way in", 200, b.press("Unlink"))
	b.sees("could not log in any more")
	b.visit("/accounts/profile/")
	b.comes("Log out", "/accounts/login/")
	b.until("the provider has heard", func() bool { return f.work.Calls("/logout") == 1 })

	b.visit("/accounts/login/")
	see("nobody's account", 403, b.comes("Log in with Club", "/accounts/oidc/club/callback/"))
	b.visit("/accounts/login/")
	b.logInAs(name, secret)
	see("linked, none", 200, b.visit("/accounts/linked/"))
	see("somebody else's account", 409, b.comes("Link Work", "/accounts/oidc/work/callback/"))
	b.visit("/accounts/linked/")
	see("linked, with a notice", 200, b.comes("Link Club", "/accounts/linked/"))
	b.sees("Your account at Club is linked", "countess@example.org")
	b.visit("/accounts/profile/")
	b.press("Log out")
	b.visit("/accounts/login/?next=/accounts/profile/")
	b.comes("Log in with Club", "/accounts/profile/") // by a form from another site, to which the browser adds no cookie
	b.sees(name)
	b.visit("/accounts/linked/")
	see("linked, unlinked", 200, b.press("Unlink"))
	b.sees("not linked any more")
	f.Stop(t)
}

// TestFederationWithoutScripts: the buttons, the way there and back, and linking work where the person has switched scripts off.
func TestFederationWithoutScripts(t *testing.T) {
	t.Parallel()
	f := serveFederation(t)
	b := f.open(t)
	b.scripts(false)
	b.visit("/accounts/login/?next=/accounts/profile/")
	b.comes("Log in with Work", "/accounts/profile/")
	b.sees("jane")
	if got, _, _ := strings.Cut(b.path(), "?"); got != "/accounts/profile/" {
		t.Errorf("at %s", got)
	}
	b.comes("Log out", "/accounts/login/")
	b.visit("/accounts/login/")
	b.logInAs(name, secret)
	b.visit("/accounts/linked/")
	work := f.work.User
	f.work.Set(func(p *oidctest.Provider) { p.User.Subject, p.User.Email = "another", "another@example.com" })
	b.comes("Link Work", "/accounts/linked/")
	b.sees("Your account at Work is linked", "another@example.com")
	f.work.Set(func(p *oidctest.Provider) { p.User = work })
	f.Stop(t)
}
