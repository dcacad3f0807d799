package sessions_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
)

const userID = sessions.Key[string]("_auth_user_id")

// reading returns a handler that reads a session, the same one without sessions, and a request for them.
func reading(tb testing.TB) (with, without http.Handler, r *http.Request) {
	tb.Helper()
	store := memstore.New(memstore.Config{})
	data, err := sessions.ParseData([]byte(`{"_auth_user_id":"1","_auth_user_hash":"0123"}`))
	if err != nil {
		tb.Fatal(err)
	}
	store.Put(goodKey, sessions.Record{Data: data, Expires: time.Now().Add(time.Hour)})
	m, err := sessions.New(store, sessions.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		tb.Fatal(err)
	}
	o, err := origin.New(origin.Config{AllowedHosts: []string{"example.com"}, InsecureHTTP: true})
	if err != nil {
		tb.Fatal(err)
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := userID.Get(sessions.From(r)); !ok || id != "1" {
			tb.Fatalf("got %q and %v", id, ok)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	r = httptest.NewRequest("GET", "http://example.com/", nil)
	r.Header.Set("Cookie", "other=1; cardea_sessionid="+goodKey)
	return o.Handler(m.Handler(app)), o.Handler(bare), r
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// TestAllocationsOfAPlainRead holds the cost of reading a session to a handful of allocations above a request without.
func TestAllocationsOfAPlainRead(t *testing.T) {
	with, without, r := reading(t)
	allocs := func(h http.Handler) float64 {
		w := discard{http.Header{}}
		return testing.AllocsPerRun(200, func() {
			clear(w.h)
			h.ServeHTTP(w, r)
		})
	}
	if got := allocs(with) - allocs(without); got > 10 {
		t.Errorf("a session read costs %v allocations, want 10 at most", got)
	}
}

func BenchmarkPlainRead(b *testing.B) {
	with, _, r := reading(b)
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		with.ServeHTTP(w, r)
	}
}
