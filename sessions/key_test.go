package sessions_test

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/sessions"
)

type item struct {
	SKU string `json:"sku"`
	Qty int    `json:"qty"`
}

func TestKeysHaveTypes(t *testing.T) {
	t.Parallel()
	const (
		items  = sessions.Key[[]item]("items")
		name   = sessions.Key[string]("name")
		price  = sessions.Key[float64]("price")
		opaque = sessions.Key[json.RawMessage]("opaque")
	)
	b := newSite(t, sessions.Config{}).browser()
	b.act(func(s *sessions.Session) error {
		for _, err := range []error{
			items.Set(s, []item{{"A<1>", 2}}),
			name.Set(s, "Zoë \\ \"x\""),
			price.Set(s, 3),
			opaque.Set(s, json.RawMessage(`{ "b": 1.0, "a": [1, 2] }`)),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.want("items", `[{"sku":"A<1>","qty":2}]`)
	b.want("price", `3.0`)
	b.want("opaque", `{"b":1.0,"a":[1,2]}`)
	b.act(func(s *sessions.Session) error {
		if got, ok := items.Get(s); !ok || len(got) != 1 || got[0] != (item{"A<1>", 2}) {
			t.Errorf("items: got %v and %v", got, ok)
		}
		if got, ok := name.Get(s); !ok || got != "Zoë \\ \"x\"" {
			t.Errorf("name: got %q and %v", got, ok)
		}
		if got, ok := sessions.Key[int]("name").Get(s); ok || got != 0 {
			t.Errorf("a string as an int: got %v and %v", got, ok)
		}
		if got, ok := sessions.Key[int]("absent").Get(s); ok || got != 0 {
			t.Errorf("an absent value: got %v and %v", got, ok)
		}
		return items.Delete(s)
	})
	b.want("items", "")
}

// TestUpdateRemoves: a raw value that becomes nil is removed, null is not.
func TestUpdateRemoves(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("list", []int{1}))
	for _, c := range []struct {
		next json.RawMessage
		want string
	}{{json.RawMessage("null"), "null"}, {nil, ""}, {nil, ""}, {json.RawMessage("[2]"), "[2]"}} {
		b.act(func(s *sessions.Session) error {
			return sessions.Key[json.RawMessage]("list").Update(s, func(json.RawMessage) json.RawMessage { return c.next })
		})
		b.want("list", c.want)
	}
}

func TestUpdateLeavesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	b.act(set("list", "text"))
	b.visit(nothing)
	b.act(func(s *sessions.Session) error {
		if err := appending(1)(s); err == nil || s.Modified() {
			t.Errorf("got %v, modified %v", err, s.Modified())
		}
		return nil
	})
	b.want("list", `"text"`)

	// Nor what another request stored meanwhile: that is the app's mistake, an error page.
	b.act(set("list", []int{1}))
	b.between(func() { b.twin().act(set("list", "text")) }, appending(2)).wantStatus(500)
	b.want("list", `"text"`)
}

func TestWhatIsNoJSONIsNotStored(t *testing.T) {
	t.Parallel()
	b := newSite(t, sessions.Config{}).browser()
	for _, v := range []any{make(chan int), json.RawMessage(`{"a":`), json.RawMessage(``), func() {}} {
		b.act(func(s *sessions.Session) error {
			if err := s.Set("a", v); err == nil || !strings.Contains(err.Error(), `"a"`) {
				t.Errorf("Set of %v: got %v, want an error that names the key", v, err)
			}
			return nil
		}).wantCookie("kept")
	}
}

func TestKeyInData(t *testing.T) {
	t.Parallel()
	var d sessions.Data
	const name = sessions.Key[string]("name")
	if err := name.Write(&d, "ada"); err != nil {
		t.Fatal(err)
	}
	if err := sessions.Key[any]("bad").Write(&d, math.Inf); err == nil {
		t.Error("a function was written")
	}
	if got, ok := name.Read(&d); got != "ada" || !ok {
		t.Errorf("got %q and %v", got, ok)
	}
	if got, ok := sessions.Key[string]("absent").Read(&d); got != "" || ok {
		t.Errorf("absent: got %q and %v", got, ok)
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`\A[a-z0-9]{32}\z`)
	count := map[rune]int{}
	const keys = 2000
	seen := map[string]bool{}
	for range keys {
		key := sessions.NewKey()
		if !form.MatchString(key) || seen[key] {
			t.Fatalf("got %q", key)
		}
		seen[key] = true
		for _, c := range key {
			count[c]++
		}
	}
	mean := float64(keys*32) / 36
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789" {
		if dev := math.Abs(float64(count[c])-mean) / math.Sqrt(mean); dev > 6 {
			t.Errorf("%q occurs %d times, %.1f standard deviations from %.0f", c, count[c], dev, mean)
		}
	}
}

func TestHashKey(t *testing.T) {
	t.Parallel()
	// printf abcdefghij0123456789abcdefghij01 | sha256sum, 25 bytes of it in base32.
	const key, want = "abcdefghij0123456789abcdefghij01", "ohe3dxery6tlqmezvqqhg33gi2dnkq2j5fefzrel"
	if got := sessions.HashKey(key); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
