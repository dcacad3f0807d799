package browser_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
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
	b.typesAt("purpose")
	see("token, without a name", 200, b.press("Make the token"))
	b.invalid("purpose")
	b.write("purpose", "the nightly backup of everything that is worth keeping, which has a very long name indeed, as here")
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
	b.visit("/accounts/tokens/new/")
	b.write("purpose", "typed before")
	outdated(t, s.dir)
	see("a form that needs a fresh login", 403, b.press("Make the token"))
	b.sees("Please enter your password again")
	b.write("password", secret)
	see("a form after a fresh login", 200, b.press("Log in"))
	b.sees("Please send this form once more")
	see("token, made once more", 200, b.press("Send it"))
	awaitLetter(t, box, email, "token", 2)
	b.visit("/accounts/tokens/")
	b.press("End it")
	see("password, with tokens", 200, b.visit("/accounts/password_change/"))
	b.visit("/accounts/tokens/")
	see("tokens, with a notice", 200, b.press("End it"))
	if got := status(t, s.url+"/", token); got != http.StatusUnauthorized {
		t.Errorf("an ended token is answered %d, want 401", got)
	}
	s.Stop(t)
}

// outdated makes every login one of which nobody knows when it was proven.
func outdated(t *testing.T, dir string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "cardea.key"))
	if err != nil {
		t.Fatal(err)
	}
	codec, err := sessions.NewCodec(signing.Keys{Current: strings.TrimSpace(string(key))}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "cardea.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var id, text string
	if err := pool.QueryRow("SELECT session_key, session_data FROM django_session").Scan(&id, &text); err != nil {
		t.Fatal(err)
	}
	data, err := codec.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	data.Delete("_cardea")
	if text, err = codec.Encode(data, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec("UPDATE django_session SET session_data = ? WHERE session_key = ?", text, id); err != nil {
		t.Fatal(err)
	}
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
