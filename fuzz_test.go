package cardea_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuzzTargets: every fuzz target ends itself when an input hangs it, which Go's fuzzer would take for success.
func TestFuzzTargets(t *testing.T) {
	t.Parallel()
	targets := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text := read(t, name)
		n := strings.Count(text, "\tf.Fuzz(")
		targets += n
		if watched := strings.Count(text, "{\n\t\ttesthang.Watch(t)\n"); watched != n {
			t.Errorf("%s: %d of %d fuzz targets begin with testhang.Watch(t)", name, watched, n)
		}
		return nil
	})
	if err != nil || targets == 0 {
		t.Fatalf("found %d fuzz targets (%v)", targets, err)
	}
}
