package manage_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/manage"
	"github.com/cardea-go/cardea/userdb"
)

// A desk is a site that runs, two processes of it, and somebody beside it who types commands.
type desk struct {
	t       *testing.T
	at      testdb.DB
	db      *userdb.DB
	profile cardea.Profile
	here    *cardeatest.Browser // one process of the site
	there   *cardeatest.Browser // another, with a pool of its own
	mail    cardeatest.Mailbox
	site    *cardea.Site[*userdb.User]
}

func newDesk(t *testing.T, at testdb.DB, profile cardea.Profile) *desk {
	t.Helper()
	d := &desk{t: t, at: at, profile: profile}
	process := func() (*userdb.DB, *cardeatest.Browser) {
		db, err := userdb.OpenURL(t.Context(), at.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		cfg := cardeatest.Config()
		cfg.Profile, cfg.Mail = profile, &d.mail
		if d.site, err = cardea.New(db, cfg); err != nil {
			t.Fatal(err)
		}
		site, mux := d.site, http.NewServeMux()
		mux.Handle("/accounts/", site.Pages)
		mux.Handle("/", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, _ := site.Auth.User(r)
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "Hello, %s", user.Username)
		})))
		return db, cardeatest.NewBrowser(t, site.Handler(mux))
	}
	_, d.there = process()
	d.db, d.here = process()
	return d
}

// command runs a command in a program of its own, with a pool of its own.
func (d *desk) command(args ...string) (stdout, stderr string, status int) {
	d.t.Helper()
	var out, errs bytes.Buffer
	p := manage.Program{
		Args:    args,
		Environ: []string{"CARDEA_DB=" + d.at.URL, "CARDEA_SECRET_KEY=" + cardeatest.SecretKey, "CARDEA_PROFILE=" + string(d.profile)},
		Stdin:   strings.NewReader(""), Stdout: &out, Stderr: &errs,
	}
	status = p.Run(d.t.Context())
	return out.String(), errs.String(), status
}

// does runs a command that must work, and returns what it prints.
func (d *desk) does(args ...string) string {
	d.t.Helper()
	out, errs, status := d.command(args...)
	if status != 0 {
		d.t.Fatalf("cardea %s: status %d, %s", strings.Join(args, " "), status, errs)
	}
	return out
}

// login logs a new browser in at the process of b.
func (d *desk) login(b *cardeatest.Browser, name string) *cardeatest.Browser {
	d.t.Helper()
	return b.Another().Visit("/accounts/login/?next=/").Fill("username", name).Fill("password", "correct horse").Submit().Sees("Hello, " + name)
}

func in(b *cardeatest.Browser, name string) { b.Visit("/").Sees("Hello, " + name) }

func out(b *cardeatest.Browser) { b.Visit("/").AtPath("/accounts/login/") }

func (d *desk) sql(query string) {
	d.t.Helper()
	if _, err := d.db.Pool().ExecContext(d.t.Context(), query); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

func (d *desk) count(query string) (n int) {
	d.t.Helper()
	if err := d.db.Pool().QueryRowContext(d.t.Context(), query).Scan(&n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// byDjango makes a session as Django leaves one, a row in its table alone, from one that b has, and returns a browser with it.
func (d *desk) byDjango(b *cardeatest.Browser, key string) *cardeatest.Browser {
	d.t.Helper()
	var data string
	var expires any
	column := "expire_date"
	if d.db.Dialect() == userdb.SQLite {
		column = "CAST(expire_date AS text)"
	}
	row := d.db.Pool().QueryRowContext(d.t.Context(), "SELECT session_data, "+column+" FROM django_session WHERE session_key = '"+b.Cookie("sessionid")+"'")
	if err := row.Scan(&data, &expires); err != nil {
		d.t.Fatal(err)
	}
	marks := "?, ?, ?"
	if d.db.Dialect() == userdb.PostgreSQL {
		marks = "$1, $2, $3"
	}
	if _, err := d.db.Pool().ExecContext(d.t.Context(), "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ("+marks+")", key, data, expires); err != nil {
		d.t.Fatal(err)
	}
	other := b.Another()
	at, err := url.Parse(other.URL("/"))
	if err != nil {
		d.t.Fatal(err)
	}
	other.Client().Jar.SetCookies(at, []*http.Cookie{{Name: "sessionid", Value: key, Path: "/"}})
	return other
}

// listed is a session in JSON, with the names that the documentation promises and no others.
type listed struct {
	ID        string     `json:"id"`
	UserID    *string    `json:"user_id"`
	Username  *string    `json:"username"`
	MadeBy    string     `json:"made_by"`
	Address   string     `json:"address"`
	Browser   string     `json:"browser"`
	UserAgent string     `json:"user_agent"`
	Created   *time.Time `json:"created"`
	LastSeen  *time.Time `json:"last_seen"`
	Expires   time.Time  `json:"expires"`
}

func (d *desk) sessions(args ...string) (list []listed) {
	d.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(d.does(append([]string{"sessions", "list", "--json"}, args...)...)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		d.t.Fatal(err)
	}
	return list
}

// TestSessionsCommands: sessions of Cardea and of Django are listed with their users and without their keys, and end, one, a
// user's, or all, at the next request of either process.
func TestSessionsCommands(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.DB) {
		d := newDesk(t, at, cardea.Django)
		ada := cardeatest.User(t, d.db, "ada", "correct horse")
		cardeatest.User(t, d.db, "bob", "correct horse")
		adas, adasToo, bobs := d.login(d.here, "ada"), d.login(d.there, "ada"), d.login(d.there, "bob")
		djangos := d.byDjango(adas, "abcdefghijklmnopqrstuvwxyz012345")
		in(djangos, "ada")

		// What is shown names everybody and opens nothing.
		table := d.does("sessions", "list")
		for _, b := range []*cardeatest.Browser{adas, adasToo, bobs, djangos} {
			if key := b.Cookie("sessionid"); key == "" || strings.Contains(table, key[:8]) {
				t.Errorf("the list shows the key %q:\n%s", key, table)
			}
		}
		for _, want := range []string{
			`(?m)^ID +USER +ADDRESS +BROWSER +FIRST SEEN +LAST SEEN +EXPIRES$`,
			`(?m)^[a-z2-7]{12}  ada +127\.0\.0\.1 +a Go program +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d{4}.*Z +\d{4}.*Z$`,
			`(?m)^[a-z2-7]{12}  bob +127\.0\.0\.1 `,
			`(?m)^[a-z2-7]{12}  ada +- +\(made by Django\) +- +- +\d{4}.*Z$`,
		} {
			if !regexp.MustCompile(want).MatchString(table) {
				t.Errorf("no line like %s in\n%s", want, table)
			}
		}
		mine := d.sessions("--user", "ada")
		if len(mine) != 3 || len(d.sessions()) != 4 {
			t.Fatalf("%d sessions of ada, %d in all", len(mine), len(d.sessions()))
		}
		var made string
		for _, one := range mine {
			if one.Username == nil || *one.Username != "ada" || *one.UserID != ada.AuthID() || one.Expires.Before(time.Now()) {
				t.Errorf("got %+v", one)
			}
			if one.MadeBy == "django" {
				made = one.ID
				if one.Created != nil || one.LastSeen != nil || one.Browser != "" {
					t.Errorf("of a session of Django's too much is known: %+v", one)
				}
			} else if one.Browser != "a Go program" || one.Address != "127.0.0.1" || one.Created == nil || one.LastSeen == nil {
				t.Errorf("got %+v", one)
			}
		}

		// Pages.
		first, second := d.sessions("--limit", "3"), d.sessions("--limit", "3", "--skip", "3")
		ids := map[string]bool{}
		for _, one := range append(first, second...) {
			ids[one.ID] = true
		}
		if len(first) != 3 || len(second) != 1 || len(ids) != 4 {
			t.Errorf("pages of %d and %d, %d sessions", len(first), len(second), len(ids))
		}
		if _, more, _ := d.command("sessions", "list", "--limit", "3"); more != "There are more; see them with --skip 3.\n" {
			t.Errorf("got %q", more)
		}

		// One, by the beginning of its ID; then ada's; then all.
		d.does("sessions", "end", made[:6])
		out(djangos)
		in(adas, "ada")
		if _, errs, status := d.command("sessions", "end", made); status != 1 || !strings.Contains(errs, "no live session") {
			t.Errorf("twice: %d, %s", status, errs)
		}
		djangos = d.byDjango(adas, "zzcdefghijklmnopqrstuvwxyz012345")
		if got := d.does("sessions", "end", "--user", "ada"); got != "Ended sessions of ada: 3.\n" {
			t.Errorf("got %q", got)
		}
		out(adas)
		out(adasToo)
		out(djangos)
		in(bobs, "bob")
		d.does("sessions", "end", "--all", "--yes")
		out(bobs)
		if n := d.count("SELECT COUNT(*) FROM cardea_session c LEFT JOIN django_session s ON s.session_key = c.session_key WHERE s.session_key IS NULL"); n != 0 {
			t.Errorf("%d rows of ours are left behind", n)
		}
	})
}

// TestM16SessionsOfDeletedUsers: a user who is deleted by the command, by the library, by SQL, or as Django does it, is logged in
// nowhere at the next request, in both processes, and a new user of the name does not inherit the sessions.
func TestM16SessionsOfDeletedUsers(t *testing.T) {
	t.Parallel()
	ways := map[string]func(d *desk, u *userdb.User){
		"command": func(d *desk, u *userdb.User) { d.does("user", "delete", u.Username, "--yes") },
		"library": func(d *desk, u *userdb.User) {
			if err := d.db.Users().Delete(d.t.Context(), u, nil); err != nil {
				d.t.Fatal(err)
			}
		},
		"SQL": func(d *desk, u *userdb.User) { d.sql(fmt.Sprintf("DELETE FROM auth_user WHERE id = %d", u.ID)) },
		"Django": func(d *desk, u *userdb.User) { // the statements of its User.delete()
			for _, stmt := range []string{
				"DELETE FROM auth_user_groups WHERE user_id IN (%d)",
				"DELETE FROM auth_user_user_permissions WHERE user_id IN (%d)",
				"DELETE FROM auth_user WHERE id IN (%d)",
			} {
				d.sql(fmt.Sprintf(stmt, u.ID))
			}
		},
	}
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		testdb.Each(t, func(t *testing.T, at testdb.DB) {
			d := newDesk(t, at, profile)
			cardeatest.User(t, d.db, "bob", "correct horse")
			bobs := d.login(d.here, "bob")
			for name, remove := range ways {
				u := cardeatest.User(t, d.db, "ada", "correct horse")
				browsers := []*cardeatest.Browser{d.login(d.here, "ada"), d.login(d.there, "ada")}
				if profile == cardea.Django {
					browsers = append(browsers, d.byDjango(browsers[0], "django"+strings.ToLower(name)+u.AuthID()))
					in(browsers[2], "ada")
				}
				before := d.count("SELECT COUNT(*) FROM django_session")
				remove(d, u)
				after := d.count("SELECT COUNT(*) FROM django_session")
				if name == "command" && before-after != len(browsers) {
					t.Errorf("%s: %d of %d sessions are deleted", name, before-after, len(browsers))
				}
				if n := d.count("SELECT COUNT(*) FROM cardea_session WHERE user_id = " + u.AuthID()); n != 0 {
					t.Errorf("%s: %d rows of ours are left", name, n)
				}
				again := cardeatest.User(t, d.db, "ada", "correct horse")
				for _, b := range browsers {
					out(b)
				}
				if err := d.db.Users().Delete(t.Context(), again, nil); err != nil {
					t.Fatal(err)
				}
			}
			in(bobs, "bob")
		})
	}
}

// TestM30SwitchedOffUsers: once a user is switched off, nothing that was good before works: not the sessions of either process, not
// the password, not the link in a mail. Switched on again, the old sessions stay dead.
func TestM30SwitchedOffUsers(t *testing.T) {
	t.Parallel()
	for _, profile := range []cardea.Profile{cardea.Default, cardea.Django} {
		testdb.Each(t, func(t *testing.T, at testdb.DB) {
			d := newDesk(t, at, profile)
			u := cardeatest.User(t, d.db, "ada", "correct horse")
			browsers := []*cardeatest.Browser{d.login(d.here, "ada"), d.login(d.there, "ada")}
			if profile == cardea.Django {
				browsers = append(browsers, d.byDjango(browsers[0], "abcdefghijklmnopqrstuvwxyz012345"))
				in(browsers[2], "ada")
			}
			d.here.Another().Visit("/accounts/password_reset/").Fill("email", u.Email).Submit().AtPath("/accounts/password_reset/done/")
			if n, err := d.site.SendMail(t.Context()); n != 1 || err != nil {
				t.Fatalf("%d mails, %v", n, err)
			}
			link, err := url.Parse(d.mail.Link(t, u.Email))
			if err != nil {
				t.Fatal(err)
			}
			d.here.Another().Visit(link.Path).Sees("new_password1") // it worked

			d.does("user", "deactivate", "ada")
			for _, b := range browsers {
				out(b)
			}
			d.here.Another().Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/accounts/login/").Sees("Error")
			d.here.Another().Visit(link.Path).SeesNot("new_password1")

			d.does("user", "activate", "ada")
			for _, b := range browsers {
				out(b)
			}
			d.login(d.here, "ada")
		})
	}
}

// TestTablesAreSafe: what strangers choose cannot steer the terminal of who lists it.
func TestTablesAreSafe(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testdb.New(t, "sqlite"), cardea.Default)
	cardeatest.User(t, d.db, "ada", "correct horse")
	d.sql("UPDATE auth_user SET email = 'x' || char(27) || '[2J' || char(10) || char(9) || char(8238) || 'é日'")
	table := d.does("user", "list")
	if strings.ContainsAny(table, "\x1b\t\u202e") || strings.Count(table, "\n") != 2 || !strings.Contains(table, `x\x1b[2J\n\t\u202eé日`) {
		t.Errorf("got %q", table)
	}
}

// TestSharedSessionsNeedTheKey: on a database of Django's nobody can tell whose its sessions are without the secret key, and that
// is said instead of leaving some alive.
func TestSharedSessionsNeedTheKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testdb.New(t, "sqlite"), cardea.Django)
	cardeatest.User(t, d.db, "ada", "correct horse")
	d.sql("UPDATE cardea_meta SET value = 'django' WHERE name = 'made_by'")
	var errs bytes.Buffer
	p := manage.Program{
		Args:    []string{"user", "deactivate", "ada"},
		Environ: []string{"CARDEA_DB=" + d.at.URL, "CARDEA_PROFILE=django", "CARDEA_SECRET_KEY_FILE=" + t.TempDir() + "/none"},
		Stdin:   strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &errs,
	}
	if status := p.Run(t.Context()); status != 1 || !strings.Contains(errs.String(), "SECRET_KEY of the Django site") {
		t.Errorf("status %d, %s", status, &errs)
	}
	u, err := d.db.UserByName(t.Context(), "ada")
	if err != nil || !u.IsActive {
		t.Errorf("got %+v, %v", u, err)
	}
}
