package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// A Gate is what programs under test ask whether a request may go on, with ?hold= and the token of a [Hold]. They ask once the
// request's session is loaded.
type Gate struct {
	URL string

	mu    sync.Mutex
	holds map[string]*Hold
}

// A Hold is one request that waits.
type Hold struct {
	Token   string
	Arrived <-chan struct{} // closed once the request waits

	arrived, released chan struct{}
	arrive, release   sync.Once
}

// NewGate starts a gate for as long as the test lasts.
func NewGate(t testing.TB) *Gate {
	t.Helper()
	g := &Gate{holds: map[string]*Hold{}}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.URL = server.URL
	return g
}

// ServeHTTP answers a program when its request may go on.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	h := g.holds[r.FormValue("hold")]
	g.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h.arrive.Do(func() { close(h.arrived) })
	select {
	case <-h.released:
	case <-time.After(Patience):
	}
}

// Hold makes a new hold.
func (g *Gate) Hold() *Hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	arrived := make(chan struct{})
	h := &Hold{Token: fmt.Sprint(len(g.holds)), Arrived: arrived, arrived: arrived, released: make(chan struct{})}
	g.holds[h.Token] = h
	return h
}

// Free lets the request go on.
func (h *Hold) Free() { h.release.Do(func() { close(h.released) }) }
