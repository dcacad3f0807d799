package remoteuser_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/remoteuser"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// These are the cases of Django's tests of its RemoteUserMiddleware, by the names that they have there.

func (s *site) count() int {
	s.t.Helper()
	n, err := s.db.CountUsers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) user(name string) *userdb.User {
	s.t.Helper()
	u, err := s.db.UserByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func TestNoRemoteUser(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	v := s.visitor()
	v.is("")
	v.is("", "Remote-User: ")
	if n := s.count(); n != 0 {
		t.Errorf("%d users were made", n)
	}
	if v.key() != "" {
		t.Error("nobody has a session")
	}
}

func TestUnknownUser(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.visitor().is("newuser", "Remote-User: newuser")
	s.visitor().is("newuser", "Remote-User: newuser")
	if n := s.count(); n != 1 {
		t.Errorf("%d users, want one", n)
	}
	if u := s.user("newuser"); u.Password != "" || !u.IsActive || u.IsStaff || u.IsSuperuser || u.DateJoined.IsZero() {
		t.Errorf("made %+v", u)
	}
	refuses := s.visitor()
	refuses.browser.Visit("/accounts/login/").Fill("username", "newuser").Fill("password", "").Submit()
	refuses.is("")
}

func TestUnknownUserIsNotCreated(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *remoteuser.Config, _ *cardea.Config) { c.Create = nil })
	cardeatest.User(t, s.db, "knownuser", password)
	s.visitor().is("", "Remote-User: newuser")
	if n := s.count(); n != 1 {
		t.Errorf("%d users, want one", n)
	}
	if !strings.Contains(s.log.String(), "name=newuser") {
		t.Errorf("the refusal is not in the log:\n%s", s.log)
	}
	s.visitor().is("knownuser", "Remote-User: knownuser")
}

func TestKnownUser(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	cardeatest.User(t, s.db, "knownuser", password)
	cardeatest.User(t, s.db, "knownuser2", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser")
	v.is("knownuser2", "Remote-User: knownuser2")
	if n := s.count(); n != 2 {
		t.Errorf("%d users, want two", n)
	}
}

func TestLastLogin(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, func(_ *remoteuser.Config, c *cardea.Config) { c.Now = func() time.Time { return now } })
	cardeatest.User(t, s.db, "knownuser", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser")
	first := s.user("knownuser").LastLogin
	if first == nil || !first.Equal(now) {
		t.Fatalf("the login was recorded as %v", first)
	}
	key := v.key()
	now = now.Add(time.Hour)
	v.is("knownuser", "Remote-User: knownuser")
	if again := s.user("knownuser").LastLogin; !again.Equal(*first) {
		t.Errorf("the second request was recorded as a login, at %v", again)
	}
	if v.key() != key {
		t.Error("the second request made a new session key")
	}
	s.visitor().is("knownuser", "Remote-User: knownuser")
	if again := s.user("knownuser").LastLogin; !again.Equal(now) {
		t.Errorf("another browser's login was recorded as %v", again)
	}
}

func TestHeaderDisappears(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	cardeatest.User(t, s.db, "knownuser", password)
	cardeatest.User(t, s.db, "modeluser", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser")
	v.is("")
	v.is("")

	// A login by another back end is left alone.
	v = s.visitor()
	v.login("modeluser")
	v.is("modeluser")
	v.is("modeluser", "Remote-User: ")
}

// TestHeaderDisappearsPersistent: the persistent variant keeps the login, until the proxy says that there is nobody.
func TestHeaderDisappearsPersistent(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *remoteuser.Config, _ *cardea.Config) { c.Persistent = true })
	cardeatest.User(t, s.db, "knownuser", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser")
	v.is("knownuser")
	v.is("", "Remote-User: ")
	v.is("")
}

// TestUserSwitchForcesNewLogin (CVE-2014-0482): another name in the header is another login, and nothing of the first one's session
// is left for it; nor does the name of a user who cannot log in leave the first one logged in.
func TestUserSwitchForcesNewLogin(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *remoteuser.Config, _ *cardea.Config) { c.Create = nil })
	cardeatest.User(t, s.db, "knownuser", password)
	cardeatest.User(t, s.db, "other", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser")
	v.get("/keep?v=private", "Remote-User: knownuser")
	if got := v.get("/keep", "Remote-User: knownuser"); got != "private" {
		t.Fatalf("control: the session holds %q", got)
	}
	old := v.key()
	if got := v.get("/keep", "Remote-User: other"); got != "" {
		t.Errorf("the second user reads %q of the first", got)
	}
	v.is("other", "Remote-User: other")
	if v.key() == old {
		t.Error("the session key is the same")
	}
	v.is("", "Remote-User: unknown")
	v.is("")
}

func TestInactiveUser(t *testing.T) {
	t.Parallel()
	for _, admits := range []bool{false, true} {
		s := open(t, func(c *remoteuser.Config, _ *cardea.Config) { c.Inactive = admits })
		if _, err := s.db.CreateUser(t.Context(), userdb.NewUser{Username: "knownuser", Inactive: true}); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "knownuser"}[admits]
		v := s.visitor()
		v.is(want, "Remote-User: knownuser")
		v.is(want, "Remote-User: knownuser")
	}
}

// TestCustomBackend: a hook makes the name, another one fills in the user.
func TestCustomBackend(t *testing.T) {
	t.Parallel()
	var s *site
	s = open(t, func(c *remoteuser.Config, _ *cardea.Config) {
		c.EmailHeader = "Remote-Email"
		c.Clean = func(name string) string { name, _, _ = strings.Cut(name, "@"); return name }
		c.Configure = func(ctx context.Context, user auth.User, created bool, said remoteuser.Said) error {
			u := user.(*userdb.User)
			u.Email, u.LastName = said.Email, map[bool]string{true: "created", false: "known"}[created]
			return s.db.Users().Update(ctx, u)
		}
	})
	cardeatest.User(t, s.db, "knownuser", password)
	v := s.visitor()
	v.is("knownuser", "Remote-User: knownuser@EXAMPLE", "Remote-Email: one@example.com")
	key := v.key()
	v.is("knownuser", "Remote-User: knownuser@EXAMPLE", "Remote-Email: two@example.com")
	if u := s.user("knownuser"); u.Email != "one@example.com" || u.LastName != "known" {
		t.Errorf("the user is %+v", u)
	}
	if v.key() != key {
		t.Error("the cleaned name was taken for another one")
	}
	s.visitor().is("newuser", "Remote-User: newuser@EXAMPLE")
	if u := s.user("newuser"); u.LastName != "created" {
		t.Errorf("the new user is %+v", u)
	}
}

func TestCustomHeader(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *remoteuser.Config, _ *cardea.Config) { c.Header = "authuser" })
	v := s.visitor()
	v.is("", "Remote-User: ada")
	v.is("ada", "Authuser: ada")
}

// TestCSRFValidationPassesAfterLogin: a form from before the login is accepted in the request that logs in; the secret is another one then.
func TestCSRFValidationPassesAfterLogin(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	v := s.visitor()
	v.get("/accounts/login/")
	before := v.browser.Cookie("csrftoken")
	if before == "" {
		t.Fatal("no CSRF cookie")
	}
	post := func(token string) int {
		req, err := http.NewRequest(http.MethodPost, s.server.URL+"/form", strings.NewReader("csrfmiddlewaretoken="+token))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Remote-User", "ada")
		res, err := v.browser.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if status := post("wrong"); status != http.StatusForbidden {
		t.Errorf("a wrong token: status %d", status)
	}
	if status := post(before); status != http.StatusOK {
		t.Errorf("the token from before the login: status %d", status)
	}
	if v.browser.Cookie("csrftoken") == before {
		t.Error("the CSRF secret is still the one from before the login")
	}
}
