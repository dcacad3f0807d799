package proxies_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
)

// said are the headers that a program could take for the proxy's word, however it reads names.
func said(r *http.Request) string {
	var all []string
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
		all = append(all, strings.Join(r.Header[name], "|"))
	}
	for name, lines := range r.Header {
		if low := strings.ToLower(name); strings.Contains(low, "remote") && strings.Contains(low, "_") || strings.Contains(strings.Join(lines, " "), "root") {
			all = append(all, name+": "+strings.Join(lines, "|"))
		}
	}
	return strings.Join(all, "; ")
}

const isAda = "ada; Zo%C3%AB; ada@example.com; Zo%C3%AB%2C & co,staff"

// TestStory: somebody who is not logged in is sent to do so, comes back to the page, and the program knows who it is; whatever the browser
// says about that counts for nothing; a rule turns people away; a log-out counts at once; and without Cardea nobody gets in.
func TestStory(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		// A program gets 401, a person the log-in page. The program behind hears of neither.
		b := r.browser()
		with(t, b, "/page?x=1", "Accept: application/json", "Remote-User: root").HasStatus(http.StatusUnauthorized)
		b.Visit("/page?x=1&y=%26").AtPath("/accounts/login/").HasStatus(http.StatusOK)
		if asked := r.program.took(); len(asked) > 0 {
			t.Errorf("nobody is logged in, and the program was asked for %s", asked[0].RequestURI)
		}

		// After the log-in the page is there, and says who it is.
		b.Fill("username", "ada").Fill("password", harness.Password).Submit().AtPath("/page").HasStatus(http.StatusOK).Sees("hello to ada at /page?x=1&y=%26")
		asked := r.program.took()
		if len(asked) != 1 || said(asked[0]) != isAda {
			t.Fatalf("the program was asked %d times, and was told %q", len(asked), said(asked[0]))
		}
		if got := asked[0].Host; got != "app.example.com:"+r.port {
			t.Errorf("the program is called %q", got)
		}

		// The program does not see the session's cookie, but all others; and a form arrives as it was sent.
		home, err := url.Parse(r.app())
		if err != nil {
			t.Fatal(err)
		}
		b.Client().Jar.SetCookies(home, []*http.Cookie{{Name: "basket", Value: "1"}, {Name: "mysessionid", Value: "2"}})
		sent := ""
		for _, c := range b.Client().Jar.Cookies(home) {
			if strings.HasSuffix(c.Name, "-sessionid") {
				sent = c.Value
			}
		}
		if sent == "" {
			t.Fatal("control: the browser has no session")
		}
		req, err := http.NewRequest(http.MethodPost, b.URL("/form"), strings.NewReader("a=b&c="+strings.Repeat("d", 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		b.Do(req).HasStatus(http.StatusOK)
		asked = r.program.took()
		cookies := asked[0].Header.Get("Cookie")
		if strings.Contains(cookies, sent) || !strings.Contains(cookies, "basket=1") || !strings.Contains(cookies, "mysessionid=2") {
			t.Errorf("the program gets the cookies %q", cookies)
		}
		if asked[0].Method != http.MethodPost || asked[0].PostFormValue("a") != "b" || len(asked[0].PostFormValue("c")) != 100_000 {
			t.Errorf("the form arrived as %s, %d bytes", asked[0].Method, len(asked[0].PostFormValue("c")))
		}

		// Logged out, also with a copy of the cookies.
		stolen := b.Client().Jar.Cookies(home)
		b.Visit("https://" + r.login + ":" + r.port + "/accounts/profile/").HasStatus(http.StatusOK).Press("Log out")
		b.Visit("/page").AtPath("/accounts/login/")
		thief := r.browser()
		thief.Client().Jar.SetCookies(home, stolen)
		thief.Visit("/page").AtPath("/accounts/login/")
		if asked := r.program.took(); len(asked) > 0 {
			t.Errorf("after the log-out the program was asked for %s", asked[0].RequestURI)
		}

		// Ended by an administrator: at the next request.
		c := r.loggedIn("ada", "/page").HasStatus(http.StatusOK).Sees("hello to ada")
		if _, err := r.db.Pool().ExecContext(t.Context(), "DELETE FROM django_session"); err != nil {
			t.Fatal(err)
		}
		c.Visit("/page").AtPath("/accounts/login/")

		// Without Cardea nobody gets in, who was logged in neither.
		d := r.loggedIn("ada", "/page").HasStatus(http.StatusOK)
		r.program.took()
		r.cardea.Kill(t)
		for _, who := range []*cardeatest.Browser{d, r.browser()} {
			res, err := who.Client().Get(r.app() + "/page")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode < 500 {
				t.Errorf("without Cardea: status %d", res.StatusCode)
			}
		}
		if asked := r.program.took(); len(asked) > 0 {
			t.Errorf("without Cardea the program was asked for %s", asked[0].RequestURI)
		}
	})
}

// TestSpoofing: what a browser says in the headers of the proxy changes nothing, be it logged in or not.
func TestSpoofing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ada := r.loggedIn("ada", "/page").HasStatus(http.StatusOK).Sees("hello to ada")
		if asked := r.program.took(); len(asked) != 1 || said(asked[0]) != isAda {
			t.Fatalf("control: asked %d times", len(asked))
		}
		for _, lines := range [][]string{
			{"Remote-User: root", "Remote-Name: root", "Remote-Email: root@example.com", "Remote-Groups: admins,root"},
			{"remote-user: root"},
			{"REMOTE-USER: root"},
			{"Remote_User: root"},
			{"REMOTE_USER: root"},
			{"Remote-User: ada", "Remote-User: root"},
			{"X-Forwarded-Host: other.example.com"},
			{"X-Forwarded-Uri: /static/x"},
			{"X-Forwarded-Method: POST"},
			{"X_Forwarded_Host: other.example.com"},
			{"X-Forwarded-Proto: http"},
			{"X-Forwarded-For: 127.0.0.1"},
			{"Connection: close, Remote-User"},
			{"Connection: close, X-Forwarded-Uri"},
		} {
			if status := r.raw(ada, "/page", lines...); status != http.StatusOK {
				t.Errorf("%q: status %d", lines, status)
			}
			if asked := r.program.took(); len(asked) != 1 || said(asked[0]) != isAda {
				t.Errorf("%q: the program was asked %d times and told %q", lines, len(asked), said(asked[0]))
			}
			if status := r.raw(r.browser(), "/page", lines...); status != http.StatusFound {
				t.Errorf("%q by nobody: status %d", lines, status)
			}
			if asked := r.program.took(); len(asked) > 0 {
				t.Errorf("%q by nobody: the program was told %q", lines, said(asked[0]))
			}
		}
		for _, path := range []string{"/auth/verify", "/auth/verify?redirect"} {
			r.raw(ada, path, "X-Forwarded-Uri: /static/x", "X-Forwarded-Host: app.example.com:"+r.port)
			for _, asked := range r.program.took() { // the program may have such an address of its own
				if said(asked) != isAda {
					t.Errorf("%s: the program was told %q", path, said(asked))
				}
			}
		}
	})
}

// TestRules: on a host whose rules tell paths apart, the open part is open, the closed one is closed, and no spelling of a path leads from
// the one to the other (M19).
func TestRules(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, k, setups[0])
			nobody, ada := r.browser(), r.loggedIn("ada", "/page")
			r.program.took()
			for path, want := range map[string][2]int{ // nobody, and ada, who is no administrator
				"/static/x": {200, 200}, "/page": {302, 200}, "/admin": {302, 403}, "/admin/users": {302, 403}, "/administration": {302, 200},
			} {
				for i, b := range []*cardeatest.Browser{nobody, ada} {
					if got := r.raw(b, path, "Remote-User: root"); got != want[i] {
						t.Errorf("visitor %d at %s: status %d, want %d", i, path, got, want[i])
					}
					for _, asked := range r.program.took() {
						if name := asked.Header.Get("Remote-User"); name != "" && name != "ada" || path == "/static/x" && name != "" {
							t.Errorf("visitor %d at %s: the program was told %q", i, path, name)
						}
					}
				}
			}
			for _, path := range []string{
				"//admin", "/static/../admin", "/static/%2e%2e/admin", "/static/..%2fadmin", "/./admin", "/%61dmin", "/static/%252e%252e/admin", "/admin;x",
				"/static/..;/admin", "/ADMIN", "/admin%20", "/admin%00", "/static//../admin", `/static\..\admin`, "/admin.", "/x/../admin/users", "/static/%2e%2e%2fadmin",
				"http://app.example.com/static/../admin",
			} {
				if status := r.raw(ada, path); status < 400 {
					t.Errorf("%s: status %d", path, status)
				}
				if asked := r.program.took(); len(asked) > 0 {
					t.Errorf("%s: the program was asked for %s", path, asked[0].RequestURI)
				}
			}
			// The administrator reaches what the rule closes to others.
			bob, err := r.db.UserByName(t.Context(), "bob")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.db.Users().Groups().Add(t.Context(), "admins", bob); err != nil {
				t.Fatal(err)
			}
			admin := r.loggedIn("bob", "/admin/users").HasStatus(http.StatusOK).Sees("hello to bob at /admin/users")
			if err := r.db.Users().Groups().Remove(t.Context(), "admins", bob); err != nil {
				t.Fatal(err)
			}
			admin.Visit("/admin/users").HasStatus(http.StatusForbidden)
		})
	}
}
