package browser_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// The person of the stories. No page says any of these words by itself.
const (
	name   = "lovelace"
	email  = "lovelace@example.com"
	secret = "the analytical engine weaves"
)

// A server is "cardea serve" in a folder of its own, as somebody starts it for the first time.
type server struct {
	*harness.Process
	dir   string
	url   string // http://127.0.0.1:PORT
	setup string // path of the one-time link that makes the first administrator
}

var announcement = regexp.MustCompile(`(?s)answers at (http://[^/\s]+)/\n.*?http://[^/\s]+(/setup/\S+)\n`)

// serve starts cardea in an empty folder, without any configuration but a free port and what settings say ("CARDEA_NAME=value").
func serve(t *testing.T, settings ...string) *server {
	t.Helper()
	dir := t.TempDir()
	p := harness.Start(t, harness.Command{
		Path:  harness.Cardea(t),
		Args:  []string{"serve", "--addr", "127.0.0.1:0"},
		Dir:   dir,
		Env:   append([]string{placesToHash}, settings...),
		Ready: announcement,
	})
	return &server{Process: p, dir: dir, url: p.Ready()[1], setup: p.Ready()[2]}
}

// placesToHash lets a program hash as many passwords at once as on a larger machine: many of them run here at the same time.
const placesToHash = "GOMAXPROCS=5"

// serveWithUser is serve with the person of the stories as a user, and passwords that cost nothing.
func serveWithUser(t *testing.T) *server {
	t.Helper()
	s := serve(t, harness.CheapHashing)
	makeUser(t, s.dir, "sqlite:cardea.db", harness.CheapHashing)
	return s
}

func makeUser(t *testing.T, dir, db string, settings ...string) {
	t.Helper()
	harness.MustRun(t, harness.Command{
		Path: harness.Cardea(t),
		Args: []string{"createsuperuser", "--noinput", "--db", db},
		Dir:  dir,
		Env:  append(settings, "DJANGO_SUPERUSER_USERNAME="+name, "DJANGO_SUPERUSER_EMAIL="+email, "DJANGO_SUPERUSER_PASSWORD="+secret),
	})
}

// tutorial starts examples/tutorial with the person of the stories as a user, and returns its address.
func tutorial(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	makeUser(t, dir, "sqlite:tutorial.db")
	addr := "127.0.0.1:" + harness.FreePort(t)
	harness.Start(t, harness.Command{
		Path:  harness.Build(t, "github.com/cardea-go/cardea/examples/tutorial"),
		Args:  []string{"--addr", addr, "--db", "sqlite:" + filepath.Join(dir, "tutorial.db")},
		Dir:   dir,
		Env:   []string{"SECRET_KEY=" + harness.SecretKey, placesToHash},
		Ready: regexp.MustCompile("http://" + addr + "/"),
	})
	site := "http://" + addr
	harness.Eventually(t, "the tutorial answers", harness.Patience, func() bool {
		resp, err := http.Get(site + "/login")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return site
}

// TestFirstStart: what a start in an empty folder leaves there, and that the key is for its owner alone.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	s := serve(t)
	t.Log(harness.MustRun(t, harness.Command{Path: harness.Cardea(t), Args: []string{"version"}}))
	if _, err := os.Stat(filepath.Join(s.dir, "cardea.db")); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(s.dir, "cardea.key"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("cardea.key has mode %o, want 600", got)
	}
	s.Stop(t)
}
