package sessions_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

// FuzzParseData looks for text that reads and writes as something else, or not at all.
func FuzzParseData(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"f":1.0,"i":100000000000000000000,"e":1e400}`, `{"\u00e9":"\ud83d\ude00","\ud800":NaN}`,
		`{"n":{"z":[1,2.5,null,true,{"k":"v"}]}}`, ` { "a" : [ ] } `, `[]`, `{"a":-Infinity}`, `{"":""}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		testhang.Watch(t)
		d, err := sessions.ParseData(text)
		if err != nil {
			return
		}
		once, err := d.AppendJSON(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := sessions.ParseData(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, once)
		}
		twice, err := again.AppendJSON(nil)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("error %v, and\n%s became\n%s", err, once, twice)
		}
		if again.Len() != d.Len() {
			t.Fatalf("%d members became %d", d.Len(), again.Len())
		}
		for i, c := range once {
			if c < ' ' || c >= 0x80 {
				t.Fatalf("byte %d of %q is not printable ASCII", i, once)
			}
		}
	})
}

// FuzzDecode feeds a Codec with what anybody could have written, and with what somebody who knows the key could have.
func FuzzDecode(f *testing.F) {
	keys := signing.Keys{Current: "secret"}
	c, err := sessions.NewCodec(keys, "", true)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := signing.NewTimestampSigner(keys, signing.SignerConfig{Salt: sessions.DefaultSalt})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1767323045, 0)
	good, err := c.Encode(sessions.Data{}, now)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{good, "", ":", "a:b:c", "e30", ".eJyrVkpTsjLUM9BRygTSBlhALQCIqgdw", "NQ", "....", "invalid data"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		if d, err := c.Decode(text); err == nil && text != good {
			t.Logf("decoded %q", text)
		} else if err != nil && d.Len() != 0 {
			t.Fatalf("data %s beside the error %v", jsonOf(d), err)
		}
		d, err := c.Decode(signer.Sign(text, now))
		if err != nil {
			if d.Len() != 0 {
				t.Fatalf("data %s beside the error %v", jsonOf(d), err)
			}
			return
		}
		encoded, err := c.Encode(d, now)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		back, err := c.Decode(encoded)
		if err != nil || jsonOf(back) != jsonOf(d) {
			t.Fatalf("%s became %s, error %v", jsonOf(d), jsonOf(back), err)
		}
	})
}
