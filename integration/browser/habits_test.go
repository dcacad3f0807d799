package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestTwoTabs: a log-in in one tab breaks no form that is open in another, and a log-out in one ends the other.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	s := serveWithUser(t)
	first := open(t, s.url)
	first.visit("/accounts/login/?next=/%3Ffirst")
	second := first.another()
	second.visit("/accounts/login/?next=/%3Fsecond")
	second.logIn()
	second.sees("Hello, " + name)

	first.write("username", name)
	first.write("password", secret)
	switch status := first.press("Log in"); status {
	case 403: // the form again: the name is there, and no script or second page is needed to go on
		first.invalid("password")
		first.write("password", secret)
		first.status("log in after all", 200, first.press("Log in"))
	case 200:
	default:
		t.Fatalf("the form of the first tab is answered %d", status)
	}
	if got := first.path(); got != "/?first" {
		t.Errorf("the first tab is at %s, want /?first", got)
	}
	first.sees("Hello, " + name)

	first.press("Log out")
	second.visit("/accounts/profile/")
	second.at("/accounts/login/")
	second.lacks(name)
}

// TestDoubleClick: a button that is pressed twice does what it does once. Without scripts the second press may lead to the form
// once more, but never to harm.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	for title, scripts := range map[string]bool{"scripts": true, "no scripts": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := serve(t, harness.CheapHashing)
			b := open(t, s.url)
			b.scripts(scripts)
			b.visit(s.setup)
			b.write("username", name)
			b.write("email", email)
			b.write("password", secret)
			// With scripts a second press is not sent; without, its page may say that the work is done or has to be repeated.
			second := func(text string) []string {
				if scripts {
					return nil
				}
				return []string{text}
			}
			b.doubleClick("Make the account", append(second("does not work any more"), "The account is made.")...)
			b.visit("/accounts/login/")
			b.write("username", name)
			b.write("password", secret)
			b.doubleClick("Log in", append(second("type your password once more"), email)...)
			b.visit("/accounts/profile/")
			b.sees(email)
			b.doubleClick("Log out", append(second("send it again"), "You are logged out.")...)
			b.visit("/accounts/profile/")
			b.at("/accounts/login/")
			b.lacks(name)
		})
	}
}

// TestPaste: a password that is pasted arrives whole, and the button that shows it hides it again before it is sent.
func TestPaste(t *testing.T) {
	t.Parallel()
	b := open(t, serveWithUser(t).url)
	b.visit("/accounts/login/")
	b.write("username", name)
	b.do("the password field", chromedp.Focus(chromedp.CSS("[name=password]")))
	call(b, input.InsertText, input.InsertTextParams{Text: secret}) // as a paste or a password manager does, without keys
	if got := eval[string](b, `document.querySelector("[name=password]").value`); got != secret {
		t.Errorf("the pasted password arrives as %q", got)
	}
	b.do("show", chromedp.Click(chromedp.CSS(".reveal button")))
	b.count("input[name=password][type=text]", 1)
	b.count("button[aria-pressed=true][aria-label]", 1)
	eval[bool](b, `document.forms[0].addEventListener("submit", (e) => { e.preventDefault(); document.title = document.getElementById("id_password").type }), true`)
	b.do("send", chromedp.Click("//main//button[normalize-space()='Log in']"))
	b.until("the form is sent", func() bool { return eval[string](b, "document.title") == "password" })
}

// TestForPasswordManagers: the fields say what they are for, as managers and phones want to know.
func TestForPasswordManagers(t *testing.T) {
	t.Parallel()
	s := serve(t, harness.CheapHashing)
	b := open(t, s.url)
	b.visit("/accounts/login/")
	for _, selector := range []string{
		"form[method=post] input#id_username[name=username][autocomplete~=username][autocapitalize=none][spellcheck=false]",
		"form[method=post] input#id_password[name=password][type=password][autocomplete=current-password]",
		"label[for=id_username]", "label[for=id_password]",
		"form[method=post] button[type=submit]",
	} {
		b.count(selector, 1)
	}
	b.visit(s.setup)
	for _, selector := range []string{
		"input[name=username][autocomplete=username][autocapitalize=none][spellcheck=false]",
		"input[name=email][type=email][autocomplete=email]", // the type brings the keyboard for addresses
		"input[name=password][type=password][autocomplete=new-password][minlength][maxlength][passwordrules]",
		"#hint_password", // the rules are there before the typing
	} {
		b.count(selector, 1)
	}
	if got := eval[int](b, `document.querySelector("[name=password]").maxLength`); got < 64 {
		t.Errorf("a new password may have %d characters, want at least 64", got)
	}
	b.status("the address that asks whether 404 works", 404,
		b.visit("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"))
}

// TestWeight: each page with all that it loads, on a first visit, is at most 30 KB on the wire.
func TestWeight(t *testing.T) {
	t.Parallel()
	const most = 30 << 10
	s := serveWithUser(t)
	for _, path := range []string{"/", "/accounts/login/", "/accounts/profile/", "/nowhere"} {
		b := open(t, s.url)
		if path == "/accounts/profile/" {
			b.visit("/accounts/login/")
			b.logIn()
		}
		call(b, network.ClearBrowserCache, cdp.Empty{})
		n, requests := b.seen.weigh(func() { b.visit(path) })
		t.Logf("%-20s %6d bytes in %d requests", path, n, len(requests))
		if n > most || n < 1000 {
			t.Errorf("%s weighs %d bytes, want at most %d: %q", path, n, most, requests)
		}
	}
}

// TestNoCookies: a browser that refuses cookies is told so, rather than asked for the password for ever.
func TestNoCookies(t *testing.T) {
	t.Parallel()
	b := open(t, serveWithUser(t).url)
	b.visit("/accounts/login/")
	for range 2 {
		b.write("username", name)
		b.write("password", secret)
		b.forget()
		b.status("log in without cookies", 403, b.press("Log in"))
		b.sees("cookies")
	}
}

// logIn fills in and sends the log-in form as the person of the stories.
func (b *tab) logIn() {
	b.t.Helper()
	b.write("username", name)
	b.write("password", secret)
	b.status("log in", 200, b.press("Log in"))
}

// doubleClick presses a button twice, as fast as a person does, and waits for the page that shows one of the texts.
func (b *tab) doubleClick(label string, expected ...string) {
	b.t.Helper()
	at := eval[[]float64](b, `(() => {
		const button = [...document.querySelectorAll("main button")].find((e) => e.textContent.trim() === "`+label+`");
		button.scrollIntoView();
		const box = button.getBoundingClientRect();
		return [box.left + box.width / 2, box.top + box.height / 2];
	})()`)
	for clicks := range 2 {
		for _, kind := range []input.DispatchMouseEventType{chromedp.MousePressed, chromedp.MouseReleased} {
			call(b, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: at[0], Y: at[1], Button: input.MouseButtonLeft, ClickCount: int64(clicks + 1),
			})
		}
	}
	b.until(fmt.Sprintf("%s: %q", label, expected), func() bool {
		shown := b.text()
		return slices.ContainsFunc(expected, func(text string) bool { return strings.Contains(shown, text) })
	})
}
