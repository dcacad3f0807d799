package integration_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// setupLink is what a server without a user prints.
var setupLink = regexp.MustCompile(`https?://[^/\s]+(/setup/[^/\s]+/)`)

// linkOf returns the path of the set-up link that a server has printed.
func linkOf(t *testing.T, s *harness.Server) string {
	t.Helper()
	var link []string
	harness.Eventually(t, "a set-up link", harness.Patience, func() bool {
		link = setupLink.FindStringSubmatch(s.Output())
		return link != nil
	})
	return link[1]
}

// setupForm opens the set-up link and returns its form filled in.
func (v visitor) setupForm(link, name string) url.Values {
	v.Visit(link).HasStatus(http.StatusOK)
	return url.Values{"csrfmiddlewaretoken": {v.csrfToken()}, "username": {name}, "password": {harness.Password}}
}

// users returns how many users there are, and how many of them are administrators.
func users(t *testing.T, db testdb.DB) (all, administrators int) {
	t.Helper()
	query := "SELECT COUNT(*), COUNT(CASE WHEN is_superuser THEN 1 END) FROM auth_user"
	if err := db.SQL(t).QueryRowContext(t.Context(), query).Scan(&all, &administrators); err != nil {
		t.Fatal(err)
	}
	return all, administrators
}

// TestSetupLinkControl: the set-up link makes an administrator, who can log in, and works no more then.
func TestSetupLinkControl(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		site := harness.Serve{DB: db.URL, Env: []string{harness.CheapHashing}}.Start(t)
		link := linkOf(t, site)
		v := visit(t, site)
		form := v.setupForm(link, "ada")
		if r := v.send("POST", link, form); r.status != http.StatusOK || r.path != loginPath {
			t.Fatalf("the link was used: status %d at %s\n%s", r.status, r.path, r.body)
		}
		if all, administrators := users(t, db); all != 1 || administrators != 1 {
			t.Errorf("%d users and %d administrators, want one", all, administrators)
		}
		if r := visit(t, site).send("GET", link, nil); r.status != http.StatusGone {
			t.Errorf("the link once more: status %d, want 410", r.status)
		}
		v.login()
	})
}

// TestSetupLinkRace: 64 people use the set-up link at once, at two processes on one database. One of them becomes the administrator.
func TestSetupLinkRace(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		serve := harness.Serve{DB: db.URL, Env: []string{harness.CheapHashing}}
		first := serve.Start(t)
		linkOf(t, first) // which the next one replaces
		sites := []*harness.Server{first, serve.Start(t)}
		link := linkOf(t, sites[1])
		const people = 64
		var (
			ready, done sync.WaitGroup
			start       = make(chan struct{})
			replies     [people]reply
		)
		for i := range people {
			v := visit(t, sites[i%2])
			form := v.setupForm(link, fmt.Sprintf("ada%d", i))
			v.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			ready.Add(1)
			done.Go(func() {
				ready.Done()
				<-start
				replies[i] = v.send("POST", link, form)
			})
		}
		ready.Wait()
		close(start)
		done.Wait()
		statuses := map[int]int{}
		winner := ""
		for i, r := range replies {
			statuses[r.status]++
			switch {
			case r.status == http.StatusSeeOther:
				winner = fmt.Sprintf("ada%d", i)
			case r.status != http.StatusGone:
				t.Errorf("person %d: status %d after %v, error %v, want 303 or 410\n%s", i, r.status, r.took, r.err, r.body)
			}
		}
		t.Logf("answers by status: %v", statuses)
		if statuses[http.StatusSeeOther] != 1 {
			t.Errorf("%d people were told that they are the administrator, want one", statuses[http.StatusSeeOther])
		}
		if all, administrators := users(t, db); all != 1 || administrators != 1 {
			t.Errorf("%d users and %d administrators, want one", all, administrators)
		}
		visit(t, sites[0]).Visit(loginPath).Fill("username", winner).Fill("password", harness.Password).Submit().AtPath(profilePath).HasStatus(200)
	})
}
