package beside

import (
	"database/sql"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// SecretKey is the secret key of both, and TimeZone their time zone: one in which it makes a difference.
const (
	SecretKey = "beside: the secret key that both sides share"
	TimeZone  = "America/Chicago"
)

// A Site is a Django project on a database of its own, which Cardea shares.
type Site struct {
	Version string // of Django, such as "5.2"
	DB      testdb.DB
	Pool    *sql.DB // on the same database, for looking into it
	Gate    *harness.Gate
	Mail    string // the folder into which both write mail

	// Settings are the project's, beside those in site/shared/settings.py.
	Settings map[string]any

	python string
}

// Open makes a site on an empty database of that kind: Django makes its tables.
func Open(t testing.TB, version, kind string) *Site {
	t.Helper()
	db := testdb.New(t, kind)
	s := &Site{
		Version: version, DB: db, Pool: db.SQL(t), Gate: harness.NewGate(t), Mail: t.TempDir(),
		python: harness.Django(t, version),
	}
	s.Settings = map[string]any{
		"SECRET_KEY":             SecretKey,
		"DATABASES":              map[string]any{"default": harness.DjangoDatabase(t, db)},
		"TIME_ZONE":              TimeZone,
		"PASSWORD_RESET_TIMEOUT": 3600,
		"EMAIL_BACKEND":          "django.core.mail.backends.filebased.EmailBackend",
		"EMAIL_FILE_PATH":        s.Mail,
		"PASSWORD_HASHERS":       []string{"shared.hashers.Quick", "django.contrib.auth.hashers.PBKDF2PasswordHasher"},
	}
	s.Manage(t, nil, "migrate")
	return s
}

// A Change is a set of settings that are others than the site's.
type Change map[string]any

// django is a command of the project, with settings changed.
func (s *Site) django(t testing.TB, change Change, args ...string) harness.Command {
	t.Helper()
	return harness.Command{
		Path:  s.python,
		Args:  append([]string{filepath.Join(s.project(t), "manage.py")}, args...),
		Env:   s.environ(t, change),
		Ready: harness.Answers,
	}
}

// project is the folder of the project.
func (s *Site) project(t testing.TB) string {
	t.Helper()
	return filepath.Join(harness.Root(t), "beside", "site")
}

// environ tells the project its settings.
func (s *Site) environ(t testing.TB, change Change) []string {
	t.Helper()
	settings := maps.Clone(s.Settings)
	maps.Copy(settings, change)
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"SITE_SETTINGS=" + string(text)}
}

// Manage runs one of Django's own commands, which has to succeed, with more in its environment.
func (s *Site) Manage(t testing.TB, env []string, args ...string) string {
	t.Helper()
	c := s.django(t, nil, args...)
	c.Env = append(c.Env, env...)
	return harness.MustRun(t, c)
}

// Django starts the project with settings changed.
func (s *Site) Django(t testing.TB, change Change) *Django {
	t.Helper()
	p := harness.Start(t, s.django(t, change, "serve"))
	return &Django{harness.Server{Process: p, URL: p.Ready()[1]}}
}

// A Django is a Django that serves the site.
type Django struct{ harness.Server }

// Do has Django's own code do something behind the site's back, such as "deactivate" with "user" and a name, and returns what it says.
func (d *Django) Do(t testing.TB, what string, pairs ...string) string {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.Get(d.URL + "/do/" + what + "/?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("Django, %s %v: status %d\n%s", what, pairs, resp.StatusCode, body)
	}
	return strings.TrimSpace(body)
}

// Config has cardea write the configuration that matches this Django, with settings changed, and returns the file's name.
func (s *Site) Config(t testing.TB, change Change) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "cardea.toml")
	said := harness.MustRun(t, s.inspect(t, change, "--out", name))
	if lines := strings.Split(strings.TrimSpace(said), "\n"); len(lines) != 1 {
		t.Errorf("inspect-django finds something that does not match:\n%s", said)
	}
	return name
}

// Check has cardea compare a configuration, with settings ("CARDEA_NAME=value") that are others than the file's, with this Django, and
// returns what it says and its exit status.
func (s *Site) Check(t testing.TB, config string, change ...string) (said string, status int) {
	t.Helper()
	c := s.inspect(t, nil, "--check", "--config", config)
	c.Env = append(c.Env, change...)
	return harness.Run(t, c)
}

func (s *Site) inspect(t testing.TB, change Change, args ...string) harness.Command {
	t.Helper()
	return harness.Command{
		Path: harness.Cardea(t),
		Args: append([]string{"inspect-django", "--project", s.project(t), "--python", s.python}, args...),
		Env:  s.environ(t, change),
	}
}

// Cardea is a command of cardea with that configuration file, and settings ("CARDEA_NAME=value") that are others than the file's.
func (s *Site) Cardea(t testing.TB, config string, change []string, args ...string) harness.Command {
	t.Helper()
	return harness.Command{Path: harness.Cardea(t), Args: append([]string{"--config", config}, args...), Env: change, Ready: harness.Answers}
}

// Serve starts "cardea serve".
func (s *Site) Serve(t testing.TB, config string, change ...string) *harness.Server {
	t.Helper()
	p := harness.Start(t, s.Cardea(t, config, change, "serve", "--addr", "127.0.0.1:0"))
	return &harness.Server{Process: p, URL: p.Ready()[1]}
}

// Probe starts the program of integration/probe, which is built on Cardea, for what the binary has no page for.
func (s *Site) Probe(t testing.TB, config string, change ...string) *harness.Server {
	t.Helper()
	p := harness.Start(t, harness.Command{
		Path:  harness.Build(t, "./probe"),
		Args:  []string{"-config", config, "-control", s.Gate.URL},
		Env:   change,
		Ready: harness.Answers,
	})
	return &harness.Server{Process: p, URL: p.Ready()[1]}
}
