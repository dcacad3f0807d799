// Package django_test holds Cardea against a real Django, which scripts/django.sh fetches: on one database, with one login.
package django_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

func TestMain(m *testing.M) { harness.Main(m) }

// A combination is a version of Django and a kind of database.
type combination struct{ version, kind string }

// combinations are those that every test here runs on: with CARDEA_SLOW=1 all of them.
func combinations() []combination {
	all := []combination{{"5.2", "sqlite"}, {"5.2", "postgres"}, {"5.2", "mysql"}, {"4.2", "sqlite"}}
	if os.Getenv("CARDEA_SLOW") == "1" {
		all = append(all, combination{"4.2", "postgres"}, combination{"4.2", "mysql"})
	}
	return all
}

// each runs a subtest on each combination, with an empty database.
func each(t *testing.T, run func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	for _, c := range combinations() {
		t.Run("Django "+c.version+" "+c.kind, func(t *testing.T) {
			t.Parallel()
			python := harness.Django(t, c.version)
			db := testdb.New(t, c.kind)
			s := &site{t: t, version: c.version, python: python, db: db, pool: db.SQL(t)}
			t.Logf("%s on %s", strings.TrimSpace(s.tool("version")), harness.Version(t, db))
			run(t, s)
		})
	}
}

// A site is one database with a real Django and a real cardea on it.
type site struct {
	t       *testing.T
	version string // of Django
	python  string
	db      testdb.DB
	pool    *sql.DB  // on the same database, for looking into it
	env     []string // of Django, besides
}

// django is a command of Django's site: a script of the folder site and its arguments.
func (s *site) django(script string, args ...string) harness.Command {
	s.t.Helper()
	home, err := filepath.Abs("site")
	if err != nil {
		s.t.Fatal(err)
	}
	database, err := json.Marshal(harness.DjangoDatabase(s.t, s.db))
	if err != nil {
		s.t.Fatal(err)
	}
	return harness.Command{
		Path:  s.python,
		Args:  append([]string{filepath.Join(home, script)}, args...),
		Env:   append([]string{"SITE_DATABASE=" + string(database), "SITE_SECRET_KEY=" + harness.SecretKey}, s.env...),
		Ready: harness.Answers,
	}
}

// manage runs one of Django's own commands and returns what it printed and its status.
func (s *site) manage(args ...string) (output string, status int) {
	s.t.Helper()
	return harness.Run(s.t, s.django("manage.py", args...))
}

// mustManage is manage for a command that has to succeed.
func (s *site) mustManage(args ...string) string {
	s.t.Helper()
	return harness.MustRun(s.t, s.django("manage.py", args...))
}

// tool runs site/tool.py.
func (s *site) tool(args ...string) string {
	s.t.Helper()
	return harness.MustRun(s.t, s.django("tool.py", args...))
}

// cardea is a command of cardea on the database, with settings ("CARDEA_NAME=value") in its environment.
func (s *site) cardea(settings []string, args ...string) harness.Command {
	s.t.Helper()
	return harness.Command{
		Path:  harness.Cardea(s.t),
		Args:  append([]string{"--db", s.db.URL}, args...),
		Env:   append([]string{"CARDEA_SECRET_KEY=" + harness.SecretKey}, settings...),
		Ready: harness.Answers,
	}
}

// shared are the settings of a cardea that shares the login with this Django.
func (s *site) shared() []string {
	return []string{"CARDEA_PROFILE=django", "CARDEA_DJANGO_VERSION=" + s.version}
}

// agreed fails the test unless Django finds nothing to do on the database.
func (s *site) agreed() {
	s.t.Helper()
	if out, status := s.manage("migrate", "--check"); status != 0 {
		s.t.Errorf("Django's migrate --check: status %d\n%s", status, out)
	}
	if out, status := s.manage("makemigrations", "--check"); status != 0 || !strings.Contains(out, "No changes detected") {
		s.t.Errorf("Django's makemigrations --check: status %d\n%s", status, out)
	}
	if out, status := s.manage("check", "--database", "default"); status != 0 {
		s.t.Errorf("Django's check: status %d\n%s", status, out)
	}
}
