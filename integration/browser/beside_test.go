package browser_test

import (
	"testing"

	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
)

// A pair is a Django and a Cardea behind one address, of which either answers.
type pair struct {
	t              *testing.T
	front          *beside.Front
	django, cardea string
}

// startPair starts them on one database, with the person of the stories as Django's user.
func startPair(t *testing.T, kind string) *pair {
	t.Helper()
	s := beside.Open(t, "5.2", kind)
	config := s.Config(t, nil)
	harness.MustRun(t, s.Cardea(t, config, nil, "migrate"))
	django := s.Django(t, nil)
	t.Log(django.Do(t, "version"), "on", harness.Version(t, s.DB))
	django.Do(t, "make", "user", name, "email", email, "password", secret)
	p := &pair{t: t, django: django.URL, cardea: s.Serve(t, config).URL}
	p.front = beside.NewFront(t, p.django, p.django)
	return p
}

// visit opens a page of Django's or Cardea's.
func (p *pair) visit(b *tab, at, path string) {
	p.t.Helper()
	p.front.Turn(p.t, at)
	if status := b.visit(path); status != 200 {
		p.t.Fatalf("%s: status %d\n%s", path, status, b.text())
	}
}

// sees checks whom both greet; "" is nobody.
func (p *pair) sees(b *tab, who string) {
	p.t.Helper()
	atDjango, atCardea := "Django sees "+who+".", "Hello, "+who
	if who == "" {
		atDjango, atCardea = "Django sees nobody.", "people log in here"
	}
	p.visit(b, p.django, "/")
	b.sees(atDjango)
	p.visit(b, p.cardea, "/")
	b.sees(atCardea)
}

// TestBesideDjango: in a browser that is none of ours, a person logs in at one and out at the other, both ways.
func TestBesideDjango(t *testing.T) {
	t.Parallel()
	p := startPair(t, "sqlite")
	for _, way := range []struct{ in, out string }{{p.django, p.cardea}, {p.cardea, p.django}} {
		b := openUnwatched(t, p.front.URL)
		p.sees(b, "")
		p.visit(b, way.in, "/accounts/login/")
		b.write("username", name)
		b.write("password", secret)
		b.press("Log in")
		p.sees(b, name)
		p.visit(b, way.out, "/")
		b.press("Log out")
		p.sees(b, "")
	}
}

// TestBesideDjangoForms: a form that one has rendered goes to the other, with the browser's own Origin; a new password at one ends the
// session in another browser, and the message of one is on the page of the other.
func TestBesideDjangoForms(t *testing.T) {
	t.Parallel()
	p := startPair(t, "postgres")
	const next = "weaves algebraic patterns"
	passwords := []string{secret, next, secret}
	for i, way := range []struct{ here, there string }{{p.django, p.cardea}, {p.cardea, p.django}} {
		b, elsewhere := openUnwatched(t, p.front.URL), openUnwatched(t, p.front.URL)
		for _, someone := range []*tab{b, elsewhere} {
			p.visit(someone, way.here, "/accounts/login/")
			someone.write("username", name)
			someone.write("password", passwords[i])
			p.front.Turn(t, way.there)
			if status := someone.press("Log in"); status != 200 {
				t.Fatalf("a form of the other's: status %d\n%s", status, someone.text())
			}
			p.sees(someone, name)
		}
		p.visit(b, way.here, "/accounts/password_change/")
		b.write("old_password", passwords[i])
		b.write("new_password1", passwords[i+1])
		b.write("new_password2", passwords[i+1])
		p.front.Turn(t, way.there)
		b.press(map[string]string{p.django: "Change", p.cardea: "Change the password"}[way.here])
		b.at("/accounts/password_change/done/")
		p.sees(b, name)
		p.sees(elsewhere, "")

		p.visit(b, p.django, "/message/?text=Fr%C3%B6hliche+Gr%C3%BC%C3%9Fe")
		p.visit(b, p.cardea, "/")
		b.sees("Fröhliche Grüße")
		p.visit(b, p.django, "/")
		b.lacks("Fröhliche Grüße")
	}
}
