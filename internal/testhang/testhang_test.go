package testhang_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testhang"
)

// FuzzHang is the target of TestWatch: "hang" makes it take for ever, "rest" only lets it look at its inputs.
func FuzzHang(f *testing.F) {
	mode := os.Getenv("CARDEA_TESTHANG")
	f.Add("a")
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		if mode == "hang" && text != "a" {
			select {}
		}
	})
}

// TestWatch: a target that hangs fails, and the input is kept; the same target without the hang passes.
func TestWatch(t *testing.T) {
	if testing.Short() {
		t.Skip("fuzzes for five seconds")
	}
	t.Parallel()
	for _, c := range []struct {
		mode, time string
		fails      bool
	}{{"hang", "30s", true}, {"rest", "100x", false}} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$", "-test.fuzz=^FuzzHang$", "-test.parallel=1",
			"-test.fuzztime="+c.time, "-test.fuzzcachedir="+filepath.Join(dir, "cache"))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CARDEA_TESTHANG="+c.mode)
		out, err := cmd.CombinedOutput()
		if failed := err != nil; failed != c.fails || failed != strings.Contains(string(out), "Failing input written") {
			t.Errorf("%s: got the error %v, and\n%s", c.mode, err, out)
		}
	}
}
