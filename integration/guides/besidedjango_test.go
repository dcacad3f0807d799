package guides_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
)

// TestBesideDjango follows the guide "Use Cardea beside your Django site" from its first command to its last, on a site that a real
// Django makes.
func TestBesideDjango(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"5.2", "4.2"} {
		t.Run("Django "+version, func(t *testing.T) {
			t.Parallel()
			f := newFollower(t, version)
			f.commands() // make a site
			f.commands() // have it read
			f.commands() // migrate
			f.server("runserver", `Quit the server`)
			f.server("cardea serve", `answers at`)
			f.server("caddy run", `serving initial configuration`)

			b := f.browser()
			b.Visit(f.step("/admin/")).AtPath("/admin/login/")
			f.enter(b, f.password).AtPath("/admin/").Sees("Site administration")
			b.Visit(f.step("/accounts/profile/")).AtPath("/accounts/profile/").Sees("ada@example.com").Press("Log out")
			b.Visit(f.step("/admin/")).AtPath("/admin/login/")

			other := b.Another()
			for _, browser := range []*cardeatest.Browser{b, other} {
				browser.Visit(f.step("/accounts/login/?next=/admin/"))
				f.enter(browser, f.password).AtPath("/admin/").Sees("Site administration")
			}
			const changed = "a new one, and a longer one"
			b.Visit(f.step("/accounts/password_change/")).Fill("old_password", f.password).Fill("new_password1", changed).Fill("new_password2", changed).Submit().HasStatus(200)
			b.Visit("/admin/").AtPath("/admin/").Sees("Site administration")
			b.Visit("/accounts/profile/").AtPath("/accounts/profile/").Sees("ada@example.com")
			other.Visit("/admin/").AtPath("/admin/login/")
			f.enter(other, changed).AtPath("/admin/")

			f.commands() // keep it so
			f.finished()
			f.drifted()
		})
	}
}

// A follower is somebody who follows the guide, in a folder of their own and with ports of their own.
type follower struct {
	*testing.T
	dir      string
	env      []string
	blocks   []string // of commands, those that are not done yet
	steps    []string // the addresses of step 5
	visited  []string
	front    string // the address of the site
	password string
}

var (
	guideBlock    = regexp.MustCompile("(?s)```(sh|caddyfile)\n(.*?)```")
	guidePort     = regexp.MustCompile(`\b800[012]\b`)
	guideAddress  = regexp.MustCompile(`http://127\.0\.0\.1:\d+(/\S*?)[,:;.]?\s`)
	guidePassword = regexp.MustCompile(`DJANGO_SUPERUSER_PASSWORD='([^']+)'`)
)

func newFollower(t *testing.T, version string) *follower {
	t.Helper()
	if _, err := exec.LookPath("caddy"); err != nil {
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatal("no caddy (scripts/install.sh installs it)")
		}
		t.Skip("no caddy (scripts/install.sh installs it)")
	}
	text := read(t, filepath.Join(harness.Root(t), "..", "docs", "guides", "beside-django.md"))
	ports := map[string]string{}
	for _, port := range guidePort.FindAllString(text, -1) {
		for ports[port] == "" || slices.Contains(values(ports, port), ports[port]) {
			ports[port] = harness.FreePort(t)
		}
	}
	text = guidePort.ReplaceAllStringFunc(text, func(port string) string { return ports[port] })

	bin, home := t.TempDir(), t.TempDir()
	for name, target := range map[string]string{"cardea": harness.Cardea(t), "python3": harness.Django(t, version)} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	f := &follower{
		T: t, dir: t.TempDir(), front: "http://127.0.0.1:" + ports["8000"],
		env:      []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home, "PYTHONUNBUFFERED=1"},
		password: guidePassword.FindStringSubmatch(text)[1],
	}
	for _, m := range guideBlock.FindAllStringSubmatch(text, -1) {
		if m[1] == "caddyfile" {
			m[2] = "cat > Caddyfile <<'END'\n" + m[2] + "END\n"
		}
		f.blocks = append(f.blocks, m[2])
	}
	_, step, _ := strings.Cut(text, "\n## 5. ")
	step, _, _ = strings.Cut(step, "\n## 6. ")
	for _, m := range guideAddress.FindAllStringSubmatch(step, -1) {
		f.steps = append(f.steps, m[1])
	}
	return f
}

func values(m map[string]string, but string) []string {
	var list []string
	for k, v := range m {
		if k != but {
			list = append(list, v)
		}
	}
	return list
}

func (f *follower) block() string {
	f.Helper()
	if len(f.blocks) == 0 {
		f.Fatal("the guide has no more commands")
	}
	text := f.blocks[0]
	f.blocks = f.blocks[1:]
	return text
}

// commands runs the next block as a shell does, and stays in the folder to which it leads.
func (f *follower) commands() {
	f.Helper()
	block := f.block()
	out := harness.MustRun(f, f.shell(block+"\necho; pwd\n"))
	lines := strings.Split(strings.TrimSpace(out), "\n")
	f.dir = lines[len(lines)-1]
	f.Logf("%s\n%s", block, out)
}

func (f *follower) shell(text string) harness.Command {
	return harness.Command{Path: "/bin/sh", Args: []string{"-ec", text}, Dir: f.dir, Env: f.env}
}

// server runs the next block, whose last command has to be that one, until the test ends. Files that stand before it are written.
func (f *follower) server(command, ready string) {
	f.Helper()
	for strings.HasPrefix(f.blocks[0], "cat > ") {
		f.commands()
	}
	block := strings.TrimSpace(f.block())
	if strings.Contains(block, "\n") || !strings.Contains(block, command) {
		f.Fatalf("the guide says %q where %s is expected", block, command)
	}
	c := f.shell("exec env " + block) // one process, which a signal reaches
	c.Ready = regexp.MustCompile(ready)
	p := harness.Start(f, c)
	f.Cleanup(func() { p.Stop(f) }) // with its own children, which a kill would leave behind
}

func (f *follower) browser() *cardeatest.Browser { return cardeatest.Open(f, f.front) }

// step is an address that step 5 sends people to.
func (f *follower) step(path string) string {
	f.Helper()
	if !slices.Contains(f.steps, path) {
		f.Fatalf("step 5 does not send people to %s, but to %q", path, f.steps)
	}
	f.visited = append(f.visited, path)
	return path
}

func (f *follower) enter(b *cardeatest.Browser, password string) *cardeatest.Browser {
	f.Helper()
	return b.Fill("username", "ada").Fill("password", password).Submit()
}

// finished checks that nothing of the guide was left out.
func (f *follower) finished() {
	f.Helper()
	if len(f.blocks) > 0 {
		f.Errorf("nobody has followed %q", f.blocks)
	}
	for _, path := range f.steps {
		if !slices.Contains(f.visited, path) {
			f.Errorf("nobody has followed step 5 to %s", path)
		}
	}
}

// drifted changes a setting of Django's, which the last command of the guide has to notice.
func (f *follower) drifted() {
	f.Helper()
	settings := filepath.Join(f.dir, "mysite", "settings.py")
	write(f.T, settings, read(f.T, settings)+"\nSESSION_COOKIE_NAME = \"sid\"\n")
	out, status := harness.Run(f, f.shell("cardea inspect-django --project . --check --config cardea.toml"))
	if status != 1 || !strings.Contains(out, `mismatch: SESSION_COOKIE_NAME is sid (here sessionid)`) || strings.Count(out, "mismatch:") != 1 {
		f.Errorf("after a change of SESSION_COOKIE_NAME: status %d\n%s", status, out)
	}
}
