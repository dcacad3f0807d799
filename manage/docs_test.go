package manage_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/manage"
)

// help returns what a command says about itself.
func help(t *testing.T, words ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	p := manage.Program{Args: append(words, "--help"), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	if status := p.Run(t.Context()); status != 0 {
		t.Fatalf("cardea %s --help: status %d, %s", strings.Join(words, " "), status, &errs)
	}
	return out.String()
}

var (
	docRow     = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$")
	docFlag    = regexp.MustCompile(`--[a-z][a-z-]*`)
	helpFlag   = regexp.MustCompile(`--(\[no-\])?[a-z-]+`)
	helpLeaf   = regexp.MustCompile(`(?m)^  ([a-z-]+( [a-z]+)?)( .*)?$`)
	upperCase  = regexp.MustCompile(`^[\[<A-Z-]`)
	everywhere = map[string]bool{"--config": true, "--db": true}
)

// TestCommandsDocumented: docs/commands.md has a row for each command, each row is a command, and the flags that a row names exist.
func TestCommandsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range docRow.FindAllStringSubmatch(string(text), -1) {
		var words []string
		for _, w := range strings.Fields(row[1]) {
			if upperCase.MatchString(w) {
				break
			}
			words = append(words, w)
		}
		documented[strings.Join(words, " ")] = true
		own := map[string]bool{}
		for _, flag := range helpFlag.FindAllString(help(t, words...), -1) {
			own[flag] = true
		}
		for _, flag := range docFlag.FindAllString(row[1]+" "+row[2], -1) {
			if !own[flag] {
				t.Errorf("%s has no flag %s", row[1], flag)
			}
		}
	}
	_, commands, _ := strings.Cut(help(t), "Commands:")
	n := 0
	for _, leaf := range helpLeaf.FindAllStringSubmatch(commands, -1) {
		n++
		if !documented[leaf[1]] {
			t.Errorf("docs/commands.md has no row for %q", leaf[1])
		}
	}
	if n != len(documented) {
		t.Errorf("%d commands, %d of them documented", n, len(documented))
	}
	all := allHelp(t, documented)
	for _, flag := range docFlag.FindAllString(string(text), -1) {
		if !strings.Contains(all, flag) && !everywhere[flag] {
			t.Errorf("docs/commands.md names %s, which no command has", flag)
		}
	}
}

func allHelp(t *testing.T, commands map[string]bool) string {
	t.Helper()
	var b strings.Builder
	for c := range commands {
		b.WriteString(help(t, strings.Fields(c)...))
	}
	return b.String()
}

// TestFieldsDocumented: the fields of JSON are those that docs/commands.md names.
func TestFieldsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, testdb.New(t, "sqlite"), cardea.Default)
	cardeatest.User(t, d.db, "ada", "correct horse")
	d.login(d.here, "ada")
	d.does("group", "create", "editors")
	for _, c := range []struct {
		command string
		fields  string // in the order of the documentation
	}{
		{"user list", "id username email first_name last_name is_active is_staff is_superuser has_password last_login date_joined"},
		{"user show ada", "id username email first_name last_name is_active is_staff is_superuser has_password last_login date_joined password_algorithm groups permissions sessions"},
		{"group list", "id name members permissions"},
		{"permission list", "name text app model from"},
		{"sessions list", "id user_id username made_by address browser user_agent created last_seen expires"},
	} {
		raw := json.RawMessage(d.does(append(strings.Fields(c.command), "--json")...))
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil {
			raw = list[0]
		}
		var got []string
		decoder := json.NewDecoder(bytes.NewReader(raw))
		for depth := 0; decoder.More() || depth > 0; {
			token, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			switch token {
			case json.Delim('{'), json.Delim('['):
				depth++
				continue
			case json.Delim('}'), json.Delim(']'):
				depth--
				continue
			}
			if depth == 1 {
				got = append(got, token.(string))
				var skip json.RawMessage
				if err := decoder.Decode(&skip); err != nil {
					t.Fatal(err)
				}
			}
		}
		if strings.Join(got, " ") != c.fields {
			t.Errorf("%s: got  %s\nwant %s", c.command, strings.Join(got, " "), c.fields)
		}
		for _, field := range got {
			if !strings.Contains(string(text), "`"+field+"`") {
				t.Errorf("docs/commands.md does not name the field %s of %s", field, c.command)
			}
		}
	}
}
