package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardea-go/cardea/integration/harness"
)

// TestAccountsForPasswordManagers: where a password is chosen, managers learn whose it is, which field holds the old one, which
// the new one, and what is allowed.
func TestAccountsForPasswordManagers(t *testing.T) {
	t.Parallel()
	box := folder(t.TempDir())
	s := serve(t, append(box.settings(), harness.CheapHashing)...)
	makeUser(t, s.dir, "sqlite:cardea.db", harness.CheapHashing)
	b := open(t, s.url)
	chosen := func(page string) {
		t.Helper()
		b.count("main form", 1)
		b.count("input[name=username][autocomplete=username][value="+name+"]", 1)
		for _, field := range []string{"new_password1", "new_password2"} {
			b.count("label[for=id_"+field+"]", 1)
			b.count("input#id_"+field+"[type=password][autocomplete=new-password][minlength][maxlength][passwordrules][required]", 1)
			if got := eval[int](b, `document.querySelector("[name=`+field+`]").maxLength`); got < 64 {
				t.Errorf("%s: %s may have %d characters, want at least 64", page, field, got)
			}
		}
		b.count("input#id_new_password1[aria-describedby~=hint_password]", 1)
		if eval[int](b, `document.querySelectorAll("ul#hint_password li").length`) == 0 {
			t.Errorf("%s: the rules are not there before the typing", page)
		}
	}
	b.visit("/accounts/password_reset/")
	b.count("input#id_email[type=email][inputmode=email][autocomplete=email][autocapitalize=none][spellcheck=false]", 1)
	b.write("email", email)
	b.press("Send the mail")
	b.visit(awaitLetter(t, box, email, "eset", 1).link(t))
	chosen("reset")
	b.visit("/.well-known/change-password") // signed out: the way leads over the log-in
	b.at("/accounts/login/")
	b.logIn()
	b.at("/accounts/password_change/")
	chosen("change")
	b.count("input#id_old_password[type=password][autocomplete=current-password]", 1)
	b.visit("/accounts/email/")
	b.count("input[name=username][autocomplete=username][value="+name+"]", 1)
	b.count("input#id_password[autocomplete=current-password]", 1)
}

// TestAccountKeyboard: changing the password and ending a session with no pointer.
func TestAccountKeyboard(t *testing.T) {
	t.Parallel()
	s := serveWithUser(t)
	other, b := open(t, s.url), open(t, s.url)
	b.visit("/accounts/login/?next=/accounts/password_change/")
	b.logIn()
	b.stop("input#id_old_password")
	b.key("not " + secret)
	b.tabTo("button Show the password")
	b.tabTo("input#id_new_password1")
	b.key(secret2)
	b.tabTo("button Show the password")
	b.tabTo("input#id_new_password2")
	b.key(secret2)
	b.enter("/accounts/password_change/")
	b.invalid("old_password")
	b.stop("input#id_old_password")
	b.key(secret)
	b.tabOnTo("input#id_new_password1")
	b.key(secret2)
	b.tabOnTo("input#id_new_password2")
	b.key(secret2)
	b.tabTo("button Show the password")
	b.tabTo("button Change the password")
	b.enter("/accounts/password_change/done/")
	b.tabOnTo("a Your account")
	b.enter("/accounts/profile/")

	other.visit("/accounts/login/")
	other.logInAs(name, secret2)
	b.tabOnTo("a Where you are logged in")
	b.enter("/accounts/sessions/")
	b.tabOnTo("button End all others")
	b.enter("/accounts/sessions/")
	b.sees("All others are ended: 1.")
	b.tabOnTo("a Your account")
	b.key(kb.Enter)
	other.visit("/accounts/profile/")
	other.at("/accounts/login/")
}

// TestAccountDoubleClick: a button that is pressed twice changes a password once, and the person is still logged in. Without scripts
// the second press may lead to the form once more, or, where it takes the place of the answer that brings the new key of the
// session, to a page that says so or to the log-in page; what was changed is changed.
func TestAccountDoubleClick(t *testing.T) {
	t.Parallel()
	for title, scripts := range map[string]bool{"scripts": true, "no scripts": false} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := serveWithUser(t)
			b := open(t, s.url)
			b.scripts(scripts)
			b.visit("/accounts/login/?next=/accounts/password_change/")
			b.logIn()
			b.write("old_password", secret)
			b.newPassword("new_password", secret2, secret2)
			expected := []string{"This device stays logged in."}
			if !scripts {
				expected = append(expected, "send it again", "old password was entered incorrectly", "session ended meanwhile", "Forgotten your password?")
			}
			b.doubleClick("Change the password", expected...)
			t.Logf("after the second press: %q", eval[string](b, "document.title"))
			b.visit("/accounts/profile/")
			if !scripts && strings.HasPrefix(b.path(), "/accounts/login/") {
				b.logInAs(name, secret2)
			}
			b.at("/accounts/profile/")
			second := open(t, s.url)
			second.visit("/accounts/login/")
			second.logInAs(name, secret2)
			second.at("/accounts/profile/")
		})
	}
}
