package pickle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/pickle"
)

// TestPython compares with the python3 of this machine: what it writes for a JSON text is what Marshal writes, byte for byte, and
// it reads every protocol back.
func TestPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	texts := samples()
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import base64, json, pickle, sys
for text in json.load(sys.stdin):
    value = json.loads(text)
    print(json.dumps([base64.b64encode(pickle.dumps(value, p)).decode() for p in range(6)] + [json.dumps(value, separators=(",", ":"))]))
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
		var answer []string
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		compare(t, texts[i], answer[:6], answer[6])
	}
}

func compare(t *testing.T, text string, pickles []string, dumped string) {
	t.Helper()
	v, err := pickle.FromJSON([]byte(text))
	if err != nil {
		t.Errorf("%.80s: %v", text, err)
		return
	}
	for protocol, want := range pickles {
		if protocol >= 2 {
			got, err := pickle.MarshalProtocol(v, protocol)
			if err != nil {
				t.Errorf("%.80s: %v", text, err)
				return
			}
			if b64 := base64.StdEncoding.EncodeToString(got); b64 != want {
				t.Errorf("%.80s in protocol %d:\n got %.400s\nwant %.400s", text, protocol, b64, want)
			}
		}
		raw, err := base64.StdEncoding.DecodeString(want)
		if err != nil {
			t.Fatal(err)
		}
		back, err := pickle.Unmarshal(raw)
		if err != nil {
			t.Errorf("%.80s in protocol %d: %v", text, protocol, err)
			continue
		}
		if again, err := pickle.ToJSON(back); err != nil || string(again) != dumped {
			t.Errorf("%.80s in protocol %d reads %.200s, %v, want %.200s", text, protocol, again, err, dumped)
		}
	}
}

// samples are the corners of the format, and random values.
func samples() []string {
	texts := []string{
		`{}`, `[]`, `""`, `null`, `"é"`, `"\u00ff"`, `"\u0100"`, `"a"`, `["","",[""]]`, `{"a":"a","b":["a","b","é","é"]}`,
		`[{"key":1},{"key":2},{"key":"key"},["same text","same text"]]`, `"\ud800"`, `["\ud83d\ude00","\n\\\u0000\u001a"]`,
		`[1.0,-0.0,1e300,5e-324,NaN,Infinity,-Infinity,1e999]`,
		`[0,1,255,256,65535,65536,-1,-128,-129,-32768,2147483647,2147483648,-2147483648,-2147483649,9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]`,
		`[` + strings.Repeat("9", 700) + `,-` + strings.Repeat("7", 4300) + `]`,
		`{"a":1,"b":2,"a":3}`,
		strings.Repeat("[", 90) + strings.Repeat("]", 90),
	}
	for _, n := range []int{254, 255, 256, 257, 65535, 65536, 65537, 200000} {
		texts = append(texts, `["`+strings.Repeat("x", n)+`","after"]`)
	}
	for _, n := range []int{1, 2, 300, 999, 1000, 1001, 2000, 2500} {
		list, dict := make([]string, n), make([]string, n)
		for i := range n {
			list[i] = fmt.Sprintf(`"value %d"`, i)
			dict[i] = fmt.Sprintf(`"key %d":"%s"`, i, strings.Repeat("v", i%90))
		}
		texts = append(texts, `[`+strings.Join(list, ",")+`]`, `{"outer":{`+strings.Join(dict, ",")+`},"key 1":0}`)
	}
	for i := -80; i < 80; i++ {
		n := new(strings.Builder)
		fmt.Fprintf(n, "[%d", i)
		for shift := 7; shift < 63; shift += 4 {
			fmt.Fprintf(n, ",%d", int64(1)<<shift+int64(i))
			fmt.Fprintf(n, ",%d", -(int64(1)<<shift)+int64(i))
		}
		texts = append(texts, n.String()+"]")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		texts = append(texts, random(rnd, 4))
	}
	return texts
}

func random(rnd *rand.Rand, depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rnd.IntN(kinds) {
	case 0:
		return []string{"null", "true", "false"}[rnd.IntN(3)]
	case 1:
		return fmt.Sprint(rnd.Int64N(1<<rnd.IntN(62)+1) - 1<<20)
	case 2:
		b, _ := json.Marshal(rnd.NormFloat64() * 1e3)
		return string(b)
	case 3, 4, 5:
		return name(rnd)
	case 6:
		var parts []string
		for range rnd.IntN(6) {
			parts = append(parts, random(rnd, depth-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	default:
		var parts []string
		for range rnd.IntN(6) {
			parts = append(parts, name(rnd)+":"+random(rnd, depth-1))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
}

func name(rnd *rand.Rand) string {
	b, _ := json.Marshal([]string{"", "a", "b", "id", "user", "é", "ü", "日本", "a longer text", "\x7f", "<"}[rnd.IntN(11)])
	return string(b)
}
