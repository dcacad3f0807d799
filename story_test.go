package cardea_test

import (
	"fmt"
	"net/http"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/messages"
)

// TestStory is the whole path: a page that asks for a log-in, the log-in, a welcome that shows once, log-out, and nothing left.
func TestStory(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			db := cardeatest.DB(t)
			cardeatest.User(t, db, "ada", "correct horse")
			cfg := cardeatest.Config()
			cfg.Profile = profile
			site, err := cardea.New(db, cfg)
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			mux.Handle("/accounts/", site.Pages)
			mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user, _ := site.Auth.User(r)
				for _, m := range messages.Take(r) {
					fmt.Fprintf(w, "[%s] ", m.Text)
				}
				fmt.Fprintf(w, "Hello, %s", user.Username)
			})))
			mux.HandleFunc("GET /welcome", func(w http.ResponseWriter, r *http.Request) {
				if err := messages.Success(r, "Welcome!"); err != nil {
					site.Error(w, r, err)
				}
			})
			b := cardeatest.NewBrowser(t, site.Handler(mux))

			b.Visit("/").AtPath("/accounts/login/").HasStatus(200)
			b.Fill("username", "ada").Fill("password", "wrong horse").Submit().AtPath("/accounts/login/").Sees("do not match").Sees("Error:")
			b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/").Sees("Hello, ada")
			if got := b.Header.Get("Cache-Control"); got != "private, no-store" && got != "no-store, private" {
				t.Errorf("Cache-Control = %q", got)
			}
			key := b.Cookie("sessionid")
			b.Visit("/welcome").HasStatus(200)
			b.Visit("/").Sees("[Welcome!] Hello, ada")
			b.Visit("/").SeesNot("Welcome!").Sees("Hello, ada")
			b.Visit("/accounts/logout/").HasStatus(405)
			b.Visit("/accounts/profile/").Sees("ada@example.com").Press("Log out").Sees("Logged out")
			b.Visit("/").AtPath("/accounts/login/")
			if key == "" || b.Cookie("sessionid") != "" {
				t.Errorf("session cookie before %q, after the log-out %q", key, b.Cookie("sessionid"))
			}
		})
	}
}
