package respond_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
)

var errStore = errors.New("the store is down")

func failing(next http.Handler) http.Handler {
	return layer(next, func(x *respond.Exchange, _ int) error {
		x.Header().Add("Set-Cookie", "half=done")
		return fmt.Errorf("save: %w", errStore)
	})
}

// secured sets the security headers outside the app and takes the snapshot, as the innermost layer does.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY")
		w.Header()["Permissions-Policy"] = []string{"camera=()", "usb=()"}
		w.Header().Set("Set-Cookie", "outer=kept")
		w.Header().Set("Vary", "Accept-Language")
		respond.From(r.Context()).Snapshot()
		next.ServeHTTP(w, r)
	})
}

func TestFailingHookReplacesTheResponse(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		for _, method := range []string{"GET", "POST", "HEAD"} {
			for _, tt := range senders {
				t.Run(method+tt.name, func(t *testing.T) {
					var outer, inner calls
					var pages int
					cfg := quiet()
					cfg.Error = func(w http.ResponseWriter, r *http.Request, err error) {
						pages++
						if x := respond.From(r.Context()); !errors.Is(err, errStore) || !x.Committed() || x.Status() != 0 {
							t.Errorf("Error: got %v, committed %v, status %d", err, x.Committed(), x.Status())
						}
						w.Header().Set("Content-Type", "text/plain")
						w.WriteHeader(503)
						io.WriteString(w, "sorry")
					}
					app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						h := w.Header()
						h.Set("Content-Type", "application/json")
						h.Set("Content-Length", "12345")
						h.Set("X-App", "1")
						h.Set("X-Frame-Options", "ALLOW")
						h["Permissions-Policy"][0] = "changed=()"
						h.Add("Permissions-Policy", "geolocation=()")
						h.Add("Vary", "X-App")
						h.Add("Set-Cookie", "app=dropped")
						h.Set("Trailer", "X-Sum")
						if tt.name != "nothing" {
							tt.send(w)
							n, err := w.Write([]byte("discarded"))
							m, err2 := io.WriteString(w, "discarded")
							o, err3 := io.Copy(w, onlyReader{strings.NewReader("discarded")})
							err4 := http.NewResponseController(w).Flush()
							err = errors.Join(err, err2, err3, err4)
							gone := r.Context().Err() != nil // the answer to a HEAD request is complete with its header
							if (n != 9 || m != 9 || o != 9 || err != nil) && (!gone || method != "HEAD") {
								t.Errorf("later writes: got %d, %d, %d, %v", n, m, o, err)
							}
							w.WriteHeader(418)
						}
						h.Set("X-Sum", "1")
						h.Set(http.TrailerPrefix+"X-Late", "1")
					})
					site := secured(outer.layer(cookie(failing(cookie(inner.layer(app), "inner")), "outer2")))
					res, body, err := serve(t, p, method, site, cfg)
					if err != nil {
						t.Fatal(err)
					}
					wantBody := "sorry"
					if method == "HEAD" {
						wantBody = ""
					}
					if res.StatusCode != 503 || body != wantBody || pages != 1 {
						t.Errorf("got %d %q, %d pages", res.StatusCode, body, pages)
					}
					if res.ContentLength == 12345 {
						t.Error("the handler's Content-Length was sent")
					}
					want := map[string][]string{
						"Content-Type":       {"text/plain"},
						"X-App":              nil,
						"X-Frame-Options":    {"DENY"},
						"Permissions-Policy": {"camera=()", "usb=()"},
						"Set-Cookie":         {"outer=kept", "inner=secret; Path=/", "outer2=secret; Path=/"},
						"Vary":               {"Accept-Language", "X-App", "Cookie"},
						"Cache-Control":      {"no-store"},
					}
					for key, values := range want {
						if got := res.Header.Values(key); !slices.Equal(got, values) {
							t.Errorf("%s: got %q, want %q", key, got, values)
						}
					}
					if len(res.Trailer) != 0 {
						t.Errorf("got trailers %v", res.Trailer)
					}
					if got := inner.seen(); !slices.Equal(got, []int{tt.wantStatus}) {
						t.Errorf("inner hook: got statuses %v, want [%d]", got, tt.wantStatus)
					}
					if got := outer.seen(); !slices.Equal(got, []int{500}) {
						t.Errorf("outer hook: got statuses %v, want [500]", got)
					}
				})
			}
		}
	})
}

func TestDefaultPages(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	hookPanics := layer(ok, func(*respond.Exchange, int) error { panic("hook boom") })
	onBoth(t, func(t *testing.T, p protocol) {
		for _, tt := range []struct {
			name, method string
			app          http.Handler
			status       int
			body, log    string
		}{
			{"hook", "GET", failing(ok), 503, "Service Unavailable\n", "the store is down"},
			{"hookHEAD", "HEAD", failing(ok), 503, "", "the store is down"},
			{"panic", "GET", panics, 500, "Internal Server Error\n", "failure_test.go"},
			{"hookPanic", "GET", hookPanics, 500, "Internal Server Error\n", "hook boom"},
			{"both", "GET", failing(panics), 500, "Internal Server Error\n", "the store is down"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var l log
				res, body, err := serve(t, p, tt.method, secured(tt.app), l.config())
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != tt.status || body != tt.body || res.Header.Get("X-Frame-Options") != "DENY" {
					t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
				}
				if !strings.Contains(l.String(), tt.log) || strings.Contains(l.String(), "hidden") {
					t.Errorf("the log lacks %q, or holds the query:\n%s", tt.log, l.String())
				}
			})
		}
	})
}

func TestPanicBeforeTheHeader(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		var c calls
		var got error
		cfg := quiet()
		cfg.Error = func(w http.ResponseWriter, r *http.Request, err error) {
			got = err
			http.Error(w, "oops", 500)
		}
		finished := false
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-App", "1")
			respond.From(r.Context()).OnHeader(&hook{
				before: func(x *respond.Exchange, _ int) error {
					if !x.Panicked() {
						t.Error("hook: Panicked is false")
					}
					return nil
				},
				finish: func(x *respond.Exchange) error {
					finished = x.Panicked() && x.Status() == 500
					return nil
				},
			})
			panic(errStore)
		})
		res, body, err := serve(t, p, "GET", secured(c.layer(cookie(app, "sessionid"))), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 500 || body != "oops\n" || res.Header.Get("X-App") != "" || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
		}
		if got := res.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"outer=kept", "sessionid=secret; Path=/"}) {
			t.Errorf("got cookies %q", got)
		}
		if got := c.seen(); !slices.Equal(got, []int{500}) {
			t.Errorf("hook: got statuses %v, want [500]", got)
		}
		var panicked *respond.PanicError
		if !errors.As(got, &panicked) || got.Error() != "panic: the store is down" || !errors.Is(got, errStore) || !strings.Contains(string(panicked.Stack), "failure_test.go") {
			t.Errorf("Error: got %v, want a PanicError of %v with this file in its stack", got, errStore)
		}
		if !finished {
			t.Error("Finish did not run after the page")
		}
	})
}

// A hook that looks whether a field is there must not find what the error page will not have.
func TestHooksAddToTheHeaderOfTheErrorPage(t *testing.T) {
	t.Parallel()
	careful := func(next http.Handler) http.Handler {
		return layer(next, func(x *respond.Exchange, _ int) error {
			if !slices.Contains(x.Header()["Vary"], "Cookie") {
				x.Header().Add("Vary", "Cookie")
			}
			if x.Header().Get("Set-Cookie") == "" {
				x.Header().Set("Set-Cookie", "sessionid=; Max-Age=0")
			}
			return nil
		})
	}
	panics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Vary", "Cookie")
		w.Header().Set("Set-Cookie", "app=dropped")
		panic("boom")
	})
	writes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Vary", "Cookie")
		w.WriteHeader(200)
	})
	for name, site := range map[string]http.Handler{"panic": careful(panics), "failing": failing(careful(writes))} {
		rec := httptest.NewRecorder()
		respond.Handler(site, quiet()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		vary, cookies := rec.Header()["Vary"], rec.Header()["Set-Cookie"]
		if !slices.Equal(vary, []string{"Cookie"}) || !slices.Equal(cookies, []string{"sessionid=; Max-Age=0"}) {
			t.Errorf("%s: got Vary %q, cookies %q", name, vary, cookies)
		}
	}
}

func TestPanicAfterTheHeaderBreaksOff(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		for _, flush := range []bool{false, true} {
			t.Run(fmt.Sprintf("flush=%v", flush), func(t *testing.T) {
				var l log
				cfg := l.config()
				cfg.Error = func(http.ResponseWriter, *http.Request, error) { t.Error("an error page in the middle of a page") }
				finished := make(chan bool, 1)
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					respond.From(r.Context()).OnHeader(&hook{finish: func(x *respond.Exchange) error {
						finished <- x.Panicked()
						return nil
					}})
					io.WriteString(w, "half a pa")
					if flush {
						w.(http.Flusher).Flush()
					}
					panic("boom")
				})
				if res, body, err := serve(t, p, "GET", app, cfg); err == nil {
					t.Errorf("got a whole response: %d %q", res.StatusCode, body)
				}
				if !<-finished {
					t.Error("Finish: Panicked is false")
				}
				if !strings.Contains(l.String(), "panic=boom") {
					t.Errorf("not logged:\n%s", l.String())
				}
			})
		}
	})
}

func TestAbortHandlerPassesThrough(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		var l log
		var c calls
		app := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		if res, body, err := serve(t, p, "GET", c.layer(app), l.config()); err == nil {
			t.Errorf("got a response: %d %q", res.StatusCode, body)
		}
		if l.String() != "" || len(c.seen()) != 0 {
			t.Errorf("got log %q, hooks %v", l.String(), c.seen())
		}
	})
}

func TestGoexitIsNotAnswered(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	done, finished := make(chan struct{}), false
	go func() {
		defer close(done)
		respond.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			respond.From(r.Context()).OnHeader(&hook{finish: func(x *respond.Exchange) error { finished = x.Panicked(); return nil }})
			runtime.Goexit()
		}), quiet()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		t.Error("came back from Goexit")
	}()
	<-done
	if !finished || rec.Body.Len() != 0 {
		t.Errorf("got finished %v, body %q", finished, rec.Body)
	}
}

func TestPanicAfterTheResponseWasReplaced(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		var l log
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "discarded")
			panic("boom")
		})
		res, body, err := serve(t, p, "GET", failing(app), l.config())
		if err != nil || res.StatusCode != 503 || body != "Service Unavailable\n" {
			t.Errorf("got %v %q, %v, want the whole error page", res, body, err)
		}
		if !strings.Contains(l.String(), "panic=boom") {
			t.Errorf("not logged:\n%s", l.String())
		}
	})
}

func TestErrorPageThatFails(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") })
	onBoth(t, func(t *testing.T, p protocol) {
		for _, tt := range []struct {
			name   string
			page   func(w http.ResponseWriter, r *http.Request, err error)
			status int // 0: no whole response
			log    string
		}{
			{"writesNothing", func(http.ResponseWriter, *http.Request, error) {}, 503, ""},
			{"panicsFirst", func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.Header().Set("Content-Encoding", "gzip")
				panic("page boom")
			}, 503, "page boom"},
			{"panicsHalfway", func(w http.ResponseWriter, _ *http.Request, _ error) {
				io.WriteString(w, "half")
				panic("page boom")
			}, 0, "page boom"},
			{"aborts", func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, 0, ""},
			{"statusTwice", func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.WriteHeader(103)
				w.WriteHeader(500)
				w.WriteHeader(200)
			}, 500, "WriteHeader"},
			{"flushes", func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.WriteHeader(500)
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
			}, 500, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var l log
				cfg := l.config()
				cfg.Error = tt.page
				res, body, err := serve(t, p, "GET", failing(app), cfg)
				switch {
				case tt.status == 0 && err == nil:
					t.Errorf("got a whole response: %d %q", res.StatusCode, body)
				case tt.status != 0 && (err != nil || res.StatusCode != tt.status || res.Header.Get("Content-Encoding") != ""):
					t.Errorf("got %v, %v, want %d", res, err, tt.status)
				}
				if !strings.Contains(l.String(), tt.log) || (tt.log == "" && l.String() != "") {
					t.Errorf("got log %q, want %q in it", l.String(), tt.log)
				}
			})
		}
	})
}

// zeros is a stream without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDiscardingEndsWithTheClient(t *testing.T) {
	t.Parallel()
	streams := map[string]func(w http.ResponseWriter) error{
		"Write": func(w http.ResponseWriter) error {
			for {
				if _, err := w.Write([]byte("event")); err != nil {
					return err
				}
			}
		},
		"ReadFrom": func(w http.ResponseWriter) error { _, err := io.Copy(w, zeros{}); return err },
		"Flush": func(w http.ResponseWriter) error {
			for {
				if err := http.NewResponseController(w).Flush(); err != nil {
					return err
				}
			}
		},
	}
	onBoth(t, func(t *testing.T, p protocol) {
		for name, stream := range streams {
			t.Run(name, func(t *testing.T) {
				ended := make(chan error, 1)
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.(http.Flusher).Flush()
					ended <- stream(w)
				})
				url, client := p.start(t, respond.Handler(failing(app), quiet()))
				res, err := client.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				line := make([]byte, len("Service Unavailable\n"))
				if _, err := io.ReadFull(res.Body, line); err != nil || res.StatusCode != 503 || res.ContentLength != int64(len(line)) {
					t.Errorf("got %v, %v, want the whole page before the handler ends", res, err)
				}
				res.Body.Close()
				client.CloseIdleConnections()
				if err := <-ended; err == nil {
					t.Error("the stream ended without an error")
				}
			})
		}
	})
}

func TestSecondFailureIsLogged(t *testing.T) {
	t.Parallel()
	var l log
	app := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	outer := layer(failing(app), func(*respond.Exchange, int) error { return errors.New("the second failure") })
	rec := httptest.NewRecorder()
	respond.Handler(outer, l.config()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	for _, want := range []string{"the second failure", "the store is down"} {
		if !strings.Contains(l.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, l.String())
		}
	}
}

func TestInvalidStatusIsAPanic(t *testing.T) {
	t.Parallel()
	var l log
	rec := httptest.NewRecorder()
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) })
	respond.Handler(app, l.config()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != 500 || !strings.Contains(l.String(), "invalid status 99") {
		t.Errorf("got %d, log %q", rec.Code, l.String())
	}
}
