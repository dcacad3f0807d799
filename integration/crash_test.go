package integration_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// people is how many log in before each crash: over all crashes not as many as the limit of one address.
const people = 24

// TestCrash: the process is killed in the middle of log-ins, several times. Whoever was told to be logged in still is after a restart,
// and everybody can log in again.
func TestCrash(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		const crashes = 3
		names := []string{"ada"}
		for i := range crashes * people { // each their own: a log-in that is cut off counts as a try
			names = append(names, fmt.Sprintf("person%d", i))
		}
		harness.Migrated(t, db, names...)
		names = names[1:]
		serve := harness.Serve{DB: db.URL, Env: []string{harness.CheapHashing}}
		site := serve.Start(t)
		first := visit(t, site).login()
		serve.Addr = mustURL(t, site.URL).Host
		finished, broken := 0, 0
		for i := range crashes {
			loggedIn, cut := crashDuringLogins(t, site, names[i*people:(i+1)*people])
			site = serve.Start(t)
			for _, v := range append(loggedIn, first) {
				v.Visit(profilePath).AtPath(profilePath).HasStatus(200)
			}
			first.Sees("ada")
			visit(t, site).login()
			finished, broken = finished+len(loggedIn), broken+cut
		}
		t.Logf("%d log-ins had finished before a crash, %d were cut off by one", finished, broken)
		if finished == 0 || broken == 0 {
			t.Errorf("%d log-ins had finished and %d were cut off: the crashes come too early or too late", finished, broken)
		}
		site.Stop(t)
	})
}

// crashDuringLogins kills the server in the middle of many log-ins, and returns who had been told to be logged in, and how many had
// not been told anything.
func crashDuringLogins(t *testing.T, site *harness.Server, names []string) (loggedIn []visitor, cut int) {
	t.Helper()
	const (
		enough = 6 // log-ins that finish before the crash
		lanes  = 8
	)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		queue = make(chan func(), len(names))
		crash = make(chan struct{})
	)
	for _, name := range names {
		v := visit(t, site)
		form := v.loginForm(harness.Password)
		form.Set("username", name)
		v.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		queue <- func() {
			select {
			case <-crash:
				return
			default:
			}
			r := v.send("POST", loginPath, form)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.err != nil:
				cut++
			case r.status == http.StatusSeeOther:
				v.Client().CheckRedirect = nil
				if loggedIn = append(loggedIn, v); len(loggedIn) == enough {
					close(crash)
				}
			default:
				t.Errorf("a login: status %d\n%s", r.status, r.body)
			}
		}
	}
	close(queue)
	for range lanes {
		wg.Go(func() {
			for login := range queue {
				login()
			}
		})
	}
	<-crash
	site.Kill(t)
	wg.Wait()
	return loggedIn, cut
}

func mustURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
