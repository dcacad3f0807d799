package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/integration/directory"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// A stackSite is a site with three kinds of back ends: its database, where lena is; a directory, where bob is, and eve, whom it denies;
// and a button that leads to where jane has an account.
type stackSite struct {
	t         *testing.T
	database  testdb.DB
	addr      string // the same after each start
	directory *directory.Server
	provider  *oidctest.Provider
	process   *harness.Server
}

func newStackSite(t *testing.T) *stackSite {
	t.Helper()
	s := &stackSite{t: t, database: testdb.New(t, "sqlite"), addr: "127.0.0.1:" + harness.FreePort(t), directory: directory.New(t), provider: oidctest.New(t)}
	s.directory.Add("cn=denied,"+directory.Groups, "objectClass: groupOfNames", "cn: denied", "member: uid=eve,"+directory.People)
	s.provider.Register("site", "of the site", "http://"+s.addr+"/accounts/oidc/work/callback/")
	db := harness.Migrated(t, s.database, "lena")
	encoded, err := password.MD5().Encode("right eve", "stack")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateUser(t.Context(), userdb.NewUser{Username: "eve", PasswordHash: encoded}); err != nil { // as she is known to the directory
		t.Fatal(err)
	}
	return s
}

// serve starts the site with a stack, in place of the one that runs.
func (s *stackSite) serve(stack ...string) {
	s.t.Helper()
	if s.process != nil {
		s.process.Stop(s.t)
	}
	text := fmt.Sprintf("authentication_backends = [\"%s\"]\n", strings.Join(stack, `", "`))
	for _, name := range stack {
		switch name {
		case "ldap":
			text += fmt.Sprintf("[ldap]\nservers = [\"ldaps://%s\"]\nca_file = %q\nbind_dn = %q\nbind_password = %q\nuser_base = %q\nskip_if_down = true\n"+
				"group_kind = \"groupOfNames\"\ngroup_base = %q\ndeny_groups = [\"denied\"]\n",
				s.directory.TLS, s.directory.CA, directory.Site, directory.Secret, directory.People, directory.Groups)
		case "oidc.work":
			text += fmt.Sprintf("[[oidc]]\nname = \"work\"\ntitle = \"Work\"\nissuer = %q\nclient_id = \"site\"\nclient_secret = \"of the site\"\ncreate = true\n", s.provider.Issuer)
		}
	}
	file := filepath.Join(s.t.TempDir(), "site.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.process = harness.Serve{DB: s.database.URL, Addr: s.addr, Env: []string{"CARDEA_CONFIG=" + file, harness.CheapHashing, placesToHash}}.Start(s.t)
}

// in opens a window for somebody and logs in by the form.
func (s *stackSite) in(name, password string) *tab {
	s.t.Helper()
	b := s.tries(name, password, 200)
	b.at("/accounts/profile/")
	b.sees(name)
	return b
}

// tries opens a window, and types a name and a password.
func (s *stackSite) tries(name, password string, status int) *tab {
	s.t.Helper()
	b := open(s.t, s.process.URL)
	b.visit("/accounts/profile/")
	b.at("/accounts/login/")
	b.write("username", name)
	b.write("password", password)
	b.status("log in as "+name, status, b.press("Log in"))
	return b
}

// byButton opens a window for jane, who presses the button.
func (s *stackSite) byButton() *tab {
	s.t.Helper()
	b := openUnwatched(s.t, s.process.URL) // it goes elsewhere on the way
	b.visit("/accounts/profile/")
	b.at("/accounts/login/")
	b.press("Log in with Work")
	b.until("back from Work", func() bool {
		return strings.HasPrefix(eval[string](b, "location.href"), s.process.URL+"/accounts/profile/")
	})
	b.sees("jane")
	return b
}

// still says who of them is logged in.
func (s *stackSite) still(step string, people map[string]*tab, want ...string) {
	s.t.Helper()
	for name, b := range people {
		b.visit("/accounts/profile/")
		path, _, _ := strings.Cut(b.path(), "?")
		in, expected := path == "/accounts/profile/", false
		for _, w := range want {
			expected = expected || w == name
		}
		if in != expected {
			s.t.Errorf("%s: %s is logged in: %v, want %v", step, name, in, expected)
		}
		if in {
			b.sees(name)
		}
	}
}

// TestStack: three back ends behind one log-in page. Whichever knows somebody lets that person in; whom the directory denies, no later one lets
// in; the session remembers which it was, and counts as long as that one is in the stack. What is away turns away its own people, with a page
// that says so, and nobody else. Both orders.
func TestStack(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"database", "ldap", "oidc.work"}, {"ldap", "database", "oidc.work"}} {
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			t.Parallel()
			s := newStackSite(t)
			s.serve(order...)
			people := map[string]*tab{"lena": s.in("lena", harness.Password), "bob": s.in("bob", "right bob"), "jane": s.byButton()}

			// Wrong, unknown and denied read the same.
			texts := map[string]string{}
			for _, c := range [][2]string{{"bob", "wrong"}, {"nobody", "wrong"}, {"lena", "wrong"}} {
				b := s.tries(c[0], c[1], 200)
				b.at("/accounts/login/")
				b.sees("do not match")
				texts[c[0]] = b.text()
			}
			if order[0] == "ldap" { // where the database is asked first, it lets its own eve in before anybody denies her
				b := s.tries("eve", "right eve", 200)
				b.at("/accounts/login/")
				b.sees("do not match")
				texts["eve"] = b.text()
			}
			for name, text := range texts {
				if text != texts["nobody"] {
					t.Errorf("%s reads another page than nobody:\n%s", name, text)
				}
			}
			if log := s.process.Output(); order[0] == "ldap" && !strings.Contains(log, "denied") {
				t.Errorf("the log does not say that somebody was denied:\n%s", log)
			}

			// A back end that is taken away takes its logins with it, and no others; put back, they count again.
			s.still("with all of them", people, "lena", "bob", "jane")
			s.serve("database", "oidc.work")
			s.still("without the directory", people, "lena", "jane")
			s.serve("database", "ldap")
			s.still("without Work", people, "lena", "bob")
			s.serve("ldap", "oidc.work")
			s.still("without the database", people, "bob", "jane")
			s.serve("database")
			s.in("eve", "right eve") // the control: the database by itself lets her in
			s.serve(order...)
			s.still("with all of them again", people, "lena", "bob", "jane")

			// The directory is away: a page says so to its own people, and to whom nobody knows. All others come in.
			s.directory.Kill(t)
			s.in("lena", harness.Password)
			s.byButton()
			for _, c := range [][2]string{{"bob", "right bob"}, {"bob", "wrong"}, {"nobody", "wrong"}} {
				b := s.tries(c[0], c[1], 503)
				b.sees("does not answer at the moment")
				b.lacks("do not match")
			}
			s.still("without a directory that answers", people, "lena", "bob", "jane")
			s.directory.Start()
			s.in("bob", "right bob")

			// Work is away: a page says so to those who press the button.
			s.provider.Set(func(p *oidctest.Provider) { p.Faults.Down = []string{"/token"} })
			b := openUnwatched(t, s.process.URL)
			b.visit("/accounts/login/")
			b.press("Log in with Work")
			b.until("the page that says so", func() bool { return strings.Contains(b.text(), "Work does not answer right now") })
			s.in("lena", harness.Password)
			s.in("bob", "right bob")
			s.still("without Work that answers", people, "lena", "bob", "jane")
			s.provider.Set(func(p *oidctest.Provider) { p.Faults.Down = nil })
			s.byButton()
		})
	}
}
