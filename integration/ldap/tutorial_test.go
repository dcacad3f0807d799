package ldap_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/userdb"
)

const tutorialPackage = "github.com/cardea-go/cardea/examples/tutorial"

// The three stacks of the tutorial, by build tag, and who gets in by each beside the users of the database.
var tutorials = []struct {
	tag, file string
	directory bool // bob, whom the directory knows
	members   bool // grace, whom the list of the members knows
}{
	{"", "stack_database.go", false, false},
	{"ldap", "stack_ldap.go", true, false},
	{"own", "stack_own.go", false, true},
}

// TestTutorialViewsAreTheSame: of the three programs one file differs, and it is not the one with the views.
func TestTutorialViewsAreTheSame(t *testing.T) {
	t.Parallel()
	var first map[string]string
	for _, c := range tutorials {
		sums := sources(t, c.tag)
		own := sums[c.file]
		delete(sums, c.file)
		if first == nil {
			first = sums
		}
		if own == "" || sums["views.go"] == "" || sums["main.go"] == "" || sums["templates/login.html"] == "" || fmt.Sprint(sums) != fmt.Sprint(first) {
			t.Errorf("with the tag %q the program is made of %v, and without one of %v", c.tag, sums, first)
		}
	}
	// Control: a file more, or another byte, would be seen.
	if a, b := sum([]byte("views")), sum([]byte("view")); a == b {
		t.Error("the sums tell nothing apart")
	}
	if sources(t, "ldap")["stack_ldap.go"] == "" || sources(t, "")["stack_ldap.go"] != "" {
		t.Error("the tag changes nothing")
	}
}

// sources are the sums of all files that the tutorial is built from with a tag.
func sources(t *testing.T, tag string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", tag, "-f", "{{.Dir}}{{range .GoFiles}}\n{{.}}{{end}}{{range .EmbedFiles}}\n{{.}}{{end}}", tutorialPackage)
	cmd.Dir = harness.Root(t)
	out, err := cmd.Output()
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	sums := map[string]string{}
	for _, name := range lines[1:] {
		text, err := os.ReadFile(filepath.Join(lines[0], name))
		must(t, err)
		sums[name] = sum(text)
	}
	return sums
}

func sum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// TestTutorialStacks: each of the three programs lets in those whom its stack knows, by the same page, and nobody else.
func TestTutorialStacks(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for _, c := range tutorials {
		t.Run("tag "+c.tag, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db, err := userdb.Open(t.Context(), "sqlite", filepath.Join(dir, "tutorial.db"))
			must(t, err)
			_, err = db.Migrate(t.Context(), userdb.MigrateOptions{})
			must(t, err)
			cardeatest.User(t, db, "ada", "right ada")
			encoded, err := cardeatest.Hashers().Make(t.Context(), "right grace")
			must(t, err)
			members := filepath.Join(dir, "members.txt")
			must(t, os.WriteFile(members, []byte("4711:grace:grace@example.com:"+encoded+"\n"), 0o600))
			addr := "127.0.0.1:" + harness.FreePort(t)
			harness.Start(t, harness.Command{
				Path: harness.BuildTagged(t, tutorialPackage, c.tag),
				Args: []string{"--addr", addr, "--db", "sqlite:" + filepath.Join(dir, "tutorial.db")},
				Dir:  dir,
				Env: []string{
					"SECRET_KEY=" + harness.SecretKey, "MEMBERS=" + members, "LDAP_URL=ldaps://" + s.TLS, "LDAP_CA=" + s.CA,
					"LDAP_BIND_DN=" + site, "LDAP_BIND_PASSWORD=" + secret, "LDAP_PEOPLE=" + people,
				},
				Ready: regexp.MustCompile("http://" + addr + "/"),
			})
			b := cardeatest.Open(t, "http://"+addr)
			b.Client().Timeout = harness.Patience
			harness.Eventually(t, "the tutorial answers", harness.Patience, func() bool {
				resp, err := b.Client().Get(b.URL("/login"))
				if err == nil {
					resp.Body.Close()
				}
				return err == nil
			})
			pages := []string{}
			for name, in := range map[string]bool{"ada": true, "bob": c.directory, "grace": c.members, "nobody": false} {
				b := b.Another()
				b.Visit("/login").Fill("username", name).Fill("password", "wrong").Submit().AtPath("/login").Sees("Invalid username or password.")
				b.Visit("/login").Fill("username", name).Fill("password", "right "+name).Submit()
				if !in {
					b.AtPath("/login").Sees("Invalid username or password.")
					continue
				}
				b.AtPath("/").Sees("Welcome back!").Sees(name)
				pages = append(pages, name)
				b.Press("Log out").AtPath("/login").Sees("You are logged out.")
			}
			if slices.Sort(pages); len(pages) < 1 || pages[0] != "ada" {
				t.Errorf("let in: %v", pages)
			}
			must(t, db.Close())
		})
	}
}

// TestBackendExample: the program with a back end of its own lets a member in, who becomes a user once.
func TestBackendExample(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), "127.0.0.1:"+harness.FreePort(t)
	harness.Start(t, harness.Command{
		Path:  harness.Build(t, "github.com/cardea-go/cardea/examples/backend"),
		Args:  []string{"--addr", addr, "--db", filepath.Join(dir, "club.db"), "--members", filepath.Join(harness.Root(t), "..", "examples", "backend", "members.txt")},
		Dir:   dir,
		Ready: regexp.MustCompile("http://" + addr + "/"),
	})
	b := cardeatest.Open(t, "http://"+addr)
	harness.Eventually(t, "the program answers", harness.Patience, func() bool {
		resp, err := b.Client().Get(b.URL(loginPath))
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	for range 2 {
		b := b.Another()
		b.Visit("/").AtPath(loginPath).Fill("username", "grace").Fill("password", "wrong").Submit().Sees(wrong)
		b.Fill("username", "grace").Fill("password", "correct horse battery").Submit().AtPath("/").Sees("Hello, grace")
	}
	db, err := userdb.Open(t.Context(), "sqlite", filepath.Join(dir, "club.db"))
	must(t, err)
	defer db.Close()
	if n, err := db.CountUsers(t.Context()); n != 1 || err != nil {
		t.Errorf("there are %d users (%v), want 1", n, err)
	}
}
