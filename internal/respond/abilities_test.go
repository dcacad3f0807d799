package respond_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
)

// lettersOf names what a writer claims to be able to do.
func lettersOf(w http.ResponseWriter) string {
	letters := ""
	if _, ok := w.(http.Flusher); ok {
		letters += "F"
	}
	if _, ok := w.(http.Hijacker); ok {
		letters += "H"
	}
	if _, ok := w.(io.ReaderFrom); ok {
		letters += "R"
	}
	if _, ok := w.(http.Pusher); ok {
		letters += "P"
	}
	return letters
}

func TestAbilitiesAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for letters, below := range combinations() {
		t.Run(letters, func(t *testing.T) {
			state := below.(interface{ state() *serverState }).state()
			use := map[rune]func(w http.ResponseWriter) error{
				'F': func(w http.ResponseWriter) error { return w.(interface{ FlushError() error }).FlushError() },
				'H': func(w http.ResponseWriter) error { _, _, err := w.(http.Hijacker).Hijack(); return err },
				'R': func(w http.ResponseWriter) error {
					_, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("x"))
					return err
				},
				'P': func(w http.ResponseWriter) error { return w.(http.Pusher).Push("/x", nil) },
			}
			names := map[rune]string{'F': "Flush", 'H': "Hijack", 'R': "ReadFrom", 'P': "Push"}
			if got := lettersOf(below); got != letters {
				t.Fatalf("the test's own server: got %q, want %q", got, letters)
			}
			var want []string
			for _, letter := range letters {
				var c calls
				app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if got := lettersOf(w); got != letters {
						t.Errorf("got abilities %q, want %q", got, letters)
					}
					if err := use[letter](w); err != nil {
						t.Errorf("%c: %v", letter, err)
					}
				})
				respond.Handler(c.layer(app), quiet()).ServeHTTP(below, httptest.NewRequest("GET", "/", nil))
				if want = append(want, names[letter]); !slices.Equal(state.reached, want) {
					t.Errorf("got %q below, want %q", state.reached, want)
				}
				if len(c.seen()) != 1 {
					t.Errorf("%c: got %d runs of the hook, want 1", letter, len(c.seen()))
				}
			}
			if letters == "" {
				respond.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if got := lettersOf(w); got != "" {
						t.Errorf("got abilities %q, want none", got)
					}
					if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
						t.Errorf("flush: got %v, want ErrNotSupported", err)
					}
				}), quiet()).ServeHTTP(below, httptest.NewRequest("GET", "/", nil))
			}
		})
	}
}

func TestAbilitiesOfRealServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    protocol
		want string
	}{{http1, "FHR"}, {http2, "FP"}} {
		t.Run(tt.p.name, func(t *testing.T) {
			t.Parallel()
			_, body, err := serve(t, tt.p, "GET", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, lettersOf(w))
			}), quiet())
			if body != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", body, err, tt.want)
			}
		})
	}
}

// wrapped is middleware's writer that hides all abilities but Unwrap.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrapped{w}, r) })
}

// A controller looks for Flush along the chain of Unwrap: it must find the hooks before the server.
func TestControllerMeetsTheHooks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		for name, place := range map[string]func(http.Handler) http.Handler{
			"plain":        func(app http.Handler) http.Handler { return respond.Handler(app, quiet()) },
			"wrapsInside":  func(app http.Handler) http.Handler { return respond.Handler(wrap(app), quiet()) },
			"wrapsOutside": func(app http.Handler) http.Handler { return wrap(respond.Handler(app, quiet())) },
			"wrapsBoth":    func(app http.Handler) http.Handler { return wrap(respond.Handler(wrap(app), quiet())) },
		} {
			t.Run(name, func(t *testing.T) {
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c := http.NewResponseController(w)
					deadline := time.Now().Add(time.Minute)
					if err := errors.Join(c.SetReadDeadline(deadline), c.SetWriteDeadline(deadline), c.EnableFullDuplex()); err != nil {
						t.Error(err)
					}
					if respond.From(r.Context()).Committed() {
						t.Error("deadlines sent the header")
					}
					if err := c.Flush(); err != nil {
						t.Error(err)
					}
					if !respond.From(r.Context()).Committed() {
						t.Error("Flush went past the hooks")
					}
				})
				url, client := p.start(t, place(cookie(app, "sessionid")))
				res, err := client.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.Header.Get("Set-Cookie") == "" {
					t.Error("the cookie was lost")
				}
			})
		}
	})
}

func TestFullDuplexAndReadDeadlineWork(t *testing.T) {
	t.Parallel()
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		c.Flush()
		line := make([]byte, 5)
		io.ReadFull(r.Body, line)
		w.Write(line)
		c.Flush()
		c.SetReadDeadline(time.Now().Add(-time.Second))
		_, err := r.Body.Read(line)
		if err == nil {
			t.Error("read past its deadline")
		}
	})
	url, client := startHTTP1(t, respond.Handler(app, quiet()))
	body, send := io.Pipe()
	defer send.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", url, body)
	res, err := client.Do(req) // comes back before anything was sent
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	io.WriteString(send, "hello")
	echo := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, echo); err != nil || string(echo) != "hello" {
		t.Errorf("got %q, %v", echo, err)
	}
}
