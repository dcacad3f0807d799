package pyjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/pyjson"
	"github.com/cardea-go/cardea/internal/testhang"
)

// written holds texts and what Python makes of them.
var written = []struct{ in, want string }{
	{`null`, `null`},
	{" \t\r\n{ \"a\" : [ 1 , true , false ] } ", `{"a":[1,true,false]}`},
	{`NaN`, `NaN`},
	{`[Infinity,-Infinity]`, `[Infinity,-Infinity]`},
	{`0`, `0`},
	{`-0`, `0`},
	{`-0.0`, `-0.0`},
	{`1.0`, `1.0`},
	{`1e0`, `1.0`},
	{`1E5`, `100000.0`},
	{`1e15`, `1000000000000000.0`},
	{`1e16`, `1e+16`},
	{`1e21`, `1e+21`},
	{`9999999999999998.0`, `9999999999999998.0`},
	{`0.0001`, `0.0001`},
	{`0.00001`, `1e-05`},
	{`1e-7`, `1e-07`},
	{`1e999`, `Infinity`},
	{`-1e999`, `-Infinity`},
	{`1e-999`, `0.0`},
	{`5e-324`, `5e-324`},
	{`0.1`, `0.1`},
	{`9007199254740993`, `9007199254740993`},
	{`123456789012345678901234567890`, `123456789012345678901234567890`},
	{`""`, `""`},
	{`"<>&'/"`, `"<>&'/"`},
	{`"\/\"\\\b\f\n\r\t"`, `"/\"\\\b\f\n\r\t"`},
	{`"\u0000\u001F\u007f"`, `"\u0000\u001f\u007f"`},
	{"\"\x7f\"", `"\u007f"`},
	{`"é"`, `"\u00e9"`},
	{`"\u0041\u00E9"`, `"A\u00e9"`},
	{`"😀"`, `"\ud83d\ude00"`},
	{`"\ud83d\ude00"`, `"\ud83d\ude00"`},
	{`"\uD800"`, `"\ud800"`},
	{`"\ude00\ud83d"`, `"\ude00\ud83d"`},
	{`"\ud83d\ud83d\ude00"`, `"\ud83d\ud83d\ude00"`},
	{`"\ud83d\\ude00"`, `"\ud83d\\ude00"`},
	{`"\ud83dx"`, `"\ud83dx"`},
	{`[]`, `[]`},
	{`{}`, `{}`},
	{`[ ]`, `[]`},
	{`{ }`, `{}`},
	{`{"b":1,"a":2}`, `{"b":1,"a":2}`},
	{`{"a":1,"a":2}`, `{"a":2}`},
	{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
	{`{"a":1,"b":2,"\u0061":{"x":1,"x":[{"y":1,"y":2}]},"c":4,"b":"two"}`, `{"a":{"x":[{"y":2}]},"b":"two","c":4}`},
	{`{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"a":0,"1":1,"9":9,"b":0,"b":11}`, `{"1":1,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":9,"a":0,"b":11}`},
	{`{"":{"":[[],{},"",0.1]}}`, `{"":{"":[[],{},"",0.1]}}`},
}

// refused holds texts that Python refuses.
var refused = []string{
	``, ` `, `[`, `]`, `{`, `}`, `[1,]`, `[,1]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:1}`, `{'a':1}`, `'a'`,
	`nul`, `nullx`, `True`, `None`, `nan`, `+1`, `-`, `01`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `1_0`, `-NaN`, `+Infinity`, `-Infinit`,
	`"`, `"\"`, `"\x41"`, `"\u12"`, `"\u12G4"`, `"\u+123"`, `"\ud800\u"`, "\"\n\"", "\"\x00\"", "\"\x1f\"", "\ufeff1", "\u00a01", "1\v",
	`"a" "b"`, `{} {}`, `1 1`, `//`, `[1]//`,
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, c := range written {
		got, err := pyjson.Compact([]byte("x"), []byte(c.in))
		if err != nil || string(got) != "x"+c.want {
			t.Errorf("Compact(%s) = %s, %v, want %s", c.in, got, err, c.want)
		}
		if !pyjson.Valid([]byte(c.in)) {
			t.Errorf("Valid(%s) = false", c.in)
		}
	}
	got, err := pyjson.Append(nil, []byte(`[["__json_message",0,25,"Saved, at: once",""],{"a":{},"b":[]}]`), pyjson.SpacedStyle)
	if want := `[["__json_message", 0, 25, "Saved, at: once", ""], {"a": {}, "b": []}]`; err != nil || string(got) != want {
		t.Errorf("Append spaced = %s, %v, want %s", got, err, want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, in := range append(refused, "\"\xff\"", "\"\xed\xa0\x80\"", strings.Repeat("1", 4301)) {
		got, err := pyjson.Compact([]byte("x"), []byte(in))
		var syntax *pyjson.SyntaxError
		if !errors.As(err, &syntax) || string(got) != "x" {
			t.Errorf("Compact(%.80q) = %.80s, %v, want a SyntaxError and nothing written", in, got, err)
		}
		if pyjson.Valid([]byte(in)) {
			t.Errorf("Valid(%.80q) = true", in)
		}
	}
	for _, n := range []int{pyjson.MaxDepth, pyjson.MaxDepth + 1} {
		in := []byte(strings.Repeat("[", n) + strings.Repeat("]", n))
		_, err := pyjson.Compact(nil, in)
		_, perr := pyjson.ParseArray(in)
		if n == pyjson.MaxDepth && (err != nil || perr != nil) {
			t.Errorf("depth %d: %v, %v", n, err, perr)
		}
		if n > pyjson.MaxDepth && (!errors.Is(err, pyjson.ErrDepth) || !errors.Is(perr, pyjson.ErrDepth)) {
			t.Errorf("depth %d: %v, %v, want ErrDepth", n, err, perr)
		}
	}
	if _, err := pyjson.Compact(nil, []byte(strings.Repeat("1", 4300))); err != nil {
		t.Errorf("4300 digits: %v", err)
	}
}

func TestParseObject(t *testing.T) {
	t.Parallel()
	ms, err := pyjson.ParseObject([]byte(` {"b": 1.0 , "\u00e9": "x\/y", "a":{ "n" : NaN }, "b":[ 1e21 ],"\ud800":100000000000000000000} `))
	if err != nil {
		t.Fatal(err)
	}
	want := []pyjson.Member{
		{"b", json.RawMessage(`[ 1e21 ]`)},
		{"é", json.RawMessage(`"x\/y"`)},
		{"a", json.RawMessage(`{ "n" : NaN }`)},
		{"\xed\xa0\x80", json.RawMessage(`100000000000000000000`)},
	}
	if !reflect.DeepEqual(ms, want) {
		t.Errorf("got %q, want %q", ms, want)
	}
	text, err := pyjson.AppendObject(nil, ms, pyjson.CompactStyle)
	if w := `{"b":[1e+21],"\u00e9":"x/y","a":{"n":NaN},"\ud800":100000000000000000000}`; err != nil || string(text) != w {
		t.Errorf("got %s, %v, want %s", text, err, w)
	}
	for _, in := range append(refused, `[]`, `1`, `"a"`, `null`, `{"a":1}x`, `{"a":"`+"\n"+`"}`) {
		if ms, err := pyjson.ParseObject([]byte(in)); err == nil {
			t.Errorf("ParseObject(%q) = %q, want an error", in, ms)
		}
	}
	if _, err := pyjson.AppendObject(nil, []pyjson.Member{{"a", json.RawMessage(`1 2`)}}, pyjson.CompactStyle); err == nil {
		t.Error("AppendObject wrote a value that is not JSON")
	}
	var many bytes.Buffer
	many.WriteString(`{"k0":0`)
	for i := range 100 {
		many.WriteString(`,"k` + big.NewInt(int64(i)).String() + `":1`)
	}
	many.WriteString(`}`)
	if ms, err := pyjson.ParseObject(many.Bytes()); err != nil || len(ms) != 100 || string(ms[0].Value) != "1" {
		t.Errorf("100 names, one twice: %d members, %v", len(ms), err)
	}
}

func TestParseArrayAndString(t *testing.T) {
	t.Parallel()
	vs, err := pyjson.ParseArray([]byte(` [ "a" , [1,2] , NaN ] `))
	if want := []json.RawMessage{[]byte(`"a"`), []byte(`[1,2]`), []byte(`NaN`)}; err != nil || !reflect.DeepEqual(vs, want) {
		t.Errorf("got %q, %v, want %q", vs, err, want)
	}
	for in, want := range map[string]string{`"a\u00e9\n"`: "aé\n", ` "\ud83d\ude00" `: "😀", `"\udc00"`: "\xed\xb0\x80", `"plain"`: "plain"} {
		if got, err := pyjson.ParseString([]byte(in)); err != nil || got != want {
			t.Errorf("ParseString(%s) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{``, `1`, `"a" 1`, `"`, `[]`} {
		if got, err := pyjson.ParseString([]byte(in)); err == nil {
			t.Errorf("ParseString(%s) = %q, want an error", in, got)
		}
		if got, err := pyjson.ParseArray([]byte(in)); err == nil && in != "[]" {
			t.Errorf("ParseArray(%s) = %q, want an error", in, got)
		}
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                      `"plain"`,
		"\x00\x1f \x7f\u0080é\uffff": `"\u0000\u001f \u007f\u0080\u00e9\uffff"`,
		"😀":                          `"\ud83d\ude00"`,
		"\xed\xa0\x80x\xed\xbf\xbf":  `"\ud800x\udfff"`,
		"\xff\xc3":                   `"\ufffd\ufffd"`,
		"\ufffd":                     `"\ufffd"`,
		`"\/`:                        `"\"\\/"`,
	} {
		if got := string(pyjson.AppendString(nil, in)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", in, got, want)
		}
	}
}

type (
	text  struct{ s string }
	inner struct {
		F     float64
		Name  string `json:"name,omitempty"`
		Inner *inner `json:",omitempty"`
	}
	Embedded struct {
		A int
		B float32 `json:"b"`
	}
	outer struct {
		Embedded
		*inner
		A       string
		Skip    int               `json:"-"`
		Quoted  float64           `json:"quoted,string"`
		Zero    time.Time         `json:"zero,omitzero"`
		Empty   []int             `json:"empty,omitempty"`
		Nil     []int             `json:"nil"`
		Any     any               `json:"any"`
		Bytes   []byte            `json:"bytes"`
		Map     map[int]float64   `json:"map"`
		Text    text              `json:"text"`
		Keys    map[text]bool     `json:"keys"`
		Raw     json.RawMessage   `json:"raw"`
		Number  json.Number       `json:"number"`
		Big     *big.Int          `json:"big"`
		Strings map[string]string `json:"strings"`
	}
)

func (t text) MarshalText() ([]byte, error) { return []byte("<" + t.s + ">"), nil }

func TestMarshal(t *testing.T) {
	t.Parallel()
	one := 1.0
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, `null`},
		{1, `1`},
		{uint64(math.MaxUint64), `18446744073709551615`},
		{1.0, `1.0`},
		{float32(0.1), `0.1`},
		{1e21, `1e+21`},
		{math.NaN(), `NaN`},
		{&one, `1.0`},
		{"é<>&\u2028", `"\u00e9<>&\u2028"`},
		{[]float64{1, 2.5}, `[1.0,2.5]`},
		{[2]any{nil, 1e16}, `[null,1e+16]`},
		{map[string]any{"b": 1.0, "a": []any{1, "x", nil, true}}, `{"a":[1,"x",null,true],"b":1.0}`},
		{[]byte("\x00\x01"), `"AAE="`},
		{json.RawMessage(` { "a" : 1e5 } `), `{"a":100000.0}`},
		{json.RawMessage(nil), `null`},
		{json.Number("1e5"), `100000.0`},
		{json.Number(""), `0`},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`},
		{new(big.Int).Lsh(big.NewInt(1), 70), `1180591620717411303424`},
		{(*big.Int)(nil), `null`},
		{map[text]int{{"b"}: 1}, `{"<b>":1}`},
		{
			outer{Embedded: Embedded{1, 2}, inner: &inner{F: 3}, A: "outer", Any: 4.0, Map: map[int]float64{2: 1}, Text: text{"t"}, Raw: json.RawMessage(`[1.50]`), Number: "12345678901234567890", Big: big.NewInt(5)},
			`{"b":2.0,"F":3.0,"A":"outer","quoted":"0.0","nil":null,"any":4.0,"bytes":null,"map":{"2":1.0},"text":"<t>","keys":null,"raw":[1.5],"number":12345678901234567890,"big":5,"strings":null}`,
		},
	} {
		got, err := pyjson.Marshal(c.in)
		if err != nil || string(got) != c.want {
			t.Errorf("Marshal(%#v)\n got %s, %v\nwant %s", c.in, got, err, c.want)
		}
	}
	type loop struct{ Next *loop }
	l := &loop{}
	l.Next = l
	for _, in := range []any{make(chan int), func() {}, complex(1, 1), map[bool]int{true: 1}, json.RawMessage(`{`), json.Number("x"), json.Number("NaN"), l} {
		if got, err := pyjson.Marshal(in); err == nil {
			t.Errorf("Marshal(%T) = %.80s, want an error", in, got)
		}
	}
}

// TestMarshalAsEncodingJSON compares with encoding/json where there is no float: the same members, names and order.
func TestMarshalAsEncodingJSON(t *testing.T) {
	t.Parallel()
	type (
		Deep   struct{ X, Y int }
		Left   struct{ Deep }
		Right  struct{ Deep }
		Tagged struct {
			X int `json:"Y"`
		}
		hidden struct{ Shown, hidden int }
		all    struct {
			Left
			Right
			*Tagged
			hidden
			Named Deep   `json:"named"`
			Z     *int   `json:",omitempty"`
			P     *int   `json:"p,string"`
			S     string `json:"s,string"`
			Iface any
		}
	)
	seven := 7
	for _, in := range []any{
		all{},
		all{Tagged: &Tagged{3}, Z: &seven, P: &seven, S: `"`, Iface: Deep{1, 2}},
		&all{},
		[]all{{}},
		map[string]*all{"a": nil, "b": {}},
		struct {
			Left
			Right
		}{},
		struct {
			Deep
			Tagged
		}{},
	} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(in); err != nil {
			t.Fatal(err)
		}
		got, err := pyjson.Marshal(in)
		if err != nil || string(got) != strings.TrimSpace(want.String()) {
			t.Errorf("Marshal(%#v)\n got %s, %v\nwant %s", in, got, err, want.String())
		}
	}
}

// FuzzCompact holds: what is written is ASCII, is written again as it is, agrees with Valid and ParseObject, and reads as the same
// value.
func FuzzCompact(f *testing.F) {
	for _, c := range written {
		f.Add([]byte(c.in))
	}
	for _, in := range refused {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		testhang.Watch(t)
		once, err := pyjson.Compact(nil, in)
		if valid := pyjson.Valid(in); valid != (err == nil) {
			t.Fatalf("%q: Valid %v, Compact %v", in, valid, err)
		}
		ms, perr := pyjson.ParseObject(in)
		if err != nil {
			if perr == nil {
				t.Fatalf("%q: Compact %v, ParseObject %q", in, err, ms)
			}
			return
		}
		for _, c := range once {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: wrote %q", in, once)
			}
		}
		twice, err := pyjson.Compact(nil, once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q: wrote %s, then %s, %v", in, once, twice, err)
		}
		spaced, err := pyjson.Append(nil, in, pyjson.SpacedStyle)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := pyjson.Compact(nil, spaced); err != nil || !bytes.Equal(once, back) {
			t.Fatalf("%q: wrote %s, spaced %s, then %s, %v", in, once, spaced, back, err)
		}
		if (perr == nil) != (once[0] == '{') {
			t.Fatalf("%q: ParseObject: %v", in, perr)
		}
		if perr == nil {
			if text, err := pyjson.AppendObject(nil, ms, pyjson.CompactStyle); err != nil || !bytes.Equal(once, text) {
				t.Fatalf("%q: Compact %s, by members %s, %v", in, once, text, err)
			}
		}
		var v, w any
		if json.Unmarshal(in, &v) == nil && json.Unmarshal(once, &w) == nil && !reflect.DeepEqual(v, w) {
			t.Fatalf("%q reads as %v, %s as %v", in, v, once, w)
		}
	})
}
