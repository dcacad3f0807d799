package cardea_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// djangosTables are those that a Django site has beside its own model, in the words of the three databases that they share.
var djangosTables = []string{
	"CREATE TABLE django_content_type (id integer NOT NULL PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL)",
	"CREATE TABLE auth_permission (id integer NOT NULL PRIMARY KEY, name varchar(255) NOT NULL, content_type_id integer NOT NULL, codename varchar(100) NOT NULL)",
	"CREATE TABLE auth_group (id integer NOT NULL PRIMARY KEY, name varchar(150) NOT NULL UNIQUE)",
	"CREATE TABLE auth_group_permissions (id integer NOT NULL PRIMARY KEY, group_id integer NOT NULL, permission_id integer NOT NULL)",
}

// customers makes the database of a Django site whose users are named by their address and have UUIDs.
func customers(t *testing.T, empty testdb.DB, more string) *userdb.DB {
	t.Helper()
	db, err := userdb.OpenURL(t.Context(), empty.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	words := map[string][2]string{"sqlite": {"char(32)", "datetime"}, "postgres": {"uuid", "timestamp with time zone"}, "mysql": {"char(32)", "datetime(6)"}}[empty.Kind]
	for _, stmt := range append(djangosTables, "CREATE TABLE shop_customer (id "+words[0]+" NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, last_login "+
		words[1]+" NULL, email varchar(254) NOT NULL UNIQUE, is_active bool NOT NULL, is_admin bool NOT NULL"+more+")") {
		if _, err := db.Pool().ExecContext(t.Context(), stmt); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	users, err := userdb.FitTable(t.Context(), db, userdb.TableConfig[userdb.User]{
		Name: "shop_customer", Columns: userdb.Columns{Username: "email", IsStaff: "is_admin"}, Defaults: map[string]string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	db = db.WithUsers(users)
	if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestUserModelOfDjango: on the users of a Django site's own model people sign up, log in, change their address, reset the password and
// see their sessions, and nobody asks for what the model does not have.
func TestUserModelOfDjango(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := customers(t, empty, "")
		s := &accountSite{t: t, db: db, mail: &cardeatest.Mailbox{}}
		cfg := cardeatest.Config()
		cfg.Profile, cfg.Mail, cfg.Signup = cardea.Django, s.mail, true
		site, err := cardea.New(db, cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.Site = site
		mux := http.NewServeMux()
		mux.Handle("/accounts/", site.Pages)
		mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, _ := site.Auth.User(r)
			_, _ = w.Write([]byte("Hello, " + user.Username + " " + user.AuthID()))
		})))
		s.Browser = cardeatest.NewBrowser(t, site.Handler(mux))

		s.Visit("/accounts/login/").Sees("E-mail address").Visit("/accounts/signup/").Fill("email", "ada@Example.com").Submit().AtPath("/accounts/signup/sent/")
		s.deliver(1)
		const chosen = "purple stapler meadow"
		s.Visit(s.mail.Link(t, "ada@Example.com"))
		for _, field := range []string{`id="id_username"`, "first_name", "last_name"} {
			if strings.Contains(s.Body, field) {
				t.Errorf("the form asks for %s", field)
			}
		}
		s.Fill("password1", chosen).Fill("password2", chosen).Submit().AtPath("/accounts/profile/").Sees("Your account is made").Sees("ada@example.com")
		s.Visit("/").Sees("Hello, ada@example.com ")
		ada, err := db.UserByName(t.Context(), "ada@example.com")
		if err != nil || len(ada.AuthID()) != 36 || !ada.IsActive || ada.IsStaff {
			t.Fatalf("made %+v, %v", ada, err)
		}
		s.Visit("/accounts/sessions/").HasStatus(200).Sees("this one")
		logInAs(s.Another(), "ada@example.com", chosen).Visit("/").Sees(ada.AuthID())
		logInAs(s.Another(), "ada@example.com", "wrong").Sees("do not match")

		link := s.askEmail(s.Browser, chosen, "ada@example.org")
		s.Visit(link).Submit().Visit("/").Sees("Hello, ada@example.org " + ada.AuthID())
		s.deliver(2)
		logInAs(s.Another(), "ada@example.com", chosen).Sees("do not match")

		reset := s.askReset("ada@example.org")
		const next = "quiet harbour lantern"
		s.Another().Visit(reset).Fill("new_password1", next).Fill("new_password2", next).Submit().AtPath("/accounts/reset/done/")
		s.Visit("/").AtPath("/accounts/login/")
		logInAs(s.Another(), "ada@example.org", next).Visit("/").Sees(ada.AuthID())
	})
}

// TestUserModelSignupNeedsMore: people cannot make accounts for themselves where these need what nobody asks them for.
func TestUserModelSignupNeedsMore(t *testing.T) {
	t.Parallel()
	db := customers(t, testdb.New(t, "sqlite"), ", phone varchar(20) NOT NULL")
	cfg := cardeatest.Config()
	cfg.Profile, cfg.Mail = cardea.Django, &cardeatest.Mailbox{}
	if _, err := cardea.New(db, cfg); err != nil {
		t.Fatalf("control: without sign-up: %v", err)
	}
	if cfg.Signup = true; !refused(cardea.New(db, cfg)) {
		t.Error("sign-up is not refused")
	}
}
