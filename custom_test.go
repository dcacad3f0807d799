package cardea_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/userdb"
)

// A customer is a user type that embeds userdb.User.
type customer struct {
	userdb.User
	Company string `db:"company"`
}

// TestUserTypeThatEmbeds: a program's own columns come with its users, to its handlers and its templates.
func TestUserTypeThatEmbeds(t *testing.T) {
	t.Parallel()
	db, _ := countedDB(t)
	customers, err := userdb.NewTable[customer](db, userdb.TableConfig[customer]{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{Users: customers}); err != nil {
		t.Fatal(err)
	}
	encoded, err := cardeatest.Hashers().Make(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	ada := &customer{Company: "Analytical Engines"}
	ada.Username, ada.Password, ada.IsActive = "ada", encoded, true
	if err := customers.Create(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	site, err := cardea.NewWith(customers, cardeatest.Config())
	if err != nil {
		t.Fatal(err)
	}
	page := template.Must(template.New("page").Parse(`{{.User.Username}} of {{.User.Company}} {{.Data}} {{range .Messages}}{{.Text}}{{end}}`))
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.Render(w, r, page, "page", "says hello")
	})))
	b := cardeatest.NewBrowser(t, site.Handler(mux))
	b.Visit("/").AtPath("/accounts/login/")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/").Sees("ada of Analytical Engines says hello")
	b.Visit("/accounts/profile/").Sees("ada").Press("Log out")
	b.Visit("/").AtPath("/accounts/login/")
}

// A member is a user type that knows nothing of userdb.
type member struct {
	number    int
	name      string
	hash      string
	suspended bool
}

func (m *member) AuthID() string       { return fmt.Sprint("m", m.number) }
func (m *member) PasswordHash() string { return m.hash }
func (m *member) Active() bool         { return !m.suspended }

// A memberList is a store of users, and a back end, of a program's own.
type memberList struct {
	members []*member
	hashers *password.Hashers
	fault   atomic.Pointer[error] // what every call answers, if set
}

func newMemberList(t *testing.T, names ...string) *memberList {
	t.Helper()
	l := &memberList{hashers: cardeatest.Hashers()}
	for i, name := range names {
		hash, err := l.hashers.Make(context.Background(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		l.members = append(l.members, &member{number: i + 1, name: name, hash: hash})
	}
	return l
}

func (l *memberList) find(match func(*member) bool) (*member, error) {
	if err := l.fault.Load(); err != nil {
		return nil, *err
	}
	for _, m := range l.members {
		if match(m) {
			return m, nil
		}
	}
	return nil, auth.ErrNoUser
}

func (l *memberList) ByID(_ context.Context, id string) (*member, error) {
	return l.find(func(m *member) bool { return m.AuthID() == id })
}

func (l *memberList) ByIdentity(context.Context, *auth.Identity) (*member, error) {
	return nil, auth.ErrNoUser
}

func (l *memberList) Name() string { return "members" }

func (l *memberList) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	typed, ok := creds.(auth.Password)
	if !ok {
		return nil, auth.ErrNoMatch
	}
	m, err := l.find(func(m *member) bool { return m.name == typed.Username })
	if errors.Is(err, auth.ErrNoUser) {
		if err := l.hashers.Decoy(r.Context(), typed.Password); err != nil {
			return nil, err
		}
		return nil, auth.ErrNoMatch
	}
	if err != nil {
		return nil, err
	}
	right, _, err := l.hashers.Check(r.Context(), typed.Password, m.hash)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, auth.ErrNoMatch
	}
	return &auth.Identity{UserID: m.AuthID(), Attached: m, Methods: []string{"pwd"}}, nil
}

// memberSite is a site of parts of a program's own.
func memberSite(t *testing.T, parts cardea.Parts[*member], change func(*cardea.Config)) (*cardea.Site[*member], http.Handler) {
	t.Helper()
	cfg := cardeatest.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	if change != nil {
		change(&cfg)
	}
	site, err := cardea.Assemble(parts, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, _ := site.Auth.User(r)
		fmt.Fprintf(w, "Hello, %s, number %d", m.name, m.number)
	})))
	return site, site.Handler(mux)
}

// TestUserTypeByHand: users and sessions that live elsewhere than in a database log in all the same.
func TestUserTypeByHand(t *testing.T) {
	t.Parallel()
	list, store := newMemberList(t, "grace", "ada"), memstore.New(memstore.Config{})
	_, handler := memberSite(t, cardea.Parts[*member]{
		Users:    list,
		Backends: []auth.Backend{list},
		Sessions: store,
		Describe: func(m *member) pages.Description {
			return pages.Description{Name: m.name, Facts: []pages.Fact{{Name: "Number", Value: m.AuthID()}}}
		},
	}, nil)
	b := cardeatest.NewBrowser(t, handler)
	b.Visit("/").AtPath("/accounts/login/")
	b.Fill("username", "ada").Fill("password", "wrong").Submit().HasStatus(200).Sees("do not match")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/").Sees("Hello, ada, number 2")
	b.Visit("/accounts/profile/").Sees("m2")
	list.members[1].suspended = true
	b.Visit("/").AtPath("/accounts/login/")
	list.members[1].suspended = false
	b.Visit("/").Sees("Hello, ada")
	list.members[1].hash += "x" // a change of the password ends the session
	b.Visit("/").AtPath("/accounts/login/")
	if n := store.Len(); n != 0 {
		t.Errorf("%d sessions are left of a user whose password has changed", n)
	}
}

// TestIdentifier: people log in by what the setting says, and by nothing else.
func TestIdentifier(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[string]map[string]bool{
		"":         {"ada": true, "ada@example.com": false, "ADA@EXAMPLE.COM": false, "Ada": false},
		"username": {"ada": true, "ada@example.com": false, "Ada": false},
		"email":    {"ada": false, "ada@example.com": true, "Ada@Example.com": true, " ada@example.com ": true, "twins@example.com": false},
		"either":   {"ada": true, "ada@example.com": true, "Ada": false, "twins@example.com": false, "eve@example.com": true},
	} {
		t.Run("identifier="+identifier, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, func(cfg *cardea.Config) { cfg.Identifier = identifier })
			encoded, err := g.site.Hashers.Make(t.Context(), "correct horse")
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range []userdb.NewUser{
				{Username: "castor", Email: "twins@example.com"},
				{Username: "pollux", Email: "twins@example.com"},
				{Username: "eve@example.com", Email: "eve@other.example"}, // a name that looks like an address is a name
			} {
				u.PasswordHash = encoded
				if _, err := g.db.CreateUser(t.Context(), u); err != nil {
					t.Fatal(err)
				}
			}
			for typed, in := range want {
				p := g.person()
				a := p.logIn(typed, "correct horse")
				if a.redirects() != in || p.isIn() != in {
					t.Errorf("%q: status %d, want it to log in: %v", typed, a.status, in)
				}
			}
			if kind := strings.Contains(g.person().get("/accounts/login/").body, `type="email"`); kind != (identifier == "email") {
				t.Errorf("the field is one for addresses: %v", kind)
			}
		})
	}
}

// TestTemplatesAreReplaced: a file of the program's takes the place of ours of the same name, the frame included; the others stay.
func TestTemplatesAreReplaced(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(cfg *cardea.Config) {
		cfg.SiteName = "Engines"
		cfg.Funcs = template.FuncMap{"shout": strings.ToUpper}
		cfg.Templates = fstest.MapFS{
			"login.html": {Data: []byte(`{{define "content"}}<form method="post">{{.CSRF}}<p>{{shout "our own"}} page of {{.Site}}, then {{.Next}}</p><input name="username"><input name="password"></form>{{end}}`)},
			"error.html": {Data: []byte(`{{define "content"}}Oh no, {{.Data.Status}}.{{end}}`)},
		}
	})
	if log := g.logs.String(); !strings.Contains(log, "template=login.html") || !strings.Contains(log, "remember") || strings.Contains(log, "template=profile.html") {
		t.Errorf("what the page for logging in lacks is not logged:\n%s", log)
	}
	copied := newRig(t, func(cfg *cardea.Config) { cfg.Templates = os.DirFS("pages/templates") })
	if log := copied.logs.String(); strings.Contains(log, "lacks") {
		t.Errorf("control: copies of our templates lack something:\n%s", log)
	}
	p := g.person()
	if a := p.get("/accounts/login/?next=/x"); a.status != 200 || !strings.Contains(a.body, "OUR OWN page of Engines, then /x") {
		t.Errorf("the log-in page: %d\n%s", a.status, a.body)
	}
	if a := p.get("/accounts/nowhere/"); a.status != 404 || !strings.Contains(a.body, "Oh no, 404.") {
		t.Errorf("the page for what is not there: %d\n%s", a.status, a.body)
	}
	if a := p.logIn("ada", "correct horse"); !a.redirects() || !p.isIn() {
		t.Errorf("the log-in by a form of the program's: %d", a.status)
	}
	if a := p.get("/accounts/profile/"); a.status != 200 || !strings.Contains(a.body, "ada@example.com") {
		t.Errorf("control: the profile page, which was not replaced: %d\n%s", a.status, a.body)
	}
}

// TestHelp: a site that has help says so at the same place of every page, and one that has none does not.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, help := range []string{"", "https://help.example/?a=1&b"} {
		g := newRig(t, func(cfg *cardea.Config) { cfg.HelpURL = help })
		p := g.person()
		p.logIn("ada", "correct horse")
		for _, path := range []string{"/accounts/login/", "/accounts/profile/", "/accounts/password_change/", "/accounts/sessions/", "/accounts/nowhere/"} {
			_, foot, found := strings.Cut(p.get(path).body, "</main>")
			if has := strings.Contains(foot, `<footer><a href="https://help.example/?a=1&amp;b">Help</a></footer>`); !found || has != (help != "") {
				t.Errorf("help at %q, %s: behind the page stands %q", help, path, foot)
			}
		}
	}
}
