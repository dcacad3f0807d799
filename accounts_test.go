package cardea_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// An accountSite is a site with mail, and a user ada.
type accountSite struct {
	*cardea.Site[*userdb.User]
	t    *testing.T
	db   *userdb.DB
	mail *cardeatest.Mailbox
	ada  *userdb.User
	*cardeatest.Browser
}

func newAccountSite(t *testing.T, change func(cfg *cardea.Config)) *accountSite {
	t.Helper()
	return newAccountSiteOn(t, cardeatest.DB(t), change)
}

func newAccountSiteOn(t *testing.T, db *userdb.DB, change func(cfg *cardea.Config)) *accountSite {
	t.Helper()
	s := &accountSite{t: t, db: db, mail: &cardeatest.Mailbox{}}
	s.ada = cardeatest.User(t, s.db, "ada", "correct horse")
	cfg := cardeatest.Config()
	cfg.Mail = s.mail
	if change != nil {
		change(&cfg)
	}
	site, err := cardea.New(s.db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Site = site
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.HandleFunc("/.well-known/", site.Pages.WellKnown)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("Hello, " + user.Username))
	})))
	s.Browser = cardeatest.NewBrowser(t, site.Handler(mux))
	return s
}

// migrated opens a database and makes its tables.
func migrated(t *testing.T, empty testdb.DB) *userdb.DB {
	t.Helper()
	db, err := userdb.OpenURL(t.Context(), empty.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// deliver sends what waits and ends the test unless that was so many messages.
func (s *accountSite) deliver(want int) {
	s.t.Helper()
	n, err := s.SendMail(context.Background())
	if err != nil || n != want {
		s.t.Fatalf("%d messages were sent (%v), want %d", n, err, want)
	}
}

// waiting is the number of rows in the outbox.
func (s *accountSite) waiting() int {
	s.t.Helper()
	var n int
	if err := s.db.Pool().QueryRow("SELECT COUNT(*) FROM cardea_outbox").Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// askReset asks for a reset mail and returns its link.
func (s *accountSite) askReset(email string) string {
	s.t.Helper()
	s.Another().Visit("/accounts/password_reset/").Fill("email", email).Submit().AtPath("/accounts/password_reset/done/")
	s.deliver(1)
	return s.mail.Link(s.t, email)
}

// askEmail asks, logged in, for another address and returns the link that was mailed there.
func (s *accountSite) askEmail(b *cardeatest.Browser, password, email string) string {
	s.t.Helper()
	b.Visit("/accounts/email/").Fill("email", email).Fill("password", password).Submit().AtPath("/accounts/email/").Sees("not confirmed yet")
	s.deliver(2)
	return s.mail.Link(s.t, email)
}

func logInAs(b *cardeatest.Browser, name, password string) *cardeatest.Browser {
	return b.Visit("/accounts/login/").Fill("username", name).Fill("password", password).Submit()
}

// pathOf is the path and query of a link.
func pathOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// TestChangePassword: this session goes on under a new key, the others end, the owner is told.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Profile = profile })
			other := s.Another()
			s.Visit("/accounts/password_change/").AtPath("/accounts/login/")
			s.Visit("/.well-known/change-password").AtPath("/accounts/login/")
			s.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/accounts/password_change/")
			logInAs(other, "ada", "correct horse").Visit("/").Sees("Hello, ada")

			form := func(old, first, second string) *cardeatest.Browser {
				return s.Visit("/accounts/password_change/").Fill("old_password", old).Fill("new_password1", first).Fill("new_password2", second).Submit()
			}
			form("wrong", "another horse", "another horse").HasStatus(200).Sees("Error:").Sees("old password was entered incorrectly")
			form("correct horse", "another horse", "anothre horse").HasStatus(200).Sees("not the same")
			form("correct horse", "        ", "        ").HasStatus(200).Sees("blanks")
			if strings.Contains(s.Body, "another horse") {
				t.Error("a password stands on the page")
			}
			before := s.Cookie("sessionid")
			form("correct horse", "another horse", "another horse").AtPath("/accounts/password_change/done/").HasStatus(200)
			if after := s.Cookie("sessionid"); after == before || after == "" {
				t.Errorf("the key was %q and is %q, want a new one", before, after)
			}
			s.Visit("/").Sees("Hello, ada")
			other.Visit("/").AtPath("/accounts/login/")
			logInAs(other, "ada", "correct horse").Sees("do not match")
			logInAs(other, "ada", "another horse").Visit("/").Sees("Hello, ada")

			s.deliver(1)
			m := s.mail.Messages("ada@example.com")[0]
			if !strings.Contains(m.Subject, "was changed") || !strings.Contains(m.Text, "127.0.0.1") || !strings.Contains(m.HTML, "/accounts/password_reset/") {
				t.Errorf("the notice is %+v", m)
			}
		})
	}
}

// TestResetPassword is the journey from "forgotten" to logged in.
func TestResetPassword(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Profile = profile })
			other := s.Another()
			logInAs(other, "ada", "correct horse").Visit("/").Sees("Hello, ada")

			s.Visit("/accounts/login/").Sees("Forgotten your password?")
			s.Visit("/accounts/password_reset/").Fill("email", "nonsense").Submit().HasStatus(200).Sees("Error:").Sees("valid e-mail address")
			s.Visit("/accounts/password_reset/").Fill("email", " ADA@example.com ").Submit().AtPath("/accounts/password_reset/done/")
			s.deliver(1)
			link := s.mail.Link(t, "ada@example.com")
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} { // looking uses nothing up
				req, err := http.NewRequest(method, link, nil)
				if err != nil {
					t.Fatal(err)
				}
				s.Another().Do(req).HasStatus(200)
			}
			s.Visit(link).Sees("Choose a new password").Sees("ada")
			if at := "/set-password/"; !strings.Contains(s.Header.Get("Cache-Control"), "no-store") || strings.Contains(s.Body, pathOf(t, link)) {
				t.Errorf("the token stands on the page, or %s may be kept", at)
			}
			s.Fill("new_password1", "a new horse").Fill("new_password2", "a nwe horse").Submit().HasStatus(200).Sees("not the same")
			s.Fill("new_password1", "a new horse").Fill("new_password2", "a new horse").Submit().AtPath("/accounts/reset/done/")
			s.Visit(link).HasStatus(200).Sees("does not work")
			other.Visit("/").AtPath("/accounts/login/")
			logInAs(s.Browser, "ada", "correct horse").Sees("do not match")
			logInAs(s.Browser, "ada", "a new horse").Visit("/").Sees("Hello, ada")
			s.deliver(1)
			if m := s.mail.Messages("ada@example.com"); !strings.Contains(m[1].Subject, "was changed") {
				t.Errorf("the owner was told %q", m[1].Subject)
			}
		})
	}
}

// TestWellKnown: password managers find the page, and that a missing page is missing.
func TestWellKnown(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.Visit("/.well-known/change-password").HasStatus(302)
	if got := s.Header.Get("Location"); got != "/accounts/password_change/" {
		t.Errorf("Location = %q", got)
	}
	s.Visit("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").HasStatus(404)
}
