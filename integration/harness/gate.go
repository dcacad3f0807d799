package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/integration/harness"
)

// A gate is what probes ask whether a request may go on. They ask once its session is loaded.
type gate struct {
	url   string
	mu    sync.Mutex
	holds map[string]*hold
}

// A hold is one request that waits.
type hold struct {
	token             string
	arrived, released chan struct{}
	arrive, release   sync.Once
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{holds: map[string]*hold{}}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// ServeHTTP answers a probe when its request may go on.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	case <-time.After(harness.Patience):
	}
}

// hold makes a new hold.
func (g *gate) hold() *hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := &hold{token: fmt.Sprint(len(g.holds)), arrived: make(chan struct{}), released: make(chan struct{})}
	g.holds[h.token] = h
	return h
}

// free lets the request go on.
func (h *hold) free() { h.release.Do(func() { close(h.released) }) }

// soon repeats check until it is nil, for a while.
func soon(check func() error) error {
	deadline := time.Now().Add(harness.Patience)
	for {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
