package cardea_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	lessonTest = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz)\\w+)`")
	lessonRow  = regexp.MustCompile(`(?m)^\| (.+) \| (.+) \| (.*) \|$`)
	deviation  = regexp.MustCompile(`(?m)^[a-z_]+/\w+\t`)
)

// TestDjangoLessons: each lesson of Django's that docs/django.md lists names the tests that hold it, and each of those exists.
func TestDjangoLessons(t *testing.T) {
	t.Parallel()
	_, table, ok := strings.Cut(read(t, "docs/django.md"), "\n## Lessons of Django's")
	if !ok {
		t.Fatal("docs/django.md has no lessons")
	}
	rows := lessonRow.FindAllStringSubmatch(table, -1)[1:]
	if len(rows) < 50 {
		t.Errorf("there are %d lessons, at least 50 are known", len(rows))
	}
	for _, row := range rows {
		named := lessonTest.FindAllStringSubmatch(row[3], -1)
		if len(named) == 0 || len(named) != strings.Count(row[3], "`")/2 {
			t.Errorf("%s: %q names no test, or something else too", row[1], row[3])
		}
		for _, m := range named {
			if !hasTest(t, m[1], m[2]) {
				t.Errorf("%s: there is no %s in %s", row[1], m[2], m[1])
			}
		}
	}
	if hasTest(t, "cardea", "TestThatNobodyWrote") {
		t.Error("the control: a test that nobody wrote exists")
	}
}

// hasTest tells whether the tests of a package have one of that name.
func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	if pkg == "cardea" {
		pkg = "."
	}
	files, err := filepath.Glob(filepath.Join(pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// TestDeviationsInWords: docs/django.md tells of every deviation, that is of every rule of testdata/deviations.tsv.
func TestDeviationsInWords(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "docs/django.md"), "\n## What Cardea does otherwise")
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\nBeyond answers")
	told := 0
	for line := range strings.SplitSeq(section, "\n") {
		if strings.HasPrefix(line, "| ") {
			told++
		}
	}
	told--                                                                            // the head
	rules := len(deviation.FindAllString(read(t, "testdata/deviations.tsv"), -1)) - 1 // the head
	if merged := 1; told != rules-merged {                                            // what is not written and what is not verified are one in words
		t.Errorf("docs/django.md tells of %d deviations, there are %d rules", told, rules)
	}
}

// TestASVS: what docs/asvs.md says of the standard's requirements is held by tests that exist, and where Cardea falls short, a row
// says in what.
func TestASVS(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile(`(?m)^\| (V[0-9.]+(?:, V[0-9.]+)*) \| .+ \| (yes|in part|no)([^|]*) \| (.*)\|$`).FindAllStringSubmatch(read(t, "docs/asvs.md"), -1)
	if got := strings.Count(read(t, "docs/asvs.md"), "\n| V"); got != len(rows) || got < 50 {
		t.Errorf("%d of %d rows can be read, want all, and at least 50", len(rows), got)
	}
	for _, row := range rows {
		tests := lessonTest.FindAllStringSubmatch(row[4], -1)
		if len(tests) != strings.Count(row[4], "`")/2 || row[2] != "no" && len(tests) == 0 && row[3] == "" || row[2] == "in part" && row[3] == "" {
			t.Errorf("%s: names no test, or something else, or does not say what is missing: %s", row[1], row[0])
		}
		for _, m := range tests {
			if !hasTest(t, m[1], m[2]) {
				t.Errorf("%s: there is no %s in %s", row[1], m[2], m[1])
			}
		}
	}
}
