package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// looks are the ways in which each page is inspected.
var looks = []struct {
	width int64
	theme string
}{{320, "light"}, {320, "dark"}, {1280, "light"}, {1280, "dark"}}

// heaviest is what a page may weigh with all that it loads, in bytes.
const heaviest = 30 << 10

// An inspector looks at pages, and knows which ones it has seen. It may be used by several tabs.
type inspector struct {
	mu      sync.Mutex
	version string         // of axe-core
	states  map[string]int // number of states seen, by path
	runs    int
	passes  int
	weight  int // of the heaviest
}

// inspect checks that the page was answered so, and looks at it in each way: axe-core finds no violation, nothing scrolls
// sideways, is too small or cut off, and it is not too heavy.
func (in *inspector) inspect(b *tab, page string, want, status int) {
	b.t.Helper()
	b.status(page, want, status)
	path, _, _ := strings.Cut(b.path(), "?")
	weight := b.weight()
	if weight > heaviest || weight < 1000 {
		b.t.Errorf("%s weighs %d bytes, want at most %d", page, weight, heaviest)
	}
	version, passes := "", 0
	for _, look := range looks {
		b.size(look.width, 800)
		b.theme(look.theme)
		found := b.axe()
		version, passes = found.Version, passes+found.Passes
		for _, v := range found.Violations {
			b.t.Errorf("%s, %d px, %s: axe-core: %s", page, look.width, look.theme, v)
		}
		for _, u := range found.Unsure {
			b.t.Logf("%s, %d px, %s: axe-core is unsure: %s", page, look.width, look.theme, u)
		}
		for _, f := range b.faults() {
			b.t.Errorf("%s, %d px, %s: %s", page, look.width, look.theme, f)
		}
	}
	b.theme("light")
	in.mu.Lock()
	defer in.mu.Unlock()
	in.states[path]++
	in.version, in.passes, in.runs, in.weight = version, in.passes+passes, in.runs+len(looks), max(in.weight, weight)
}

// weight is what the page and all that it has loaded are on the wire, with half a kilobyte of headers each, as on a first visit.
func (b *tab) weight() int {
	b.t.Helper()
	return eval[int](b, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
		.reduce((sum, e) => sum + 512 + (e.encodedBodySize || e.decodedBodySize), 0)`)
}

// report says how much was seen, and fails the test where that is less than the site has.
func (in *inspector) report(t *testing.T) {
	t.Helper()
	states, unseen := 0, routes(t)
	count := len(unseen)
	for path, n := range in.states {
		states += n
		unseen = slices.DeleteFunc(unseen, func(route string) bool { return matches(route, path) })
	}
	t.Logf("axe-core %s: %d states of %d pages at %d addresses, %d runs, %d rules passed, the heaviest page %d bytes, no violation unless named above",
		in.version, states, count-len(unseen), len(in.states), in.runs, in.passes, in.weight)
	t.Logf("the route table has %d pages, of which %d were not seen", count, len(unseen))
	for _, route := range unseen {
		t.Errorf("no state of the page %s was inspected", route)
	}
	if in.runs != states*len(looks) || in.passes < 10*in.runs {
		t.Errorf("axe-core had little to look at: %d rules passed in %d runs", in.passes, in.runs)
	}
}

var routeEntry = regexp.MustCompile(`(?:\broute)?\{path: "([^"]+)", methods:`)

// routes are the paths of package pages, parts in braces standing for a segment each, as its source has them: no page can be added
// there and forgotten here.
func routes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "pages", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := routeEntry.FindAllStringSubmatch(string(source), -1)
		if entries := strings.Count(string(source), `{path: "`); entries != len(found) {
			t.Fatalf("%s has %d routes of which %d can be read", file, entries, len(found))
		}
		for _, entry := range found {
			paths = append(paths, "/accounts/"+entry[1])
		}
	}
	if len(paths) < 10 {
		t.Fatalf("found only %d routes: %q", len(paths), paths)
	}
	return paths
}

// matches reports whether a path is one of the route's and of no other: words such as "done" are no tokens.
func matches(route, path string) bool {
	want, got := strings.Split(route, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, part := range want {
		if strings.HasPrefix(part, "{") {
			if slices.Contains([]string{"", "done", "sent"}, got[i]) {
				return false
			}
		} else if part != got[i] {
			return false
		}
	}
	return true
}

// TestMatches is the control of the count.
func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		route, path string
		want        bool
	}{
		{"/accounts/signup/", "/accounts/signup/", true},
		{"/accounts/signup/{token}/", "/accounts/signup/", false},
		{"/accounts/signup/{token}/", "/accounts/signup/abc/", true},
		{"/accounts/signup/{token}/", "/accounts/signup/sent/", false},
		{"/accounts/reset/{uid}/{token}/", "/accounts/reset/MQ/set-password/", true},
		{"/accounts/reset/done/", "/accounts/reset/MQ/set-password/", false},
	} {
		t.Run(fmt.Sprint(c.route, c.path), func(t *testing.T) {
			t.Parallel()
			if got := matches(c.route, c.path); got != c.want {
				t.Errorf("matches(%q, %q) = %v, want %v", c.route, c.path, got, c.want)
			}
		})
	}
}
