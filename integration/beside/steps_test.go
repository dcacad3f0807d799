package beside_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

// hidden is the field of a form that protects against forged ones.
var hidden = regexp.MustCompile(`name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})"`)

// hiddenToken is the token in the first form of the page.
func hiddenToken(c *cell, b *cardeatest.Browser) string {
	c.Helper()
	m := hidden.FindStringSubmatch(b.Body)
	if m == nil {
		c.Fatalf("there is no form on the page (status %d):\n%s", b.Status, b.Body)
	}
	return m[1]
}

// request is a form with that token and those fields, sent to a path from a page of the same site.
func (c *cell) request(path, token string, pairs ...string) *http.Request {
	c.Helper()
	fields := url.Values{"csrfmiddlewaretoken": {token}}
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, c.front.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", c.front.URL)
	return r
}

// post sends a form and follows where it leads.
func (c *cell) post(b *cardeatest.Browser, path, token string, pairs ...string) *cardeatest.Browser {
	c.Helper()
	return b.Do(c.request(path, token, pairs...))
}

// postQuietly sends the form of the page and does not look at the page to which it leads.
func (c *cell) postQuietly(b *cardeatest.Browser, path string) {
	c.Helper()
	client := *b.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(c.request(path, hiddenToken(c, b)))
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		c.Fatalf("the form sent to %s: status %d", path, resp.StatusCode)
	}
}

// loginAnew logs in at a side that hashes at another cost, which it does then. On a machine that is busy beyond measure it may let
// somebody in and leave the hash for the next time.
func (c *cell) loginAnew(at side) *cardeatest.Browser {
	c.Helper()
	cost := func() string { return strings.Split(c.stored(), "$")[1] }
	before := cost()
	for tries := 0; ; tries++ {
		b := c.loggedIn(at)
		if cost() != before {
			return b
		}
		if tries == 3 {
			c.Fatalf("the password in the table still costs %s", before)
		}
	}
}

// addMessage has A add a message, which no page shows at that.
func (c *cell) addMessage(b *cardeatest.Browser, text string) {
	c.Helper()
	path := "/go/message?text="
	if c.a == djangoSide {
		path = "/message/?text="
	}
	c.turn(c.a)
	if status, err := c.get(b, path+url.QueryEscape(text)); err != nil || status != http.StatusOK {
		c.Fatalf("adding a message at %s: status %d (%v)", c.a.name, status, err)
	}
}

// noise is text that no compression makes short.
func noise(length int) string {
	var b strings.Builder
	for b.Len() < length {
		b.WriteString(rand.Text())
	}
	return b.String()[:length]
}

// decoded is a session's text as JSON, whichever secret key signed it.
func (c *cell) decoded(text string) string {
	c.Helper()
	codec, err := sessions.NewCodec(signing.Keys{Current: beside.SecretKey, Fallbacks: []string{newSecret}}, "", true)
	if err != nil {
		c.Fatal(err)
	}
	data, err := codec.Decode(text)
	if err != nil {
		return "what nobody can read: " + err.Error()
	}
	raw, err := data.AppendJSON(nil)
	if err != nil {
		c.Fatal(err)
	}
	return string(raw)
}

// earlierLink is the link for a new password that A mailed a while ago: its path.
func (c *cell) earlierLink(ago time.Duration) string {
	c.Helper()
	if c.a == djangoSide {
		return c.django.Do(c, "link", "user", c.user, "ago", strconv.Itoa(int(ago.Seconds())))
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		c.Fatal(err)
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: c.secret}, auth.ResetConfig{Location: zone})
	if err != nil {
		c.Fatal(err)
	}
	subject := auth.ResetSubject{Email: c.email} // who has never logged in
	c.one("SELECT id, password FROM auth_user WHERE username = ? AND last_login IS NULL", []any{c.user}, &subject.ID, &subject.PasswordHash)
	return fmt.Sprintf("/accounts/reset/%s/%s/", base64.RawURLEncoding.EncodeToString([]byte(subject.ID)), tokens.Make(subject, time.Now().Add(-ago)))
}
