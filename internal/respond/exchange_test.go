package respond_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
)

func TestFromWithoutHandler(t *testing.T) {
	t.Parallel()
	if x := respond.From(t.Context()); x != nil {
		t.Errorf("got %v, want nil", x)
	}
	if v, ok := respond.Find[*int](t.Context()); ok || v != nil {
		t.Errorf("got %v, %v, want nothing", v, ok)
	}
}

func TestValuesByOwnerAndByType(t *testing.T) {
	t.Parallel()
	type session struct{ name string }
	owner1, owner2, stranger := new(int), new(int), new(int)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := respond.From(r.Context())
		x.Attach(owner1, &session{"first"})
		x.Attach(owner2, &session{"second"})
		x.Attach(owner1, &session{"replaced"})
		x.Attach(stranger, "text")
		if got := x.Value(owner1).(*session).name; got != "replaced" {
			t.Errorf("got %q", got)
		}
		if got := x.Value(owner2).(*session).name; got != "second" {
			t.Errorf("got %q", got)
		}
		if got := x.Value(new(int)); got != nil {
			t.Errorf("got %v, want nil", got)
		}
		if got, ok := respond.Find[*session](r.Context()); !ok || got.name != "second" {
			t.Errorf("Find: got %v, %v, want the innermost", got, ok)
		}
		if got, ok := respond.Find[string](r.Context()); !ok || got != "text" {
			t.Errorf("Find: got %q, %v", got, ok)
		}
		if _, ok := respond.Find[error](r.Context()); ok {
			t.Error("Find: got what was never attached")
		}
	})
	respond.Handler(app, quiet()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestASiteInsideASite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		type session struct{ site string }
		owner, outerOnly := new(int), new(int)
		attach := func(next http.Handler, name string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := respond.From(r.Context())
				x.Attach(owner, &session{name})
				if name == "outer" {
					x.Attach(outerOnly, 1)
				}
				next.ServeHTTP(w, r)
			})
		}
		var outer, inner calls
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := respond.From(r.Context())
			found, _ := respond.Find[*session](r.Context())
			if x.Value(owner).(*session).site != "inner" || found.site != "inner" || x.Value(outerOnly) != 1 {
				t.Errorf("got %v, %v, %v", x.Value(owner), found, x.Value(outerOnly))
			}
			if n, ok := respond.Find[int](r.Context()); !ok || n != 1 {
				t.Errorf("Find in the outer site: got %v, %v", n, ok)
			}
			switch r.URL.Path {
			case "/panic":
				panic("boom")
			case "/fail":
				x.OnHeader(&hook{before: func(*respond.Exchange, int) error { return errStore }})
			case "/late":
				io.WriteString(w, "half")
				panic("boom")
			}
			w.WriteHeader(201)
		})
		site := respond.Handler(outer.layer(cookie(attach(
			respond.Handler(inner.layer(cookie(attach(app, "inner"), "inner")), quiet()), "outer"), "outer")), quiet())
		url, client := p.start(t, site)
		for _, tt := range []struct {
			path          string
			status        int
			inner, outer_ int
		}{{"/", 201, 201, 201}, {"/panic", 500, 500, 500}, {"/fail", 503, 500, 503}} {
			res, err := client.Get(url + tt.path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.status || len(res.Header.Values("Set-Cookie")) != 2 {
				t.Errorf("%s: got %d, cookies %q", tt.path, res.StatusCode, res.Header.Values("Set-Cookie"))
			}
			in, out := inner.seen(), outer.seen()
			if in[len(in)-1] != tt.inner || out[len(out)-1] != tt.outer_ || len(in) != len(out) {
				t.Errorf("%s: got inner hook %v, outer hook %v", tt.path, in, out)
			}
		}
		if res, err := client.Get(url + "/late"); err == nil {
			if _, err = io.ReadAll(res.Body); err == nil {
				t.Error("/late: got a whole response")
			}
			res.Body.Close()
		}
	})
}

func TestContextStillEnds(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, stop := context.WithTimeout(r.Context(), time.Hour)
		defer stop()
		if child.Value(key{}) != "value" || respond.From(child) == nil || respond.From(context.WithoutCancel(child)) == nil {
			t.Error("values are lost")
		}
		cancel()
		<-child.Done()
		if !errors.Is(r.Context().Err(), context.Canceled) {
			t.Errorf("got %v", r.Context().Err())
		}
	})
	respond.Handler(app, quiet()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
}

// The server removes a form's temporary files, if it knows of them, and logging middleware wants the pattern.
func TestServerSeesFormAndPattern(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("file", "big")
	part.Write(make([]byte, 100<<10))
	form.Close()
	mux := http.NewServeMux()
	temporary := make(chan string, 1)
	mux.HandleFunc("POST /upload/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		file, err := r.MultipartForm.File["file"][0].Open()
		if err != nil {
			t.Error(err)
			temporary <- ""
			return
		}
		defer file.Close()
		f, _ := file.(*os.File)
		temporary <- f.Name()
	})
	site := respond.Handler(mux, quiet())
	pattern := make(chan string, 1)
	url, client := startHTTP1(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.ServeHTTP(w, r)
		pattern <- r.Pattern
	}))
	res, err := client.Post(url+"/upload/1", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got, want := <-pattern, "POST /upload/{id}"; got != want {
		t.Errorf("got pattern %q, want %q", got, want)
	}
	name := <-temporary
	for range 200 { // the server removes it after the response
		if _, err = os.Stat(name); errors.Is(err, os.ErrNotExist) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file %q remains: %v", name, err)
	}
}

// Under http.TimeoutHandler the app runs in another goroutine, and may go on after the response.
func TestAnotherGoroutine(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		release, done := make(chan struct{}), make(chan struct{})
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(done)
			x := respond.From(r.Context())
			for {
				x.Attach(new(int), 1)
				x.OnHeader(&hook{})
				x.Value(x)
				if x.Committed() {
					_, _, _ = x.Status(), x.Panicked(), x.Late("session: set")
				}
				io.WriteString(w, "slow")
				select {
				case <-release:
					return
				default:
					time.Sleep(time.Millisecond)
				}
			}
		})
		res, body, err := serve(t, p, "GET", cookie(http.TimeoutHandler(slow, 20*time.Millisecond, "timeout"), "sessionid"), quiet())
		close(release)
		<-done
		if err != nil || res.StatusCode != 503 || body != "timeout" || res.Header.Get("Set-Cookie") == "" {
			t.Errorf("got %v %q, %v", res, body, err)
		}
	})
}

func TestWritingFromAnotherGoroutine(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, p protocol) {
		app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.WriteString(w, "from ")
				w.(http.Flusher).Flush()
				io.WriteString(w, "there")
			}()
			<-done
			io.WriteString(w, " and here")
		})
		res, body, err := serve(t, p, "GET", cookie(app, "sessionid"), quiet())
		if err != nil || body != "from there and here" || res.Header.Get("Set-Cookie") == "" {
			t.Errorf("got %q, %v", body, err)
		}
	})
}
