package guides_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/userdb"
)

// password is every user's in these tests.
const password = "correct horse battery"

func TestMain(m *testing.M) { harness.Main(m) }

// TestRouters builds and starts the programs of the guide about other routers: each has an open page, one that is guarded and takes a
// parameter of the router's, and the built-in pages.
func TestRouters(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(root, "docs", "guides", "chi-gin-echo.md"))
	sections := regexp.MustCompile("(?s)\n## (\\w+)\n[^#]*?```go\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(sections) != 3 {
		t.Fatalf("the guide has %d programs, want 3", len(sections))
	}
	dir := t.TempDir()
	mod := strings.Replace(read(t, "../go.mod"), "=> ../\n", "=> "+root+"\n", 1)
	write(t, filepath.Join(dir, "go.mod"), strings.Replace(mod, "module github.com/cardea-go/cardea/integration", "module example.com/guides", 1))
	write(t, filepath.Join(dir, "go.sum"), read(t, "../go.sum"))
	for _, m := range sections {
		if strings.Count(m[2], `"127.0.0.1:8000"`) != 1 {
			t.Fatalf("the program with %s does not listen on 127.0.0.1:8000", m[1])
		}
		program := strings.Replace(m[2], `"127.0.0.1:8000"`, `os.Getenv("ADDRESS")`, 1)
		write(t, filepath.Join(dir, m[1], "main.go"), program)
		write(t, filepath.Join(dir, m[1]+"-whole", "main.go"), whole(t, text, program))
	}
	build := exec.Command("go", "build", "-mod=mod", "-o", "bin/", "./...")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, m := range sections {
		t.Run(m[1], func(t *testing.T) {
			b := start(t, filepath.Join(dir, "bin", m[1]))
			b.Visit("/").AtPath("/").HasStatus(200).Sees("Come in")
			follow(t, b)
		})
		t.Run(m[1]+", the whole site", func(t *testing.T) {
			b := start(t, filepath.Join(dir, "bin", m[1]+"-whole"))
			b.Visit("/").AtPath("/accounts/login/").SeesNot("Come in")
			follow(t, b)
		})
	}
}

// whole is a program of the guide guarded as a whole, by the words at the guide's end.
func whole(t *testing.T, guide, program string) string {
	t.Helper()
	m := regexp.MustCompile("`site\\.Serve\\(ctx, addr, (site\\.Auth\\.LoginRequired.*)\\)`").FindStringSubmatch(guide)
	const last, imported = ", router); err", "\t\"github.com/cardea-go/cardea/userdb\"\n"
	if m == nil || strings.Count(program, last) != 1 || strings.Count(program, imported) != 1 {
		t.Fatal("the guide does not say how a whole site is guarded")
	}
	return strings.NewReplacer(last, ", "+m[1]+"); err", imported, "\t\"github.com/cardea-go/cardea/auth\"\n"+imported).Replace(program)
}

// start starts a program with a user and opens a browser on it.
func start(t *testing.T, binary string) *cardeatest.Browser {
	t.Helper()
	site, addr := t.TempDir(), freeAddress(t)
	makeUser(t, filepath.Join(site, "site.db"))
	harness.Start(t, harness.Command{
		Path:  binary,
		Dir:   site,
		Env:   []string{"ADDRESS=" + addr, "SECRET_KEY=" + strings.Repeat("guides", 8)},
		Ready: regexp.MustCompile(""),
	})
	awaitServer(t, addr)
	return cardeatest.Open(t, "http://"+addr)
}

// follow does what the guide promises of every router.
func follow(t *testing.T, b *cardeatest.Browser) {
	b.Visit("/notes/7").AtPath("/accounts/login/").SeesNot("Note 7")
	enter(b, "/notes/7").AtPath("/notes/7").HasStatus(200).Sees("Note 7 of ada")
	if !strings.HasSuffix(b.Body, "Note 7 of ada") || strings.Count(b.Body, "Note") != 1 {
		t.Errorf("the page is %q", b.Body)
	}
	b.Visit("/").AtPath("/").Sees("Come in")
	b.Visit("/nowhere").HasStatus(404)
	b.Visit("/accounts/profile/").HasStatus(200).Sees("ada").Press("Log out")
	b.Visit("/notes/7").AtPath("/accounts/login/")

	req, err := http.NewRequest(http.MethodGet, b.URL("/notes/7"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	b.Another().Do(req).HasStatus(401).SeesNot("Note 7")
}

// enter asks for a page that sends people to log in, and logs in. A machine with many tests on it may be too busy to hash a password
// in time, which the answer says: then it tries again.
func enter(b *cardeatest.Browser, path string) *cardeatest.Browser {
	for range 10 {
		b.Visit(path).AtPath("/accounts/login/").Fill("username", "ada").Fill("password", password).Submit()
		if b.Status != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(time.Second)
	}
	return b
}

func makeUser(t *testing.T, path string) {
	t.Helper()
	ctx := context.Background()
	db, err := userdb.Open(ctx, "sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := cardea.Prepare(ctx, db, ""); err != nil {
		t.Fatal(err)
	}
	cardeatest.User(t, db, "ada", password)
}

func awaitServer(t *testing.T, addr string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < harness.Patience; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/")
		if err == nil {
			_ = resp.Body.Close()
			return
		}
	}
	t.Fatalf("nothing answers at %s", addr)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return fmt.Sprint(ln.Addr())
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
