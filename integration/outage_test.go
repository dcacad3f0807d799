package integration_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

const (
	// bound is how long a person waits at most while the database is away.
	bound = 5 * time.Second
	// crowd is more people than the program has connections to its database.
	crowd = 40
	// recovery is how soon after the database is back the site has to be.
	recovery = 20 * time.Second
)

const (
	loginPath   = "/accounts/login/"
	logoutPath  = "/accounts/logout/"
	profilePath = "/accounts/profile/"
	wrong       = "do not match" // what the login page says of a wrong password
)

// A visitor is a browser at a site whose database breaks.
type visitor struct{ *cardeatest.Browser }

func visit(t *testing.T, s *harness.Server) visitor {
	t.Helper()
	b := cardeatest.Open(t, s.URL)
	b.Client().Timeout = harness.Patience
	return visitor{b}
}

// login logs ada in.
func (v visitor) login() visitor {
	v.Visit(loginPath).Fill("username", "ada").Fill("password", harness.Password).Submit().AtPath(profilePath).HasStatus(200)
	return v
}

// A reply is what one request came to.
type reply struct {
	status int
	path   string // after redirects
	body   string
	header http.Header
	took   time.Duration
	err    error
}

// send sends a request with the visitor's cookies, and follows redirects as a browser does.
func (v visitor) send(method, path string, form url.Values) reply {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, v.URL(path), body)
	if err != nil {
		return reply{err: err}
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", strings.TrimSuffix(v.URL("/"), "/"))
	}
	began := time.Now()
	res, err := v.Client().Do(req)
	if err != nil {
		return reply{err: err, took: time.Since(began)}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Request.URL.Path, string(text), res.Header, time.Since(began), err}
}

// loginForm opens the login page and returns its form filled in, ready to be sent later.
func (v visitor) loginForm(password string) url.Values {
	v.Visit(loginPath).HasStatus(200)
	return url.Values{"csrfmiddlewaretoken": {v.csrfToken()}, "username": {"ada"}, "password": {password}}
}

// csrfToken is the token of the form on the visitor's page.
func (v visitor) csrfToken() string {
	_, rest, _ := strings.Cut(v.Body, `name="csrfmiddlewaretoken" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

// An attempt is a request that is made while the database is away.
type attempt struct {
	name string
	send func() reply
	ends bool // it may delete the session's cookie
}

// unavailable makes all attempts at once, and fails the test unless each is told, in time, that the site cannot answer.
func unavailable(t *testing.T, when string, attempts []attempt) {
	t.Helper()
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		slowest time.Duration
	)
	for _, a := range attempts {
		wg.Go(func() {
			r := a.send()
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, r.took)
			if r.err != nil || r.status != http.StatusServiceUnavailable {
				t.Errorf("%s: %s: status %d at %s, error %v: want 503\n%s", when, a.name, r.status, r.path, r.err, r.body)
			}
			if r.took >= bound {
				t.Errorf("%s: %s: answered after %v, want less than %v", when, a.name, r.took, bound)
			}
			if strings.Contains(r.body, wrong) {
				t.Errorf("%s: %s: an outage is called a wrong password:\n%s", when, a.name, r.body)
			}
			if set := r.header["Set-Cookie"]; len(set) > 0 && !a.ends {
				t.Errorf("%s: %s: an outage sets cookies: %q", when, a.name, set)
			}
		})
	}
	wg.Wait()
	t.Logf("%s: %d answered, the last after %v", when, len(attempts), slowest.Round(time.Millisecond))
}

// crowded is an attempt by many people who come one after the other, so that some wait for a connection that others give up.
func crowded(a attempt) []attempt {
	all := make([]attempt, crowd)
	for i := range all {
		all[i] = attempt{name: a.name, send: func() reply {
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			return a.send()
		}}
	}
	return all
}

// TestOutage: the database of the real binary is away, and comes back. Whoever asks meanwhile is told so within five seconds, and
// never that they are logged out or that their password is wrong; afterwards everything goes on with the cookie from before.
func TestOutage(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		proxy, address := harness.ProxyTo(t, db.URL)
		harness.Migrated(t, db, "ada")
		site := harness.Serve{DB: address, Env: []string{harness.CheapHashing}}.Start(t)
		ada := visit(t, site).login()
		control(t, site, ada)
		for _, fault := range []struct {
			name  string
			begin func()
		}{
			{"reset", proxy.Reset},
			{"hang", proxy.Hang},
		} {
			t.Run(fault.name, func(t *testing.T) {
				right, mistaken, leaving := visit(t, site), visit(t, site), visit(t, site).login()
				good, bad := right.loginForm(harness.Password), mistaken.loginForm("wrong horse battery")
				attempts := []attempt{
					{"the profile page", func() reply { return ada.send("GET", profilePath, nil) }, false},
					{"a login", func() reply { return right.send("POST", loginPath, good) }, false},
					{"a login with a wrong password", func() reply { return mistaken.send("POST", loginPath, bad) }, false},
					{"/healthz", func() reply { return ada.send("GET", "/healthz", nil) }, false},
				}
				exit := leaving.loginForm("")
				fault.begin()
				unavailable(t, "at first", append(slices.Clone(attempts),
					attempt{"a logout", func() reply { return leaving.send("POST", logoutPath, exit) }, true}))
				unavailable(t, "in a crowd", crowded(attempts[0]))
				unavailable(t, "later", attempts)
				proxy.Pass()
				took := harness.Eventually(t, "the profile page comes back", recovery, func() bool {
					r := ada.send("GET", profilePath, nil)
					if r.status == http.StatusOK && r.path != profilePath {
						t.Fatalf("after the outage the visitor is at %s: logged out", r.path)
					}
					return r.status == http.StatusOK
				})
				t.Logf("the profile page is back after %v", took.Round(time.Millisecond))
				took = harness.Eventually(t, "a login works again", recovery, func() bool {
					r := right.send("POST", loginPath, good)
					return r.status == http.StatusOK && r.path == profilePath
				})
				t.Logf("a login works after another %v", took.Round(time.Millisecond))
				control(t, site, ada)
			})
		}
		if !site.Running() {
			t.Error("the program has ended")
		}
	}, "postgres", "mysql")
}

// control fails the test unless the site does what it does with its database: the person is logged in, others are not, and a
// password is right or wrong.
func control(t *testing.T, site *harness.Server, ada visitor) {
	t.Helper()
	ada.Visit(profilePath).AtPath(profilePath).HasStatus(200).Sees("ada")
	ada.Visit("/healthz").HasStatus(200)
	visit(t, site).Visit(profilePath).AtPath(loginPath).HasStatus(200)
	visit(t, site).login()
	visit(t, site).Visit(loginPath).Fill("username", "ada").Fill("password", "wrong horse battery").Submit().AtPath(loginPath).Sees(wrong)
}
