package pickle_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/cardea-go/cardea/internal/pickle"
	"github.com/cardea-go/cardea/internal/testhang"
)

// FuzzUnmarshal holds: no pickle makes the reader panic, and what it read is written and read again to the same bytes.
func FuzzUnmarshal(f *testing.F) {
	for _, text := range recorded {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("cos\nsystem\n(S'id'\ntR."))
	f.Add([]byte("]q\x00h\x00a."))
	f.Add([]byte(laughs()))
	f.Add([]byte("}(K\x01NI01\nNG\x3f\xf0\x00\x00\x00\x00\x00\x00N)Nu."))
	f.Fuzz(func(t *testing.T, b []byte) {
		testhang.Watch(t)
		v, err := pickle.Unmarshal(b)
		if err != nil {
			return
		}
		first, err := pickle.Marshal(v)
		if err != nil {
			t.Fatalf("%x: read as %#v, then: %v", b, v, err)
		}
		again, err := pickle.Unmarshal(first)
		if err != nil {
			t.Fatalf("%x: wrote %x, then: %v", b, first, err)
		}
		second, err := pickle.Marshal(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x: wrote %x, then %x, %v", b, first, second, err)
		}
		text, err := pickle.ToJSON(v)
		if err != nil {
			if unsupported := (*pickle.UnsupportedError)(nil); !errors.As(err, &unsupported) {
				t.Fatalf("%x: %v", b, err)
			}
			return
		}
		if _, err := pickle.FromJSON(text); err != nil {
			t.Fatalf("%x: wrote %s, then: %v", b, text, err)
		}
	})
}
