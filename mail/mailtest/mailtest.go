// Package mailtest tests what a [mail.Outbox] promises. An outbox's own tests call [Run]:
//
//	func TestOutbox(t *testing.T) {
//		mailtest.Run(t, func(t *testing.T) mail.Outbox { return openEmptyOutbox(t) })
//	}
package mailtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/mail"
)

// Run tests an outbox. Open returns a fresh, empty one for each subtest, and removes it with t.Cleanup. The outbox gets its times
// from the tests; it must not look at a clock.
func Run(t *testing.T, open func(t *testing.T) mail.Outbox) {
	t.Helper()
	for _, rule := range []struct {
		name string
		test func(t *testing.T, o outbox)
	}{
		{"an empty outbox has nothing due", empty},
		{"what goes in comes out", roundTrip},
		{"the longest due comes first", order},
		{"what is not due waits", due},
		{"a claim keeps the others away", claimed},
		{"a claim that ran out is lost", lost},
		{"done removes", done},
		{"retry comes back when it is due", retry},
		{"what was sent is remembered", sent},
		{"a parked item stays until it is asked for", parked},
		{"again leaves alone what is held", again},
		{"a list shows all and claims nothing", list},
		{"causes are cut to one short line", causes},
		{"what is no item is refused", refused},
		{"concurrent claims share nothing", concurrent},
		{"a cancelled context is an error", cancelled},
	} {
		t.Run(strings.ReplaceAll(rule.name, " ", "-"), func(t *testing.T) {
			rule.test(t, outbox{t, open(t)})
		})
	}
}

const lease = time.Minute

// noon is not special, but has microseconds, as outboxes keep them.
func noon() time.Time { return time.Date(2026, 2, 3, 12, 0, 0, 123_456_000, time.UTC) }

type outbox struct {
	t *testing.T
	mail.Outbox
}

func (o outbox) put(kind string, data any, now time.Time) {
	o.t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.Enqueue(context.Background(), kind, raw, now); err != nil {
		o.t.Fatalf("Enqueue: %v", err)
	}
}

// claim wants the item of this kind, or none when kind is empty.
func (o outbox) claim(rule, kind string, now time.Time) mail.Item {
	o.t.Helper()
	it, err := o.Claim(context.Background(), now, lease)
	switch {
	case kind == "" && !errors.Is(err, mail.ErrEmpty):
		o.t.Fatalf("%s: Claim: got %q and %v, want ErrEmpty", rule, it.Kind, err)
	case kind != "" && err != nil:
		o.t.Fatalf("%s: Claim: %v", rule, err)
	case kind != "" && it.Kind != kind:
		o.t.Fatalf("%s: Claim: got %q, want %q", rule, it.Kind, kind)
	}
	return it
}

func (o outbox) want(rule string, got, want error) {
	o.t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		o.t.Errorf("%s: got %v, want %v", rule, got, want)
	}
}

func (o outbox) lister() mail.Lister {
	o.t.Helper()
	l, ok := o.Outbox.(mail.Lister)
	if !ok {
		o.t.Skip("the outbox is no mail.Lister")
	}
	return l
}

func (o outbox) list() []mail.Item {
	o.t.Helper()
	items, err := o.lister().List(context.Background(), 100)
	if err != nil {
		o.t.Fatalf("List: %v", err)
	}
	return items
}

func empty(_ *testing.T, o outbox) { o.claim("an empty outbox", "", noon()) }

func roundTrip(t *testing.T, o outbox) {
	data := map[string]any{"email": "ſtraße@exämple.com", "text": "'\"\\\n\u2028 \U0001F600 %s ?", "n": 12345678901.5}
	o.put("reset", data, noon().Add(999)) // outboxes keep microseconds
	it := o.claim("the only item", "reset", noon())
	var got map[string]any
	if err := json.Unmarshal(it.Data, &got); err != nil || !reflect.DeepEqual(got, data) {
		t.Errorf("the data came back as %s (%v)", it.Data, err)
	}
	if !it.Created.Equal(noon()) || !it.Due.Equal(noon()) || !it.ClaimedUntil.Equal(noon().Add(lease)) {
		t.Errorf("created %v, due %v, claimed until %v; want noon, noon, noon and the lease", it.Created, it.Due, it.ClaimedUntil)
	}
	if it.ID == 0 || it.Tries != 1 || it.Claim == "" || it.LastError != "" || len(it.Sent) != 0 {
		t.Errorf("got %+v, want an id, one try, a claim, and nothing that failed or was sent", it)
	}
}

func order(_ *testing.T, o outbox) {
	o.put("second", nil, noon().Add(time.Microsecond))
	o.put("third", nil, noon().Add(time.Second))
	o.put("first", nil, noon())
	for _, kind := range []string{"first", "second", "third"} {
		o.claim("in the order of their times", kind, noon().Add(time.Hour))
	}
	o.claim("all are taken", "", noon().Add(time.Hour))
}

func due(_ *testing.T, o outbox) {
	o.put("a", nil, noon())
	o.claim("a microsecond early", "", noon().Add(-time.Microsecond))
	o.claim("on time", "a", noon())
}

func claimed(t *testing.T, o outbox) {
	o.put("a", nil, noon())
	first := o.claim("free", "a", noon())
	o.claim("held", "", noon())
	o.claim("held, at the end of the lease", "", noon().Add(lease-time.Microsecond))
	second := o.claim("the lease has run out", "a", noon().Add(lease))
	if second.ID != first.ID || second.Tries != 2 || second.Claim == first.Claim {
		t.Errorf("got %+v after %+v, want the same item, two tries, another claim", second, first)
	}
}

func lost(_ *testing.T, o outbox) {
	o.put("a", nil, noon())
	first := o.claim("free", "a", noon())
	second := o.claim("the lease has run out", "a", noon().Add(lease))
	o.want("Done by the first", o.Done(context.Background(), first), mail.ErrLost)
	o.want("Retry by the first", o.Retry(context.Background(), first, noon(), "x"), mail.ErrLost)
	o.claim("the second still holds it", "", noon().Add(lease))
	o.want("Done by the second", o.Done(context.Background(), second), nil)
	o.want("Done once more", o.Done(context.Background(), second), mail.ErrLost)
	unclaimed := second
	unclaimed.Claim = ""
	o.put("b", nil, noon())
	unclaimed.ID = second.ID + 1
	o.want("Done without a claim", o.Done(context.Background(), unclaimed), mail.ErrLost)
}

func done(_ *testing.T, o outbox) {
	o.put("a", nil, noon())
	o.put("b", nil, noon().Add(time.Second))
	a := o.claim("first", "a", noon().Add(time.Second))
	o.want("Done", o.Done(context.Background(), a), nil)
	o.claim("the other one", "b", noon().Add(time.Second))
	o.claim("nothing is left", "", noon().Add(time.Second))
}

func retry(t *testing.T, o outbox) {
	o.put("a", map[string]string{"k": "v"}, noon())
	it := o.claim("free", "a", noon())
	back := noon().Add(10 * time.Second)
	o.want("Retry", o.Retry(context.Background(), it, back, "451 try later"), nil)
	o.want("Retry without the claim", o.Retry(context.Background(), it, noon(), "x"), mail.ErrLost)
	o.claim("before it is due", "", back.Add(-time.Microsecond))
	it = o.claim("when it is due", "a", back)
	if it.Tries != 2 || it.LastError != "451 try later" || !it.Due.Equal(back) || !it.Created.Equal(noon()) {
		t.Errorf("got %+v, want two tries, the cause, due then, created at noon", it)
	}
	var got map[string]string
	if err := json.Unmarshal(it.Data, &got); err != nil || got["k"] != "v" {
		t.Errorf("the data came back as %s (%v)", it.Data, err)
	}
}

func sent(t *testing.T, o outbox) {
	o.put("a", nil, noon())
	it := o.claim("free", "a", noon())
	it.Sent = []string{"1a2b", "c3"}
	o.want("Retry", o.Retry(context.Background(), it, noon(), "the third failed"), nil)
	it = o.claim("again", "a", noon())
	if !reflect.DeepEqual(it.Sent, []string{"1a2b", "c3"}) {
		t.Errorf("Sent came back as %q", it.Sent)
	}
}

func parked(t *testing.T, o outbox) {
	l := o.lister()
	for _, kind := range []string{"a", "b", "c"} {
		o.put(kind, nil, noon())
	}
	var ids []int64
	for range 2 {
		it, err := o.Claim(context.Background(), noon(), lease)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, it.ID)
		o.want("Retry", o.Retry(context.Background(), it, time.Time{}, "550 nobody here"), nil)
	}
	rest, err := o.Claim(context.Background(), noon().Add(1000*time.Hour), lease)
	if err != nil {
		t.Fatal(err)
	}
	o.want("Done", o.Done(context.Background(), rest), nil)
	o.claim("parked, a long time later", "", noon().Add(1000*time.Hour))
	later := noon().Add(time.Hour)
	if n, err := l.Again(context.Background(), later, ids[1]); n != 1 || err != nil {
		t.Errorf("Again of one: got %d, %v, want 1", n, err)
	}
	it, err := o.Claim(context.Background(), later, lease)
	if err != nil || it.ID != ids[1] || it.Tries != 1 || it.LastError != "550 nobody here" || !it.Due.Equal(later) {
		t.Fatalf("got %+v, %v, want the second, with all its tries and the last cause", it, err)
	}
	o.want("Done", o.Done(context.Background(), it), nil)
	if n, err := l.Again(context.Background(), later); n != 1 || err != nil {
		t.Errorf("Again of all: got %d, %v, want 1", n, err)
	}
	if it, err := o.Claim(context.Background(), later, lease); err != nil || it.ID != ids[0] {
		t.Errorf("got %+v, %v, want the first", it, err)
	}
}

func again(t *testing.T, o outbox) {
	l := o.lister()
	o.put("held", nil, noon())
	held := o.claim("free", "held", noon())
	o.put("waiting", nil, noon())
	waiting := o.claim("free", "waiting", noon())
	o.want("Retry", o.Retry(context.Background(), waiting, noon().Add(time.Hour), "x"), nil)
	if n, err := l.Again(context.Background(), noon()); n != 0 || err != nil {
		t.Errorf("Again of all that are parked: got %d, %v, want 0", n, err)
	}
	if n, err := l.Again(context.Background(), noon(), held.ID, waiting.ID, waiting.ID+1000); n != 1 || err != nil {
		t.Errorf("Again of what is held, waits, and is not there: got %d, %v, want 1", n, err)
	}
	it := o.claim("what waited", "waiting", noon())
	o.claim("what is held", "", noon())
	o.want("Done", o.Done(context.Background(), it), nil)
	o.want("Done by who holds it", o.Done(context.Background(), held), nil)
}

func list(t *testing.T, o outbox) {
	for i := range 3 {
		o.put(fmt.Sprint("kind", i), i, noon())
	}
	o.claim("free", "kind0", noon())
	items := o.list()
	if len(items) != 3 {
		t.Fatalf("List: got %d items, want 3", len(items))
	}
	for i, it := range items {
		if it.Kind != fmt.Sprint("kind", i) || string(it.Data) != fmt.Sprint(i) || it.Claim != "" || it.ClaimedUntil.IsZero() != (i > 0) {
			t.Errorf("List: item %d is %+v", i, it)
		}
	}
	if items, err := o.lister().List(context.Background(), 2); err != nil || len(items) != 2 {
		t.Errorf("List of at most 2: got %d, %v", len(items), err)
	}
	o.claim("after the list", "kind1", noon())
}

func causes(t *testing.T, o outbox) {
	o.put("a", nil, noon())
	it := o.claim("free", "a", noon())
	long := "421 \"später\"\r\n\x00\x1b[31m" + strings.Repeat("ä", 2*mail.MaxError) + "\xff"
	o.want("Retry", o.Retry(context.Background(), it, noon(), long), nil)
	it = o.claim("again", "a", noon())
	if want := mail.Clip(long); it.LastError != want || !strings.HasPrefix(want, "421 \"später\" [31mä") || len([]rune(want)) != mail.MaxError {
		t.Errorf("the cause came back as %q, want %q", it.LastError, want)
	}
}

func refused(t *testing.T, o outbox) {
	ctx := context.Background()
	for _, bad := range []struct{ kind, data string }{
		{"", "null"},
		{strings.Repeat("k", 41), "null"},
		{"a b", "null"},
		{"ä", "null"},
		{"a", ""},
		{"a", "{"},
		{"a", "\"\xff\""},
		{"a", `"` + strings.Repeat("x", 64<<10) + `"`},
	} {
		if err := o.Enqueue(ctx, bad.kind, json.RawMessage(bad.data), noon()); err == nil {
			t.Errorf("Enqueue(%q, %.20q) was accepted", bad.kind, bad.data)
		}
	}
	o.claim("nothing was accepted", "", noon())
}

func concurrent(t *testing.T, o outbox) {
	const items, workers = 60, 12
	for i := range items {
		o.put("a", i, noon())
	}
	var mu sync.Mutex
	got := map[string]int{}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range workers {
		wg.Go(func() {
			<-start
			for {
				it, err := o.Claim(context.Background(), noon(), lease)
				if errors.Is(err, mail.ErrEmpty) {
					return
				}
				if err != nil {
					t.Errorf("Claim: %v", err)
					return
				}
				mu.Lock()
				got[string(it.Data)]++
				mu.Unlock()
				if err := o.Done(context.Background(), it); err != nil {
					t.Errorf("Done: %v", err)
				}
			}
		})
	}
	close(start)
	wg.Wait()
	if len(got) != items {
		t.Errorf("%d of %d items were claimed", len(got), items)
	}
	for data, n := range got {
		if n != 1 {
			t.Errorf("item %s was claimed %d times", data, n)
		}
	}
}

func cancelled(t *testing.T, o outbox) {
	o.put("a", nil, noon())
	it := o.claim("free", "a", noon())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := o.Enqueue(ctx, "b", json.RawMessage("null"), noon()); err == nil {
		t.Error("Enqueue: want an error")
	}
	if _, err := o.Claim(ctx, noon().Add(lease), lease); err == nil || errors.Is(err, mail.ErrEmpty) {
		t.Errorf("Claim: got %v, want an error that is not ErrEmpty", err)
	}
	if err := o.Done(ctx, it); err == nil || errors.Is(err, mail.ErrLost) {
		t.Errorf("Done: got %v, want an error that is not ErrLost", err)
	}
	if err := o.Retry(ctx, it, noon(), "x"); err == nil || errors.Is(err, mail.ErrLost) {
		t.Errorf("Retry: got %v, want an error that is not ErrLost", err)
	}
	o.want("Done, after all", o.Done(context.Background(), it), nil)
}
