package integration_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestM02M03MailedLinksOnce: 64 people use one mailed link at once, at two processes on one database. It works once, whatever it is
// for, and what it was for happened once.
func TestM02M03MailedLinksOnce(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		opened := harness.Migrated(t, db, "ada", "eve")
		eve, err := opened.UserByName(t.Context(), "eve")
		if err != nil {
			t.Fatal(err)
		}
		eve.Email = "eve@example.com"
		if err := opened.Users().Update(t.Context(), eve); err != nil {
			t.Fatal(err)
		}
		box := t.TempDir()
		serve := harness.Serve{DB: db.URL, Env: []string{
			harness.CheapHashing, "CARDEA_SIGNUP=true", "CARDEA_EMAIL_BACKEND=file", "CARDEA_EMAIL_FILE_PATH=" + box,
		}}
		sites := []*harness.Server{serve.Start(t), serve.Start(t)}

		t.Run("reset", func(t *testing.T) {
			v := visit(t, sites[0])
			v.Visit("/accounts/password_reset/").Fill("email", "eve@example.com").Submit().AtPath("/accounts/password_reset/done/")
			link := mailedLink(t, box, "reset")
			winner := useTogether(t, sites, func(i int, v visitor) (string, url.Values) {
				v.Visit(link).HasStatus(http.StatusOK)
				chosen := fmt.Sprintf("%s, said %d", harness.Password, i)
				return path.Dir(path.Clean(link)) + "/set-password/", url.Values{"new_password1": {chosen}, "new_password2": {chosen}}
			})
			v.Visit(loginPath).Fill("username", "eve").Fill("password", fmt.Sprintf("%s, said %d", harness.Password, winner)).Submit().AtPath(profilePath)
		})
		t.Run("signup", func(t *testing.T) {
			visit(t, sites[0]).Visit("/accounts/signup/").Fill("email", "bob@example.com").Submit().AtPath("/accounts/signup/sent/")
			link := mailedLink(t, box, "signup")
			useTogether(t, sites, func(i int, v visitor) (string, url.Values) {
				v.Visit(link).HasStatus(http.StatusOK)
				return link, url.Values{"username": {fmt.Sprintf("bob%d", i)}, "password1": {harness.Password}, "password2": {harness.Password}}
			})
			if all, _ := users(t, db); all != 3 {
				t.Errorf("there are %d users, want ada, eve and one bob", all)
			}
		})
		t.Run("email", func(t *testing.T) {
			v := visit(t, sites[0]).login()
			v.Visit("/accounts/email/").Fill("email", "new@example.com").Fill("password", harness.Password).Submit().Sees("not confirmed yet")
			link := mailedLink(t, box, "email")
			v.Visit(link).HasStatus(http.StatusOK)
			token := v.csrfToken()
			useTogether(t, sites, func(_ int, w visitor) (string, url.Values) {
				w.Client().Jar = v.Client().Jar
				return link, url.Values{"csrfmiddlewaretoken": {token}}
			})
			if got, err := opened.UserByName(t.Context(), "ada"); err != nil || got.Email != "new@example.com" {
				t.Errorf("the address is %q (%v)", got.Email, err)
			}
		})
	})
}

// useTogether sends 64 forms at once, half of them to each process, and returns which one was accepted. All the others have to
// be told that the link does not work.
func useTogether(t *testing.T, sites []*harness.Server, open func(i int, v visitor) (at string, form url.Values)) (winner int) {
	t.Helper()
	const uses = 64
	var (
		done    sync.WaitGroup
		start   = make(chan struct{})
		replies [uses]reply
	)
	for i := range uses {
		v := visit(t, sites[i%2])
		at, form := open(i, v)
		if !form.Has("csrfmiddlewaretoken") {
			form.Set("csrfmiddlewaretoken", v.csrfToken())
		}
		v.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		done.Go(func() {
			<-start
			replies[i] = v.send("POST", at, form)
		})
	}
	close(start)
	done.Wait()
	accepted := 0
	for i, r := range replies {
		switch {
		case r.status == http.StatusSeeOther:
			winner, accepted = i, accepted+1
		case r.status != http.StatusOK || !strings.Contains(r.body, "does not work"):
			t.Errorf("use %d: status %d after %v, error %v, want 303, or a page that the link does not work\n%s", i, r.status, r.took, r.err, r.body)
		}
	}
	if accepted != 1 {
		t.Errorf("%d of %d uses of one link were accepted, want 1", accepted, uses)
	}
	return winner
}

// mailedLink is the path of the link of that kind which was mailed.
func mailedLink(t *testing.T, box, kind string) string {
	t.Helper()
	address := regexp.MustCompile(`http://[^/\s]+(/accounts/` + kind + `/\S+/)\s`)
	var link string
	harness.Eventually(t, "a mail with a link for "+kind, harness.Patience, func() bool {
		files, err := filepath.Glob(filepath.Join(box, "*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if found := address.FindStringSubmatch(string(text)); found != nil {
				link = found[1]
			}
		}
		return link != ""
	})
	return link
}
