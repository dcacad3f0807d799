package respond_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
)

// senders are all ways to send the header. Each sends body, except where wantBody says otherwise.
var senders = []struct {
	name       string
	send       func(w http.ResponseWriter)
	wantStatus int
	wantBody   string
}{
	{"nothing", func(http.ResponseWriter) {}, 200, ""},
	{"WriteHeader", func(w http.ResponseWriter) { w.WriteHeader(201) }, 201, ""},
	{"WriteHeader500", func(w http.ResponseWriter) { w.WriteHeader(500) }, 500, ""},
	{"WriteHeader204", func(w http.ResponseWriter) { w.WriteHeader(204) }, 204, ""},
	{"WriteHeader304", func(w http.ResponseWriter) { w.WriteHeader(304) }, 304, ""},
	{"WriteHeaderTwice", func(w http.ResponseWriter) { w.WriteHeader(404); w.WriteHeader(500) }, 404, ""},
	{"WriteHeaderWrite", func(w http.ResponseWriter) { w.WriteHeader(404); io.WriteString(w, "gone") }, 404, "gone"},
	{"Write", func(w http.ResponseWriter) { w.Write([]byte("a")); w.Write([]byte("b")) }, 200, "ab"},
	{"WriteEmpty", func(w http.ResponseWriter) { w.Write(nil); w.WriteHeader(500) }, 200, ""},
	{"WriteString", func(w http.ResponseWriter) { w.(io.StringWriter).WriteString("text") }, 200, "text"},
	{"ReadFrom", func(w http.ResponseWriter) { io.Copy(w, onlyReader{strings.NewReader("stream")}) }, 200, "stream"},
	{"Flush", func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, 200, ""},
	{"FlushWrite", func(w http.ResponseWriter) { w.(http.Flusher).Flush(); io.WriteString(w, "late") }, 200, "late"},
	{"FlushError", func(w http.ResponseWriter) { w.(interface{ FlushError() error }).FlushError() }, 200, ""},
	{"ControllerFlush", func(w http.ResponseWriter) { http.NewResponseController(w).Flush(); io.WriteString(w, "c") }, 200, "c"},
	{"Redirect", func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, 302, ""},
}

func TestHooksRunOnceWhateverSendsTheHeader(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		for _, tt := range senders {
			t.Run(tt.name, func(t *testing.T) {
				var c calls
				var exchange *respond.Exchange
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					exchange = respond.From(r.Context())
					if exchange.Committed() || exchange.Status() != 0 {
						t.Errorf("before: got committed %v, status %d", exchange.Committed(), exchange.Status())
					}
					tt.send(w)
				})
				url, client := p.start(t, respond.Handler(c.layer(cookie(app, "sessionid")), quiet()))
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				res, err := client.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if got, want := c.seen(), []int{tt.wantStatus}; !slices.Equal(got, want) {
					t.Errorf("hook: got statuses %v, want %v", got, want)
				}
				if res.StatusCode != tt.wantStatus || string(body) != tt.wantBody {
					t.Errorf("got %d %q, want %d %q", res.StatusCode, body, tt.wantStatus, tt.wantBody)
				}
				if got := res.Header.Values("Set-Cookie"); len(got) != 1 {
					t.Errorf("got cookies %q, want one", got)
				}
				if !exchange.Committed() || exchange.Status() != tt.wantStatus || exchange.Panicked() {
					t.Errorf("after: got committed %v, status %d, panicked %v", exchange.Committed(), exchange.Status(), exchange.Panicked())
				}
			})
		}
	})
}

func TestHandlerThatWritesNothingHasContentLength(t *testing.T) {
	t.Parallel()
	res, _, _ := serve(t, http1, "GET", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), quiet())
	if res.ContentLength != 0 {
		t.Errorf("got Content-Length %d, want 0", res.ContentLength)
	}
}

// statuses is a server that notes each WriteHeader.
type statuses struct {
	*httptest.ResponseRecorder
	seen []int
}

func (s *statuses) WriteHeader(status int) {
	s.seen = append(s.seen, status)
	s.ResponseRecorder.WriteHeader(status)
}

func TestOnlyOneFinalHeaderReachesTheServer(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, status := range []int{102, 103, 201, 103, 500, 201} {
			w.WriteHeader(status)
		}
	})
	for name, tt := range map[string]struct {
		site http.Handler
		want []int
	}{
		"sent":     {app, []int{102, 103, 201}},
		"replaced": {failing(app), []int{102, 103, 503}},
	} {
		s := &statuses{ResponseRecorder: httptest.NewRecorder()}
		respond.Handler(tt.site, quiet()).ServeHTTP(s, httptest.NewRequest("GET", "/", nil))
		if !slices.Equal(s.seen, tt.want) {
			t.Errorf("%s: got %v, want %v", name, s.seen, tt.want)
		}
	}
}

func TestRecorderStillSniffsContentType(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	respond.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<!DOCTYPE html><p>hello")
	}), quiet()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if got, want := rec.Header().Get("Content-Type"), "text/html; charset=utf-8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestContentTypeIsStillSniffed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		res, _, _ := serve(t, p, "GET", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<!DOCTYPE html><p>hello")
		}), quiet())
		if got, want := res.Header.Get("Content-Type"), "text/html; charset=utf-8"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestEarlyFlushCarriesTheCookie(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		seen := make(chan struct{})
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			select {
			case <-seen:
				io.WriteString(w, "rest")
			case <-time.After(10 * time.Second):
				t.Error("the client did not see the header before the handler went on")
			}
		})
		url, client := p.start(t, respond.Handler(cookie(app, "sessionid"), quiet()))
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got, want := res.Header.Get("Set-Cookie"), "sessionid=secret; Path=/"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		close(seen)
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "rest" {
			t.Errorf("got %q, %v, want rest", body, err)
		}
	})
}

func TestInformationalHeadersPassWithoutHooks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		var c calls
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload; as=style")
			w.WriteHeader(103)
			w.WriteHeader(103)
			if x := respond.From(r.Context()); len(c.seen()) != 0 || x.Committed() || x.Status() != 0 {
				t.Errorf("after 103: got hooks %v, committed %v, status %d", c.seen(), x.Committed(), x.Status())
			}
			io.WriteString(w, "page")
		})
		url, client := p.start(t, respond.Handler(c.layer(cookie(app, "sessionid")), quiet()))
		hints := 0
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints++
			if code != 103 || h.Get("Link") == "" || h.Get("Set-Cookie") != "" {
				t.Errorf("got %d %v, want 103 with a link and no cookie", code, h)
			}
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if hints != 2 || res.StatusCode != 200 || res.Header.Get("Set-Cookie") == "" {
			t.Errorf("got %d hints, then %d with cookie %q", hints, res.StatusCode, res.Header.Get("Set-Cookie"))
		}
		if got := c.seen(); !slices.Equal(got, []int{200}) {
			t.Errorf("hook: got statuses %v, want [200]", got)
		}
	})
}

func TestInnerHooksAndFinishersRunFirst(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		var order []string
		note := func(next http.Handler, name string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				respond.From(r.Context()).OnHeader(&hook{
					before: func(x *respond.Exchange, _ int) error {
						order = append(order, "header "+name)
						if x.Committed() {
							t.Errorf("%s: committed while hooks run", name)
						}
						return nil
					},
					finish: func(x *respond.Exchange) error {
						order = append(order, "finish "+name)
						if !x.Committed() || x.Status() != 200 {
							t.Errorf("%s: finish before the header", name)
						}
						return nil
					},
				})
				next.ServeHTTP(w, r)
			})
		}
		app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "page")
			order = append(order, "app")
		})
		if _, body, err := serve(t, p, "GET", note(note(note(app, "3"), "2"), "1"), quiet()); body != "page" || err != nil {
			t.Fatalf("got %q, %v", body, err)
		}
		want := []string{"header 3", "header 2", "header 1", "app", "finish 3", "finish 2", "finish 1"}
		if !slices.Equal(order, want) {
			t.Errorf("got %q, want %q", order, want)
		}
	})
}

func TestManyHooks(t *testing.T) {
	t.Parallel()
	const n = 20 // more than an Exchange holds inline
	var order []int
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		for i := range n {
			x.OnHeader(&hook{before: func(*respond.Exchange, int) error { order = append(order, i); return nil }})
			x.Attach(new(int), i)
		}
	})
	respond.Handler(app, quiet()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if len(order) != n || order[0] != n-1 || order[n-1] != 0 {
		t.Errorf("got order %v", order)
	}
}

func TestHookRegisteredByAHookRunsNext(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(name string) func(*respond.Exchange, int) error {
		return func(*respond.Exchange, int) error { order = append(order, name); return nil }
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		x.OnHeader(&hook{before: note("outer")})
		x.OnHeader(&hook{before: func(x *respond.Exchange, status int) error {
			x.OnHeader(&hook{before: note("added")})
			return note("inner")(x, status)
		}})
	})
	respond.Handler(app, quiet()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if want := []string{"inner", "added", "outer"}; !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

func TestHookRegisteredAfterTheHeaderOnlyFinishes(t *testing.T) {
	t.Parallel()
	finished := false
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		respond.From(r.Context()).OnHeader(&hook{
			before: func(*respond.Exchange, int) error { t.Error("BeforeHeader ran after the header"); return nil },
			finish: func(*respond.Exchange) error { finished = true; return nil },
		})
	})
	respond.Handler(app, quiet()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if !finished {
		t.Error("Finish did not run")
	}
}

func TestFinishFailuresAreLogged(t *testing.T) {
	t.Parallel()
	var l log
	ran := false
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		x.OnHeader(&hook{finish: func(*respond.Exchange) error { ran = true; return nil }})
		x.OnHeader(&hook{finish: func(*respond.Exchange) error { panic("finish panics") }})
		x.OnHeader(&hook{finish: func(*respond.Exchange) error { return errors.New("cannot save") }})
	})
	rec := httptest.NewRecorder()
	respond.Handler(app, l.config()).ServeHTTP(rec, httptest.NewRequest("GET", "/page?token=hidden", nil))
	if !ran || rec.Code != 200 {
		t.Errorf("got outer finisher %v, status %d", ran, rec.Code)
	}
	for _, want := range []string{"cannot save", "finish panics", "path=/page "} {
		if !strings.Contains(l.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, l.String())
		}
	}
	if strings.Contains(l.String(), "hidden") {
		t.Errorf("the log holds the query:\n%s", l.String())
	}
}

func TestHookMustNotWrite(t *testing.T) {
	t.Parallel()
	var errs []error
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond.From(r.Context()).OnHeader(&hook{before: func(*respond.Exchange, int) error {
			_, err1 := w.Write([]byte("hook"))
			_, err2 := io.WriteString(w, "hook")
			w.WriteHeader(418)
			_, err3 := w.(io.ReaderFrom).ReadFrom(strings.NewReader("hook"))
			errs = append(errs, err1, err2, err3, http.NewResponseController(w).Flush())
			return nil
		}})
		io.WriteString(w, "page")
	})
	res, body, err := serve(t, http1, "GET", app, quiet())
	if err != nil || res.StatusCode != 200 || body != "page" || len(errs) != 4 || slices.Contains(errs, nil) {
		t.Errorf("got %v %q, %v, errors %v", res, body, err, errs)
	}
}

// counter is outer middleware that counts what reaches the server's ReadFrom.
type counter struct {
	http.ResponseWriter
	io.ReaderFrom
	n int64
}

func (c *counter) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.ReaderFrom.ReadFrom(r)
	c.n += n
	return n, err
}

func TestFilesTakeTheServersReadFrom(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		io.Copy(w, f)
	})
	site := respond.Handler(cookie(app, "sessionid"), quiet())
	taken := make(chan int64, 1)
	url, client := startHTTP1(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &counter{ResponseWriter: w, ReaderFrom: w.(io.ReaderFrom)}
		site.ServeHTTP(c, r)
		taken <- c.n
	}))
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if len(body) != size || err != nil || res.Header.Get("Set-Cookie") == "" {
		t.Errorf("got %d bytes, %v, cookie %q", len(body), err, res.Header.Get("Set-Cookie"))
	}
	if got := <-taken; got != size {
		t.Errorf("got %d bytes by ReadFrom, want %d", got, size)
	}
}
