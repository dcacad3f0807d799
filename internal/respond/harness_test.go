package respond_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

// hook is a Hook and a Finisher made of two functions.
type hook struct {
	before func(x *respond.Exchange, status int) error
	finish func(x *respond.Exchange) error
}

func (h *hook) BeforeHeader(x *respond.Exchange, status int) error {
	if h.before == nil {
		return nil
	}
	return h.before(x, status)
}

func (h *hook) Finish(x *respond.Exchange) error {
	if h.finish == nil {
		return nil
	}
	return h.finish(x)
}

// layer is a middleware that registers a hook, as sessions and its like do.
func layer(next http.Handler, before func(x *respond.Exchange, status int) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond.From(r.Context()).OnHeader(&hook{before: before})
		next.ServeHTTP(w, r)
	})
}

// cookie is a layer whose hook sets a cookie.
func cookie(next http.Handler, name string) http.Handler {
	return layer(next, func(x *respond.Exchange, _ int) error {
		x.Header().Add("Set-Cookie", name+"=secret; Path=/")
		x.Header().Add("Vary", "Cookie")
		return nil
	})
}

// calls notes the statuses that a hook saw.
type calls struct {
	mu       sync.Mutex
	statuses []int
}

func (c *calls) layer(next http.Handler) http.Handler {
	return layer(next, func(_ *respond.Exchange, status int) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.statuses = append(c.statuses, status)
		return nil
	})
}

func (c *calls) seen() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.statuses...)
}

// log is a place to log to and read from.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) config() respond.Config {
	return respond.Config{Logger: slog.New(slog.NewTextHandler(l, nil))}
}

func quiet() respond.Config { return respond.Config{Logger: slog.New(slog.DiscardHandler)} }

type protocol struct {
	name  string
	start func(t *testing.T, h http.Handler) (url string, client *http.Client)
}

var (
	http1 = protocol{"HTTP1", startHTTP1}
	http2 = protocol{"HTTP2", startHTTP2}
)

func startHTTP1(t *testing.T, h http.Handler) (string, *http.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, s.Client()
}

func startHTTP2(t *testing.T, h http.Handler) (string, *http.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("got %s, want HTTP/2", r.Proto)
		}
		h.ServeHTTP(w, r)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, s.Client()
}

// onBoth runs test on HTTP/1.1 and on HTTP/2, in parallel.
func onBoth(t *testing.T, test func(t *testing.T, p protocol)) {
	for _, p := range []protocol{http1, http2} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// serve starts h behind a Handler and makes one request to it. readErr is from reading the body.
func serve(t *testing.T, p protocol, method string, h http.Handler, cfg respond.Config) (res *http.Response, body string, readErr error) {
	t.Helper()
	url, client := p.start(t, respond.Handler(h, cfg))
	req, err := http.NewRequestWithContext(t.Context(), method, url+"/page?token=hidden", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err = client.Do(req); err != nil {
		return nil, "", err
	}
	b, readErr := io.ReadAll(res.Body)
	res.Body.Close()
	return res, string(b), readErr
}

// onlyReader hides what else a reader can do, so that io.Copy asks the writer for ReadFrom.
type onlyReader struct{ io.Reader }
