package respond_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

// blank is a writer with the abilities of net/http's HTTP/1 writer that allocates nothing.
type blank struct {
	fhr
	header http.Header
}

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
func (b *blank) WriteHeader(int)             {}

// request returns a function that serves one request with three layers and five security headers.
func request() func() {
	header := http.Header{}
	for _, key := range []string{"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "X-Content-Type-Options", "Vary"} {
		header.Set(key, "value")
	}
	owners := [3]*int{new(int), new(int), new(int)}
	registered := &hook{}
	body := []byte("page")
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		for _, owner := range owners {
			x.Attach(owner, owner)
			x.OnHeader(registered)
		}
		x.Snapshot()
		if x.Value(owners[0]) == nil {
			panic("lost")
		}
		w.Write(body)
	})
	site := respond.Handler(app, quiet())
	w := &blank{header: header}
	r := httptest.NewRequest("GET", "/", nil)
	return func() { site.ServeHTTP(w, r) }
}

// The Exchange with all that is in it, and the copy of the request.
func TestAllocations(t *testing.T) {
	const want = 2
	if got := testing.AllocsPerRun(100, request()); got != want {
		t.Errorf("got %v allocations a request, want %d", got, want)
	}
}

func BenchmarkHandler(b *testing.B) {
	serve := request()
	b.ReportAllocs()
	for b.Loop() {
		serve()
	}
}
