package messages_test

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

var storages = map[string]messages.Storage{"fallback": messages.Fallback, "cookie": messages.Cookie, "session": messages.Session}

// eachStorage runs a test with each storage.
func eachStorage(t *testing.T, test func(t *testing.T, storage messages.Storage)) {
	for name, storage := range storages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, storage)
		})
	}
}

var page = template.Must(template.New("page").Parse(
	`<ul>{{range .}}<li class="{{.Tags}}">{{.HTML}}</li>{{end}}</ul>`))

// A browser keeps cookies between the pages of one server.
type browser struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
}

// visit opens a site of several pages with a browser. logs collects what the site logs.
func visit(t *testing.T, g *rig, logs *bytes.Buffer, pages map[string]http.HandlerFunc) *browser {
	t.Helper()
	mux := http.NewServeMux()
	for path, app := range pages {
		mux.Handle(path, app)
	}
	if logs == nil {
		logs = &bytes.Buffer{}
	}
	h := g.origin.Handler(g.sessions.Handler(g.layer.Handler(mux)))
	server := httptest.NewServer(respond.Handler(h, respond.Config{Logger: slog.New(slog.NewTextHandler(logs, nil))}))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, server: server, client: &http.Client{Jar: jar}}
}

// get returns the body of a page, redirects followed.
func (b *browser) get(path string) string {
	b.t.Helper()
	resp, err := b.client.Get(b.server.URL + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

func showStraight(w http.ResponseWriter, r *http.Request) {
	_ = page.Execute(w, messages.Take(r))
}

func TestShownExactlyOnce(t *testing.T) {
	t.Parallel()
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		b := visit(t, g, nil, map[string]http.HandlerFunc{
			"/save": func(w http.ResponseWriter, r *http.Request) {
				if err := errors.Join(messages.Success(r, "Saved <b>"), messages.Warning(r, "Full", messages.Option{ExtraTags: "disk"})); err != nil {
					t.Error(err)
				}
				http.Redirect(w, r, "/show", http.StatusSeeOther)
			},
			"/show":  showStraight,
			"/plain": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "nothing to do with messages") },
		})
		want := `<ul><li class="success">Saved &lt;b&gt;</li><li class="disk warning">Full</li></ul>`
		if got := b.get("/save"); got != want {
			t.Errorf("the page after the redirect is\n got  %s\n want %s", got, want)
		}
		if got := b.get("/show"); got != "<ul></ul>" {
			t.Errorf("the page after that shows %s, want nothing", got)
		}
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.get("/save")
		b.get("/plain")
		b.get("/save")
		want = `<ul>` + strings.Repeat(`<li class="success">Saved &lt;b&gt;</li><li class="disk warning">Full</li>`, 2) + `</ul>`
		if got := b.get("/show"); got != want {
			t.Errorf("after two saves\n got  %s\n want %s", got, want)
		}
		if got := b.get("/show"); got != "<ul></ul>" {
			t.Errorf("the page after that shows %s, want nothing", got)
		}
	})
}

func TestTooManyForTheCookie(t *testing.T) {
	t.Parallel()
	const many = 60
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		b := visit(t, g, nil, map[string]http.HandlerFunc{
			"/save": func(_ http.ResponseWriter, r *http.Request) {
				for range many {
					if err := messages.Info(r, randomText(90)); err != nil {
						t.Error(err)
					}
				}
			},
			"/show": showStraight,
		})
		b.get("/save")
		shown := strings.Count(b.get("/show"), "<li")
		if storage == messages.Cookie && (shown == 0 || shown == many) || storage != messages.Cookie && shown != many {
			t.Errorf("%d of %d are shown", shown, many)
		}
		if got := b.get("/show"); got != "<ul></ul>" {
			t.Errorf("then there are %d more", strings.Count(got, "<li"))
		}
	})
}

func TestTakeAfterTheHeader(t *testing.T) {
	t.Parallel()
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		var logs bytes.Buffer
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		b := visit(t, g, &logs, map[string]http.HandlerFunc{
			"/save": func(_ http.ResponseWriter, r *http.Request) { _ = messages.Info(r, "hello") },
			"/late": func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "<h1>")
				_ = page.Execute(w, messages.Take(r))
			},
			"/show": showStraight,
		})
		b.get("/save")
		if got := b.get("/late"); got != "<h1><ul></ul>" {
			t.Errorf("the late page is %s", got)
		}
		if log := logs.String(); !strings.Contains(log, "messages.Take") || !strings.Contains(log, "messages_test.go:") {
			t.Errorf("the log does not say what came too late and where: %s", log)
		}
		if got := b.get("/show"); !strings.Contains(got, "hello") {
			t.Errorf("the message is lost: %s", got)
		}
	})
}

func TestAddAfterTheHeader(t *testing.T) {
	t.Parallel()
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		var err error
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		b := visit(t, g, nil, map[string]http.HandlerFunc{
			"/begin": func(_ http.ResponseWriter, r *http.Request) { _ = sessions.From(r).Set("a", 1) },
			"/late": func(w http.ResponseWriter, r *http.Request) {
				sessions.From(r).Has("a")
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
				err = messages.Info(r, "late")
			},
			"/show": showStraight,
		})
		b.get("/begin")
		b.get("/late")
		shown := strings.Contains(b.get("/show"), "late")
		if storage == messages.Session { // needs no new cookie
			if err != nil || !shown {
				t.Errorf("Add after the header: %v, and it is shown: %v", err, shown)
			}
		} else if !errors.Is(err, sessions.ErrTooLate) || shown {
			t.Errorf("Add after the header: %v, want ErrTooLate; and it is shown: %v", err, shown)
		}
	})
}

func TestFailedResponses(t *testing.T) {
	t.Parallel()
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		fail := func(end func(http.ResponseWriter)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				taken := messages.Take(r)
				_ = messages.Info(r, "added while failing")
				end(w)
				_ = page.Execute(w, taken)
			}
		}
		b := visit(t, g, nil, map[string]http.HandlerFunc{
			"/save":  func(_ http.ResponseWriter, r *http.Request) { _ = messages.Info(r, "kept") },
			"/500":   fail(func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }),
			"/panic": fail(func(http.ResponseWriter) { panic("on purpose") }),
			"/404":   fail(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }),
			"/show":  showStraight,
		})
		b.get("/save")
		b.get("/500")
		b.get("/panic")
		if got, want := b.get("/show"), `<ul><li class="info">kept</li></ul>`; got != want {
			t.Errorf("after the failures\n got  %s\n want %s", got, want)
		}
		b.get("/save")
		b.get("/404") // the control: a page that did not fail
		if got, want := b.get("/show"), `<ul><li class="info">added while failing</li></ul>`; got != want {
			t.Errorf("after the 404\n got  %s\n want %s", got, want)
		}
	})
}

// TestFlippedByte changes each byte of the cookie in turn: none is believed, and the cookie is deleted.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	good, err := g.layer.EncodeCookie([]messages.Stored{{Message: messages.Message{Level: messages.LevelInfo, Text: "hello"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	show := func(value string) (texts []messages.Message, cookie string) {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.Header.Set("Cookie", "messages="+value)
		w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) { texts = messages.Take(r) })
		return texts, w.Header().Get("Set-Cookie")
	}
	if texts, _ := show(good); len(texts) != 1 || texts[0].Text != "hello" { // the control
		t.Fatalf("the cookie as it was shows %v", texts)
	}
	for i := range good {
		bad := []byte(good)
		bad[i] ^= 1
		if bad[i] == ';' || bad[i] == '"' {
			bad[i] = 'x'
		}
		texts, cookie := show(string(bad))
		if len(texts) != 0 {
			t.Errorf("byte %d flipped: shows %v", i, texts)
		}
		if !strings.HasPrefix(cookie, `messages="";`) {
			t.Errorf("byte %d flipped: the cookie is not deleted but %q", i, cookie)
		}
	}
}

func TestLargeTextsAreBounded(t *testing.T) {
	t.Parallel()
	eachStorage(t, func(t *testing.T, storage messages.Storage) {
		g := newRig(t, func(c *messages.Config) { c.Storage = storage })
		w := g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), func(_ http.ResponseWriter, r *http.Request) {
			if err := messages.Info(r, randomText(1<<20)); err != nil {
				t.Error(err)
			}
		})
		for _, line := range w.Header()["Set-Cookie"] {
			if len(line) > 4096 {
				t.Errorf("a cookie of %d bytes", len(line))
			}
		}
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.Header.Set("Cookie", "messages="+strings.Repeat("A", 1<<20))
		w = g.serve(r, func(_ http.ResponseWriter, r *http.Request) {
			if got := messages.Take(r); got != nil {
				t.Errorf("a megabyte of nothing shows %d messages", len(got))
			}
		})
		if w.Code != http.StatusOK {
			t.Errorf("status %d", w.Code)
		}
	})
}

func TestTwoTakes(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	w := g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), func(_ http.ResponseWriter, r *http.Request) {
		_ = messages.Info(r, "a")
		_ = messages.Debug(r, "below the level")
		_ = messages.Info(r, "")
		if got := messages.Take(r); len(got) != 1 || got[0].String() != "a" {
			t.Errorf("the first Take is %v, want a", got)
		}
		messages.SetLevel(r, messages.LevelDebug)
		_ = messages.Debug(r, "b")
		messages.SetLevel(r, 0)
		_ = messages.Debug(r, "below the level again")
		if got := messages.Take(r); len(got) != 1 || got[0].String() != "b" {
			t.Errorf("the second Take is %v, want b", got)
		}
	})
	if got := w.Header()["Set-Cookie"]; got != nil {
		t.Errorf("nothing waits, and the response sets %q", got)
	}
}

func TestVary(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	for name, test := range map[string]struct {
		app  http.HandlerFunc
		want string
	}{
		"untouched": {func(http.ResponseWriter, *http.Request) {}, ""},
		"taken":     {func(_ http.ResponseWriter, r *http.Request) { messages.Take(r) }, "Cookie"},
		"added":     {func(_ http.ResponseWriter, r *http.Request) { _ = messages.Info(r, "x") }, "Cookie"},
		"already": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Accept, cookie")
			messages.Take(r)
		}, "Accept, cookie"},
	} {
		w := g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), test.app)
		if got := strings.Join(w.Header()["Vary"], ", "); got != test.want {
			t.Errorf("%s: Vary is %q, want %q", name, got, test.want)
		}
	}
}

// TestNoSessionForTheCookie holds that messages in the cookie leave the session alone: no read, no row.
func TestNoSessionForTheCookie(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), func(_ http.ResponseWriter, r *http.Request) {
		_ = messages.Info(r, "x")
		messages.Take(r)
		_ = messages.Info(r, "y")
		if sessions.From(r).Accessed() {
			t.Error("the session was read")
		}
	})
	if n := g.store.Len(); n != 0 {
		t.Errorf("%d sessions were made", n)
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		m    messages.Message
		want template.HTML
	}{
		{messages.Message{Text: `<script>"&'`}, `&lt;script&gt;&#34;&amp;&#39;`},
		{messages.Message{Text: `<b>ok</b>`, Safe: true}, `<b>ok</b>`},
	} {
		if got := test.m.HTML(); got != test.want {
			t.Errorf("HTML of %+v is %s, want %s", test.m, got, test.want)
		}
	}
}

func TestWithoutTheLayer(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	for name, call := range map[string]func(){
		"Add":  func() { _ = messages.Info(r, "x") },
		"Take": func() { messages.Take(r) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "messages.Layer") {
					t.Errorf("%s panics with %q, which does not name the cure", name, text)
				}
			}()
			call()
		}()
	}
}

func TestWrongConfigurations(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	keys := signing.Keys{Current: "k"}
	for name, cfg := range map[string]messages.Config{
		"no sessions":     {Keys: keys},
		"no key":          {Sessions: g.sessions},
		"unknown storage": {Keys: keys, Sessions: g.sessions, Storage: 7},
		"bad cookie name": {Keys: keys, Sessions: g.sessions, Cookie: origin.CookiePolicy{Name: "a b"}},
	} {
		if _, err := messages.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := messages.New(messages.Config{Storage: messages.Session, Sessions: g.sessions}); err != nil { // the control
		t.Error(err)
	}
}

// TestFallbackKeys reads a cookie that was signed before the key was changed.
func TestFallbackKeys(t *testing.T) {
	t.Parallel()
	old := newRig(t, func(c *messages.Config) { c.Keys.Current = "old" })
	value, err := old.layer.EncodeCookie([]messages.Stored{{Message: messages.Message{Level: 20, Text: "x"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	changed := newRig(t, func(c *messages.Config) { c.Keys = signing.Keys{Current: "new", Fallbacks: []string{"old"}} })
	if list, _ := changed.layer.DecodeCookie(value); len(list) != 1 {
		t.Error("a fallback key does not read")
	}
	if list, _ := newRig(t, func(c *messages.Config) { c.Keys.Current = "new" }).layer.DecodeCookie(value); list != nil {
		t.Error("a key that was dropped still reads")
	}
}

// TestOutage holds that a session store that is down ends in an error page and loses no message.
func TestOutage(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	m, err := sessions.New(brokenStore{}, sessions.Config{Cookie: origin.CookiePolicy{Plain: true}})
	if err != nil {
		t.Fatal(err)
	}
	g.sessions = m
	g.config.Sessions, g.config.Storage = m, messages.Session
	if g.layer, err = messages.New(g.config); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	r.Header.Set("Cookie", "sessionid=abcdefghijklmnopqrstuvwxyz012345")
	w := g.serve(r, func(w http.ResponseWriter, r *http.Request) { _ = page.Execute(w, messages.Take(r)) })
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}

var errDown = errors.New("down")

type brokenStore struct{}

func (brokenStore) Load(context.Context, string) (sessions.Record, error) {
	return sessions.Record{}, errDown
}

func (brokenStore) Save(context.Context, string, sessions.Record) (string, error) {
	return "", errDown
}

func (brokenStore) Rotate(context.Context, string, sessions.Record) (string, error) {
	return "", errDown
}
func (brokenStore) Delete(context.Context, string) error { return errDown }
