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

	"github.com/cardea-go/cardea/cardeatest"
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
			got, want := printedFacts(t, []byte(output)), printedFacts(t, text)
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

// TestInspectUserModels: with the configuration that inspect-django writes, people of a project's own model log in at Cardea, and Cardea
// makes users whom Django knows.
func TestInspectUserModels(t *testing.T) {
	t.Parallel()
	project := filepath.Join(harness.Root(t), "..", "internal", "inspect", "testdata", "project")
	for _, model := range []struct{ name, user, other string }{
		{"auth.User", "ada", "grace"},
		{"shop.Customer", "ada", "grace"},
		{"people.Member", "ada@example.com", "grace@example.com"},
		{"family.Child", "ada", "grace"},
	} {
		for _, version := range []string{"5.2", "4.2"} {
			if version == "4.2" && model.name != "people.Member" && os.Getenv("CARDEA_SLOW") != "1" {
				continue
			}
			t.Run(model.name+" "+version, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				environ := []string{
					"DJANGO_SETTINGS_MODULE=shapes.living", "SITE_USER_MODEL=" + model.name, "SITE_DATABASE=" + filepath.Join(dir, "site.sqlite3"),
					"DJANGO_SUPERUSER_PASSWORD=correct horse battery",
				}
				django := func(args ...string) string {
					t.Helper()
					return harness.MustRun(t, harness.Command{Path: harness.Django(t, version), Args: append([]string{"manage.py"}, args...), Dir: project, Env: environ})
				}
				cardea := func(args ...string) harness.Command {
					return harness.Command{Path: harness.Cardea(t), Args: args, Dir: dir, Env: environ, Ready: harness.Answers}
				}
				django("migrate", "--run-syncdb")
				create := []string{"createsuperuser", "--noinput"}
				if model.user == "ada" {
					create = append(create, "--username", "ada", "--email", "ada@example.com")
				} else {
					create = append(create, "--mail", model.user)
				}
				django(create...)
				said := harness.MustRun(t, cardea("inspect-django", "--project", project, "--python", harness.Django(t, version), "--out", "cardea.toml"))
				if strings.Contains(said, "mismatch") {
					t.Errorf("inspect-django: %s", said)
				}
				harness.MustRun(t, cardea("migrate", "--config", "cardea.toml"))
				made := cardea("-c", `echo "$DJANGO_SUPERUSER_PASSWORD" | exec "$0" createuser `+model.other+" --config cardea.toml", harness.Cardea(t))
				made.Path = "/bin/sh"
				harness.MustRun(t, made)
				site := harness.Start(t, cardea("serve", "--config", "cardea.toml", "--addr", "127.0.0.1:0")).Ready()[1]
				const password = "correct horse battery"
				for _, name := range []string{model.user, model.other} {
					b := cardeatest.Open(t, site)
					b.Visit("/accounts/profile/").AtPath("/accounts/login/").Fill("username", name).Fill("password", password).Submit()
					b.AtPath("/accounts/profile/").Sees(name)
					found := django("shell", "--verbosity", "0", "--command", "from django.contrib.auth import authenticate, get_user\n"+
						"from django.contrib.sessions.backends.db import SessionStore\nfrom django.http import HttpRequest\n"+
						"request = HttpRequest()\nrequest.session = SessionStore('"+b.Cookie("sessionid")+"')\n"+
						"user = get_user(request)\nprint(user.get_username(), user.password.split('$')[1])\nuser = authenticate(username='"+name+"', password='"+password+"')\n"+
						"print(user.get_username())")
					if want := name + " 320000\n" + name; strings.TrimSpace(found) != want {
						t.Errorf("Django finds %q, want %q", found, want)
					}
				}
			})
		}
	}
}

func printedFacts(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}
