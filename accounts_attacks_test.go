package cardea_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// A reply is all that somebody outside sees of a response, but what is random by design.
type reply struct {
	status   int
	location string
	headers  string
	body     string
}

// postForm sends a form from a browser of its own, after its page was visited, and returns the answer without following it.
func postForm(t *testing.T, b *cardeatest.Browser, page string, fields url.Values) reply {
	t.Helper()
	b.Visit(page)
	token := between(b.Body, `name="csrfmiddlewaretoken" value="`, `"`)
	fields = maps.Clone(fields)
	fields.Set("csrfmiddlewaretoken", token)
	req, err := http.NewRequest(http.MethodPost, b.URL(page), strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", strings.TrimSuffix(b.URL("/"), "/"))
	client := *b.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	a := reply{status: resp.StatusCode, location: resp.Header.Get("Location")}
	for _, name := range []string{"Date", "Expires", "Set-Cookie"} { // clocks, and secrets
		resp.Header.Del(name)
	}
	var head bytes.Buffer
	if err := resp.Header.Write(&head); err != nil {
		t.Fatal(err)
	}
	a.headers, a.body = head.String(), body.String()
	for {
		masked := between(a.body, `name="csrfmiddlewaretoken" value="`, `"`)
		if masked == "" || masked == "-" {
			return a
		}
		a.body = strings.ReplaceAll(a.body, masked, "-")
	}
}

func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return ""
	}
	found, _, _ := strings.Cut(rest, after)
	return found
}

// TestM10EqualWork: who asks for a reset or an account learns nothing of an address: the same answer, the same number of
// statements, one row in the outbox, no password hashed, whether it is somebody's, and whether the mail server answers or not.
func TestM10EqualWork(t *testing.T) {
	t.Parallel()
	db, statements := countedDB(t)
	hashed := &workLog{}
	hashers, err := password.New(password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}, Trace: hashed.add})
	if err != nil {
		t.Fatal(err)
	}
	s := newAccountSiteOn(t, db, func(cfg *cardea.Config) { cfg.Signup, cfg.Hashers = true, hashers })
	addUsers(t, db)
	cardeatest.User(t, db, "bob", "correct horse")
	for _, page := range []string{"/accounts/password_reset/", "/accounts/signup/"} {
		// The counters of this place are there from the second request on, those of an address at its first.
		postForm(t, s.Another(), page, url.Values{"email": {"first@example.com"}})
		var first reply
		var work int64
		for i, email := range []string{"ada@example.com", "nobody@example.com", "inactive@example.com", "unusable@example.com", "bob@example.com"} {
			s.mail.Fail(errors.New("the mail server is down"))
			if email == "bob@example.com" {
				s.mail.Fail(nil)
			}
			b, before := s.Another(), s.waiting()
			counted := statements.Load()
			got := postForm(t, b, page, url.Values{"email": {email}})
			done := statements.Load() - counted
			if rows, hashes := s.waiting()-before, len(hashed.take()); rows != 1 || hashes != 0 {
				t.Errorf("%s: %s: %d rows in the outbox and %d hashes, want 1 and none", page, email, rows, hashes)
			}
			if _, err := s.SendMail(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first, work = got, done
				if got.status != http.StatusSeeOther || work == 0 {
					t.Errorf("%s: got %+v after %d statements", page, got, work)
				}
				continue
			}
			if got != first {
				t.Errorf("%s: %s: got\n%+v\nwant as for ada\n%+v", page, email, got, first)
			}
			if done != work {
				t.Errorf("%s: %s: %d statements, want %d as for ada", page, email, done, work)
			}
		}
	}
	if len(s.mail.Messages("bob@example.com")) != 2 {
		t.Error("control: bob, whose mail server answers, got no mail")
	}
	if logInAs(s.Browser, "ada", "correct horse"); len(hashed.take()) != 1 {
		t.Error("control: a log-in hashes nothing")
	}
}

// addUsers makes one who may not log in, and one without a password.
func addUsers(t *testing.T, db *userdb.DB) {
	t.Helper()
	encoded, err := cardeatest.Hashers().Make(context.Background(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []userdb.NewUser{
		{Username: "inactive", Email: "inactive@example.com", PasswordHash: encoded, Inactive: true},
		{Username: "unusable", Email: "unusable@example.com"},
	} {
		if _, err := db.CreateUser(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
}

// TestM11LookAlikes: mail goes to the stored address alone, and not for one that only Unicode or the database takes for it.
func TestM11LookAlikes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := migrated(t, empty)
		s := newAccountSiteOn(t, db, nil)
		for name, address := range map[string]string{"mike": "mike@example.com", "straße": "fuss@strasse.example", "inactive": "off@example.com"} {
			u := cardeatest.User(t, db, name, "correct horse")
			u.Email, u.IsActive = address, name != "inactive"
			if err := db.Users().Update(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		for typed, want := range map[string]string{
			"mike@example.com":     "mike@example.com",
			"MIKE@EXAMPLE.COM":     "mike@example.com",
			" mike@example.com\t":  "mike@example.com",
			"mıke@example.com":     "",
			"mİke@example.com":     "",
			"miKe@example.com":     "mike@example.com", // the sign for kelvin, which folds to k: the stored address gets the mail
			"mike@exampłe.com":     "",
			"mike@еxample.com":     "", // a Cyrillic letter
			"mike@example.com.":    "",
			"m_ke@example.com":     "",
			"%@example.com":        "",
			"fuss@straße.example":  "", // folds to the stored one, but no database finds it, nor does Django
			"off@example.com":      "",
			"mike@example.com\x00": "",
		} {
			s.mail.Empty()
			postForm(t, s.Another(), "/accounts/password_reset/", url.Values{"email": {typed}})
			if _, err := s.SendMail(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, m := range s.mail.Messages("") {
				got += m.To
			}
			if got != want {
				t.Errorf("typed %q: mail to %q, want %q", typed, got, want)
			}
		}
	})
}

// TestM12NormalisedFirst: an address is looked at in the form in which it is used.
func TestM12NormalisedFirst(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Signup = true })
	for _, typed := range []string{
		"ada@example.com,eve@example.com", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com eve@example.com",
		"ada＠example.com", "<ada@example.com>", "ada@example.com@evil.example", "\"ada@example.com, x\"@evil.example\n",
	} {
		for _, page := range []string{"/accounts/password_reset/", "/accounts/signup/"} {
			if got := postForm(t, s.Another(), page, url.Values{"email": {typed}}); got.status != http.StatusOK {
				t.Errorf("%s: %q was accepted with %d", page, typed, got.status)
			}
		}
	}
	if n := s.waiting(); n != 0 {
		t.Errorf("%d mails wait", n)
	}
	// Django takes this one; no mail system does, and nobody has it.
	for _, page := range []string{"/accounts/password_reset/", "/accounts/signup/"} {
		postForm(t, s.Another(), page, url.Values{"email": {"ada@exam\u200bple.com"}})
	}
	s.deliver(0)
}

// TestPoisonedHostMailsNothing: a link is never built from a host that the site does not answer to.
func TestPoisonedHostMailsNothing(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	home, err := url.Parse(s.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	// By hand: Go's client sends no host at all in the place of a malformed one.
	send := func(host, headers string) int {
		t.Helper()
		b := s.Another()
		b.Visit("/accounts/password_reset/")
		fields := url.Values{"email": {"ada@example.com"}, "csrfmiddlewaretoken": {between(b.Body, `name="csrfmiddlewaretoken" value="`, `"`)}}.Encode()
		cookies := ""
		for _, c := range b.Client().Jar.Cookies(home) {
			cookies += c.Name + "=" + c.Value + "; "
		}
		conn, err := net.Dial("tcp", home.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /accounts/password_reset/ HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", host, home.Host, strings.TrimSuffix(cookies, "; "), headers, len(fields), fields)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for _, host := range []string{"evil.example", "user:pw@evil.example", home.Host + "@evil.example", "evil.example:80", home.Hostname() + ".evil.example", "localhost\\@evil.example"} {
		if status := send(host, ""); status != http.StatusBadRequest {
			t.Errorf("Host %q: got %d, want 400", host, status)
		}
	}
	if n := s.waiting(); n != 0 {
		t.Fatalf("%d mails wait after poisoned hosts", n)
	}
	for _, header := range []string{"X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: //evil.example"} {
		s.mail.Empty()
		status := send(home.Host, header+"\r\n")
		n, err := s.SendMail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if accepted := status == http.StatusSeeOther; accepted != (n == 1) {
			t.Errorf("%s: got %d and %d mails", header, status, n)
		}
		for _, m := range s.mail.Messages("") {
			if !strings.Contains(m.Text, "http://"+home.Host+"/accounts/reset/") || strings.Contains(m.Text+m.HTML+m.Subject, "evil.example") {
				t.Errorf("%s: the mail is built of it:\n%s", header, m.Text)
			}
		}
	}
	if got := s.askReset("ada@example.com"); !strings.HasPrefix(got, "http://"+home.Host+"/accounts/reset/") {
		t.Errorf("control: the link is %s", got)
	}
}

// TestM26NoEnumerationByAddress: whether a new address is somebody's is not told to who asks for it, but to its owner.
func TestM26NoEnumerationByAddress(t *testing.T) {
	t.Parallel()
	db, statements := countedDB(t)
	s := newAccountSiteOn(t, db, nil)
	cardeatest.User(t, db, "eve", "wicked horse")
	logInAs(s.Browser, "eve", "wicked horse")
	var answers []reply
	var work []int64
	for _, email := range []string{"warm@example.com", "free@example.com", "ada@example.com"} {
		if email == "free@example.com" { // now the counters are there, and something is pending, each time
			answers, work = nil, nil
		}
		before := statements.Load()
		answers = append(answers, postForm(t, s.Browser, "/accounts/email/", url.Values{"email": {email}, "password": {"wicked horse"}}))
		work = append(work, statements.Load()-before)
		if n := s.waiting(); n != 1 {
			t.Errorf("%s: %d mails wait, want 1", email, n)
		}
		s.deliver(2)
		page := s.Visit("/accounts/email/")
		answers = append(answers, reply{body: strings.ReplaceAll(between(page.Body, `class="pending"`, "<form"), email, "ADDRESS")})
	}
	if answers[0] != answers[2] || answers[1] != answers[3] {
		t.Errorf("got\n%+v\n%+v\nfor a free address and\n%+v\n%+v\nfor a taken one", answers[0], answers[1], answers[2], answers[3])
	}
	if work[0] != work[1] {
		t.Errorf("%d statements for a free address and %d for a taken one", work[0], work[1])
	}
	m := s.mail.Messages("ada@example.com")
	if len(m) != 1 || !strings.Contains(m[0].Text, "not told") || strings.Contains(m[0].Text, "/email/") {
		t.Errorf("the owner was told %+v", m)
	}
}

// TestM27NoPasswordWithoutTheOld and M28: an account without a password gets none by the page that changes it, and a blank one
// in the database opens nothing.
func TestM27M28NoPassword(t *testing.T) {
	t.Parallel()
	for _, stored := range []string{"", "!", "!abc"} {
		s := newAccountSite(t, nil)
		logInAs(s.Browser, "ada", "correct horse")
		if _, err := s.db.Pool().Exec("UPDATE auth_user SET password = ?", stored); err != nil {
			t.Fatal(err)
		}
		for _, old := range []string{"", " ", "!", stored, "correct horse"} {
			encoded, err := s.Accounts.ChangePassword(t.Context(), s.ada.AuthID(), old, newPassword("purple stapler meadow"), "http://x", asked())
			if err == nil || encoded != "" {
				t.Errorf("stored %q: the old password %q was taken", stored, old)
			}
			logInAs(s.Another(), "ada", old).AtPath("/accounts/login/")
		}
	}
	s := newAccountSite(t, func(cfg *cardea.Config) { cfg.Signup = true })
	made, err := s.db.CreateUser(t.Context(), userdb.NewUser{Username: "without"})
	if err != nil || !strings.HasPrefix(made.Password, "!") {
		t.Errorf("a user without a password has %q stored (%v), want an unusable one", made.Password, err)
	}
}

// TestM34NoForgedLogLines: what stands in a path or a header is one line in the log.
func TestM34NoForgedLogLines(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	s := newAccountSite(t, func(cfg *cardea.Config) {
		cfg.Signup, cfg.Logger = true, slog.New(slog.NewTextHandler(&log, nil))
	})
	for _, path := range []string{
		"/accounts/reset/x%0Alevel=ERROR%20msg=forged/y/", "/accounts/reset/MQ/a%0D%0Aforged-b/", "/accounts/signup/x%0Aforged/", "/accounts/x%1b%5B31m%0Aforged/",
	} {
		b := s.Another()
		b.Visit(path)
		req, err := http.NewRequest(http.MethodPost, b.URL(path), strings.NewReader("a=b"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("User-Agent", "x\tforged")
		b.Do(req)
	}
	if log.String() == "" {
		t.Error("nothing was logged: this test shows nothing")
	}
	for _, line := range strings.Split(log.String(), "\n") {
		if line != "" && !strings.HasPrefix(line, "time=") || strings.ContainsAny(line, "\r\x1b") {
			t.Errorf("a forged line in the log: %q", line)
		}
	}
}

// TestResetLimits: reset mails are limited by the typed address, whatever its spelling, and by where they are asked for; the
// answer is the same for an address that nobody has.
func TestResetLimits(t *testing.T) {
	t.Parallel()
	refusals := map[string]string{}
	for _, email := range []string{"ada", "nobody"} {
		s := newAccountSite(t, nil)
		for i := range 8 {
			typed := fmt.Sprintf("%s@example.com", email)
			if i%2 == 1 {
				typed = strings.ToUpper(typed)
			}
			got := postForm(t, s.Another(), "/accounts/password_reset/", url.Values{"email": {typed}})
			refusals[email] += fmt.Sprint(got.status, " ")
		}
		if n := s.waiting(); n != 5 {
			t.Errorf("%s: %d mails wait after 8 requests, want 5", email, n)
		}
		if got := postForm(t, s.Another(), "/accounts/password_reset/", url.Values{"email": {"other@example.com"}}); got.status != http.StatusSeeOther {
			t.Errorf("another address: got %d, want 303", got.status)
		}
		logInAs(s.Browser, "ada", "correct horse").Visit("/").Sees("Hello, ada") // logging in is counted apart
	}
	if want := "303 303 303 303 303 429 429 429 "; refusals["ada"] != want || refusals["nobody"] != want {
		t.Errorf("got %v, want %s for both", refusals, want)
	}
	s := newAccountSite(t, nil)
	limited := 0
	for i := range 40 {
		if postForm(t, s.Another(), "/accounts/password_reset/", url.Values{"email": {fmt.Sprintf("n%d@example.com", i)}}).status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited != 10 {
		t.Errorf("%d of 40 addresses from one place were refused, want 10", limited)
	}
}

// TestOldPasswordTries: a borrowed session is no way to guess the password.
func TestOldPasswordTries(t *testing.T) {
	t.Parallel()
	s := newAccountSite(t, nil)
	logInAs(s.Browser, "ada", "correct horse")
	refused := 0
	for range 15 {
		got := postForm(t, s.Browser, "/accounts/password_change/", url.Values{"old_password": {"guess"}, "new_password1": {"x"}, "new_password2": {"x"}})
		if got.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d of 15 guesses were refused, want 5", refused)
	}
}

// TestResetOnce: of 64 uses of one link at once, with 64 passwords, one succeeds.
func TestResetOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := migrated(t, empty)
		s := newAccountSiteOn(t, db, nil)
		uid, token := resetParts(t, s.askReset("ada@example.com"))
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				if s.Accounts.Reset(context.WithoutCancel(t.Context()), uid, token, newPassword(fmt.Sprintf("purple stapler meadow %d", i)), "http://x", asked()) == nil {
					won.Add(1)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 64 resets by one link succeeded, want 1", won.Load())
		}
		if n := s.waiting(); n != 1 {
			t.Errorf("%d notices wait, want 1", n)
		}
	})
}
