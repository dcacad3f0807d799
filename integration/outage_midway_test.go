package integration_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestOutageMidway: the database goes away in the middle of a login, after each of the messages that the login sends to it in turn.
// Whoever logs in is told in time that it did not work, or that it did; and then it has.
func TestOutageMidway(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		for _, fault := range []struct {
			name  string
			begin func(p *harness.Proxy, messages int)
		}{
			{"reset", (*harness.Proxy).ResetAfter},
			{"hang", (*harness.Proxy).HangAfter},
		} {
			t.Run(fault.name, func(t *testing.T) {
				t.Parallel()
				db := testdb.New(t, db.Kind) // its own: the logins of one address are limited
				harness.Migrated(t, db, "ada")
				proxy, address := harness.ProxyTo(t, db.URL)
				site := harness.Serve{DB: address, Env: []string{harness.CheapHashing}}.Start(t)
				stride := 1
				if testing.Short() && fault.name == "hang" { // which takes seconds each
					stride = 3
				}
				steps, entered, slowest := 0, 0, time.Duration(0)
				for ; ; steps += stride {
					if steps > 100 {
						t.Fatal("a login sends more than 100 messages to the database")
					}
					v := visit(t, site)
					form := v.loginForm(harness.Password)
					form.Set("remember_shown", "1") // the box on the page, not ticked: the session ends with the browser
					v.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
					v.send("GET", profilePath, nil) // a connection is there, as it is on a site in use
					fault.begin(proxy, steps)
					r := v.send("POST", loginPath, form)
					struck := proxy.Struck()
					proxy.Pass()
					if steps > 0 && !struck {
						break
					}
					if r.err != nil || r.took >= bound || strings.Contains(r.body, wrong) {
						t.Errorf("after %d messages: status %d after %v, error %v\n%s", steps, r.status, r.took, r.err, r.body)
					}
					switch r.status {
					case http.StatusServiceUnavailable:
					case http.StatusSeeOther:
						entered++
						harness.Eventually(t, "the profile page comes back", recovery, func() bool {
							r := v.send("GET", profilePath, nil)
							if r.status == http.StatusFound {
								t.Fatalf("after %d messages: told to be logged in, and then to log in", steps)
							}
							return r.status == http.StatusOK
						})
					default:
						t.Errorf("after %d messages: status %d: want 503, or 303\n%s", steps, r.status, r.body)
					}
					slowest = max(slowest, r.took)
					harness.Eventually(t, "a login works again", recovery, func() bool {
						v := visit(t, site)
						r := v.send("POST", loginPath, v.loginForm(harness.Password))
						return r.status == http.StatusOK && r.path == profilePath
					})
				}
				if steps < 5 {
					t.Errorf("a login came through whole after %d messages: the fault does not strike in between", steps)
				}
				t.Logf("struck up to message %d; %d logins had gone through by then; the slowest answer took %v", steps, entered, slowest.Round(time.Millisecond))
			})
		}
	}, "postgres", "mysql")
}
