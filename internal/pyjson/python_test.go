package pyjson_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// TestPython asks the python3 of this machine about the texts of every table here, about numbers around the places where repr
// changes its form, and about every pair of a number's parts.
func TestPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	var texts []string
	for _, c := range written {
		texts = append(texts, c.in)
	}
	texts = append(texts, refused...)
	for _, sign := range []string{"", "-", "+", "--"} {
		for _, whole := range []string{"", "0", "00", "1", "01", "12", "999999999999999", "9999999999999998", "9007199254740993", "1e"} {
			for _, frac := range []string{"", ".", ".0", ".5", ".10", ".999999999999999999"} {
				for _, exp := range []string{"", "e", "e5", "E-5", "e+05", "e15", "e16", "e17", "e-4", "e-324", "e309", "e 1", "e1.0"} {
					texts = append(texts, sign+whole+frac+exp)
				}
			}
		}
	}
	for c := range rune(0x300) {
		texts = append(texts, `"`+string(c)+`"`, `"\`+string(c)+`"`, string(c)+`1`, `1`+string(c))
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import json, sys
for text in json.load(sys.stdin):
    try:
        value = json.loads(text)
        print(json.dumps([json.dumps(value, separators=(",", ":")), json.dumps(value)]))
    except ValueError:
        print("[]")
`)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(texts) {
		t.Fatalf("%d answers to %d texts", len(lines), len(texts))
	}
	for i, line := range lines {
		var want []string
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		compact, err := pyjson.Compact(nil, []byte(texts[i]))
		if len(want) == 0 {
			if err == nil {
				t.Errorf("%q: got %s, Python refuses it", texts[i], compact)
			}
			continue
		}
		if err != nil || string(compact) != want[0] {
			t.Errorf("%q: got %s, %v, Python writes %s", texts[i], compact, err, want[0])
		}
		spaced, err := pyjson.Append(nil, []byte(texts[i]), pyjson.SpacedStyle)
		if err != nil || string(spaced) != want[1] {
			t.Errorf("%q: got %s, %v, Python writes %s", texts[i], spaced, err, want[1])
		}
	}
}
