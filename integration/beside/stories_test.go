package beside_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/integration/beside"
)

// A story is told in both directions: A is the side at which something happens, B the one that has to know.
type story struct {
	name string
	tell func(c *cell)
}

var stories = []story{
	{"log in at A, visit B", logIn},
	{"log out at B, visit A", logOut},
	{"new password at A", changePassword},
	{"reset link of A at B", resetElsewhere},
	{"reset link of A, too old", resetTooLate},
	{"message of A shown at B", message},
	{"form of A sent to B", form},
	{"new secret key at A first", rotate},
	{"costlier hash at A", upgrade},
	{"row gone, slow request at B", rowGone},
	{"user inactive at A", inactive},
	{"user deleted at A", deleted},
	{"permissions changed at A", permissions},
	{"createsuperuser at A", superuser},
	{"five log-ins, one password row", fiveLogins},
	{"JOE and joe_ at A and B", otherSpelling},
}

func logIn(c *cell) {
	b := c.loggedIn(c.a)
	key := c.inTable(b, beside.SecretKey)
	before, _ := c.sessionRow(key)
	c.both(b, c.user)
	if after, _ := c.sessionRow(key); b.Cookie("sessionid") != key || after != before {
		c.Errorf("visiting changed the session %q to %q, its row %q to %q", key, b.Cookie("sessionid"), before, after)
	}
	if n := c.count("auth_user WHERE username = ? AND last_login IS NOT NULL", c.user); n != 1 {
		c.Errorf("last_login is not set")
	}
	c.sees(c.browser(), c.b, "") // the control
}

func logOut(c *cell) {
	b, other := c.loggedIn(c.a), c.loggedIn(c.a)
	key, copied := c.inTable(b, beside.SecretKey), b.Cookie("sessionid")
	c.sees(b, c.b, c.user).Press("Log out")
	c.notInTable(key)
	c.sees(b, c.a, "")
	c.sees(b, c.b, "")
	thief := c.browser() // who has the cookie of before
	for _, at := range []side{c.a, c.b} {
		request, err := http.NewRequest(http.MethodGet, thief.URL("/"), nil)
		if err != nil {
			c.Fatal(err)
		}
		request.AddCookie(&http.Cookie{Name: "sessionid", Value: copied})
		c.turn(at)
		thief.Do(request).Sees(at.nobody)
	}
	c.both(other, c.user) // the control: another session of the same person
}

func changePassword(c *cell) {
	elsewhere, b := c.loggedIn(c.b), c.loggedIn(c.a)
	dead, key, before := c.inTable(elsewhere, beside.SecretKey), c.inTable(b, beside.SecretKey), c.stored()
	c.both(elsewhere, c.user)
	setPassword(c.visit(b, c.a, changePath).Fill("old_password", c.password), secondPassword).AtPath(changePath + "done/")
	if c.stored() == before {
		c.Fatal("the password in the table is the old one")
	}
	c.both(b, c.user)
	if next := c.inTable(b, beside.SecretKey); next == key {
		c.Error("the session keeps its key over a new password")
	}
	c.both(elsewhere, "")
	c.notInTable(dead)
	c.notInTable(key)
	c.refused(c.b, firstPassword)
	c.both(c.login(c.browser(), c.b, secondPassword), c.user)
}

func resetElsewhere(c *cell) {
	elsewhere := c.loggedIn(c.a)
	b := c.browser()
	c.visit(b, c.a, resetPath).Fill("email", c.email).Submit().AtPath(resetPath + "done/")
	link, before := c.mailedLink(), c.stored()
	if c.visit(b, c.b, link); !strings.Contains(b.Body, "new_password1") {
		c.Fatalf("the link of %s at %s: status %d\n%s", c.a.name, c.b.name, b.Status, b.Body)
	}
	setPassword(b, secondPassword).AtPath("/accounts/reset/done/")
	if c.stored() == before {
		c.Fatal("the password in the table is the old one")
	}
	c.both(elsewhere, "")
	c.both(c.login(c.browser(), c.a, secondPassword), c.user)
	for _, at := range []side{c.a, c.b} {
		c.visit(c.browser(), at, link).HasStatus(http.StatusOK).SeesNot("new_password1")
	}
}

// resetTooLate: both sides agree about the time, whatever the zone they count it in.
func resetTooLate(c *cell) {
	for _, ago := range []time.Duration{30 * time.Minute, 90 * time.Minute} {
		link := c.earlierLink(ago)
		for _, at := range []side{c.a, c.b} {
			b := c.visit(c.browser(), at, link).HasStatus(http.StatusOK)
			if works := strings.Contains(b.Body, "new_password1"); works != (ago < time.Hour) {
				c.Fatalf("a link of %s, %v old, works at %s: %v", c.a.name, ago, at.name, works)
			}
		}
	}
}

// message: a short one travels in a cookie and a long one in the session.
func message(c *cell) {
	b := c.loggedIn(c.a)
	key := c.inTable(b, beside.SecretKey)
	for _, text := range []string{"Fröhliche Grüße ☃ <b>&amp;</b> \"\\", "no cookie holds this: " + noise(3000)} {
		c.addMessage(b, text)
		stored, _ := c.sessionRow(key)
		if long, inSession := len(text) > 2000, strings.Contains(c.decoded(stored), "_messages"); long != inSession {
			c.Fatalf("a message of %d bytes of %s is in the session: %v\n%s", len(text), c.a.name, inSession, c.decoded(stored))
		}
		if b.Cookie("messages") == "" {
			c.Fatalf("%s sets no cookie for messages", c.a.name)
		}
		c.sees(b, c.b, c.user).Sees(text)
		// Django leaves a cookie that says that there is more in the session, where there is no more.
		left := b.Cookie("messages") != "" && (c.b == cardeaSide || len(text) < 2000)
		if stored, _ := c.sessionRow(key); strings.Contains(c.decoded(stored), "_messages") || left {
			c.Fatalf("a message that %s has shown is still there: cookie %q, session %s", c.b.name, b.Cookie("messages"), c.decoded(stored))
		}
		c.sees(b, c.a, c.user).SeesNot(text[:15])
	}
	if c.a == cardeaSide { // a message of the binary's own: that of its page of sessions
		c.loggedIn(c.a)
		c.postQuietly(c.visit(b, c.a, "/accounts/sessions/"), "/accounts/sessions/")
		c.sees(b, c.b, c.user).Sees("All others are ended: 1.")
	}
}

// form: whoever renders a form, the other takes it, and only with its token.
func form(c *cell) {
	b := c.browser()
	token := hiddenToken(c, c.visit(b, c.a, loginPath))
	cookie := b.Cookie("csrftoken")
	c.turn(c.b)
	for _, wrong := range []string{"", token[:63] + string(token[63]^1), strings.Repeat("a", 64)} {
		c.post(b, loginPath, wrong, "username", c.user, "password", c.password).HasStatus(http.StatusForbidden)
	}
	if b.Cookie("csrftoken") != cookie {
		c.Error("a form that was refused changed the cookie")
	}
	c.visit(b, c.a, loginPath).Fill("username", c.user).Fill("password", c.password)
	c.turn(c.b)
	b.Submit().HasStatus(http.StatusOK)
	c.both(b, c.user)
	c.inTable(b, beside.SecretKey)
	if b.Cookie("csrftoken") == cookie {
		c.Error("logging in keeps the cookie of the forms")
	}
	c.sees(b, c.a, c.user) // the same behind the log-in
	c.turn(c.b)
	b.Press("Log out")
	c.both(b, "")
}

// rotate: a new secret key comes to A first, which knows the old one still. Nobody who is not at both in between notices.
func rotate(c *cell) {
	untouched, b := c.loggedIn(c.a), c.loggedIn(c.a)
	old := c.inTable(b, beside.SecretKey)
	c.replace(c.a, c.rotated)
	c.sees(b, c.a, c.user)
	key := c.inTable(b, newSecret)
	if key == old {
		c.Error("the session keeps its key over a new secret")
	}
	c.notInTable(old)
	c.both(untouched, c.user) // B first, which knows the old secret only; then A, which moves it on
	row, _ := c.sessionRow(key)
	c.sees(b, c.b, "")
	if after, _ := c.sessionRow(key); after != row {
		c.Fatalf("%s, which cannot read the session, changed it from %q to %q", c.b.name, row, after)
	}
	c.sees(b, c.a, c.user)
	fresh := c.loggedIn(c.a)
	c.inTable(fresh, newSecret)

	c.replace(c.b, c.rotated)
	for _, who := range []interface{ Cookie(string) string }{b, untouched, fresh} {
		if _, ok := c.sessionRow(who.Cookie("sessionid")); !ok {
			c.Fatal("a session is gone from the table")
		}
	}
	c.both(b, c.user)
	c.both(untouched, c.user)
	c.both(fresh, c.user)
	c.inTable(untouched, newSecret)
}

// upgrade: A hashes at another cost, as after an update. Whoever logs in there ends their other sessions, also at B.
func upgrade(c *cell) {
	b := c.loggedIn(c.b)
	dead, before := c.inTable(b, beside.SecretKey), c.stored()
	c.replace(c.a, c.costlier)
	c.sees(b, c.b, c.user)
	fresh := c.loginAnew(c.a)
	if after := c.stored(); after == before {
		c.Fatalf("the password in the table is still %q", after)
	}
	c.sees(b, c.b, "")
	c.notInTable(dead)
	c.both(fresh, c.user)
	c.inTable(fresh, beside.SecretKey)
}

// rowGone: who logs out at A while B is at work does not come back to life by what B writes.
func rowGone(c *cell) {
	for _, gone := range []bool{false, true} { // the first is the control
		b := c.loggedIn(c.a)
		key := c.inTable(b, beside.SecretKey)
		hold := c.Gate.Hold()
		defer hold.Free()
		path := fmt.Sprintf("/go/set?key=late&value=yes&hold=%s", hold.Token)
		if c.b == djangoSide {
			path = fmt.Sprintf("/slow/?gate=%s&value=yes&hold=%s", c.Gate.URL, hold.Token)
		}
		type answer struct {
			status int
			err    error
		}
		answered := make(chan answer, 1)
		c.turn(c.b)
		go func() {
			status, err := c.get(b, path)
			answered <- answer{status, err}
		}()
		select {
		case <-hold.Arrived:
		case got := <-answered:
			c.Fatalf("the slow request was answered before it waited: %+v", got)
		}
		other := c.browser()
		other.Client().Jar = b.Client().Jar
		if gone {
			c.sees(other, c.a, c.user).Press("Log out")
			c.notInTable(key)
		}
		hold.Free()
		got := <-answered
		if want := map[bool]int{false: http.StatusOK, true: http.StatusBadRequest}[gone]; got.err != nil || got.status != want {
			c.Fatalf("the row gone: %v; the slow request at %s is answered %d (%v), want %d", gone, c.b.name, got.status, got.err, want)
		}
		if text, ok := c.sessionRow(key); ok == gone || ok && !strings.Contains(c.decoded(text), `"late"`) {
			c.Fatalf("the row gone: %v; afterwards it is there: %v, with %s", gone, ok, c.decoded(text))
		}
		c.both(b, map[bool]string{false: c.user, true: ""}[gone])
	}
}
