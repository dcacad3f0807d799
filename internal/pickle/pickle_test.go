package pickle_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/pickle"
	"github.com/cardea-go/cardea/internal/vectors"
)

// TestVectors writes and reads what a real Django put into its cache.
func TestVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(vectors.Dir(t), "sessions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Op string
		In struct {
			JSON     string `json:"session_json"`
			Protocol int    `json:"protocol"`
		} `json:"-"`
		RawIn  json.RawMessage `json:"in"`
		OutB64 string          `json:"out_b64"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, c := range cases {
		if c.Op != "cache_pickle" {
			continue
		}
		run++
		if err := json.Unmarshal(c.RawIn, &c.In); err != nil {
			t.Fatal(err)
		}
		v, err := pickle.FromJSON([]byte(c.In.JSON))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pickle.MarshalProtocol(v, c.In.Protocol)
		if err != nil {
			t.Fatal(err)
		}
		if text := base64.StdEncoding.EncodeToString(got); text != c.OutB64 {
			t.Errorf("%s in protocol %d:\n got %s\nwant %s", c.In.JSON, c.In.Protocol, text, c.OutB64)
		}
		back, err := pickle.Unmarshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := pickle.ToJSON(back); err != nil || string(text) != c.In.JSON {
			t.Errorf("read back %s, %v, want %s", text, err, c.In.JSON)
		}
	}
	if run == 0 {
		t.Fatal("no cases")
	}
	t.Logf("%d cases", run)
}

// TestRead reads what Python 3.11 wrote for
// {"n": None, "b": [True, False], "i": [0, 255, 256, 65535, 65536, -1, 2**31, -2**63, 2**64], "f": [1.5, 0.0], "s": "é\ud800😀\\",
// "t": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "d": {}}, and from protocol 3 on "y": b"\x00y".
func TestRead(t *testing.T) {
	t.Parallel()
	two64 := new(big.Int).Lsh(big.NewInt(1), 64)
	want := pickle.Dict{
		{"n", nil},
		{"b", []any{true, false}},
		{"i", []any{int64(0), int64(255), int64(256), int64(65535), int64(65536), int64(-1), int64(1 << 31), int64(-1 << 63), two64}},
		{"f", []any{1.5, 0.0}},
		{"s", "é\xed\xa0\x80😀\\"},
		{"t", pickle.Tuple{
			pickle.Tuple{},
			pickle.Tuple{int64(1)},
			pickle.Tuple{int64(1), int64(2)},
			pickle.Tuple{int64(1), int64(2), int64(3)},
			pickle.Tuple{int64(1), int64(2), int64(3), int64(4)},
		}},
		{"d", pickle.Dict{}},
	}
	for protocol, text := range recorded {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		want := want
		if protocol >= 3 {
			want = append(want[:len(want):len(want)], pickle.Item{Key: "y", Value: []byte("\x00y")})
		}
		got, err := pickle.Unmarshal(raw)
		if err != nil {
			t.Errorf("protocol %d: %v", protocol, err)
			continue
		}
		if !reflect.DeepEqual(got, any(want)) {
			t.Errorf("protocol %d:\n got %#v\nwant %#v", protocol, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("]", pickle.MaxDepth+2) + strings.Repeat("a", pickle.MaxDepth+1) + "."
	for name, c := range map[string]struct {
		pickle string
		want   any // *OpcodeError, *FormatError or ErrBounds
	}{
		"global":            {"cos\nsystem\n.", &pickle.OpcodeError{}},
		"reduce":            {"cos\nsystem\n(S'id'\ntR.", &pickle.OpcodeError{}},
		"reduce alone":      {")R.", &pickle.OpcodeError{}},
		"stack global":      {"\x80\x04\x8c\x02os\x8c\x06system\x93.", &pickle.OpcodeError{}},
		"build":             {"}}b.", &pickle.OpcodeError{}},
		"inst":              {"(ios\nsystem\n.", &pickle.OpcodeError{}},
		"obj":               {"(o.", &pickle.OpcodeError{}},
		"newobj":            {"))\x81.", &pickle.OpcodeError{}},
		"newobj ex":         {"))}\x92.", &pickle.OpcodeError{}},
		"persid":            {"Pabc\n.", &pickle.OpcodeError{}},
		"binpersid":         {"NQ.", &pickle.OpcodeError{}},
		"ext1":              {"\x82\x01.", &pickle.OpcodeError{}},
		"ext2":              {"\x83\x01\x00.", &pickle.OpcodeError{}},
		"ext4":              {"\x84\x01\x00\x00\x00.", &pickle.OpcodeError{}},
		"set":               {"\x8f.", &pickle.OpcodeError{}},
		"frozenset":         {"(\x91.", &pickle.OpcodeError{}},
		"bytearray":         {"\x96\x00\x00\x00\x00\x00\x00\x00\x00.", &pickle.OpcodeError{}},
		"out of band":       {"\x97.", &pickle.OpcodeError{}},
		"pop":               {"NN0.", &pickle.OpcodeError{}},
		"dup":               {"N2.", &pickle.OpcodeError{}},
		"python 2 str":      {"U\x01a.", &pickle.OpcodeError{}},
		"empty":             {"", &pickle.FormatError{}},
		"no value":          {".", &pickle.FormatError{}},
		"mark":              {"(.", &pickle.FormatError{}},
		"no stop":           {"N", &pickle.FormatError{}},
		"two values":        {"NN.", &pickle.FormatError{}},
		"more after stop":   {"N.N", &pickle.FormatError{}},
		"protocol 6":        {"\x80\x06N.", &pickle.FormatError{}},
		"long text":         {"X\xff\xff\xff\x7fa.", &pickle.FormatError{}},
		"huge text":         {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.", &pickle.FormatError{}},
		"long frame":        {"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", &pickle.FormatError{}},
		"invalid UTF-8":     {"X\x01\x00\x00\x00\xff.", &pickle.FormatError{}},
		"no such memo":      {"h\x01.", &pickle.FormatError{}},
		"append to a str":   {"X\x01\x00\x00\x00aNa.", &pickle.FormatError{}},
		"key without value": {"}(Nu.", &pickle.FormatError{}},
		"list as a key":     {"}]Ns.", &pickle.FormatError{}},
		"append to memo":    {"(]q\x00tq\x01h\x00Na.", &pickle.FormatError{}},
		"cycle":             {"]q\x00h\x00a.", pickle.ErrBounds},
		"cycle over a dict": {"}q\x00K\x01]h\x00as.", pickle.ErrBounds},
		"deep":              {deep, pickle.ErrBounds},
		"long int":          {"\x8b\x00\x10\x00\x00" + strings.Repeat("x", 4096) + ".", pickle.ErrBounds},
		"long decimal":      {"L" + strings.Repeat("1", 5000) + "L\n.", pickle.ErrBounds},
		"laughs":            {laughs(), pickle.ErrBounds},
		"int of letters":    {"Iabc\n.", &pickle.FormatError{}},
		"float of letters":  {"F0x1p2\n.", &pickle.FormatError{}},
	} {
		v, err := pickle.Unmarshal([]byte(c.pickle))
		switch want := c.want.(type) {
		case *pickle.OpcodeError:
			var e *pickle.OpcodeError
			if !errors.As(err, &e) {
				t.Errorf("%s: got %v, %v, want an OpcodeError", name, v, err)
			}
		case *pickle.FormatError:
			var e *pickle.FormatError
			if !errors.As(err, &e) {
				t.Errorf("%s: got %v, %v, want a FormatError", name, v, err)
			}
		case error:
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, %v, want %v", name, v, err, want)
			}
		}
	}
}

// laughs doubles a list forty times by the memo.
func laughs() string {
	var b strings.Builder
	b.WriteString("X\x01\x00\x00\x00ar\x00\x00\x00\x00")
	for i := range 40 {
		if i > 0 {
			b.WriteString("j" + string(rune(i-1)) + "\x00\x00\x00j" + string(rune(i-1)) + "\x00\x00\x00")
		} else {
			b.WriteString("N")
		}
		b.WriteString("\x86r" + string(rune(i)) + "\x00\x00\x00")
	}
	b.WriteString(".")
	return b.String()
}

// recorded holds what Python 3.11 wrote for the value in TestRead, by protocol.
var recorded = map[int]string{
	0: "KGRwMApWbgpwMQpOc1ZiCnAyCihscDMKSTAxCmFJMDAKYXNWaQpwNAoobHA1CkkwCmFJMjU1CmFJMjU2CmFJNjU1MzUKYUk2NTUzNgphSS0xCmFMMjE0NzQ4MzY0OEwKYUwtOTIyMzM3MjAzNjg1NDc3NTgwOEwKYUwxODQ0Njc0NDA3MzcwOTU1MTYxNkwKYXNWZgpwNgoobHA3CkYxLjUKYUYwLjAKYXNWcwpwOApW6Vx1ZDgwMFxVMDAwMWY2MDBcdTAwNWMKcDkKc1Z0CnAxMAooKHQoSTEKdHAxMQooSTEKSTIKdHAxMgooSTEKSTIKSTMKdHAxMwooSTEKSTIKSTMKSTQKdHAxNAp0cDE1CnNWZApwMTYKKGRwMTcKcy4=",
	1: "fXEAKFgBAAAAbnEBTlgBAAAAYnECXXEDKEkwMQpJMDAKZVgBAAAAaXEEXXEFKEsAS/9NAAFN//9KAAABAEr/////TDIxNDc0ODM2NDhMCkwtOTIyMzM3MjAzNjg1NDc3NTgwOEwKTDE4NDQ2NzQ0MDczNzA5NTUxNjE2TAplWAEAAABmcQZdcQcoRz/4AAAAAAAARwAAAAAAAAAAZVgBAAAAc3EIWAoAAADDqe2ggPCfmIBccQlYAQAAAHRxCigpKEsBdHELKEsBSwJ0cQwoSwFLAksDdHENKEsBSwJLA0sEdHEOdHEPWAEAAABkcRB9cRF1Lg==",
	2: "gAJ9cQAoWAEAAABucQFOWAEAAABicQJdcQMoiIllWAEAAABpcQRdcQUoSwBL/00AAU3//0oAAAEASv////+KBQAAAIAAiggAAAAAAAAAgIoJAAAAAAAAAAABZVgBAAAAZnEGXXEHKEc/+AAAAAAAAEcAAAAAAAAAAGVYAQAAAHNxCFgKAAAAw6ntoIDwn5iAXHEJWAEAAAB0cQooKUsBhXELSwFLAoZxDEsBSwJLA4dxDShLAUsCSwNLBHRxDnRxD1gBAAAAZHEQfXERdS4=",
	3: "gAN9cQAoWAEAAABucQFOWAEAAABicQJdcQMoiIllWAEAAABpcQRdcQUoSwBL/00AAU3//0oAAAEASv////+KBQAAAIAAiggAAAAAAAAAgIoJAAAAAAAAAAABZVgBAAAAZnEGXXEHKEc/+AAAAAAAAEcAAAAAAAAAAGVYAQAAAHNxCFgKAAAAw6ntoIDwn5iAXHEJWAEAAAB0cQooKUsBhXELSwFLAoZxDEsBSwJLA4dxDShLAUsCSwNLBHRxDnRxD1gBAAAAZHEQfXERWAEAAAB5cRJDAgB5cRN1Lg==",
	4: "gASVqwAAAAAAAAB9lCiMAW6UTowBYpRdlCiIiWWMAWmUXZQoSwBL/00AAU3//0oAAAEASv////+KBQAAAIAAiggAAAAAAAAAgIoJAAAAAAAAAAABZYwBZpRdlChHP/gAAAAAAABHAAAAAAAAAABljAFzlIwKw6ntoIDwn5iAXJSMAXSUKClLAYWUSwFLAoaUSwFLAksDh5QoSwFLAksDSwR0lHSUjAFklH2UjAF5lEMCAHmUdS4=",
	5: "gAWVqwAAAAAAAAB9lCiMAW6UTowBYpRdlCiIiWWMAWmUXZQoSwBL/00AAU3//0oAAAEASv////+KBQAAAIAAiggAAAAAAAAAgIoJAAAAAAAAAAABZYwBZpRdlChHP/gAAAAAAABHAAAAAAAAAABljAFzlIwKw6ntoIDwn5iAXJSMAXSUKClLAYWUSwFLAoaUSwFLAksDh5QoSwFLAksDSwR0lHSUjAFklH2UjAF5lEMCAHmUdS4=",
}
