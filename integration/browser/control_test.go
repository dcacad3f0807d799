package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRecorder is the control of all the other tests: a page that does what no page of ours may do, and a recorder that says so.
func TestRecorder(t *testing.T) {
	t.Parallel()
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(foreign.Close)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/strict" {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			io.WriteString(w, `<!doctype html><title>x</title><p style="color:red">inline style</p><script>document.title = "ran"</script>`)
			return
		}
		fmt.Fprintf(w, `<!doctype html><title>x</title><img src="%s/pixel" alt=""><script>console.error("help"); nowhere()</script>`, foreign.URL)
	}))
	t.Cleanup(site.Close)

	b := openUnwatched(t, site.URL)
	b.visit("/strict")
	b.title("x")
	b.visit("/loose")
	for _, want := range []string{
		"issue: ContentSecurityPolicyIssue kInlineViolation style-src",
		"issue: ContentSecurityPolicyIssue kInlineViolation script-src",
		"log: security: ",
		"console.error: ",
		"exception: ",
		"foreign request: " + foreign.URL,
	} {
		b.until("the recorder says "+want, func() bool {
			b.seen.mu.Lock()
			defer b.seen.mu.Unlock()
			return strings.Contains(strings.Join(b.seen.faults, "\n"), want)
		})
	}
	t.Logf("%q", b.seen.faults)
}

// TestScriptSwitch is the control of the tests without scripts: the browser's switch does stop a page's scripts.
func TestScriptSwitch(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>off</title><script>document.title = "on"</script><noscript>no script</noscript>`)
	}))
	t.Cleanup(site.Close)
	b := open(t, site.URL)
	for range 2 {
		b.scripts(true)
		b.visit("/")
		b.title("on")
		b.scripts(false)
		b.visit("/")
		b.title("off")
		b.sees("no script")
	}
}

// TestBackForwardCache is the control of the tests of the back button: the browser does keep pages, and shows them again
// without asking, unless they forbid it.
func TestBackForwardCache(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><title>%s</title><p>page %[1]s`, r.URL.Path)
	}))
	t.Cleanup(site.Close)
	b := open(t, site.URL)
	b.visit("/one")
	b.visit("/two")
	b.step(-1)
	b.sees("page /one")
	if !b.seen.restored() || len(asked) != 2 {
		t.Errorf("restored %v after %d requests, want true after 2", b.seen.restored(), len(asked))
	}
}
