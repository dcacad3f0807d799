package django_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

var update = flag.Bool("update", false, "record anew the facts of the projects in internal/inspect/testdata/project")

// shapes are the projects whose facts are recorded, and the versions of Django they are recorded with.
var shapes = []struct{ name, version string }{
	{"startproject", "5.2"},
	{"startproject", "4.2"},
	{"production", "5.2"},
	{"production", "4.2"},
	{"wrong", "5.2"},
	{"wrong", "4.2"},
	{"memcached", "5.2"},
	{"engine", "5.2"},
	{"redis", "5.2"},
	{"memory", "5.2"},
}

// TestRecordings: the facts with which package inspect is tested are those that its script finds in a real Django.
func TestRecordings(t *testing.T) {
	t.Parallel()
	testdata := filepath.Join(harness.Root(t), "..", "internal", "inspect", "testdata")
	for _, shape := range shapes {
		t.Run(shape.name+" "+shape.version, func(t *testing.T) {
			t.Parallel()
			script := harness.MustRun(t, harness.Command{Path: harness.Cardea(t), Args: []string{"inspect-django", "--script"}})
			output := harness.MustRun(t, harness.Command{
				Path: harness.Django(t, shape.version),
				Args: []string{"manage.py", "shell", "--verbosity", "0", "--command", script},
				Dir:  filepath.Join(testdata, "project"),
				Env:  []string{"DJANGO_SETTINGS_MODULE=shapes." + shape.name},
			})
			recorded := filepath.Join(testdata, shape.name+"-"+shape.version+".json")
			if *update {
				var pretty bytes.Buffer
				if err := json.Indent(&pretty, []byte(output), "", "\t"); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
				if err := os.WriteFile(recorded, pretty.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(recorded)
			if err != nil {
				t.Fatal(err)
			}
			got, want := facts(t, []byte(output)), facts(t, text)
			if !strings.HasPrefix(got["django"].(string), shape.version+".") {
				t.Errorf("this is Django %s", got["django"])
			}
			for _, f := range []map[string]any{got, want} { // what a security release may change
				delete(f, "django")
				delete(f, "python")
			}
			for name := range got {
				if !reflect.DeepEqual(got[name], want[name]) {
					t.Errorf("%s:\n got %v\nwant %v", name, got[name], want[name])
				}
			}
			if len(got) != len(want) {
				t.Errorf("there are %d facts, %d are recorded", len(got), len(want))
			}
		})
	}
}

func facts(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}
