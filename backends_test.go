package cardea_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

const (
	allauth  = "allauth.account.auth_backends.AuthenticationBackend"
	allUsers = "django.contrib.auth.backends.AllowAllUsersModelBackend"
	ldapName = "django_auth_ldap.backend.LDAPBackend"
)

// directory is a back end of another kind, which tells in what order it is asked.
type directory struct {
	name  string
	asked *[]string
}

func (d directory) Name() string { return d.name }

func (d directory) Authenticate(*http.Request, any) (*auth.Identity, error) {
	*d.asked = append(*d.asked, d.name)
	return nil, auth.ErrNoMatch
}

// named makes a site whose one page says who somebody is and by which back end.
func named(t *testing.T, change func(cfg *cardea.Config)) (*userdb.DB, *cardea.Site[*userdb.User], *cardeatest.Browser) {
	t.Helper()
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", "correct horse")
	cfg := cardeatest.Config()
	change(&cfg)
	site, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.HandleFunc("/enter", func(w http.ResponseWriter, r *http.Request) { // as a form of the program's own
		v, err := site.Auth.Authenticate(r, auth.Password{Username: "ada", Password: "correct horse"})
		if err == nil {
			err = site.Auth.Login(r, v)
		}
		if err != nil {
			site.Error(w, r, err)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		text := "nobody"
		if user, ok := site.Auth.User(r); ok {
			text = user.Username + " by " + site.Auth.Proofs(r)[0].Backend
		}
		_, _ = w.Write([]byte(text))
	})
	return db, site, cardeatest.NewBrowser(t, site.Handler(mux))
}

func typeIn(b *cardeatest.Browser) *cardeatest.Browser {
	return b.Visit("/accounts/login/?next=/").Fill("username", "ada").Fill("password", "correct horse").Submit()
}

// TestNamedBackends: a session records the name that the settings have, Django's, a foreign one, or a kind's own.
func TestNamedBackends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		as   map[string]string
	}{
		{userdb.ModelBackend, nil},
		{"database", nil},
		{allauth, map[string]string{allauth: "database", "never.Used": "session"}},
		{allauth, map[string]string{allauth: userdb.ModelBackend}},
	} {
		_, _, b := named(t, func(cfg *cardea.Config) { cfg.AuthenticationBackends, cfg.BackendMap = []string{c.name}, c.as })
		typeIn(b).AtPath("/").Sees("ada by " + c.name)
	}
}

// TestBackendOrder: back ends are asked in the order of their names, and made by the kinds that those stand for.
func TestBackendOrder(t *testing.T) {
	t.Parallel()
	var asked []string
	_, _, b := named(t, func(cfg *cardea.Config) {
		cfg.AuthenticationBackends = []string{ldapName, "b.B", allauth, userdb.ModelBackend, "a.A"}
		cfg.BackendMap = map[string]string{"b.B": "ldap", "a.A": ldapName, allauth: "session"}
		cfg.BackendKinds = map[string]func(string) (auth.Backend, error){
			"ldap": func(name string) (auth.Backend, error) { return directory{name, &asked}, nil },
		}
	})
	typeIn(b).Sees("ada by " + userdb.ModelBackend)
	if want := []string{ldapName, "b.B"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q: those after the match are not", asked, want)
	}
}

// TestSessionKind: sessions of a back end of the kind "session" count, and nobody logs in by it.
func TestSessionKind(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", "correct horse")
	site := func(names ...string) *cardeatest.Browser {
		cfg := cardeatest.Config()
		cfg.AuthenticationBackends, cfg.BackendMap = names, map[string]string{allauth: "session", "its.Own": "database"}
		s, err := cardea.New(db, cfg)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle("/accounts/", s.Pages)
		mux.Handle("/", s.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("inside")) })))
		return cardeatest.NewBrowser(t, s.Handler(mux))
	}
	// Another program, for whom that name is a back end with passwords, logs ada in.
	cfg := cardeatest.Config()
	cfg.AuthenticationBackends, cfg.BackendMap = []string{allauth}, map[string]string{allauth: "database"}
	other, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", other.Pages)
	theirs := cardeatest.NewBrowser(t, other.Handler(mux))
	theirs.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit()
	key := theirs.Cookie("cardea_sessionid")
	if key == "" {
		t.Fatal("control: the other program logs nobody in")
	}
	for _, c := range []struct {
		names   []string
		counts  bool
		entered string
	}{
		{[]string{allauth}, true, "/accounts/login/"},
		{[]string{allauth, "its.Own"}, true, "/"},
		{[]string{"its.Own"}, false, "/"},
	} {
		b := site(c.names...)
		typeIn(b).AtPath(c.entered)
		req, err := http.NewRequest("GET", b.URL("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "cardea_sessionid", Value: key})
		res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.StatusCode == http.StatusOK; got != c.counts {
			t.Errorf("%q: the other program's session is answered %d", c.names, res.StatusCode)
		}
	}
}

// TestAllowAllUsers: by AllowAllUsersModelBackend a user who is not active is authenticated and keeps a session, yet the login page
// says no, as Django's does; by ModelBackend it looks like a wrong password.
func TestAllowAllUsers(t *testing.T) {
	t.Parallel()
	for name, admits := range map[string]bool{allUsers: true, userdb.ModelBackend: false} {
		db, _, b := named(t, func(cfg *cardea.Config) { cfg.AuthenticationBackends = []string{name} })
		inside := typeIn(b.Another()).Sees("ada by " + name)
		// As Django's admin does, which ends no session.
		if _, err := db.Pool().ExecContext(t.Context(), "UPDATE auth_user SET is_active = 0"); err != nil {
			t.Fatal(err)
		}
		if admits {
			inside.Visit("/").Sees("ada by " + name)
			typeIn(b).AtPath("/accounts/login/").Sees("not active")
			b.Visit("/").Sees("nobody")
			b.Visit("/enter").Visit("/").Sees("ada by " + name)
		} else {
			inside.Visit("/").Sees("nobody")
			typeIn(b).AtPath("/accounts/login/").Sees("do not match")
			b.Visit("/enter").Visit("/").Sees("nobody")
		}
	}
}

// TestUnknownBackends: a name that nothing explains is an error at start that names the cure.
func TestUnknownBackends(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	var asked []string
	maker := func(name string) (auth.Backend, error) { return directory{name, &asked}, nil }
	for _, c := range []struct {
		names []string
		as    map[string]string
		kinds map[string]func(string) (auth.Backend, error)
		want  string // "": a site
	}{
		{[]string{allauth}, nil, nil, "backend_map"},
		{[]string{userdb.ModelBackend, allauth}, nil, nil, `"database", "session"`},
		{[]string{"session"}, nil, nil, "backend_map"},
		{[]string{}, nil, nil, "empty"},
		{[]string{userdb.ModelBackend, userdb.ModelBackend}, nil, nil, "twice"},
		{[]string{ldapName}, nil, nil, `kind "ldap"`},
		{[]string{"ldap"}, nil, nil, "BackendKinds"},
		{[]string{ldapName}, nil, map[string]func(string) (auth.Backend, error){"ldap": maker}, ""},
		{[]string{"card"}, nil, map[string]func(string) (auth.Backend, error){"card": maker}, ""},
		{[]string{allauth}, map[string]string{allauth: "card"}, map[string]func(string) (auth.Backend, error){"card": maker}, ""},
		{[]string{allauth}, map[string]string{allauth: "databas"}, nil, "no kind of back end"},
		{[]string{userdb.ModelBackend}, map[string]string{allauth: "databas"}, nil, "no kind of back end"},
		{[]string{"ldap"}, nil, map[string]func(string) (auth.Backend, error){
			"ldap": func(string) (auth.Backend, error) { return nil, errors.New("no server is named") },
		}, "no server is named"},
		{[]string{"ldap"}, nil, map[string]func(string) (auth.Backend, error){
			"ldap": func(string) (auth.Backend, error) { return nil, nil },
		}, "made none"},
		{[]string{"ldap"}, nil, map[string]func(string) (auth.Backend, error){
			"ldap": func(string) (auth.Backend, error) { return directory{"other", &asked}, nil },
		}, `"other"`},
	} {
		cfg := cardeatest.Config()
		cfg.AuthenticationBackends, cfg.BackendMap, cfg.BackendKinds = c.names, c.as, c.kinds
		_, err := cardea.New(db, cfg)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q, %v: got %v, want an error with %q", c.names, c.as, err, c.want)
		}
	}
	cfg := cardeatest.Config()
	cfg.Backends = []auth.Backend{directory{"mine", &asked}}
	if _, err := cardea.New(db, cfg); err != nil {
		t.Errorf("back ends of the program's own: %v", err)
	}
	if cfg.AuthenticationBackends = []string{"database"}; !refused(cardea.New(db, cfg)) {
		t.Error("back ends of the program's own beside names are not refused")
	}
}

func refused(_ *cardea.Site[*userdb.User], err error) bool { return err != nil }
