package inspect_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/inspect"
)

var update = flag.Bool("update", false, "write what is printed now into testdata")

// TestRecorded: for the facts that real Djangos printed, the configuration and the findings are those in the files beside them.
func TestRecorded(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded facts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			facts, err := inspect.Read(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if report, err := inspect.Examine(facts); err != nil {
				got.WriteString("error: " + err.Error() + "\n")
			} else {
				got.WriteString(report.TOML())
				for _, f := range report.Findings {
					got.WriteString("\n")
					f.Write(&got)
				}
			}
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
			}
		})
	}
}

// TestOwnCosts: a hasher of the project's own, made from Django's and listed before it, is Django's at the project's costs, named once.
func TestOwnCosts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/startproject-5.2.json")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := inspect.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	own := facts.Hashers[0]
	own.Path, own.Lineage, own.Iterations = "shop.hashers.Quick", append([]string{"shop.hashers.Quick"}, own.Lineage...), 1000
	facts.Hashers = append([]inspect.Hasher{own}, facts.Hashers[:2]...)
	report, err := inspect.Examine(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`password_hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"]`,
		`pbkdf2_sha256 = "iterations=1000"`,
	} {
		if !strings.Contains(report.TOML(), want) {
			t.Errorf("got:\n%s\nwant in it:\n%s", report.TOML(), want)
		}
	}
}

// TestRead: the facts are found between other lines, and what is none of ours says what to do.
func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", "there are no facts in it"},
		{"Traceback (most recent call last):", "there are no facts in it"},
		{`{"cardea_facts":2}`, "version 2"},
		{`{"cardea_facts":1,"django":`, "cannot be read"},
		{`{"cardea_facts":1,"database":{"error":"ImproperlyConfigured: no"}}`, "DATABASES: ImproperlyConfigured: no"},
	} {
		if _, err := inspect.Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want it to say %q", c.text, err, c.want)
		}
	}
	facts, err := inspect.Read(strings.NewReader("6 objects imported automatically\n" + `{"cardea_facts":1,"django":"5.2.1"}` + "\nbye\n"))
	if err != nil || facts.Django != "5.2.1" {
		t.Errorf("between other lines: got %+v and %v", facts, err)
	}
}
