package manage_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/manage"
)

// TestInspectedConfigurations: whatever inspect-django writes, the other commands can read, and inspect-django itself finds that it matches
// as far as anything can.
func TestInspectedConfigurations(t *testing.T) {
	t.Parallel()
	run := func(args ...string) (out, errs string, status int) {
		t.Helper()
		var o, e bytes.Buffer
		p := manage.Program{Args: args, Stdin: strings.NewReader(""), Stdout: &o, Stderr: &e}
		status = p.Run(t.Context())
		return o.String(), e.String(), status
	}
	files, err := filepath.Glob("../internal/inspect/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded facts: %v", err)
	}
	for _, facts := range files {
		name := filepath.Base(facts)
		config := filepath.Join(t.TempDir(), "cardea.toml")
		out, said, status := run("inspect-django", facts, "--out", config)
		if strings.HasPrefix(name, "memory-") {
			if status != 1 || !strings.Contains(said, "where no other program can see it") {
				t.Errorf("%s: status %d, %s", name, status, said)
			}
			continue
		}
		if status != 0 {
			t.Errorf("%s: status %d\n%s%s", name, status, out, said)
			continue
		}
		if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: who may read the configuration: %v, %v", name, info.Mode(), err)
		}
		if out, errs, status := run("config", "--config", config); status != 0 {
			t.Errorf("%s: cardea config: status %d\n%s%s", name, status, out, errs)
		}
		want := strings.Count(said, "mismatch: ")
		out, errs, status := run("inspect-django", facts, "--check", "--config", config)
		if got := strings.Count(errs, "mismatch: "); got != want || (status == 1) != (want > 0) {
			t.Errorf("%s: --check of what it wrote: status %d with %d mismatches, want those %d that nothing can match\n%s%s", name, status, got, want, out, errs)
		}
	}
}
