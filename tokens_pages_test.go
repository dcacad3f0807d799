package cardea_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/cardeatest"
)

var tokenText = regexp.MustCompile(tokenauth.Pattern)

func newTokenPages(t *testing.T, change func(*cardea.Config)) *accountSite {
	t.Helper()
	return newAccountSite(t, func(cfg *cardea.Config) {
		cfg.APITokens = true
		if change != nil {
			change(cfg)
		}
	})
}

// list are ada's tokens.
func (s *accountSite) list() []tokenauth.Token {
	s.t.Helper()
	list, err := s.Tokens.Tokens(context.Background(), s.ada.AuthID())
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// TestTokenPages: somebody makes a token, sees it once, uses it, and ends it; the owner is told.
func TestTokenPages(t *testing.T) {
	t.Parallel()
	s := newTokenPages(t, nil)
	if err := s.db.Users().Grant(t.Context(), s.ada, "auth.view_user", "auth.add_user"); err != nil {
		t.Fatal(err)
	}
	s.Visit("/accounts/tokens/").AtPath("/accounts/login/")
	logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/profile/").Sees(`href="/accounts/tokens/"`)
	s.Visit("/accounts/tokens/").Sees("You have none")
	s.Visit("/accounts/tokens/new/").Sees("auth.view_user").Sees("auth.add_user").SeesNot("auth.delete_user")

	// What is missing is said, and what was chosen stays.
	s.Fill("purpose", " ").Submit().HasStatus(200).Sees("Error:").Sees("Enter a name")
	s.Fill("purpose", "the backup").Fill("scope", "some").Submit().HasStatus(200).Sees("Choose what the token may do").Sees(`value="the backup"`)
	s.Fill("expires", "x").Submit().HasStatus(200).Sees("Choose when the token ends")
	if len(s.list()) != 0 {
		t.Fatalf("made %+v", s.list())
	}
	s.Visit("/accounts/tokens/new/").Fill("purpose", "the <backup>").Fill("scope", "some").Fill("scopes", "auth.view_user").Fill("expires", "30").Submit().HasStatus(200)
	secret := tokenText.FindString(s.Body)
	made := s.list()
	if secret == "" || len(made) != 1 || made[0].Name != "the <backup>" || strings.Join(made[0].Scopes, " ") != "auth.view_user" ||
		made[0].Expires.Sub(made[0].Created) < 29*24*time.Hour || made[0].Expires.Sub(made[0].Created) > 31*24*time.Hour {
		t.Fatalf("made %+v\n%s", made, s.Body)
	}
	if got := s.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control %q", got)
	}
	s.deliver(1)
	m := s.mail.Messages("ada@example.com")[0]
	if !strings.Contains(m.Text, "the <backup>") || !strings.Contains(m.HTML, "the &lt;backup&gt;") || !strings.Contains(m.Text, "/accounts/tokens/") || strings.Contains(m.Text+m.HTML, "cardea_") {
		t.Errorf("the mail is %+v", m)
	}
	s.Visit("/accounts/tokens/").Sees("the <backup>").Sees("auth.view_user").Sees("Never used").Sees(secret[:11]).SeesNot(secret[:13])

	p := s.Program(secret)
	p.Visit("/").HasStatus(200).Sees("Hello, ada")
	s.Visit("/accounts/tokens/").Sees("Last used")
	p.Visit("/accounts/tokens/").HasStatus(403)
	p.Send("POST", "/accounts/tokens/new/").HasStatus(403)
	s.Visit("/accounts/tokens/").Press("End it").AtPath("/accounts/tokens/").Sees("The token is ended").Sees("You have none")
	p.Visit("/").HasStatus(401)
	if p.Cookie("sessionid")+p.Cookie("csrftoken") != "" {
		t.Error("the program has cookies")
	}
}

// TestTokenPagesRefuse: a token for more than its owner has, somebody else's, a stale login, one too many.
func TestTokenPagesRefuse(t *testing.T) {
	t.Parallel()
	c := &clock{}
	s := newTokenPages(t, func(cfg *cardea.Config) { cfg.Now = c.now })
	if err := s.db.Users().Grant(t.Context(), s.ada, "auth.view_user"); err != nil {
		t.Fatal(err)
	}
	cardeatest.User(t, s.db, "bob", "correct horse")
	logInAs(s.Browser, "ada", "correct horse")
	form := func(b *cardeatest.Browser, path string, fields url.Values) *cardeatest.Browser {
		fields.Set("csrfmiddlewaretoken", b.Cookie("csrftoken"))
		req, err := http.NewRequest("POST", b.URL(path), strings.NewReader(fields.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", strings.TrimSuffix(b.URL("/"), "/"))
		return b.Do(req)
	}
	s.Visit("/accounts/tokens/new/")
	form(s.Browser, "/accounts/tokens/new/", url.Values{"purpose": {"n"}, "scope": {"some"}, "scopes": {"auth.view_user", "auth.delete_user"}}).
		HasStatus(200).Sees("does not have the permission auth.delete_user")
	form(s.Browser, "/accounts/tokens/new/", url.Values{"purpose": {"control"}, "scope": {"some"}, "scopes": {"auth.view_user"}}).HasStatus(200).Sees("cardea_")
	ada := s.list()
	if len(ada) != 1 || !ada[0].Expires.IsZero() {
		t.Fatalf("made %+v", ada)
	}

	bob := s.Another()
	logInAs(bob, "bob", "correct horse").Visit("/accounts/tokens/").Sees("You have none")
	form(bob, "/accounts/tokens/", url.Values{"id": {ada[0].ID}}).AtPath("/accounts/tokens/").Sees("had ended already")
	if len(s.list()) != 1 {
		t.Error("bob has ended ada's token")
	}

	c.step(16 * time.Minute)
	s.Visit("/accounts/tokens/").HasStatus(200)
	s.Visit("/accounts/tokens/new/").AtPath("/accounts/login/").Sees("fresh login")
	form(s.Browser, "/accounts/tokens/new/", url.Values{"purpose": {"stale"}, "scope": {"all"}}).HasStatus(403).Sees("Please enter your password again")
	if len(s.list()) != 1 {
		t.Error("a stale login makes a token")
	}
	s.Visit("/accounts/tokens/new/").Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/accounts/tokens/new/")

	for range 49 {
		cardeatest.Token(t, s.db, s.ada)
	}
	s.Fill("purpose", "one more").Submit().Sees("You have 50 tokens")
	if err := s.Tokens.EndToken(t.Context(), s.ada.AuthID(), ada[0].ID); err != nil {
		t.Fatal(err)
	}
	s.Fill("purpose", "one more").Submit().Sees("not shown again")
}

// TestTokensAndPasswords: a change of password leaves tokens alone, unless it is asked to end them.
func TestTokensAndPasswords(t *testing.T) {
	t.Parallel()
	s := newTokenPages(t, nil)
	logInAs(s.Browser, "ada", "correct horse")
	s.Visit("/accounts/password_change/").SeesNot("API tokens")
	p := s.Program(cardeatest.Token(t, s.db, s.ada))
	change := func(old, new, end string) {
		t.Helper()
		s.Visit("/accounts/password_change/").Sees("End all my API tokens too").Fill("old_password", old).Fill("new_password1", new).Fill("new_password2", new)
		if end != "" {
			s.Fill("end_tokens", end)
		}
		s.Submit()
	}
	change("correct horse", "another horse", "")
	s.AtPath("/accounts/password_change/done/")
	p.Visit("/").HasStatus(200)
	change("wrong", "a third horse", "1")
	s.Sees("incorrectly").Sees(`name="end_tokens" value="1" checked`)
	p.Visit("/").HasStatus(200)
	change("another horse", "a third horse", "1")
	s.AtPath("/accounts/password_change/done/").Sees("Your API tokens are ended: 1")
	p.Visit("/").HasStatus(401)
}

// TestTokenIsNotMadeUnheard: when its owner cannot be told, there is no token.
func TestTokenIsNotMadeUnheard(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		s := newTokenPages(t, nil)
		logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/tokens/new/")
		if broken {
			if _, err := s.db.Pool().Exec("DROP TABLE cardea_outbox"); err != nil {
				t.Fatal(err)
			}
		}
		s.Fill("purpose", "n").Submit()
		if want := map[bool]int{false: 200, true: 503}[broken]; s.Status != want || (len(s.list()) == 0) != broken || tokenText.MatchString(s.Body) == broken {
			t.Errorf("broken %v: status %d, tokens %v", broken, s.Status, s.list())
		}
	}
}

// TestNoTokenPages: without the setting there are no such pages and no link to them.
func TestNoTokenPages(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	logInAs(s.Browser, "ada", "correct horse").Visit("/accounts/profile/").SeesNot("tokens")
	s.Visit("/accounts/tokens/").HasStatus(404)
	s.Visit("/accounts/tokens/new/").HasStatus(404)
	cfg := cardeatest.Config()
	cfg.APITokens = true
	if _, err := cardea.Assemble(cardea.Parts[*member]{}, cfg); err == nil {
		t.Error("api_tokens without a place for them is accepted")
	}
}
