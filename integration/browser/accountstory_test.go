package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestAccountStory is the life of an account on the real binary, in two browsers, while the mail server has its bad days: it
// refuses, hangs with the whole mail in its hands, and dies in the middle of its answer. Nobody at a browser waits for it, every
// mail arrives, and each once. All of it once with the page's scripts and once without.
func TestAccountStory(t *testing.T) {
	t.Parallel()
	for title, scripts := range map[string]bool{"scripts": true, "no scripts": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			post := newPostOffice(t, refuses)
			s := serve(t, append(post.settings(), harness.CheapHashing, "CARDEA_SIGNUP=true")...)
			box := newOutbox(t, s.dir)
			here, there := open(t, s.url), open(t, s.url)
			here.scripts(scripts)
			there.scripts(scripts)

			// An account, by a link that a first attempt did not get out.
			here.visit("/accounts/login/")
			here.follow("Make one")
			here.write("email", memberEmail)
			here.pressUnmailed("Send the mail", post)
			here.at("/accounts/signup/sent/")
			box.nextTry()
			link := awaitLetter(t, post, memberEmail, "", 1).link(t)
			for range 2 { // looking uses nothing up
				here.status("the link", 200, here.visit(link))
			}
			here.sees(memberEmail)
			here.write("username", member)
			here.newPassword("password", secret, secret)
			here.press("Make the account")
			here.at("/accounts/profile/")
			here.sees("Your account is made.", member)
			there.status("the link, used", 200, there.visit(link))
			there.sees("does not work")

			// Two browsers, and a new password in one: it stays logged in under another key, the other is out.
			there.visit("/accounts/login/")
			there.logInAs(member, secret)
			there.at("/accounts/profile/")
			key := here.cookie("cardea_sessionid")
			post.coming(hangs)
			here.visit("/.well-known/change-password")
			here.at("/accounts/password_change/")
			here.write("old_password", secret)
			here.newPassword("new_password", secret2, secret2)
			here.pressUnmailed("Change the password", post)
			here.at("/accounts/password_change/done/")
			if now := here.cookie("cardea_sessionid"); now == "" || now == key {
				t.Errorf("the session's key was %q and is %q, want another one", key, now)
			}
			here.visit("/accounts/profile/")
			here.sees(member)
			there.visit("/accounts/profile/")
			there.at("/accounts/login/")
			there.lacks(member)
			box.nextTry()
			awaitLetter(t, post, memberEmail, "was changed", 1)

			// The password forgotten: a mailed link, used in the other browser, logs everybody out.
			post.coming(dies)
			there.visit("/accounts/login/")
			there.follow("Forgotten your password?")
			there.write("email", memberEmail)
			there.pressUnmailed("Send the mail", post)
			there.at("/accounts/password_reset/done/")
			box.nextTry()
			link = awaitLetter(t, post, memberEmail, "eset", 1).link(t)
			there.visit(link)
			if got := there.path(); got == link {
				t.Errorf("the token of the link stays in the address: %s", got)
			}
			there.sees("Choose a new password", member)
			there.newPassword("new_password", secret3, secret3)
			there.press("Set the password")
			there.at("/accounts/reset/done/")
			there.visit(link)
			there.sees("does not work")
			here.visit("/accounts/profile/")
			here.at("/accounts/login/")
			awaitLetter(t, post, memberEmail, "was changed", 2)

			// Both log in again, and one ends the other's session: it is dead at its next request.
			there.visit("/accounts/login/")
			there.logInAs(member, secret2)
			there.title("Error: ")
			there.logInAs(member, secret3)
			there.at("/accounts/profile/")
			here.logInAs(member, secret3)
			here.follow("Where you are logged in")
			here.at("/accounts/sessions/")
			here.count("main li", 2)
			here.count("main .mark", 1)
			here.press("End it")
			here.sees("That session is ended.")
			here.count("main li", 1)
			there.visit("/accounts/profile/")
			there.at("/accounts/login/")
			there.lacks(member)
			here.visit("/accounts/profile/")
			here.sees(member)

			// What was mailed, in all: nothing was lost and nothing came twice.
			if got, want := len(post.letters(t)), 4; got != want {
				t.Errorf("%d mails, want %d: %q", got, want, post.letters(t))
			}
			for _, bad := range []day{refuses, hangs, dies} {
				if got := post.treated(bad); got != 1 {
					t.Errorf("%d connections met bad day %d, want 1", got, bad)
				}
			}
			s.Stop(t)
		})
	}
}

// pressUnmailed is press for a form that leads to a mail, on a bad day of the mail server: the answer is there before the mail is.
func (b *tab) pressUnmailed(label string, post *postOffice) {
	b.t.Helper()
	before, began := len(post.letters(b.t)), time.Now()
	b.status(label, 200, b.press(label))
	if got := len(post.letters(b.t)); got != before {
		b.t.Errorf("%s: %d mails were accepted before the answer, after %v, want none", label, got-before, time.Since(began))
	}
}

// cookie is the value of one of the person's cookies of the site, "" without it.
func (b *tab) cookie(name string) string {
	b.t.Helper()
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{}).Cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// follow clicks the link with that text and waits for the page.
func (b *tab) follow(text string) {
	b.t.Helper()
	b.status(text, 200, b.goes("follow "+text, chromedp.Click("//main//a[normalize-space()='"+text+"']")))
}
