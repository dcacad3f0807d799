package django_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// userModels are those of site/shop and site/club, and all that cardea is told of them.
var userModels = []struct {
	model    string
	settings []string
	theirs   string // whom Django makes
	ours     string // whom cardea makes
	key      string // what a key looks like
}{
	{
		"shop.Customer",
		[]string{"CARDEA_USERNAME_FIELD=email", "CARDEA_USER_COLUMNS=is_staff=is_admin"},
		"grace@example.com", "lovelace@example.com", `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	},
	{"club.Member", []string{"CARDEA_USER_DEFAULTS=nickname="}, "grace", "lovelace", `[0-9]+`},
}

// TestOwnUserModel: where a Django site has a user model of its own, people log in at either side and are known at the other, links of one
// work at the other, and whom Django deletes is gone.
func TestOwnUserModel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, kind string }{{"5.2", "sqlite"}, {"5.2", "postgres"}, {"5.2", "mysql"}, {"4.2", "mysql"}} {
		for _, m := range userModels {
			if c.version == "4.2" && m.model != "shop.Customer" { // whose key is another type on MariaDB there
				continue
			}
			t.Run(m.model+" Django "+c.version+" "+c.kind, func(t *testing.T) {
				t.Parallel()
				path, db := harness.Django(t, c.version), testdb.New(t, c.kind)
				s := &site{t: t, version: c.version, python: path, db: db, pool: db.SQL(t), env: []string{"SITE_SETTINGS=shared.own", "SITE_USER_MODEL=" + m.model}}
				o := &ownModel{site: s, mail: t.TempDir(), key: m.key}
				o.settings = append(append(s.shared(), m.settings...), "CARDEA_AUTH_USER_MODEL="+m.model, "CARDEA_EMAIL_BACKEND=file", "CARDEA_EMAIL_FILE_PATH="+o.mail)
				o.run(m.theirs, m.ours)
			})
		}
	}
}

// An ownModel is a Django site with a user model of its own, and cardea beside it.
type ownModel struct {
	*site
	settings       []string
	mail, key      string
	django, cardea string // where they answer
}

func (o *ownModel) run(theirs, ours string) {
	t := o.t
	o.mustManage("migrate")
	o.tool("make", theirs, djangosPassword)
	o.tool("admit", theirs, "auditors")
	if out := harness.MustRun(t, o.site.cardea(o.settings, "migrate")); !strings.Contains(out, "created cardea_session") || strings.Contains(out, "auth_user") {
		t.Errorf("cardea migrate: %q", out)
	}
	create := o.site.cardea(o.settings, "createsuperuser", "--noinput", "--username", ours)
	create.Env = append(create.Env, "DJANGO_SUPERUSER_PASSWORD="+cardeasPassword)
	harness.MustRun(t, create)
	shown := harness.MustRun(t, o.site.cardea(o.settings, "user", "show", theirs, "--json"))
	if !strings.Contains(shown, `"auditors"`) || !regexp.MustCompile(`"id": "?`+o.key+`"?,`).MatchString(shown) {
		t.Errorf("cardea user show: %s", shown)
	}
	o.cardea = harness.Start(t, o.site.cardea(o.settings, "serve", "--addr", "127.0.0.1:0")).Ready()[1]
	o.django = harness.Start(t, o.site.django("tool.py", "serve")).Ready()[1]

	b := o.atCardea(theirs, djangosPassword)
	o.seenByDjango(b, theirs)
	b.Visit(o.cardea + "/accounts/sessions/").Sees("this one")
	b.Visit(o.django + "/").Press("Log out").Visit(o.cardea + "/accounts/profile/").AtPath("/accounts/login/")

	b = o.atDjango(ours, cardeasPassword)
	b.Visit(o.cardea + "/accounts/profile/").AtPath("/accounts/profile/").Sees(ours)
	b.Visit(o.cardea + "/accounts/sessions/").Sees("this one")
	b.Visit(o.cardea + "/accounts/profile/").Press("Log out").Visit(o.django + "/").Sees("Django sees nobody")

	// Links to set a new password, each opened at the other side; the sessions of before end.
	inside := o.atCardea(theirs, djangosPassword)
	const next, last = "harbour lantern quiet", "meadow stapler purple"
	link := strings.TrimSpace(o.tool("reset", theirs))
	cardeatest.Open(t, o.cardea).Visit(link).Fill("new_password1", next).Fill("new_password2", next).Submit().AtPath("/accounts/reset/done/")
	inside.Visit(o.cardea + "/accounts/profile/").AtPath("/accounts/login/")
	inside = o.atDjango(theirs, next)

	address := theirs
	if !strings.Contains(address, "@") {
		address += "@example.com"
	}
	cardeatest.Open(t, o.cardea).Visit("/accounts/password_reset/").Fill("email", address).Submit().AtPath("/accounts/password_reset/done/")
	cardeatest.Open(t, o.django).Visit(o.mailed()).Fill("new_password1", last).Fill("new_password2", last).Submit().Sees("The password is changed")
	inside.Visit(o.django + "/").Sees("Django sees nobody")
	inside = o.atCardea(theirs, last)
	o.seenByDjango(inside, theirs)

	// Whom Django deletes is gone here, with all that referred to the user.
	o.tool("delete", theirs)
	inside.Visit(o.cardea + "/accounts/profile/").AtPath("/accounts/login/")
	if got := strings.TrimSpace(o.query("SELECT COUNT(*) FROM cardea_session WHERE user_id IS NOT NULL")); got != "0" {
		t.Errorf("%s sessions of a user who is gone", got)
	}
	o.agreed()
}

func (o *ownModel) atCardea(name, password string) *cardeatest.Browser {
	o.t.Helper()
	b := cardeatest.Open(o.t, o.cardea).Visit("/accounts/login/")
	b.Fill("username", name).Fill("password", password+"!").Submit().Sees("do not match")
	return b.Fill("username", name).Fill("password", password).Submit().AtPath("/accounts/profile/").Sees(name)
}

func (o *ownModel) atDjango(name, password string) *cardeatest.Browser {
	o.t.Helper()
	b := cardeatest.Open(o.t, o.django).Visit("/accounts/login/").Fill("username", name).Fill("password", password).Submit().AtPath("/")
	o.seenByDjango(b, name)
	return b
}

// seenByDjango checks that Django knows the user by name and key.
func (o *ownModel) seenByDjango(b *cardeatest.Browser, name string) {
	o.t.Helper()
	b.Visit(o.django + "/").HasStatus(200)
	if !regexp.MustCompile(`Django sees ` + regexp.QuoteMeta(name) + ` ` + o.key + `\.`).MatchString(b.Body) {
		o.t.Errorf("Django sees another than %s: %s", name, b.Body)
	}
}

// mailed waits for a mail and returns the path of the link in it.
func (o *ownModel) mailed() string {
	t := o.t
	t.Helper()
	link := regexp.MustCompile(`/accounts/reset/\S+/\S+/`)
	var path string
	harness.Eventually(t, "a mail", harness.Patience, func() bool {
		files, err := filepath.Glob(filepath.Join(o.mail, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if path = link.FindString(strings.ReplaceAll(string(text), "=\r\n", "")); path != "" {
				return true
			}
		}
		return false
	})
	return path
}
