package integration_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

var tokenText = regexp.MustCompile(`cardea_[0-9A-Za-z]{36}`)

// TestTokensAcrossProcesses: a token that a command has made opens every process at once, and one that was ended, or whose owner was
// switched off or deleted, opens none from the moment on at which the command is done, however many requests are under way.
func TestTokensAcrossProcesses(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, db testdb.DB) {
		opened := harness.Migrated(t, db, "ada", "eve")
		for _, name := range []string{"ada", "eve"} {
			u, err := opened.UserByName(t.Context(), name)
			if err == nil {
				err = opened.Users().Grant(t.Context(), u, "auth.view_user", "auth.add_user")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		env := []string{harness.CheapHashing, "CARDEA_API_TOKENS=true", "CARDEA_SECRET_KEY=" + harness.SecretKey}
		serve := harness.Serve{DB: db.URL, Env: env}
		sites := []*harness.Server{serve.Start(t), serve.Start(t)}
		cardea := func(args ...string) string {
			t.Helper()
			return harness.MustRun(t, harness.Command{Path: harness.Cardea(t), Args: append([]string{"--db", db.URL}, args...), Env: env})
		}
		create := func(user string) string {
			t.Helper()
			return tokenText.FindString(cardea("token", "create", user, "--name", "a test", "--scope", "auth.view_user"))
		}
		check := func(when, token string, want int) {
			t.Helper()
			for i, s := range sites {
				if got := withToken(t, s.URL+"/", token); got != want {
					t.Errorf("%s, at process %d: %d, want %d", when, i, got, want)
				}
			}
		}
		for _, c := range []struct {
			name, user string
			end        []string
		}{
			{"ended", "ada", []string{"token", "end", "--user", "ada"}},
			{"owner switched off", "ada", []string{"user", "deactivate", "ada"}},
			{"owner deleted", "eve", []string{"user", "delete", "eve", "--yes"}},
		} {
			token := create(c.user)
			check(c.name+", before", token, http.StatusOK)
			var (
				over   atomic.Bool // the command is done
				begun  sync.WaitGroup
				group  sync.WaitGroup
				opened atomic.Int64
			)
			stop := make(chan struct{})
			for i := range 8 {
				begun.Add(1)
				group.Go(func() {
					for n := 0; ; n++ {
						after := over.Load()
						got := withToken(t, sites[i%2].URL+"/", token)
						switch {
						case after && got != http.StatusUnauthorized:
							t.Errorf("%s: a request that began afterwards is answered %d", c.name, got)
						case got == http.StatusOK:
							opened.Add(1)
						case got != http.StatusUnauthorized && got != http.StatusTooManyRequests:
							t.Errorf("%s: answered %d", c.name, got)
						}
						if n == 0 {
							begun.Done()
						}
						select {
						case <-stop:
							if after {
								return
							}
						default:
							if got == http.StatusUnauthorized { // enough is known, and bad ones are counted
								<-stop
							}
						}
					}
				})
			}
			begun.Wait()
			cardea(c.end...)
			over.Store(true)
			close(stop)
			group.Wait()
			if opened.Load() < 8 {
				t.Errorf("control: %s: only %d requests were answered before", c.name, opened.Load())
			}
			check(c.name+", after", token, http.StatusUnauthorized)
			if c.name == "owner switched off" {
				cardea("user", "activate", "ada")
				check(c.name+" and on again", token, http.StatusUnauthorized)
				check("a new one", create("ada"), http.StatusOK)
			}
		}
	})
}

// withToken asks for a page with a token.
func withToken(t testing.TB, url, token string) int {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Client{Timeout: harness.Patience}).Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	resp.Body.Close()
	if c := resp.Header["Set-Cookie"]; c != nil {
		t.Error(fmt.Sprint("Set-Cookie ", strings.Join(c, ", ")))
	}
	return resp.StatusCode
}
