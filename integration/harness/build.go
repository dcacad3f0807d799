package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// builds are the binaries of this test run.
var builds struct {
	mu    sync.Mutex
	dir   string
	known map[string]built
}

type built struct {
	path string
	err  error
}

// Main runs the tests and removes the binaries that they had built. It is the body of TestMain; m is its *testing.M, or what runs
// more around that.
func Main(m interface{ Run() int }) {
	status := m.Run()
	builds.mu.Lock()
	if builds.dir != "" {
		_ = os.RemoveAll(builds.dir)
	}
	os.Exit(status)
}

// Cardea returns the path of the cardea binary, built at the first call, as it is released: without the race detector, and
// without a C compiler.
func Cardea(t testing.TB) string {
	t.Helper()
	return build(t, "cardea", "..", "./cmd/cardea")
}

// Build returns the path of the binary of a program of this module, such as "./probe".
func Build(t testing.TB, pkg string) string {
	t.Helper()
	return build(t, filepath.Base(pkg), ".", pkg)
}

// BuildTagged is Build with a build tag, "" for none.
func BuildTagged(t testing.TB, pkg, tag string) string {
	t.Helper()
	if tag == "" {
		return Build(t, pkg)
	}
	return build(t, filepath.Base(pkg)+"-"+tag, ".", pkg, "-tags", tag)
}

// build builds pkg in dir, which is relative to the root of this module.
func build(t testing.TB, name, dir, pkg string, flags ...string) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	b, ok := builds.known[name]
	if !ok {
		b = compile(name, dir, pkg, flags...)
		if builds.known == nil {
			builds.known = map[string]built{}
		}
		builds.known[name] = b
	}
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func compile(name, dir, pkg string, flags ...string) built {
	if builds.dir == "" {
		made, err := os.MkdirTemp("", "cardea-integration-")
		if err != nil {
			return built{err: err}
		}
		builds.dir = made
	}
	home, err := root()
	if err != nil {
		return built{err: err}
	}
	path := filepath.Join(builds.dir, name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...)
	cmd.Dir = filepath.Join(home, dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return built{err: fmt.Errorf("go build %s: %w\n%s", pkg, err, out)}
	}
	return built{path: path}
}

// Root is the folder of this module, wherever in it the tests run.
func Root(t testing.TB) string {
	t.Helper()
	home, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
