package manage_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/manage"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "site.toml")
	text := "profile = \"django\"\nmessage_tags = {10 = \"grey\"}\ncsrf_cookie_age = 60\nsession_cookie_httponly = false\nsite_name = \"file\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := manage.Load(file, []string{"CARDEA_SITE_NAME=environment", "CARDEA_ALLOWED_HOSTS=a.example, b.example", "CARDEA_SESSION_IDLE=90", "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Profile != "django" || s.SiteName != "environment" || s.SessionIdle != 90*time.Second {
		t.Errorf("got profile %q, site name %q, idle %v", s.Profile, s.SiteName, s.SessionIdle)
	}
	if got := strings.Join(s.AllowedHosts, "|"); got != "a.example|b.example" {
		t.Errorf("AllowedHosts = %q", got)
	}
	if s.MessageTags[10] != "grey" || s.CSRFCookieAge == nil || *s.CSRFCookieAge != time.Minute {
		t.Errorf("tags %v, age %v", s.MessageTags, s.CSRFCookieAge)
	}
	if s.SessionCookieHTTPOnly == nil || *s.SessionCookieHTTPOnly {
		t.Error("session_cookie_httponly = false was not read")
	}
}

// TestDocumented: docs/configuration.md names every setting.
func TestDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	s, err := manage.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Print(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) < 50 {
		t.Fatalf("only %d settings", len(lines))
	}
	for _, line := range lines[1:] {
		name := strings.Fields(line)[0]
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/configuration.md does not name %s", name)
		}
	}
}

// TestAddressInUse: a port that is taken is one line with the cure; with the port free, the same command serves.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	serve := func(ctx context.Context) (status int, stdout, stderr string) {
		var out, errs bytes.Buffer
		p := manage.Program{
			Args:    []string{"serve", "--addr", ln.Addr().String(), "--db", "sqlite:" + filepath.Join(dir, "a.db")},
			Environ: []string{"CARDEA_SECRET_KEY=" + strings.Repeat("k", 40)},
			Stdin:   strings.NewReader(""), Stdout: &out, Stderr: &errs,
		}
		status = p.Run(ctx)
		return status, out.String(), errs.String()
	}
	status, _, stderr := serve(t.Context())
	if status != 1 || !strings.Contains(stderr, "is in use by another program") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, %q", status, stderr)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("a start that failed has made %v (%v)", made, err)
	}
	_ = ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if status, stdout, stderr := serve(ctx); status != 0 || !strings.Contains(stdout, "/setup/") {
		t.Errorf("with the port free: status %d, %q, %q", status, stdout, stderr)
	}
}

// TestLoadMap: a table of texts by name is read from the file, in either way of writing it, and from the environment.
func TestLoadMap(t *testing.T) {
	t.Parallel()
	load := func(text string, environ ...string) (*manage.Settings, error) {
		file := filepath.Join(t.TempDir(), "site.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return manage.Load(file, environ)
	}
	const one = `"a.b.C" = "database"`
	for _, c := range []struct {
		text    string
		environ []string
	}{
		{"backend_map = {" + one + ", \"d.E\" = \"ldap\"}", nil},
		{"site_name = \"x\"\n[backend_map]\n" + one + "\n\"d.E\" = \"ldap\"", nil},
		{"", []string{"CARDEA_BACKEND_MAP=a.b.C=database, d.E=ldap"}},
		{"[backend_map]\n\"x.Y\" = \"session\"", []string{"CARDEA_BACKEND_MAP=a.b.C=database,d.E=ldap"}},
	} {
		s, err := load(c.text, c.environ...)
		if err != nil {
			t.Errorf("%s %v: %v", c.text, c.environ, err)
			continue
		}
		if got := s.BackendMap; len(got) != 2 || got["a.b.C"] != "database" || got["d.E"] != "ldap" {
			t.Errorf("%s %v: got %v", c.text, c.environ, got)
		}
		var b bytes.Buffer
		if err := s.Print(&b); err != nil || !strings.Contains(b.String(), `{"a.b.C" = "database"`) {
			t.Errorf("%s %v: printed without it, %v", c.text, c.environ, err)
		}
	}
	for text, want := range map[string]string{
		"\nbackend_map = \"x\"":                  ":2: backend_map must be a table",
		"\n[backend_map]\na.b.C = \"database\"":  "backend_map must be a table of texts by name, such as {\"a.b\" = \"c\"}",
		"\n\nbackend_map = {\"a.b.C\" = 1}":      ":3: backend_map must be a table",
		"site_name = \"x\"\n[backend_maps]\na=1": "did you mean backend_map?",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := load("", "CARDEA_BACKEND_MAP=database"); err == nil || !strings.Contains(err.Error(), "a.b=c") {
		t.Errorf("got %v", err)
	}
}
