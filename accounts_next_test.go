package cardea_test

import (
	"html"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// follow visits the link of the page with that text.
func follow(t *testing.T, b *cardeatest.Browser, text string) *cardeatest.Browser {
	t.Helper()
	before, _, ok := strings.Cut(b.Body, ">"+text+"</a>")
	if !ok {
		t.Fatalf("no link %q on\n%s", text, b.Body)
	}
	href := before[strings.LastIndex(before, `href="`)+len(`href="`):]
	return b.Visit(html.UnescapeString(strings.TrimSuffix(href, `"`)))
}

// TestNextSurvives: who was on the way to a page gets there also by way of a forgotten password or of a new account, in the browser
// that set out for it; and to no page of another site. The mail says nothing of it.
func TestNextSurvives(t *testing.T) {
	t.Parallel()
	const wanted, chosen = "/accounts/email/?a=b&c", "purple stapler meadow"
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		for next, leads := range map[string]string{wanted: "/accounts/email/", "//evil.example/": "/accounts/profile/", "": "/accounts/profile/"} {
			s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Profile, cfg.Signup = profile, true })
			begin := func() *cardeatest.Browser {
				return s.Another().Visit("/accounts/login/?next=" + strings.NewReplacer("?", "%3F", "&", "%26", "=", "%3D").Replace(next))
			}

			b := begin()
			follow(t, b, "Forgotten your password?").Fill("email", "ada@example.com").Submit().AtPath("/accounts/password_reset/done/")
			s.deliver(1)
			link := s.mail.Link(t, "ada@example.com")
			b.Visit(link).Fill("new_password1", chosen).Fill("new_password2", chosen).Submit().AtPath("/accounts/reset/done/")
			follow(t, b, "Log in").Fill("username", "ada").Fill("password", chosen).Submit().AtPath(leads)

			other := begin()
			follow(t, other, "Forgotten your password?").Fill("email", "ada@example.com").Submit()
			s.deliver(2) // with the notice of the change
			elsewhere := s.Another()
			elsewhere.Visit(s.mail.Link(t, "ada@example.com")).Fill("new_password1", chosen+"!").Fill("new_password2", chosen+"!").Submit()
			follow(t, elsewhere, "Log in").Fill("username", "ada").Fill("password", chosen+"!").Submit().AtPath("/accounts/profile/")

			b = begin()
			follow(t, b, "Make one").Fill("email", "bob@example.com").Submit().AtPath("/accounts/signup/sent/")
			s.deliver(2)
			link = s.mail.Link(t, "bob@example.com")
			b.Visit(link).Fill("username", "bob").Fill("password1", chosen).Fill("password2", chosen).Submit().AtPath(leads)
			for _, m := range s.mail.Messages("") {
				if strings.Contains(m.Text+m.HTML, "next") {
					t.Errorf("the mail says where somebody wanted to go:\n%s", m.Text)
				}
			}
		}
	}
}
