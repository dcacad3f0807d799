package browser_test

import (
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// The words of a second person and of passwords to come.
const (
	member      = "hopper"
	memberEmail = "hopper@example.com"
	secret2     = "nanoseconds of copper wire"
	secret3     = "a moth between two contacts"
)

// accountPages leads a person to every page of accounts, from making one to a reset password, and to the states of each.
func accountPages(t *testing.T, in *inspector) {
	box := folder(t.TempDir())
	s := serve(t, append(box.settings(), harness.CheapHashing, "CARDEA_SIGNUP=true")...)
	b := open(t, s.url)
	see := func(page string, want, status int) {
		t.Helper()
		in.inspect(b, page, want, status)
	}

	// An account, made behind a mailed link.
	see("login, with the ways to an account", 200, b.visit("/accounts/login/"))
	see("sign-up", 200, b.visit("/accounts/signup/"))
	see("sign-up, empty", 200, b.press("Send the mail"))
	b.title("Error: ")
	b.write("email", "no address")
	see("sign-up, wrong address", 200, b.press("Send the mail"))
	b.invalid("email")
	b.write("email", memberEmail)
	b.forget()
	see("sign-up, once more", 403, b.press("Send the mail"))
	see("sign-up, mail sent", 200, b.press("Send again"))
	b.at("/accounts/signup/sent/")
	link := awaitLetter(t, box, memberEmail, "", 1).link(t)
	see("sign-up, wrong link", 200, b.visit("/accounts/signup/nothing/"))
	see("sign-up, the link", 200, b.visit(link))
	see("sign-up, nothing chosen", 200, b.press("Make the account"))
	b.write("username", "two words")
	b.newPassword("password", secret, secret2)
	see("sign-up, wrong name, passwords unlike", 200, b.press("Make the account"))
	b.invalid("username", "password2")
	b.typesAt("username")
	b.write("username", member)
	b.newPassword("password", "12345", "12345")
	see("sign-up, weak password", 200, b.press("Make the account"))
	b.count("[name=password1][aria-invalid=true]", 1) // which has several problems
	b.typesAt("password1")
	b.lacks("12345")
	b.newPassword("password", secret, secret)
	see("profile, of a new account", 200, b.press("Make the account"))
	b.at("/accounts/profile/")
	b.sees("Your account is made.", member)
	see("sign-up, used link", 200, b.visit(link))

	// The password changed.
	see("password", 200, b.visit("/accounts/password_change/"))
	see("password, empty", 200, b.press("Change the password"))
	b.write("old_password", "wrong")
	b.newPassword("new_password", secret2, secret)
	see("password, wrong and unlike", 200, b.press("Change the password"))
	b.invalid("old_password", "new_password2")
	b.typesAt("old_password")
	b.write("old_password", secret)
	b.newPassword("new_password", member, member)
	see("password, weak", 200, b.press("Change the password"))
	b.typesAt("old_password") // no password is kept, so all three are typed again
	b.write("old_password", secret)
	b.newPassword("new_password", secret2, secret2)
	see("password, done", 200, b.press("Change the password"))
	b.at("/accounts/password_change/done/")

	// The address changed, once cancelled.
	see("address", 200, b.visit("/accounts/email/"))
	see("address, empty", 200, b.press("Send the mail"))
	b.write("email", "no address")
	b.write("password", "wrong")
	see("address, wrong", 200, b.press("Send the mail"))
	b.invalid("email", "password")
	b.typesAt("email")
	b.write("email", "grace@example.com")
	b.write("password", "wrong")
	see("address, wrong password", 200, b.press("Send the mail"))
	b.invalid("password")
	b.typesAt("password")
	b.write("password", secret2)
	see("address, pending", 200, b.press("Send the mail"))
	b.sees("not confirmed yet")
	cancelled := awaitLetter(t, box, "grace@example.com", "Confirm", 1).link(t)
	see("address, cancelled", 200, b.press("Cancel the change"))
	b.lacks("not confirmed yet")
	see("address, link that does not work", 200, b.visit(cancelled))
	b.visit("/accounts/email/")
	b.write("email", "grace@example.com")
	b.write("password", secret2)
	b.press("Send the mail")
	see("address, the link", 200, b.visit(awaitLetter(t, box, "grace@example.com", "Confirm", 2).link(t)))
	see("profile, with a new address", 200, b.press("Yes, change it"))
	b.sees("Your address is now grace@example.com.")

	// Her sessions, one of them in another browser.
	see("sessions, one", 200, b.visit("/accounts/sessions/"))
	other := open(t, s.url)
	other.visit("/accounts/login/")
	other.logInAs(member, secret2)
	see("sessions, two", 200, b.visit("/accounts/sessions/"))
	b.count("main li", 2)
	see("sessions, with a notice", 200, b.press("End it"))
	b.count("main li", 1)

	// Proving oneself again, although logged in.
	see("login, again", 200, b.visit("/accounts/login/?again=1&next=/accounts/profile/"))
	b.write("username", member)
	b.write("password", "wrong")
	see("login, again, wrong", 200, b.press("Log in"))
	b.visit("/accounts/profile/")
	b.press("Log out")

	// The password forgotten.
	see("a page that needs a log-in", 200, b.visit("/accounts/password_change/"))
	b.at("/accounts/login/")
	see("reset", 200, b.visit("/accounts/password_reset/"))
	see("reset, empty", 200, b.press("Send the mail"))
	b.write("email", "no address")
	see("reset, wrong address", 200, b.press("Send the mail"))
	b.write("email", "grace@example.com")
	see("reset, mail sent", 200, b.press("Send the mail"))
	b.at("/accounts/password_reset/done/")
	link = awaitLetter(t, box, "grace@example.com", "eset", 1).link(t)
	see("reset, wrong link", 200, b.visit("/accounts/reset/MQ/nothing/"))
	see("reset, the link", 200, b.visit(link))
	b.sees(member)
	see("reset, nothing chosen", 200, b.press("Set the password"))
	b.newPassword("new_password", secret3, secret2)
	see("reset, unlike", 200, b.press("Set the password"))
	b.invalid("new_password2")
	b.typesAt("new_password1")
	b.newPassword("new_password", secret3, secret3)
	see("reset, done", 200, b.press("Set the password"))
	b.at("/accounts/reset/done/")
	see("reset, used link", 200, b.visit(link))
	s.Stop(t)
}

// newPassword fills in the two fields of a new password.
func (b *tab) newPassword(field, first, second string) {
	b.t.Helper()
	b.write(field+"1", first)
	b.write(field+"2", second)
}

// logInAs fills in and sends the log-in form.
func (b *tab) logInAs(name, password string) {
	b.t.Helper()
	b.write("username", name)
	b.write("password", password)
	b.status("log in", 200, b.press("Log in"))
}

// typesAt fails the test unless the page has put the focus on that field, so that the typing goes on there.
func (b *tab) typesAt(field string) {
	b.t.Helper()
	b.until("the focus is on "+field, func() bool { return eval[string](b, "document.activeElement.name || ''") == field })
	b.count("[autofocus]", 1)
}
