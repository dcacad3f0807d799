package cardea_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// A rig is a whole site that serves on loopback, with what a test wants to look at.
type rig struct {
	t      *testing.T
	db     *userdb.DB
	site   *cardea.Site[*userdb.User]
	server *httptest.Server
	logs   *syncBuffer // all of the log, at the lowest level
	clock  *clock
	work   *workLog
	// statements counts what was asked of the database.
	statements *atomic.Int64
}

// newRig makes a site whose user ada has the password "correct horse", with the cheapest hasher.
func newRig(t *testing.T, change func(*cardea.Config)) *rig {
	t.Helper()
	return newHashingRig(t, password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}}, change)
}

// newHashingRig is newRig with hashers that matter.
func newHashingRig(t *testing.T, hashing password.Config, change func(*cardea.Config)) *rig {
	t.Helper()
	g := &rig{t: t, logs: &syncBuffer{}, clock: &clock{}, work: &workLog{}}
	g.db, g.statements = countedDB(t)
	cfg := cardeatest.Config()
	cfg.Logger = slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	cfg.Now = g.clock.now
	hashing.Trace, hashing.Logger = g.work.add, cfg.Logger
	var err error
	if cfg.Hashers, err = password.New(hashing); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&cfg)
	}
	encoded, err := cfg.Hashers.Make(context.Background(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	g.makeUser("ada", encoded, false)
	if g.site, err = cardea.New(g.db, cfg); err != nil {
		t.Fatal(err)
	}
	g.server = httptest.NewServer(g.site.Handler(application(g.site)))
	t.Cleanup(g.server.Close)
	return g
}

// application is a program with a page for people who are logged in, one that says who is, a form, and a one-time message.
func application(site *cardea.Site[*userdb.User]) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		fmt.Fprintf(w, "Hello, %s", user.Username)
	})))
	mux.HandleFunc("GET /cart", func(_ http.ResponseWriter, r *http.Request) {
		if err := sessions.From(r).Set("cart", "apples"); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post">%s<textarea name="text"></textarea><input name="color"><button>Save</button></form>`, csrf.Field(r))
	})
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "saved %q %q", r.PostFormValue("text"), r.PostFormValue("color"))
	})
	mux.HandleFunc("GET /note", func(_ http.ResponseWriter, r *http.Request) {
		if err := messages.Success(r, "A note for you, once."); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("GET /notes", func(w http.ResponseWriter, r *http.Request) {
		for _, m := range messages.Take(r) {
			fmt.Fprintln(w, m.Text)
		}
	})
	return mux
}

// A person is a browser at a low level: it keeps cookies, follows nothing, and sends what it is told to.
type person struct {
	rig     *rig
	base    string
	cookies map[string]string
	header  http.Header // sent with every request
}

func (g *rig) person() *person {
	return &person{rig: g, base: g.server.URL, cookies: map[string]string{}, header: http.Header{"Accept": {"text/html"}}}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (p *person) get(path string) answer {
	p.rig.t.Helper()
	return p.send(http.MethodGet, path, nil)
}

// post sends a form with the token that goes with the person's cookie.
func (p *person) post(path string, form url.Values) answer {
	p.rig.t.Helper()
	if p.cookie("csrftoken") == "" {
		p.get("/accounts/login/")
	}
	if !form.Has(csrf.FieldName) {
		form.Set(csrf.FieldName, p.cookie("csrftoken"))
	}
	return p.send(http.MethodPost, path, form)
}

// logIn sends the log-in form, half an hour after whatever came before.
func (p *person) logIn(username, plain string) answer {
	p.rig.t.Helper()
	p.rig.clock.step(30 * time.Minute)
	return p.post("/accounts/login/", url.Values{"username": {username}, "password": {plain}})
}

func (p *person) send(method, path string, form url.Values) answer {
	p.rig.t.Helper()
	req, err := http.NewRequest(method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.rig.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", p.base)
	}
	return p.do(req)
}

// do sends a request with the person's cookies and headers, and keeps the cookies of the answer.
func (p *person) do(req *http.Request) answer {
	p.rig.t.Helper()
	for name, values := range p.header {
		req.Header[name] = values
	}
	for name, value := range p.cookies {
		req.Header.Set("Cookie", strings.TrimPrefix(req.Header.Get("Cookie")+"; ", "; ")+name+"="+value)
	}
	resp, err := p.rig.server.Client().Transport.RoundTrip(req)
	if err != nil {
		p.rig.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.rig.t.Fatal(err)
	}
	for _, line := range resp.Header["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		if strings.Contains(attributes, "Max-Age=0") {
			delete(p.cookies, name)
			continue
		}
		p.cookies[name] = value
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// name is the full name of a cookie, prefix included.
func (p *person) name(base string) string {
	for name := range p.cookies {
		if strings.HasSuffix(name, base) {
			return name
		}
	}
	return base
}

func (p *person) cookie(base string) string { return p.cookies[p.name(base)] }

// isIn reports whether the site takes the person for somebody who is logged in.
func (p *person) isIn() bool {
	p.rig.t.Helper()
	a := p.get("/")
	switch {
	case a.status == http.StatusOK && strings.HasPrefix(a.body, "Hello, "):
		return true
	case a.status == http.StatusFound && strings.HasPrefix(a.header.Get("Location"), "/accounts/login/"):
		return false
	}
	p.rig.t.Fatalf("GET /: status %d, Location %q\n%s", a.status, a.header.Get("Location"), a.body)
	return false
}

func (a answer) redirects() bool {
	return a.status == http.StatusFound || a.status == http.StatusSeeOther
}

// A clock is one that tests move.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// A workLog keeps what was hashed.
type workLog struct {
	mu   sync.Mutex
	runs []password.Work
}

func (l *workLog) add(w password.Work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = append(l.runs, w)
}

// take returns what was hashed since the last call.
func (l *workLog) take() []password.Work {
	l.mu.Lock()
	defer l.mu.Unlock()
	runs := l.runs
	l.runs = nil
	return runs
}

// A syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// makeUser stores a user with an encoded password as it is.
func (g *rig) makeUser(name, encoded string, inactive bool) *userdb.User {
	g.t.Helper()
	u, err := g.db.CreateUser(context.Background(), userdb.NewUser{Username: name, Email: name + "@example.com", PasswordHash: encoded, Inactive: inactive})
	if err != nil {
		g.t.Fatal(err)
	}
	return u
}
