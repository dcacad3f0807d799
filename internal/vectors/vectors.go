// Package vectors runs the recorded answers of a real Django against Cardea's code.
//
// Each file testdata/vectors/NAME.json is a list of cases {op, in, out | out_json | out_b64 | error}. A package that
// implements an operation runs its file with [Run]. The folder can be replaced by the environment variable CARDEA_VECTORS,
// so that more cases of the same kinds, or of some of them, can be run. An operation that the test does not know fails.
//
// Where Cardea differs from Django on purpose, the operation answers with [Deviation], which names a row of
// testdata/deviations.tsv. Rows are rules, never single cases; a row that no case meets fails, or is only named when the cases
// are those of another folder, which may hold some kinds alone.
package vectors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
)

// A Case is one recorded call and Django's answer to it.
type Case struct {
	Op      string          `json:"op"`
	In      json.RawMessage `json:"in"`
	Out     json.RawMessage `json:"out"`
	OutJSON *string         `json:"out_json"` // the answer as JSON text
	OutB64  *string         `json:"out_b64"`  // the answer as bytes
	Error   string          `json:"error"`    // the class of the exception, when there was one

	Raw json.RawMessage `json:"-"` // the whole case, for members that only some operations have
}

// Bind decodes the case's input into v, numbers as they were written, and panics when it does not fit.
func (c *Case) Bind(v any) { decode(c.In, v) }

// BindOut decodes Django's answer into v.
func (c *Case) BindOut(v any) { decode(c.Out, v) }

// BindAll decodes the whole case into v.
func (c *Case) BindAll(v any) { decode(c.Raw, v) }

func decode(raw json.RawMessage, v any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		panic(fmt.Sprintf("vectors: %v in %s", err, raw))
	}
}

// An Op computes Cardea's answer to a case. A nil error and a value are compared with Django's answer: bytes with out_b64, a
// json.RawMessage with out_json as text, anything else with out, as JSON. A non-nil error agrees with a recorded exception.
// An Op that has to compare in its own way returns [Same] or an error made by [Differs].
type Op func(c *Case) (any, error)

// Ops names the operations of one file.
type Ops map[string]Op

// Same is the answer of an Op that compared by itself and found agreement.
var Same = same{}

type same struct{}

// Differs is the error of an Op that compared by itself and found a difference. It never agrees with a recorded exception.
func Differs(format string, args ...any) error { return differs(fmt.Sprintf(format, args...)) }

type differs string

func (d differs) Error() string { return string(d) }

// A Deviation is the answer of an Op where Cardea differs on purpose. Rule names the row of testdata/deviations.tsv; Ours is
// compared with the row's fourth column, Django's answer with its third.
type Deviation struct {
	Rule string
	Ours string
}

// Pending is the answer of an Op whose feature has not landed. The case counts as neither passed nor failed and is printed.
type Pending string

type tally struct{ run, passed, deviating, pending int }

// Run runs every case of the file and prints a line "file op run passed deviating" for each operation.
func Run(t *testing.T, file string, ops Ops) {
	t.Helper()
	if dir := os.Getenv("CARDEA_VECTORS"); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, file+".json")); errors.Is(err, fs.ErrNotExist) {
			fmt.Printf("vectors %s: there is no such file in %s\n", file, dir)
			return
		}
	}
	cases := load(t, file)
	rows := deviations(t, file)
	met := map[string]bool{}
	counts := map[string]*tally{}
	failures := 0
	for i := range cases {
		c := &cases[i]
		n := counts[c.Op]
		if n == nil {
			n = &tally{}
			counts[c.Op] = n
		}
		n.run++
		op, ok := ops[c.Op]
		if !ok {
			t.Errorf("%s: unknown op %q", file, c.Op)
			continue
		}
		got, err := op(c)
		switch v := got.(type) {
		case Deviation:
			key := c.Op + "\t" + v.Rule
			row, ok := rows[key]
			if !ok {
				t.Errorf("%s case %d: deviation %q of %s is not in testdata/deviations.tsv", file, i, v.Rule, c.Op)
				continue
			}
			if django := c.answer(); row.django != django && row.django != "*" {
				t.Errorf("%s case %d: %s/%s: Django answers %s, the table says %s", file, i, c.Op, v.Rule, django, row.django)
				continue
			}
			if row.ours != v.Ours {
				t.Errorf("%s case %d: %s/%s: Cardea answers %s, the table says %s", file, i, c.Op, v.Rule, v.Ours, row.ours)
				continue
			}
			met[key] = true
			n.deviating++
			continue
		case Pending:
			n.pending++
			continue
		}
		if why := c.compare(got, err); why != "" {
			failures++
			if failures <= 25 {
				t.Errorf("%s case %d %s\n  in  %.600s\n  %s", file, i, c.Op, c.In, why)
			}
			continue
		}
		n.passed++
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		n := counts[name]
		line := fmt.Sprintf("vectors %s %s run %d passed %d deviating %d", file, name, n.run, n.passed, n.deviating)
		if n.pending > 0 {
			line += fmt.Sprintf(" pending %d", n.pending)
		}
		fmt.Println(line)
	}
	for key := range rows {
		switch {
		case met[key]:
		case os.Getenv("CARDEA_VECTORS") != "":
			fmt.Printf("vectors %s: no case of this folder meets the row %q\n", file, key)
		default:
			t.Errorf("testdata/deviations.tsv: no case of %s meets the row %q", file, key)
		}
	}
	if failures > 25 {
		t.Errorf("%s: %d cases failed, the first 25 are shown", file, failures)
	}
}

// answer is Django's answer as the deviation table writes it: "error NAME" or compact JSON.
func (c *Case) answer() string {
	switch {
	case c.Error != "":
		return "error " + c.Error
	case c.OutJSON != nil:
		return *c.OutJSON
	case c.OutB64 != nil:
		return *c.OutB64
	}
	var b bytes.Buffer
	if err := json.Compact(&b, c.Out); err != nil {
		return string(c.Out)
	}
	return b.String()
}

func (c *Case) compare(got any, err error) string {
	if d, ok := err.(differs); ok { //nolint:errorlint // made by this package, never wrapped
		return string(d)
	}
	if c.Error != "" {
		if err == nil {
			return fmt.Sprintf("got %#v, want the error %s", got, c.Error)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("got the error %v, want %s", err, c.answer())
	}
	if got == Same {
		return ""
	}
	switch {
	case c.OutB64 != nil:
		b, ok := got.([]byte)
		if !ok {
			return fmt.Sprintf("got %T, want bytes", got)
		}
		if text := base64.StdEncoding.EncodeToString(b); text != *c.OutB64 {
			return fmt.Sprintf("got  %s\n  want %s", text, *c.OutB64)
		}
	case c.OutJSON != nil:
		raw, ok := got.(json.RawMessage)
		if !ok {
			return fmt.Sprintf("got %T, want json.RawMessage", got)
		}
		if string(raw) != *c.OutJSON {
			return fmt.Sprintf("got  %s\n  want %s", raw, *c.OutJSON)
		}
	default:
		text, err := json.Marshal(got)
		if err != nil {
			return err.Error()
		}
		var a, b any
		decode(text, &a)
		decode(c.Out, &b)
		if !reflect.DeepEqual(a, b) {
			return fmt.Sprintf("got  %.800s\n  want %.800s", text, c.Out)
		}
	}
	return ""
}

type row struct{ django, ours string }

// deviations reads the rows of one file: file.op, rule, Django's answer, ours, why.
func deviations(t *testing.T, file string) map[string]row {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), "testdata", "deviations.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if i == 0 || line == "" {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("testdata/deviations.tsv line %d: %d columns, want 5", i+1, len(f))
		}
		name, op, ok := strings.Cut(f[0], "/")
		if !ok {
			t.Fatalf("testdata/deviations.tsv line %d: %q is not file/op", i+1, f[0])
		}
		if name == file {
			rows[op+"\t"+f[1]] = row{django: f[2], ours: f[3]}
		}
	}
	return rows
}

func load(t *testing.T, file string) []Case {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(Dir(t), file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(raw, &raws); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	cases := make([]Case, len(raws))
	for i, r := range raws {
		if err := json.Unmarshal(r, &cases[i]); err != nil {
			t.Fatalf("%s case %d: %v", file, i, err)
		}
		cases[i].Raw = r
	}
	if len(cases) == 0 {
		t.Fatalf("%s: no cases", file)
	}
	return cases
}

// Dir is the folder of the vector files: CARDEA_VECTORS, or testdata/vectors of the module.
func Dir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CARDEA_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join(root(t), "testdata", "vectors")
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("vectors: no go.mod above the working directory")
		}
		dir = up
	}
}
