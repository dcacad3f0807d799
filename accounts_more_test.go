package cardea_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// TestSignup is the journey from a stranger to a member: name and password are chosen behind the mailed link, once.
func TestSignup(t *testing.T) {
	t.Parallel()
	newAccountSite(t, nil).Visit("/accounts/signup/").HasStatus(404) // it is an option
	for _, identifier := range []string{"username", "email"} {
		t.Run(identifier, func(t *testing.T) {
			t.Parallel()
			s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Signup, cfg.Identifier = true, identifier })
			s.Visit("/accounts/login/").Sees("Make one")
			s.Visit("/accounts/signup/").Fill("email", "bob").Submit().HasStatus(200).Sees("valid e-mail address")
			s.Visit("/accounts/signup/").Fill("email", "bob@example.com").Submit().AtPath("/accounts/signup/sent/")
			s.deliver(1)
			link := s.mail.Link(t, "bob@example.com")
			s.Another().Visit(link).HasStatus(200).Sees("bob@example.com") // looking uses nothing up
			fill := func(username, first, second string) *cardeatest.Browser {
				return s.Visit(link).Fill("username", username).Fill("first_name", "Bob").Fill("password1", first).Fill("password2", second).Submit()
			}
			const chosen = "purple stapler meadow"
			fill("Ada", chosen, chosen).HasStatus(200).Sees("taken") // whatever its capitals
			fill("bob ross", chosen, chosen).HasStatus(200).Sees("letters, digits")
			fill("bob", chosen, "purple stapler maedow").HasStatus(200).Sees("not the same")
			fill("bob", "short", "short").HasStatus(200).Sees("Error:")
			fill("bob", "", "").HasStatus(200).Sees("Choose a new password")
			fill("bob", chosen, chosen).AtPath("/accounts/profile/").Sees("Your account is made").Sees("bob@example.com")
			s.Visit(link).HasStatus(200).Sees("does not work")
			bob, err := s.db.UserByName(context.Background(), "bob")
			if err != nil || !bob.IsActive || bob.IsStaff || bob.IsSuperuser || bob.FirstName != "Bob" {
				t.Errorf("made %+v (%v)", bob, err)
			}
			name := "bob"
			if identifier == "email" {
				name = "bob@example.com"
			}
			logInAs(s.Another(), name, chosen).Visit("/").Sees("Hello, bob")
		})
	}
}

// TestChangeEmail: the new address counts once its link is used, by the very user; both addresses are told; it can be cancelled.
func TestChangeEmail(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	cardeatest.User(t, s.db, "eve", "wicked horse")
	logInAs(s.Browser, "ada", "correct horse")
	s.Visit("/accounts/profile/").Sees("Change your e-mail address")
	s.Visit("/accounts/email/").Fill("email", "new@example.com").Fill("password", "wrong").Submit().HasStatus(200).Sees("present password")
	if n := s.waiting(); n != 0 {
		t.Fatalf("%d mails wait after a wrong password", n)
	}
	cancelled := s.askEmail(s.Browser, "correct horse", "first@example.com")
	s.Visit("/accounts/email/").Sees("first@example.com").Press("Cancel the change").SeesNot("first@example.com")
	s.Visit(cancelled).Sees("does not work")

	link := s.askEmail(s.Browser, "correct horse", "new@example.com")
	notices := s.mail.Messages("ada@example.com")
	if m := notices[len(notices)-1]; !strings.Contains(m.Subject, "about to change") || !strings.Contains(m.Text, "new@example.com") || strings.Contains(m.Text, link) {
		t.Errorf("the present address was told %q:\n%s", m.Subject, m.Text)
	}
	stranger := s.Another()
	stranger.Visit(link).AtPath("/accounts/login/") // the mailbox alone is not enough
	stranger.Fill("username", "eve").Fill("password", "wicked horse").Submit().Sees("does not work")
	s.Visit(link).Sees("new@example.com")
	s.Visit(link).Sees("new@example.com").Press("Yes, change it").AtPath("/accounts/profile/").Sees("Your address is now new@example.com")
	s.Visit(link).Sees("does not work")
	s.deliver(2)
	for _, to := range []string{"ada@example.com", "new@example.com"} {
		all := s.mail.Messages(to)
		if m := all[len(all)-1]; !strings.Contains(m.Subject, "was changed") {
			t.Errorf("%s was told %q", to, m.Subject)
		}
	}
	s.Visit("/").Sees("Hello, ada") // the session goes on
}

// TestOwnSessions: everybody sees where they are logged in, Django's sessions too, and ends one or all others.
func TestOwnSessions(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Profile = profile })
			cardeatest.User(t, s.db, "eve", "wicked horse")
			logInAs(s.Browser, "ada", "correct horse")
			second, third, eve := s.Another(), s.Another(), s.Another()
			for _, b := range []*cardeatest.Browser{second, third} {
				logInAs(b, "ada", "correct horse").Visit("/").Sees("Hello, ada")
			}
			logInAs(eve, "eve", "wicked horse").Visit("/accounts/sessions/").SeesNot("End it</button>")
			lines := func(want int) {
				t.Helper()
				s.Visit("/accounts/sessions/").HasStatus(200).Sees("this one").Sees("127.0.0.1").Sees("Logged in with a password")
				if got := strings.Count(s.Body, `name="id"`) + 1; got != want {
					t.Errorf("the page has %d sessions, want %d\n%s", got, want, s.Body)
				}
				for _, b := range []*cardeatest.Browser{s.Browser, second, third} {
					if key := b.Cookie("sessionid"); key != "" && strings.Contains(s.Body, key) {
						t.Error("a key stands on the page")
					}
				}
			}
			lines(3)
			djangoSession(t, s, profile)
			lines(4)
			s.Sees("another part of this site")
			s.Visit("/accounts/profile/").Sees("Where you are logged in")
			s.Visit("/accounts/sessions/")
			s.Press("End it").AtPath("/accounts/sessions/").Sees("That session is ended")
			lines(3)
			s.Press("End all others").Sees("All others are ended: 2")
			lines(1)
			for _, b := range []*cardeatest.Browser{second, third} {
				b.Visit("/").AtPath("/accounts/login/")
			}
			s.Visit("/").Sees("Hello, ada")
			eve.Visit("/").Sees("Hello, eve")
		})
	}
}

// TestEndForeignSession: the ID of another's session is of no use.
func TestEndForeignSession(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	cardeatest.User(t, s.db, "eve", "wicked horse")
	victim, eve := s.Another(), s.Browser
	logInAs(victim, "ada", "correct horse")
	logInAs(eve, "eve", "wicked horse")
	codec, err := sessions.NewCodec(signing.Keys{Current: cardeatest.SecretKey}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.db.Sessions(codec, userdb.SessionsConfig{HashKeys: true, Users: s.db.Users()}).List(context.Background(), s.ada.AuthID(), "")
	if err != nil || len(list) != 1 {
		t.Fatalf("got %d sessions and %v, want ada's", len(list), err)
	}
	logInAs(s.Another(), "eve", "wicked horse")
	eve.Visit("/accounts/sessions/")
	eve.Fill("id", list[0].ID).Submit().Sees("had ended already")
	victim.Visit("/").Sees("Hello, ada")
}

// djangoSession makes a session of ada as Django's login does: without a row of ours.
func djangoSession(t *testing.T, s *accountSite, profile cardea.Profile) {
	t.Helper()
	keys := signing.Keys{Current: cardeatest.SecretKey}
	codec, err := sessions.NewCodec(keys, "", profile == cardea.Django)
	if err != nil {
		t.Fatal(err)
	}
	var data sessions.Data
	data.Set("_auth_user_id", []byte(`"`+s.ada.AuthID()+`"`))
	data.Set("_auth_user_backend", []byte(`"`+userdb.ModelBackend+`"`))
	data.Set("_auth_user_hash", []byte(`"`+auth.SessionHash(s.ada.Password, keys)+`"`))
	text, err := codec.Encode(data, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.db.Pool().Exec("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
		"djangodjangodjangodjangodjangodj", text, time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:04:05.000000"))
	if err != nil {
		t.Fatal(err)
	}
}

// TestWithoutMail: a site that sends no mail offers nothing that needs some, and works otherwise.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, func(cfg *cardea.Config) {
		cfg.Mail, cfg.Signup, cfg.SiteURL = nil, true, "https://example.com"
	})
	for _, path := range []string{"password_reset/", "password_reset/done/", "reset/MQ/x/", "reset/done/", "email/", "signup/"} {
		if status := s.Another().Visit("/accounts/" + path).Status; status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, status)
		}
	}
	s.Visit("/accounts/login/").SeesNot("Forgotten").SeesNot("Make one")
	logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/password_change/").
		Fill("old_password", "correct horse").Fill("new_password1", "purple stapler meadow").Fill("new_password2", "purple stapler meadow").
		Submit().AtPath("/accounts/password_change/done/")
	if n := s.waiting(); n != 0 {
		t.Errorf("%d mails wait that nobody sends", n)
	}
}
