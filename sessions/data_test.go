package sessions_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cardea-go/cardea/sessions"
)

func parse(t *testing.T, text string) sessions.Data {
	t.Helper()
	d, err := sessions.ParseData([]byte(text))
	if err != nil {
		t.Fatalf("ParseData(%s): %v", text, err)
	}
	return d
}

func TestDataKeepsOrder(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"z":1,"a":2,"m":3}`)
	d.Set("a", json.RawMessage(`{"x":1.0}`))
	d.Set("b", json.RawMessage(`4`))
	d.Delete("z")
	d.Delete("absent")
	if got, want := jsonOf(d), `{"a":{"x":1.0},"m":3,"b":4}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := d.Keys(); !slices.Equal(got, []string{"a", "m", "b"}) || d.Len() != 3 {
		t.Errorf("Keys: got %q, Len %d", got, d.Len())
	}
	var all []string
	for key, raw := range d.All() {
		all = append(all, key+"="+string(raw))
		if key == "m" {
			break
		}
	}
	if !slices.Equal(all, []string{`a={"x":1.0}`, "m=3"}) {
		t.Errorf("All: got %q", all)
	}
}

func TestDataClone(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"a":1,"b":2}`)
	c := d.Clone()
	c.Set("a", json.RawMessage("9"))
	c.Delete("b")
	c.Set("c", json.RawMessage("3"))
	if got := jsonOf(d); got != `{"a":1,"b":2}` {
		t.Errorf("the original became %s", got)
	}
	if got := jsonOf(sessions.Data{}.Clone()); got != `{}` {
		t.Errorf("the clone of nothing: %s", got)
	}
}

func TestParseDataRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "5", "[]", `"x"`, "null", `{"a":1`, `{"a":1}x`, "\xff"} {
		if d, err := sessions.ParseData([]byte(text)); err == nil || d.Len() != 0 {
			t.Errorf("ParseData(%q): got %s and %v", text, jsonOf(d), err)
		}
	}
}
