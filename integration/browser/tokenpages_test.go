package browser_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cardea-go/cardea/integration/harness"
)

// tokenPages leads a person to the pages of tokens, and a program through the door that they open.
func tokenPages(t *testing.T, in *inspector) {
	box := folder(t.TempDir())
	settings := append(box.settings(), harness.CheapHashing, "CARDEA_API_TOKENS=true")
	s := serve(t, settings...)
	makeUser(t, s.dir, "sqlite:cardea.db", settings...)
	b := open(t, s.url)
	see := func(page string, want, status int) {
		t.Helper()
		in.inspect(b, page, want, status)
	}
	b.visit("/accounts/login/")
	b.logInAs(name, secret)
	see("profile, with tokens", 200, b.visit("/accounts/profile/"))
	see("tokens, none", 200, b.visit("/accounts/tokens/"))
	see("token, new", 200, b.visit("/accounts/tokens/new/"))
	b.typesAt("token_name")
	see("token, without a name", 200, b.press("Make the token"))
	b.invalid("token_name")
	b.write("token_name", "the nightly backup of everything that is worth keeping, which has a very long name indeed, as here")
	b.choose("scope", "some")
	see("token, without permissions", 200, b.press("Make the token"))
	b.choose("scopes", "auth.view_user")
	see("token, made", 200, b.press("Make the token"))
	token := regexp.MustCompile(`cardea_[0-9A-Za-z]{36}`).FindString(eval[string](b, "document.querySelector('textarea').value"))
	letter := awaitLetter(t, box, email, "token", 1)
	if strings.Contains(letter.Text, token) {
		t.Error("the token stands in the mail")
	}
	if got := status(t, s.url+"/accounts/profile/", token); got != http.StatusForbidden {
		t.Errorf("the pages of accounts answer a token with %d, want 403", got)
	}
	if got := status(t, s.url+"/", token); got != http.StatusOK {
		t.Errorf("a token is answered %d, want 200", got)
	}
	see("tokens, one", 200, b.visit("/accounts/tokens/"))
	b.sees("Last used", "auth.view_user")
	b.lacks(token)
	see("password, with tokens", 200, b.visit("/accounts/password_change/"))
	b.visit("/accounts/tokens/")
	see("tokens, with a notice", 200, b.press("End it"))
	if got := status(t, s.url+"/", token); got != http.StatusUnauthorized {
		t.Errorf("an ended token is answered %d, want 401", got)
	}
	s.Stop(t)
}

// status asks for a page with a token.
func status(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// choose clicks on one of the choices of that name.
func (b *tab) choose(field, value string) {
	b.t.Helper()
	b.do("choose "+value, chromedp.Click(chromedp.CSS("[name="+field+"][value='"+value+"']")))
}
