package respond_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

// hijackers are the two ways that libraries take.
var hijackers = map[string]func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error){
	"assertion": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) { return w.(http.Hijacker).Hijack() },
	"controller": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
		return http.NewResponseController(w).Hijack()
	},
}

func TestHijack(t *testing.T) {
	t.Parallel()
	for name, hijack := range hijackers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c calls
			finished := make(chan int, 1)
			app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := respond.From(r.Context())
				x.OnHeader(&hook{finish: func(x *respond.Exchange) error { finished <- x.Status(); return nil }})
				conn, _, err := hijack(w)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, "HTTP/1.1 299 Mine\r\nConnection: close\r\n\r\nraw")
				if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrHijacked) {
					t.Errorf("writing after: got %v, want ErrHijacked", err)
				}
			})
			res, body, err := serve(t, http1, "GET", c.layer(app), quiet())
			if err != nil || res.StatusCode != 299 || body != "raw" {
				t.Errorf("got %v %q, %v", res, body, err)
			}
			if got := c.seen(); !slices.Equal(got, []int{101}) {
				t.Errorf("hook: got statuses %v, want [101]", got)
			}
			if got := <-finished; got != 101 {
				t.Errorf("Finish: got status %d, want 101", got)
			}
		})
	}
}

func TestHijackWithAPendingCookieIsRefused(t *testing.T) {
	t.Parallel()
	for name, hijack := range hijackers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c calls
			app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range 2 { // trying again does not help
					_, _, err := hijack(w)
					if !errors.Is(err, respond.ErrCookieLost) || !strings.Contains(err.Error(), "sessionid") || strings.Contains(err.Error(), "secret") {
						t.Errorf("got %v, want ErrCookieLost with the cookie's name and not its value", err)
					}
				}
				if x := respond.From(r.Context()); !x.Committed() || x.Status() != 0 {
					t.Errorf("got committed %v, status %d", x.Committed(), x.Status())
				}
				http.Error(w, "no upgrade", http.StatusUpgradeRequired)
			})
			res, body, err := serve(t, http1, "GET", c.layer(cookie(app, "sessionid")), quiet())
			if err != nil || res.StatusCode != 426 || body != "no upgrade\n" {
				t.Errorf("got %v %q, %v", res, body, err)
			}
			if got := res.Header.Values("Set-Cookie"); len(got) != 1 {
				t.Errorf("got cookies %q, want the one of the hook", got)
			}
			if got := c.seen(); !slices.Equal(got, []int{101}) {
				t.Errorf("hook: got statuses %v, want [101] once", got)
			}
		})
	}
}

func TestRefusedHijackThenPanic(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-App", "1")
		w.(http.Hijacker).Hijack()
		panic("boom")
	})
	res, _, err := serve(t, http1, "GET", cookie(app, "sessionid"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 500 || res.Header.Get("X-App") != "" || res.Header.Get("Set-Cookie") == "" {
		t.Errorf("got %d %v, want 500 with the hook's cookie alone", res.StatusCode, res.Header)
	}
}

func TestHijackWithAFailingHook(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 2 {
			if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, errStore) {
				t.Errorf("got %v, want %v", err, errStore)
			}
		}
		http.Error(w, "discarded", 500)
	})
	res, body, err := serve(t, http1, "GET", failing(app), quiet())
	if err != nil || res.StatusCode != 503 || body != "Service Unavailable\n" {
		t.Errorf("got %v %q, %v", res, body, err)
	}
}

func TestHijackFromAHookIsRefused(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond.From(r.Context()).OnHeader(&hook{before: func(*respond.Exchange, int) error {
			if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
				t.Error("hijacked")
			}
			return nil
		}})
	})
	if res, _, err := serve(t, http1, "GET", app, quiet()); err != nil || res.StatusCode != 200 {
		t.Errorf("got %v, %v", res, err)
	}
}

// unhijackable is a server whose Hijack fails.
type unhijackable struct{ http.ResponseWriter }

func (unhijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

func TestHijackThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	var c calls
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("got %v, want ErrNotSupported", err)
		}
		w.WriteHeader(http.StatusUpgradeRequired)
	})
	rec := httptest.NewRecorder()
	respond.Handler(c.layer(app), quiet()).ServeHTTP(unhijackable{rec}, httptest.NewRequest("GET", "/", nil))
	if got := c.seen(); rec.Code != 426 || !slices.Equal(got, []int{101}) {
		t.Errorf("got %d, hook %v, want 426 and one run", rec.Code, got)
	}
}

// Some libraries send the 101 through WriteHeader first: then cookies reach the client.
func TestSwitchingProtocolsIsFinal(t *testing.T) {
	t.Parallel()
	var c calls
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(101)
		conn, buffer, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, _ := buffer.ReadString('\n')
		fmt.Fprintf(conn, "echo %s", line)
	})
	url, _ := startHTTP1(t, respond.Handler(c.layer(cookie(app, "sessionid")), quiet()))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Set-Cookie") == "" {
		t.Fatalf("got %v, %v, want 101 with a cookie", res, err)
	}
	io.WriteString(conn, "hello\n")
	if line, err := reader.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if got := c.seen(); !slices.Equal(got, []int{101}) {
		t.Errorf("hook: got statuses %v, want [101]", got)
	}
}

func TestNoHijackOnHTTP2(t *testing.T) {
	t.Parallel()
	var c calls
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(http.Hijacker); ok {
			t.Error("claims to be a Hijacker")
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("got %v, want ErrNotSupported", err)
		}
		if len(c.seen()) != 0 {
			t.Error("the hooks ran for a Hijack that cannot be")
		}
		w.WriteHeader(426)
	})
	res, _, err := serve(t, http2, "GET", c.layer(cookie(app, "sessionid")), quiet())
	if err != nil || res.StatusCode != 426 || res.Header.Get("Set-Cookie") == "" {
		t.Errorf("got %v, %v", res, err)
	}
}
