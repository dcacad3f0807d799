package cardea_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// guidePassword is every user's in the tests of the guides.
const guidePassword = "correct horse battery"

// TestGuides follows the guides: their programs are built and started, their commands run, and what they say is looked at in a
// browser. The one with other routers is followed in the integration module.
func TestGuides(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	g := &guides{dir: t.TempDir()}
	mod := strings.Replace(read(t, "go.mod"), "module "+module, "module example.com/guides", 1)
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	mod += "\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	write(t, filepath.Join(g.dir, "go.mod"), mod)
	write(t, filepath.Join(g.dir, "go.sum"), read(t, "go.sum"))

	// Ten minutes are too long for a test.
	pages := g.add(t, "protect-a-page", "10 * time.Minute", "6 * time.Second")
	templates := g.add(t, "your-own-templates")
	users := g.add(t, "your-own-user-type")
	permissions := g.add(t, "permissions")
	run(t, g.dir, "go build -mod=mod -o bin/ ./... "+module+"/cmd/cardea")

	t.Run("protect-a-page", func(t *testing.T) { protectAPage(t, pages) })
	t.Run("your-own-templates", func(t *testing.T) { yourOwnTemplates(t, templates) })
	t.Run("your-own-user-type", func(t *testing.T) { yourOwnUserType(t, users) })
	t.Run("permissions", func(t *testing.T) { permissionsGuide(t, permissions) })
}

func protectAPage(t *testing.T, g *guide) {
	site := g.site(t)
	site.commands(0)
	site.start(0)
	b := site.browser()
	b.Visit("/").AtPath("/").Sees("Everybody may read this.")
	b.Visit("/join").AtPath("/join").Sees("Be one of us")
	enter(b, "/diary", "bob").AtPath("/diary").Sees("Dear diary")
	b.Visit("/safe").AtPath("/safe").Sees("The safe is open")
	b.Visit("/join").AtPath("/accounts/profile/")
	b.Visit("/office").AtPath("/office").HasStatus(403).SeesNot("not staff").SeesNot("Welcome to the office")
	number := regexp.MustCompile(`<code>(\w{8,})</code>`).FindStringSubmatch(b.Body)
	if line := site.line("not staff"); number == nil || !strings.Contains(line, number[1]) {
		t.Errorf("the log says %q; the number on the page is %q", line, number)
	}
	ada := b.Another()
	enter(ada, "/office", "ada").AtPath("/office").HasStatus(200).Sees("Welcome to the office")

	time.Sleep(7200 * time.Millisecond) // six seconds, in which logins are counted whole
	b.Visit("/diary").AtPath("/diary")
	enter(b, "/safe", "bob").AtPath("/safe").Sees("The safe is open")

	req, err := http.NewRequest(http.MethodGet, b.URL("/diary"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	b.Another().Do(req).HasStatus(401)

	site.start(1)
	b = site.browser()
	b.Visit("/").AtPath("/").Sees("Come in")
	enter(b, "/plans", "bob").AtPath("/plans").Sees("The plans of bob")
}

func yourOwnTemplates(t *testing.T, g *guide) {
	site := g.site(t)
	site.user("ada")
	site.start(0)
	b := site.browser()
	b.Visit("/").AtPath("/accounts/login/").Sees("Welcome to Notes").Sees("Come in").SeesNot("Keep me signed in")
	enter(b, "/", "ada").AtPath("/").Sees("These are the notes of ada.")
	b.Fill("note", "<b>milk</b>").Submit().AtPath("/").Sees("Your note is kept.").Sees("<b>milk</b>")
	if strings.Contains(b.Body, "<b>milk") {
		t.Errorf("the note was not escaped:\n%s", b.Body)
	}
	b.Visit("/").SeesNot("Your note is kept.").Sees("milk")
	b.Visit("/accounts/profile/").HasStatus(200).Sees("Log out")
	req, err := http.NewRequest(http.MethodPost, b.URL("/"), strings.NewReader("note=forged"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.Do(req).HasStatus(403)
	b.Visit("/").SeesNot("forged")
	b = b.Another()
	b.Visit("/").Fill("username", "ada").Fill("password", "wrong").Submit().AtPath("/accounts/login/").Sees("Welcome to Notes").Sees("do not match")
}

func yourOwnUserType(t *testing.T, g *guide) {
	site := g.site(t)
	site.user("ada")
	site.start(0)
	b := site.browser()
	enter(b, "/", "ada").AtPath("/").Sees("ada of no company")
	b.Fill("company", "Analytical Engines").Submit().AtPath("/").Sees("ada of Analytical Engines")
	b.Visit("/accounts/profile/").Sees("Analytical Engines")
	site.commands(0) // with the column there, too
	bob := b.Another()
	enter(bob, "/", "bob").AtPath("/").Sees("bob of no company")

	db, err := userdb.Open(t.Context(), "sqlite", filepath.Join(site.dir, "site.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var company string
	if err := db.Pool().QueryRowContext(t.Context(), "SELECT company FROM auth_user WHERE username = 'ada'").Scan(&company); err != nil {
		t.Fatal(err)
	}
	if company != "Analytical Engines" {
		t.Errorf("the column holds %q", company)
	}
}

func permissionsGuide(t *testing.T, g *guide) {
	site := g.site(t)
	site.start(0)
	site.commands(0)
	bob, eve := site.browser(), site.browser()
	bob.Visit("/").Sees("The first post").SeesNot("Write").SeesNot("Change")
	enter(bob, "/edit", "bob").AtPath("/edit").HasStatus(200).Sees("Change the post")
	bob.Visit("/").SeesNot("Write").Sees("Change")
	enter(eve, "/new", "eve").AtPath("/new").HasStatus(403)
	if line := site.line("blog.add_post"); line == "" {
		t.Error("the log does not name the permission that was missing")
	}
	eve.Visit("/").SeesNot("Write").SeesNot("Change")

	site.commands(1)
	eve.Visit("/new").AtPath("/new").HasStatus(200).Sees("Write a post")
	eve.Visit("/").Sees("Write").SeesNot("Change")
	eve.Visit("/edit").HasStatus(403)
	bob.Visit("/new").HasStatus(403)
}

// enter asks for a page that sends people to log in, and logs in. A machine with many tests on it may be too busy to hash a password
// in time, which the answer says: then it tries again.
func enter(b *cardeatest.Browser, path, name string) *cardeatest.Browser {
	for range 10 {
		b.Visit(path).AtPath("/accounts/login/").Fill("username", name).Fill("password", guidePassword).Submit()
		if b.Status != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(time.Second)
	}
	return b
}

// guides are the guides in one module, built at once.
type guides struct{ dir string }

// A guide is a page of the documentation with whole programs in it.
type guide struct {
	dir      string // of the module
	name     string
	commands [][]string // by block
}

var (
	fencedGo    = regexp.MustCompile("(?s)```go\n(.*?)```")
	fencedShell = regexp.MustCompile("(?s)```sh\n(.*?)```")
	fencedFile  = regexp.MustCompile("(?s)`([a-z/_]+\\.html)`:\n\n```html\n(.*?)```")
)

// add writes the programs of a guide into the module, with pairs of text replaced, and the files beside them.
func (g *guides) add(t *testing.T, name string, replaced ...string) *guide {
	t.Helper()
	text := read(t, filepath.Join("docs", "guides", name+".md"))
	programs := fencedGo.FindAllStringSubmatch(text, -1)
	if len(programs) == 0 {
		t.Fatalf("%s has no program", name)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(text, replaced[i]) {
			t.Fatalf("%s has no %q", name, replaced[i])
		}
	}
	for i, m := range programs {
		dir := filepath.Join(g.dir, fmt.Sprint(name, "-", i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.Count(m[1], `"127.0.0.1:8000"`) != 1 {
			t.Fatalf("%s: program %d does not listen on 127.0.0.1:8000", name, i)
		}
		program := strings.Replace(m[1], `"127.0.0.1:8000"`, `os.Getenv("ADDRESS")`, 1)
		write(t, filepath.Join(dir, "main.go"), strings.NewReplacer(replaced...).Replace(program))
		for _, f := range fencedFile.FindAllStringSubmatch(text, -1) {
			file := filepath.Join(dir, filepath.FromSlash(f[1]))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, file, f[2])
		}
	}
	made := &guide{dir: g.dir, name: name}
	for _, m := range fencedShell.FindAllStringSubmatch(text, -1) {
		made.commands = append(made.commands, strings.Split(strings.TrimSpace(m[1]), "\n"))
	}
	return made
}

// A guideSite is the folder in which somebody follows a guide.
type guideSite struct {
	t     *testing.T
	guide *guide
	dir   string
	addr  string // of the program that was started last
	out   string // the file it prints to
}

func (g *guide) site(t *testing.T) *guideSite {
	t.Helper()
	return &guideSite{t: t, guide: g, dir: t.TempDir()}
}

// commands runs the commands of a block, with the password on standard input.
func (s *guideSite) commands(block int) {
	s.t.Helper()
	if block >= len(s.guide.commands) {
		s.t.Fatalf("%s has no block of commands number %d", s.guide.name, block)
	}
	for _, line := range s.guide.commands[block] {
		s.command(line)
	}
}

func (s *guideSite) user(name string) {
	s.t.Helper()
	s.command("cardea createuser " + name + " --db sqlite:site.db")
}

func (s *guideSite) command(line string) {
	s.t.Helper()
	words := strings.Fields(line)
	if words[0] != "cardea" {
		s.t.Fatalf("%s has the command %q, which this test does not know", s.guide.name, line)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.guide.dir, "bin", "cardea"), words[1:]...)
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(guidePassword+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// start starts a program of the guide and waits until it answers. It is killed when the test ends.
func (s *guideSite) start(program int) {
	s.t.Helper()
	s.addr, s.out = freeAddress(s.t), filepath.Join(s.dir, fmt.Sprint("output-", program))
	out, err := os.Create(s.out)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(s.guide.dir, "bin", fmt.Sprint(s.guide.name, "-", program)))
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	cmd.Env = append(os.Environ(), "ADDRESS="+s.addr, "SECRET_KEY="+strings.Repeat("guides", 8))
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	name := s.out
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("the program said: %s", read(s.t, name))
		}
	})
	awaitServer(s.t, s.addr)
}

func (s *guideSite) browser() *cardeatest.Browser {
	s.t.Helper()
	return cardeatest.Open(s.t, "http://"+s.addr)
}

// line is the first line that the program logged with that text in it, or "".
func (s *guideSite) line(text string) string {
	s.t.Helper()
	for _, line := range bytes.Split([]byte(read(s.t, s.out)), []byte("\n")) {
		if bytes.Contains(line, []byte(text)) {
			return string(line)
		}
	}
	return ""
}
