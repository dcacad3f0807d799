package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// axeSource is axe-core, which scripts/install.sh fetches.
var axeSource = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(cache, "cardea", "axe-core", "*", "axe.min.js"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no axe-core below %s (scripts/install.sh installs it)", cache)
	}
	source, err := os.ReadFile(slices.Max(found))
	return string(source), err
})

// An axeResult is what axe-core found on a page.
type axeResult struct {
	Version    string
	Violations []string // rule, what it asks for, and where
	Unsure     []string // what axe-core could not decide
	Passes     int      // rules that had something to look at and found no fault
}

// axe runs all of axe-core's rules but the experimental ones on the page.
func (b *tab) axe() axeResult {
	b.t.Helper()
	source, err := axeSource()
	switch {
	case err != nil && os.Getenv("CARDEA_TEST_REQUIRE") == "1":
		b.t.Fatal(err)
	case err != nil:
		b.t.Skip(err)
	}
	if eval[bool](b, "typeof axe === 'undefined'") {
		eval[bool](b, source+"\n;true")
	}
	return eval[axeResult](b, `(async () => {
		const found = await axe.run(document);
		const list = (rules) => rules.map((rule) => rule.id + ": " + rule.help + ": " + rule.nodes.map((node) => node.target.join(" ")).join(", "));
		return {Version: axe.version, Violations: list(found.violations), Unsure: list(found.incomplete), Passes: found.passes.length};
	})()`)
}

// TestAxe is the control: on a page with faults, axe-core says so.
func TestAxe(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><p style="color:#999;background:#fff">pale</p><input><img src="data:,">`)
	}))
	t.Cleanup(site.Close)
	b := openUnwatched(t, site.URL)
	b.visit("/")
	result := b.axe()
	t.Logf("axe-core %s: %q", result.Version, result.Violations)
	for _, rule := range []string{"color-contrast", "label", "image-alt", "html-has-lang", "document-title"} {
		if !slices.ContainsFunc(result.Violations, func(v string) bool { return strings.HasPrefix(v, rule+": ") }) {
			t.Errorf("axe-core does not find %s", rule)
		}
	}
}
