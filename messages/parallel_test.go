package messages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/sessions"
)

// TestParallelRequests holds two requests between load and save. With the session, nothing that either adds is lost, and what one
// takes the other's message survives.
func TestParallelRequests(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(c *messages.Config) { c.Storage = messages.Session })
	first := httptest.NewRequest("GET", "http://www.example.com/", nil)
	key := g.begin(first, `{"_messages":"[[\"__json_message\", 0, 20, \"old\", \"\"]]","other":1}`)
	together := func(apps ...http.HandlerFunc) {
		var loaded, done sync.WaitGroup
		loaded.Add(len(apps))
		for _, app := range apps {
			done.Go(func() {
				r := httptest.NewRequest("GET", "http://www.example.com/", nil)
				r.Header.Set("Cookie", "sessionid="+key)
				w := g.serve(r, func(w http.ResponseWriter, r *http.Request) {
					app(w, r)
					sessions.From(r).Has("other")
					loaded.Done()
					loaded.Wait()
				})
				if w.Code != http.StatusOK {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			})
		}
		done.Wait()
	}
	add := func(text string) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) { _ = messages.Info(r, text) }
	}
	waiting := func() string {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.Header.Set("Cookie", "sessionid="+key)
		var texts []string
		g.serve(r, func(_ http.ResponseWriter, r *http.Request) {
			for _, m := range messages.Take(r) {
				texts = append(texts, m.Text)
			}
		})
		return strings.Join(texts, " ")
	}

	together(add("a"), add("b"))
	if got := waiting(); got != "old a b" && got != "old b a" {
		t.Errorf("after two additions: %q", got)
	}
	add2 := add("c")
	for range 20 {
		together(add2, func(_ http.ResponseWriter, r *http.Request) { messages.Take(r) })
		if got := waiting(); got != "c" {
			t.Fatalf("after an addition beside a page that shows messages: %q, want c", got)
		}
	}
}
