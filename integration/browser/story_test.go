package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestStory is the whole path on the real binary, from an empty folder to a log-out that leaves nothing behind the back button;
// once with the page's scripts and once without.
func TestStory(t *testing.T) {
	t.Parallel()
	for title, scripts := range map[string]bool{"scripts": true, "no scripts": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			b := open(t, s.url)
			b.scripts(scripts)

			// Nobody is there yet.
			b.status("home", 200, b.visit("/"))
			b.sees("Log in")
			b.status("profile", 200, b.visit("/accounts/profile/"))
			b.at("/accounts/login/")

			// The one-time link makes the first administrator; looking at it uses nothing up.
			for range 2 {
				b.status("set-up", 200, b.visit(s.setup))
			}
			b.press("Make the account")
			b.title("Error:")
			b.invalid("username", "password")
			b.write("username", name)
			b.write("email", email)
			b.write("password", secret)
			b.status("the account", 200, b.press("Make the account"))
			b.at("/accounts/login/")
			b.sees("The account is made.")
			b.count(`[role=status]`, 1)
			b.status("login", 200, b.visit("/accounts/login/"))
			b.lacks("The account is made.", "role=\"status\"")
			b.status("set-up, again", 410, b.visit(s.setup))

			// A page that needs a log-in, a wrong password, the right one, and the page.
			b.visit("/accounts/profile/?from=story")
			b.at("/accounts/login/")
			reveal := 0
			if scripts {
				reveal = 1
			}
			b.count(".reveal button", reveal) // the proof that the page's scripts do or do not run
			b.write("username", name)
			b.write("password", "not "+secret)
			b.status("wrong password", 200, b.press("Log in"))
			b.wrongPassword()
			b.write("password", secret)
			b.status("right password", 200, b.press("Log in"))
			if got, want := b.path(), "/accounts/profile/?from=story"; got != want {
				t.Errorf("after the log-in at %s, want %s", got, want)
			}
			b.sees(name, email, "Last log-in")
			b.visit("/")
			b.sees("Hello, " + name)
			b.goes("reload", chromedp.Reload())
			b.sees("Hello, " + name)

			// Out, and nothing left behind the back button, however far back.
			b.visit("/accounts/profile/")
			b.status("log out", 200, b.press("Log out"))
			b.at("/accounts/logout/")
			b.sees("You are logged out.")
			b.lacks(name)
			b.step(-1)
			b.at("/accounts/login/") // the profile was asked for anew, and wants a log-in
			b.lacks(name)
			b.step(1)
			b.lacks(name)
			b.backToTheStart(name)
			s.Stop(t)
		})
	}
}

// TestTutorial: the same on the pages of an application, whose own pages keep nothing behind the back button either.
func TestTutorial(t *testing.T) {
	t.Parallel()
	for title, scripts := range map[string]bool{"scripts": true, "no scripts": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			b := open(t, tutorial(t))
			b.scripts(scripts)
			b.visit("/")
			b.at("/login")
			b.write("username", name)
			b.write("password", "not "+secret)
			b.pressAnywhere("Log in")
			b.sees("Invalid username or password.")
			b.visit("/login")
			b.lacks("Invalid username or password.") // shown once
			b.write("username", name)
			b.write("password", secret)
			b.pressAnywhere("Log in")
			b.at("/")
			b.sees("Welcome back!", "Hello, "+name)
			b.goes("reload", chromedp.Reload())
			b.sees("Hello, " + name)
			b.lacks("Welcome back!") // shown once
			b.pressAnywhere("Log out")
			b.at("/login")
			b.sees("You are logged out.")
			b.lacks(name)
			b.step(-1)
			b.at("/login")
			b.lacks(name, "You are logged out.")
			b.backToTheStart(name)
		})
	}
}

// wrongPassword checks the log-in page after a wrong password: the name is kept, the password is not, the typing goes on there,
// and the failure is told to eyes and to screen readers.
func (b *tab) wrongPassword() {
	b.t.Helper()
	b.at("/accounts/login/")
	b.title("Error: ")
	b.invalid("password")
	if got := eval[string](b, `document.querySelector("[name=username]").value`); got != name {
		b.t.Errorf("after a wrong password the name is %q, want %q", got, name)
	}
	if got := eval[string](b, `document.querySelector("[name=password]").value`); got != "" {
		b.t.Errorf("after a wrong password the password is %q, want it empty", got)
	}
	b.until("the focus is on the password", func() bool { return eval[string](b, "document.activeElement.name || ''") == "password" })
	b.lacks(secret)
}

// invalid checks that just these fields say that they are wrong and point to an alert that links to each of them.
func (b *tab) invalid(fields ...string) {
	b.t.Helper()
	b.count("[aria-invalid=true]", len(fields))
	b.count("[role=alert]", 1)
	for _, field := range fields {
		input := `document.querySelector("[name=` + field + `]")`
		if !eval[bool](b, input+`.getAttribute("aria-invalid") === "true"`) {
			b.t.Errorf("%s does not say that it is wrong", field)
		}
		if !eval[bool](b, `(`+input+`.getAttribute("aria-describedby") || "").split(" ").some(id => document.getElementById(id)?.closest("[role=alert]"))`) {
			b.t.Errorf("%s does not point to the alert", field)
		}
		b.count(`[role=alert] a[href="#id_`+field+`"]`, 1)
	}
}

// count fails the test unless the page has so many elements that match.
func (b *tab) count(selector string, want int) {
	b.t.Helper()
	if got := eval[int](b, "document.querySelectorAll(`"+selector+"`).length"); got != want {
		b.t.Errorf("at %s there are %d of %s, want %d", b.path(), got, selector, want)
	}
}

// status fails the test unless a step was answered so.
func (b *tab) status(step string, want, got int) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: status %d, want %d", step, got, want)
	}
}

// pressAnywhere is press on a page without landmarks.
func (b *tab) pressAnywhere(label string) int {
	b.t.Helper()
	return b.goes("press "+label, chromedp.Click("//button[normalize-space()='"+label+"']"))
}
