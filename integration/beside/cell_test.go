package beside_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

// A cell is one story in one direction on one stage: what happens at A is seen at B. The person in it is in no other.
type cell struct {
	testing.TB
	*stage
	front                 *beside.Front
	a, b                  side
	now                   pair // what answers
	user, email, password string
	verdict               *string // what the table says of this cell
}

// The password of everybody in the stories, and the one that comes after it.
const (
	firstPassword  = "the engine weaves patterns"
	secondPassword = "as the loom weaves flowers"
)

func newCell(t testing.TB, s *stage, user string, a, b side) *cell {
	t.Helper()
	c := &cell{TB: t, stage: s, a: a, b: b, now: s.pair, user: user, email: user + "@example.com", password: firstPassword}
	c.front = beside.NewFront(t, s.django.URL, s.probe.URL)
	s.django.Do(t, "make", "user", c.user, "email", c.email, "password", c.password)
	return c
}

// browser is a new one, with no cookies.
func (c *cell) browser() *cardeatest.Browser {
	c.Helper()
	return cardeatest.Open(c, c.front.URL)
}

// turn has a side answer all requests from now on.
func (c *cell) turn(to side) {
	c.Helper()
	c.front.Turn(c, c.now.address(to))
}

// replace has a side be another process from now on.
func (c *cell) replace(at side, by pair) {
	if at == djangoSide {
		c.now.django = by.django
	} else {
		c.now.cardea = by.cardea
	}
}

// visit opens a page of a side. Where the side has no such page, the story is missing.
func (c *cell) visit(b *cardeatest.Browser, at side, path string) *cardeatest.Browser {
	c.Helper()
	c.turn(at)
	if b.Visit(path); b.Status == http.StatusNotFound {
		c.missing(at.name + " has no page " + path)
	}
	return b
}

const (
	loginPath  = "/accounts/login/"
	changePath = "/accounts/password_change/"
	resetPath  = "/accounts/password_reset/"
)

// login logs in by the page of a side.
func (c *cell) login(b *cardeatest.Browser, at side, password string) *cardeatest.Browser {
	c.Helper()
	c.visit(b, at, loginPath).Fill("username", c.user).Fill("password", password).Submit()
	if b.Status != http.StatusOK {
		c.Fatalf("logging in at %s: status %d\n%s", at.name, b.Status, b.Body)
	}
	return c.sees(b, at, c.user)
}

// refused tries to log in at a side, in vain.
func (c *cell) refused(at side, password string) {
	c.Helper()
	c.visit(c.browser(), at, loginPath).Fill("username", c.user).Fill("password", password).Submit().AtPath(loginPath)
}

// loggedIn is a new browser in which the person has logged in at a side.
func (c *cell) loggedIn(at side) *cardeatest.Browser {
	c.Helper()
	return c.login(c.browser(), at, c.password)
}

// sees checks whom the page of a side greets; "" is nobody.
func (c *cell) sees(b *cardeatest.Browser, at side, name string) *cardeatest.Browser {
	c.Helper()
	c.visit(b, at, "/")
	if b.Status != http.StatusOK || !strings.Contains(b.Body, at.sees(name)) {
		c.Fatalf("%s does not say %q (status %d):\n%s", at.name, at.sees(name), b.Status, b.Body)
	}
	return b
}

// both checks whom the two sides greet, B first.
func (c *cell) both(b *cardeatest.Browser, name string) {
	c.Helper()
	c.sees(b, c.b, name)
	c.sees(b, c.a, name)
}

// missing says that a side cannot do what the story is about.
func (c *cell) missing(what string) {
	c.Helper()
	if c.verdict != nil {
		*c.verdict = "missing"
	}
	c.Fatalf("missing: %s", what)
}

// one scans the one row that a query finds, in which ? stands for each argument.
func (c *cell) one(query string, args []any, into ...any) {
	c.Helper()
	if err := c.row(query, args, into...); err != nil {
		c.Fatalf("%s %v: %v", query, args, err)
	}
}

func (c *cell) row(query string, args []any, into ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	return c.Pool.QueryRowContext(ctx, c.marks(query), args...).Scan(into...)
}

// marks writes a query's question marks as its database wants them.
func (c *cell) marks(query string) string {
	if c.DB.Kind != "postgres" {
		return query
	}
	for _, n := range []string{"$1", "$2", "$3"} {
		query = strings.Replace(query, "?", n, 1)
	}
	return query
}

// stored is the person's password as it stands in the table.
func (c *cell) stored() string {
	c.Helper()
	var text string
	c.one("SELECT password FROM auth_user WHERE username = ?", []any{c.user}, &text)
	return text
}

// count counts rows.
func (c *cell) count(from string, args ...any) int {
	c.Helper()
	var n int
	c.one("SELECT COUNT(*) FROM "+from, args, &n)
	return n
}

// sessionRow is the text of a session in the table, and whether it is there.
func (c *cell) sessionRow(key string) (text string, ok bool) {
	c.Helper()
	err := c.row("SELECT session_data FROM django_session WHERE session_key = ?", []any{key}, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false
	}
	if err != nil {
		c.Fatal(err)
	}
	return text, true
}

// inTable checks that the session is in the table as the person's, signed with a secret key, and made by Django's ModelBackend.
func (c *cell) inTable(b *cardeatest.Browser, secret string) (key string) {
	c.Helper()
	key = b.Cookie("sessionid")
	text, ok := c.sessionRow(key)
	if !ok {
		c.Fatalf("the session %q is not in the table", key)
	}
	codec, err := sessions.NewCodec(signing.Keys{Current: secret}, "", true)
	if err != nil {
		c.Fatal(err)
	}
	data, err := codec.Decode(text)
	if err != nil {
		c.Fatalf("the session in the table, %q: %v", text, err)
	}
	var id, stored string
	c.one("SELECT id, password FROM auth_user WHERE username = ?", []any{c.user}, &id, &stored)
	for name, want := range map[string]string{
		"_auth_user_id":      id,
		"_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
		"_auth_user_hash":    hex.EncodeToString(signing.SaltedHMAC("django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash", []byte(stored), secret, "sha256")),
	} {
		raw, _ := data.Get(name)
		var got string
		if err := json.Unmarshal(raw, &got); err != nil || got != want {
			c.Fatalf("the session in the table has %s %s (%v), want %q", name, raw, err, want)
		}
	}
	return key
}

// notInTable checks that a session is gone.
func (c *cell) notInTable(key string) {
	c.Helper()
	if text, ok := c.sessionRow(key); ok {
		c.Fatalf("the session %q is still in the table: %q", key, text)
	}
}

// resetLink is a link for a new password, as it is in mail: its path.
var resetLink = regexp.MustCompile(`https?://[^/\s]+(/accounts/reset/[^/\s]+/[^/\s]+/)`)

// mailedLink is the path of the link that was mailed to the person.
func (c *cell) mailedLink() (path string) {
	c.Helper()
	harness.Eventually(c, "mail to "+c.email, harness.Patience, func() bool {
		files, err := os.ReadDir(c.Mail)
		if err != nil {
			c.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(c.Mail, f.Name()))
			if err != nil || !strings.Contains(string(text), c.email) {
				continue
			}
			if m := resetLink.FindStringSubmatch(string(text)); m != nil {
				path = m[1]
			}
		}
		return path != ""
	})
	return path
}

// setPassword fills in the form for a new password at which the browser is.
func setPassword(b *cardeatest.Browser, password string) *cardeatest.Browser {
	return b.Fill("new_password1", password).Fill("new_password2", password).Submit().HasStatus(http.StatusOK)
}

// get is a request of the browser that no redirect is followed of and that leaves the page as it is.
func (c *cell) get(b *cardeatest.Browser, path string) (status int, err error) {
	client := *b.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Timeout = 2 * time.Minute
	resp, err := client.Get(c.front.URL + path)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
