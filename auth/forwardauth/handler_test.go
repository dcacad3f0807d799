package forwardauth_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/forwardauth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

var twoHosts = []forwardauth.Rule{
	{Host: "wiki.example.com", Path: "/public", Public: true},
	{Host: "wiki.example.com"},
	{Host: "staff.example.com", Groups: []string{"other", "staff"}},
	{Host: "admin.example.com", Groups: []string{"admins"}},
	{Host: "perm.example.com", Permissions: []string{"wiki.view_page"}},
	{Host: "perms.example.com", Permissions: []string{"wiki.view_page", "wiki.change_page"}},
	{Host: "odd.example.com:8443", Groups: []string{"staff"}},
}

// grant gives ada the permission to view pages, not to change them.
func (s *site) grant() {
	s.t.Helper()
	if err := s.db.EnsurePermissions(s.t.Context(), "wiki", userdb.Model{Name: "page"}); err != nil {
		s.t.Fatal(err)
	}
	ada, err := s.db.UserByName(s.t.Context(), "ada")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.db.Users().Grant(s.t.Context(), ada, "wiki.view_page"); err != nil {
		s.t.Fatal(err)
	}
}

// TestAnswers: what each kind of visitor is answered at each kind of rule.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts)
	s.grant()
	admin := cardeatest.User(t, s.db, "root", password)
	admin.IsSuperuser = true
	if err := s.db.Users().Update(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	nobody, ada, root := s.visitor(), s.login("ada"), s.login("root")
	for _, c := range []struct {
		host, uri          string
		nobody, ada, super int
	}{
		{"wiki.example.com", "/", 401, 200, 200},
		{"WIKI.example.com.", "/", 401, 200, 200},
		{"wiki.example.com:443", "/", 401, 200, 200},
		{"wiki.example.com:8443", "/", 403, 403, 403},
		{"wiki.example.com", "/public/x", 200, 200, 200},
		{"staff.example.com", "/", 401, 200, 403},
		{"admin.example.com", "/", 401, 403, 403},
		{"perm.example.com", "/", 401, 200, 200},
		{"perms.example.com", "/", 401, 403, 200},
		{"odd.example.com:8443", "/", 401, 200, 403},
		{"odd.example.com", "/", 403, 403, 403},
		{"other.example.com", "/", 403, 403, 403},
		{"example.com", "/", 403, 403, 403},
	} {
		for who, v := range map[string]*visitor{"nobody": nobody, "ada": ada, "root": root} {
			want := map[string]int{"nobody": c.nobody, "ada": c.ada, "root": c.super}[who]
			res := v.ask(c.host, c.uri)
			if res.StatusCode != want {
				t.Errorf("%s at %s%s: status %d, want %d", who, c.host, c.uri, res.StatusCode, want)
			}
			name, there := res.Header["Remote-User"]
			if there != (want == 200) || there && name[0] != "" && (who == "nobody" || name[0] != who) {
				t.Errorf("%s at %s%s: Remote-User %q", who, c.host, c.uri, name)
			}
			if res.Header.Get("Cache-Control") != "no-store, private" {
				t.Errorf("%s at %s%s: Cache-Control %q", who, c.host, c.uri, res.Header.Get("Cache-Control"))
			}
			if redirects := res.Header.Get("Location") != ""; redirects != (want == 401) {
				t.Errorf("%s at %s%s: Location %q", who, c.host, c.uri, res.Header.Get("Location"))
			}
		}
	}
	for _, line := range []string{"in none of the groups of the rule", "permission=wiki.change_page", "no rule names this host", "host=admin.example.com"} {
		if !strings.Contains(s.log.String(), line) {
			t.Errorf("%q is not in the log", line)
		}
	}
}

// TestHeaders: what programs are told is ASCII without anything that could end a header or a list.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts, func(c *forwardauth.Config, _ *cardea.Config) {
		inner := c.Describe
		c.Describe = func(ctx context.Context, user auth.User) (forwardauth.Person, error) {
			p, err := inner(ctx, user)
			p.Username, p.Name, p.Email = "zoë\r\nRemote-User: root", " Zoë 100% ", "z\x00@example.com\x7f"
			return p, err
		}
	})
	res := s.login("ada").ask("wiki.example.com", "/")
	for name, want := range map[string]string{
		"Remote-User":   "zo%C3%AB%0D%0ARemote-User: root",
		"Remote-Name":   "%20Zo%C3%AB 100%25%20",
		"Remote-Email":  "z%00@example.com%7F",
		"Remote-Groups": "Zo%C3%AB%2C & co,staff",
	} {
		if got := res.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	empty := s.visitor().ask("wiki.example.com", "/public")
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
		if got, ok := empty.Header[name]; !ok || len(got) != 1 || got[0] != "" {
			t.Errorf("public: %s is %q, want it there and empty", name, got)
		}
	}
}

// TestWhoAsks (M22): only a trusted proxy is answered, and only one that says all, once: what it leaves out, a visitor could write.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts)
	ada := s.login("ada")
	all := []string{"X-Forwarded-Proto: https", "X-Forwarded-Method: GET", "X-Forwarded-Host: wiki.example.com", "X-Forwarded-Uri: /"}
	if got := ada.send("/auth/verify", all...).StatusCode; got != http.StatusOK {
		t.Fatalf("control: status %d", got)
	}
	for i, line := range all {
		without := append(append([]string{}, all[:i]...), all[i+1:]...)
		name, _, _ := strings.Cut(line, ": ")
		for what, lines := range map[string][]string{
			"missing":            without,
			"empty":              append([]string{name + ": "}, without...),
			"twice":              append([]string{line}, all...),
			"with an underscore": append([]string{strings.ReplaceAll(line, "X-Forwarded-", "X_Forwarded_")}, without...),
		} {
			if got := ada.send("/auth/verify", lines...); got.StatusCode != http.StatusForbidden || got.Header.Get("Remote-User") != "" {
				t.Errorf("%s %s: status %d", name, what, got.StatusCode)
			}
		}
	}
	for _, lines := range [][]string{
		{"X-Forwarded-Host: wiki.example.com, admin.example.com"},
		{"X-Forwarded-Host: wiki.example.com/"},
		{"X-Forwarded-Host: ada@wiki.example.com"},
		{"X-Forwarded-Host: wiki.example.com\x00"},
		{"X-Forwarded-Uri: http://wiki.example.com/"},
		{"X-Forwarded-Uri: public"},
		{`X-Forwarded-Uri: \public`},
	} {
		name, _, _ := strings.Cut(lines[0], ": ")
		for _, line := range all {
			if !strings.HasPrefix(line, name) {
				lines = append(lines, line)
			}
		}
		if got := ada.send("/auth/verify", lines...); got.StatusCode != http.StatusForbidden {
			t.Errorf("%q: status %d", lines[0], got.StatusCode)
		}
	}
	// Where plain HTTP is allowed, so that origin lets strangers in: they hear nothing of what is open either.
	insecure := open(t, twoHosts, func(_ *forwardauth.Config, c *cardea.Config) { c.InsecureHTTP = true })
	public := append([]string{"X-Forwarded-Uri: /public"}, all[:3]...)
	for peer, want := range map[string]int{"127.0.0.1:1": http.StatusOK, "192.0.2.9:1": http.StatusForbidden} {
		if got := insecure.visitor().send("/auth/verify", append(public, "peer: "+peer)...).StatusCode; got != want {
			t.Errorf("peer %q asks for what is public: status %d, want %d", peer, got, want)
		}
	}
	for _, peer := range []string{"192.0.2.9:1", "[2001:db8::1]:1", ""} {
		lines := append([]string{"peer: " + peer}, all...)
		if got := ada.send("/auth/verify", append(lines, "X-Forwarded-For: 127.0.0.1")...); got.StatusCode != http.StatusForbidden || got.Header.Get("Remote-User") != "" {
			t.Errorf("peer %q: status %d", peer, got.StatusCode)
		}
	}
}

// TestWhereToLogIn (M33): people are sent to the log-in page and nowhere else, whatever was asked for; browsers only.
func TestWhereToLogIn(t *testing.T) {
	t.Parallel()
	here := open(t, twoHosts)
	apart := open(t, twoHosts, func(c *forwardauth.Config, _ *cardea.Config) {
		c.LoginURL = "https://login.example.com/accounts/login/"
	})
	for _, c := range []struct {
		site             *site
		host, uri, where string
	}{
		{here, "wiki.example.com", "/", "/accounts/login/?next=/"},
		{here, "wiki.example.com", "/a?b=c&d=%26", "/accounts/login/?next=/a%3Fb%3Dc%26d%3D%2526"},
		{here, "wiki.example.com", "/ä", "/accounts/login/?next=/%25C3%25A4"},
		{here, "staff.example.com", "//evil.example/x", "/accounts/login/?next=//evil.example/x"}, // which the log-in page refuses
		{here, "staff.example.com", "/\r\nSet-Cookie: a=b", "/accounts/login/?next=/%250D%250ASet-Cookie%3A%2520a%253Db"},
		{apart, "wiki.example.com", "/a?b=c", "https://login.example.com/accounts/login/?next=https%3A//wiki.example.com/a%3Fb%3Dc"},
		{apart, "odd.example.com:8443", "/", "https://login.example.com/accounts/login/?next=https%3A//odd.example.com%3A8443/"},
		{apart, "staff.example.com", "//evil.example/x", "https://login.example.com/accounts/login/?next=https%3A//staff.example.com//evil.example/x"},
		{apart, "staff.example.com", "/@evil.example/", "https://login.example.com/accounts/login/?next=https%3A//staff.example.com/%40evil.example/"},
	} {
		v := c.site.visitor()
		res := v.ask(c.host, c.uri)
		where := res.Header.Get("Location")
		if res.StatusCode != http.StatusUnauthorized || where != c.where {
			t.Errorf("%s%q: status %d, Location\n%q, want\n%q", c.host, c.uri, res.StatusCode, where, c.where)
		}
		redirect := v.askAt("/auth/verify?redirect", c.host, c.uri)
		if redirect.StatusCode != http.StatusFound || redirect.Header.Get("Location") != where {
			t.Errorf("%s%q by redirect: status %d, Location %q", c.host, c.uri, redirect.StatusCode, redirect.Header.Get("Location"))
		}
		if u, err := url.Parse(where); err != nil || u.Host != "" && u.Host != "login.example.com" {
			t.Errorf("%q leads to %v, %v", where, u, err)
		}
		v.accept = "application/json"
		for _, path := range []string{"/auth/verify", "/auth/verify?redirect"} {
			if res := v.askAt(path, c.host, c.uri); res.StatusCode != http.StatusUnauthorized || res.Header.Get("Location") != "" {
				t.Errorf("a program at %s: status %d, Location %q", path, res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
}

// TestOnlyLooks: a question is answered without a write, whatever is found: nothing is rotated, ended, touched or set, and a log-out counts at once.
func TestOnlyLooks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := open(t, twoHosts, func(_ *forwardauth.Config, c *cardea.Config) { c.Now = func() time.Time { return now } })
	ada := s.login("ada")
	rows := func() string {
		t.Helper()
		var b strings.Builder
		for _, query := range []string{"SELECT session_key || session_data || expire_date FROM django_session ORDER BY 1", "SELECT session_key || coalesce(last_seen, '') FROM cardea_session ORDER BY 1"} {
			list, err := s.db.Pool().QueryContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for list.Next() {
				var one string
				if err := list.Scan(&one); err != nil {
					t.Fatal(err)
				}
				b.WriteString(one + "\n")
			}
			if err := list.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	before := rows()
	now = now.Add(20 * time.Hour) // it is long since anybody saw the session
	if res := ada.ask("wiki.example.com", "/"); res.StatusCode != http.StatusOK || res.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, cookies %q", res.StatusCode, res.Header["Set-Cookie"])
	}
	u, err := s.db.UserByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	old := u.Password
	if err := s.db.SetPassword(t.Context(), u, "another"); err != nil { // which ends the session at a request of its own
		t.Fatal(err)
	}
	for _, v := range []*visitor{ada, {s, "__Host-sessionid=nonsense", "text/html"}} {
		if res := v.ask("wiki.example.com", "/"); res.StatusCode != http.StatusUnauthorized || res.Header["Set-Cookie"] != nil {
			t.Errorf("status %d, cookies %q", res.StatusCode, res.Header["Set-Cookie"])
		}
	}
	if after := rows(); after != before {
		t.Errorf("something was written:\n%s\nwas\n%s", after, before)
	}
	if err := s.db.SetPassword(t.Context(), u, old); err != nil {
		t.Fatal(err)
	}
	if res := ada.ask("wiki.example.com", "/"); res.StatusCode != http.StatusOK {
		t.Fatalf("control: status %d", res.StatusCode)
	}
	if _, err := s.db.Pool().ExecContext(t.Context(), "DELETE FROM django_session"); err != nil {
		t.Fatal(err)
	}
	if res := ada.ask("wiki.example.com", "/"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the session's end: status %d", res.StatusCode)
	}
	post, err := http.NewRequest(http.MethodPost, s.server.URL+"/auth/verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	post.Host = "login.example.com"
	res, err := s.server.Client().Do(post)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode == http.StatusOK {
		t.Error("a POST is answered")
	}
}

// TestOutage: what cannot be known is 503 and names nobody; what is public stays open.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts)
	s.grant()
	ada := s.login("ada")
	if res := ada.ask("perm.example.com", "/"); res.StatusCode != http.StatusOK {
		t.Fatalf("control: status %d", res.StatusCode)
	}
	_ = s.db.Close()
	for _, host := range []string{"wiki.example.com", "staff.example.com", "perm.example.com"} {
		if res := ada.ask(host, "/"); res.StatusCode != http.StatusServiceUnavailable || res.Header["Remote-User"] != nil {
			t.Errorf("%s: status %d, %q", host, res.StatusCode, res.Header["Remote-User"])
		}
	}
	if res := ada.ask("wiki.example.com", "/public"); res.StatusCode != http.StatusOK {
		t.Errorf("public: status %d", res.StatusCode)
	}
	broken := open(t, twoHosts, func(c *forwardauth.Config, _ *cardea.Config) {
		c.Describe = func(context.Context, auth.User) (forwardauth.Person, error) { return forwardauth.Person{}, nil }
	})
	if res := broken.login("ada").ask("wiki.example.com", "/"); res.StatusCode != http.StatusServiceUnavailable || res.Header["Remote-User"] != nil {
		t.Errorf("a user without a name: status %d, %q", res.StatusCode, res.Header["Remote-User"])
	}
}

// TestHalfLogin: who has to prove more is sent to do so.
func TestHalfLogin(t *testing.T) {
	t.Parallel()
	for login, want := range map[string]string{
		"": "/accounts/second/?next=/x",
		"https://login.example.com/accounts/login/": "https://login.example.com/accounts/second/?next=https%3A//wiki.example.com/x",
	} {
		more := false
		s := open(t, twoHosts, func(c *forwardauth.Config, whole *cardea.Config) {
			c.LoginURL = login
			whole.Policy = func(*http.Request, auth.User, []auth.Proof) error {
				if more {
					return &auth.Incomplete{Need: []string{"otp"}, URL: "/accounts/second/"}
				}
				return nil
			}
		})
		ada := s.login("ada")
		if res := ada.ask("wiki.example.com", "/x"); res.StatusCode != http.StatusOK {
			t.Fatalf("control: status %d", res.StatusCode)
		}
		more = true
		if res := ada.ask("wiki.example.com", "/x"); res.StatusCode != http.StatusUnauthorized || res.Header.Get("Location") != want {
			t.Errorf("status %d, Location %q, want %q", res.StatusCode, res.Header.Get("Location"), want)
		}
	}
}

// TestDeniedPage: the plain answer shows the number that is in the log, and nothing else of it.
func TestDeniedPage(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts)
	res := s.login("ada").ask("admin.example.com", "/secret\r\nlevel=ERROR")
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(s.log.String(), "forwardauth: request denied\" id=")
	id, line, _ := strings.Cut(rest, " ")
	if len(id) != 10 || !strings.Contains(string(body), id) || strings.Contains(string(body), "secret") || strings.Contains(string(body), "admins") {
		t.Errorf("number %q, page\n%s", id, body)
	}
	if strings.Contains(line, "\nlevel=ERROR") {
		t.Errorf("the log was forged:\n%s", line)
	}
}
