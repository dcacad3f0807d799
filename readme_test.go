package cardea_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/cardeatest"
)

// TestReadme follows the README: an empty module, the program pasted, the command that makes a user, a log-in over HTTP.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	readme := read(t, "README.md")
	program := fenced(t, readme, "go")
	countLines(t, program)

	dir := t.TempDir()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	write(t, filepath.Join(dir, "main.go"), strings.Replace(program, "127.0.0.1:8000", addr, 1))
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum")) // of what is already here nobody has to be asked
	initialize, get := commands(t, fenced(t, readme, "console"))
	run(t, dir, initialize)
	run(t, dir, "go mod edit -replace="+module+"="+root)
	run(t, dir, "GOPROXY="+withoutCardea(t)+" "+get)

	makeUser, start := commands(t, fenced(t, readme, "sh"))
	run(t, dir, makeUser)
	if start != "SECRET_KEY=$(openssl rand -base64 48) go run ." {
		t.Fatalf("the README starts the program by %q; this test does not know that way", start)
	}
	binary := filepath.Join(dir, "site.exe")
	run(t, dir, "go build -o "+binary+" .")

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server := exec.CommandContext(ctx, binary)
	server.Dir = dir
	server.Env = append(os.Environ(), "SECRET_KEY="+strings.Repeat("readme", 8))
	var out bytes.Buffer
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the program said: %s", out.String())
		}
	}()
	awaitServer(t, addr)
	b := cardeatest.Open(t, "http://"+addr)
	b.Visit("/").AtPath("/accounts/login/")
	b.Fill("username", "ada").Fill("password", "wrong").Submit().AtPath("/accounts/login/")
	b.Fill("username", "ada").Fill("password", "correct horse battery").Submit().AtPath("/").Sees("Hello, ada")
}

func fenced(t *testing.T, text, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("README.md has no block of %s", language)
	}
	return m[1]
}

// countLines holds the README to its promise: at most 25 lines in main and its handler.
func countLines(t *testing.T, program string) {
	t.Helper()
	_, body, ok := strings.Cut(program, "func main() {\n")
	if !ok {
		t.Fatal("the README's program has no main")
	}
	n := 0
	for _, line := range strings.Split(strings.TrimSuffix(strings.TrimSpace(body), "}"), "\n") {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	if n > 25 {
		t.Errorf("the README's main and its handler have %d lines, at most 25 are promised", n)
	}
}

// commands are the two lines of a block of the README.
func commands(t *testing.T, block string) (makeUser, start string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) != 2 {
		t.Fatalf("the README's commands are %d lines, want 2", len(lines))
	}
	return lines[0], lines[1]
}

// run runs a line of the README, leading NAME=value words being the environment, without a shell.
func run(t *testing.T, dir, line string) {
	t.Helper()
	env := append(os.Environ(), "GOFLAGS=-buildvcs=false")
	for {
		m := regexp.MustCompile(`^([A-Z_]+)=('[^']*'|\S+) `).FindStringSubmatch(line)
		if m == nil {
			break
		}
		env = append(env, m[1]+"="+strings.Trim(m[2], "'"))
		line = line[len(m[0]):]
	}
	words := strings.Fields(line)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// withoutCardea is the machine's own module proxy, where it has one, except that it has never heard of Cardea: go get also asks
// for modules of the longer paths, whose absence some proxies do not put as plainly as go get wants it.
func withoutCardea(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.TrimSpace(string(out))
	first := all
	if i := strings.IndexAny(all, ",|"); i >= 0 {
		first = all[:i]
	}
	if !strings.HasPrefix(first, "http") {
		return all
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/"+path.Dir(module)) {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, first+r.URL.EscapedPath(), http.StatusFound)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL + strings.TrimPrefix(all, first)
}

func awaitServer(t *testing.T, addr string) {
	t.Helper()
	for range 200 {
		resp, err := http.Get("http://" + addr + "/")
		if err == nil {
			_ = resp.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
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
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
