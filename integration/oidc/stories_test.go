package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestStory: somebody from elsewhere gets an account and the groups that she has there; a local user links an account, logs in by it,
// and loses that when it is unlinked.
func TestStory(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		s := serve(t, db)
		s.work.Set(func(p *oidctest.Provider) { p.User.Groups = []string{"editors", "admins"} })
		jane := with(cardeatest.Open(t, s.server.URL), "Work").AtPath(profile).Sees("jane@example.com")
		u, err := s.db.Users().ByName(t.Context(), "jane")
		if err != nil || !u.IsStaff || u.IsSuperuser {
			t.Errorf("jane is %+v (%v), want staff", u, err)
		}
		s.work.Set(func(p *oidctest.Provider) { p.User.Groups = []string{"editors"} })
		with(jane, "Work").AtPath(profile)
		if u, err = s.db.Users().ByName(t.Context(), "jane"); err != nil || u.IsStaff {
			t.Errorf("jane is %+v (%v), want no staff any more", u, err)
		}

		ada := logIn(jane.Another(), "ada").AtPath(profile)
		with(jane.Another(), "Club").HasStatus(403).Sees("Club did not log you in here")
		ada.Visit("/accounts/linked/").Press("Link Club").AtPath("/accounts/linked/").Sees("countess@example.org")
		with(jane.Another(), "Club").AtPath(profile).Sees("ada")
		ada.Visit("/accounts/linked/").Press("Unlink").Sees("not linked any more")
		with(jane.Another(), "Club").HasStatus(403)
		s.server.Stop(t)
	})
}

// TestFaults: at the binary too, whatever a provider does wrong lets nobody in, and the same flow without the fault does.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := serve(t, testdb.New(t, "sqlite"))
	claim := func(name string, value any) oidctest.Faults {
		return oidctest.Faults{Claims: map[string]any{name: value}}
	}
	for _, tt := range []struct {
		name   string
		faults oidctest.Faults
		status int
	}{
		{"nonce", claim("nonce", "x"), 403},
		{"issuer", claim("iss", "https://evil.example"), 403},
		{"audience", claim("aud", "x"), 403},
		{"expired", claim("exp", 1), 403},
		{"from the future", claim("iat", 1<<40), 403},
		{"at_hash", claim("at_hash", "x"), 403},
		{"key", oidctest.Faults{WrongKey: true}, 403},
		{"alg none", oidctest.Faults{None: true}, 403},
		{"HS256 by the public key", oidctest.Faults{HMAC: true}, 403},
		{"HS256 by the secret", oidctest.Faults{HMACSecret: true}, 403},
		{"iss of the answer", oidctest.Faults{Iss: "https://evil.example"}, 403},
		{"no iss", oidctest.Faults{Iss: "-"}, 403},
		{"state", oidctest.Faults{State: "x"}, 400},
		{"down", oidctest.Faults{Down: []string{"/token"}}, 503},
		{"huge", oidctest.Faults{Huge: []string{"/token"}}, 503},
	} {
		b := cardeatest.Open(t, s.server.URL)
		s.work.Set(func(p *oidctest.Provider) { p.Faults = tt.faults })
		if with(b, "Work"); b.Status != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, b.Status, tt.status)
		}
		b.Visit(profile).AtPath("/accounts/login/")
		s.work.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
		with(b, "Work").AtPath(profile)
	}
	if log := s.server.Output(); strings.Contains(log, secret) {
		t.Error("the log holds the client's secret")
	}
	s.server.Stop(t)
}

// TestTwoProcesses: a login begun at one process ends at the other, and of many answers at once, at both, one logs in; a provider's
// logout ends sessions wherever they were begun, once.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		s := serve(t, db)
		other := s.start()
		callback := s.server.URL + "/accounts/oidc/work/callback/"
		for range 3 {
			b := cardeatest.Open(t, s.server.URL)
			answer := stopAt(t, b, func() { with(b, "Work") }, callback)
			var in atomic.Int32
			var wg sync.WaitGroup
			for i := range 8 {
				at := answer
				if i%2 == 1 { // the redirect address that the provider is told stands in the attempt
					at = strings.Replace(answer, s.server.URL, other.URL, 1)
				}
				wg.Go(func() {
					status, location, err := ask(b, at)
					switch {
					case err != nil:
						t.Error(err)
					case status == http.StatusSeeOther && strings.HasSuffix(location, profile):
						in.Add(1)
					case status != http.StatusBadRequest:
						t.Errorf("status %d to %q", status, location)
					}
				})
			}
			wg.Wait()
			if in.Load() != 1 {
				t.Errorf("%d of 8 uses of one answer logged in, want 1", in.Load())
			}
		}

		s.work.Set(func(p *oidctest.Provider) { p.User.SID = "s" })
		first, second := with(cardeatest.Open(t, s.server.URL), "Work").AtPath(profile), with(cardeatest.Open(t, other.URL), "Work").AtPath(profile)
		token, err := s.work.LogoutToken("site", nil)
		if err != nil {
			t.Fatal(err)
		}
		var done atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				resp, err := http.PostForm([]string{s.server.URL, other.URL}[i%2]+"/accounts/oidc/work/backchannel/", url.Values{"logout_token": {token}})
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					done.Add(1)
				} else if resp.StatusCode != http.StatusBadRequest {
					t.Errorf("a logout token is answered %d", resp.StatusCode)
				}
			})
		}
		wg.Wait()
		if done.Load() != 1 {
			t.Errorf("one logout token counted %d times", done.Load())
		}
		first.Visit(profile).AtPath("/accounts/login/")
		second.Visit(profile).AtPath("/accounts/login/")
		other.Stop(t)
		s.server.Stop(t)
	})
}

// TestProviderAway: a provider that is down when the site starts, or later, stops its own button; a restart between leaving and coming
// back does no harm; and a back end that is taken away takes its sessions with it.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	s := serve(t, testdb.New(t, "sqlite"))
	s.work.Set(func(p *oidctest.Provider) { p.Faults.Down = []string{"/"} })
	s.server.Stop(t)
	s.server = s.start()
	b := cardeatest.Open(t, s.server.URL)
	with(b, "Work").HasStatus(503).Sees("Work does not answer right now")
	b.Visit("/healthz").HasStatus(200)
	ada := logIn(b.Another(), "ada").AtPath(profile)
	ada.Visit("/accounts/linked/").Press("Link Club").Sees("countess@example.org")
	with(b.Another(), "Club").AtPath(profile).Sees("ada")
	s.work.Set(func(p *oidctest.Provider) { p.Faults = oidctest.Faults{} })
	harness.Eventually(t, "the provider is asked again", harness.Patience, func() bool {
		time.Sleep(300 * time.Millisecond) // the attempts of one place are counted
		return with(b, "Work").Status == http.StatusOK
	})

	// Another process, at another address, is the site after a restart.
	callback := s.server.URL + "/accounts/oidc/work/callback/"
	late := b.Another()
	answer := stopAt(t, late, func() { with(late, "Work") }, callback)
	before := s.server.URL
	s.server.Stop(t)
	s.server = s.start()
	status, location, err := ask(late, strings.Replace(answer, before, s.server.URL, 1))
	if err != nil || status != http.StatusSeeOther || !strings.HasSuffix(location, profile) {
		t.Errorf("after a restart: status %d to %q (%v)", status, location, err)
	}

	here := cardeatest.Open(t, s.server.URL)
	jane, kept := with(here, "Work").AtPath(profile), logIn(here.Another(), "ada").AtPath(profile)
	byClub := with(here.Another(), "Club").AtPath(profile)
	s.server.Stop(t)
	s.configure(`"database", "oidc.club"`)
	s.server = s.start()
	for name, want := range map[string]struct {
		b  *cardeatest.Browser
		in bool
	}{"by work": {jane, false}, "by password": {kept, true}, "by club": {byClub, true}} {
		status, location, err := ask(want.b, s.server.URL+profile)
		if err != nil || (status == http.StatusOK) != want.in {
			t.Errorf("%s, without the back end oidc.work: status %d to %q (%v), want logged in %v", name, status, location, err, want.in)
		}
	}
	s.server.Stop(t)
}
