package remoteuser_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/remoteuser"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

const password = "correct horse battery"

// A site is one behind a proxy, which is the test itself.
type site struct {
	t      *testing.T
	db     *userdb.DB
	stack  *cardea.Site[*userdb.User]
	server *httptest.Server
	log    *log
}

// A log is what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// config is that of Django's defaults over db.
func config(db *userdb.DB) remoteuser.Config {
	return remoteuser.Config{
		Find: func(ctx context.Context, name string) (auth.User, error) { return db.UserByName(ctx, name) },
		Create: func(ctx context.Context, name string) (auth.User, bool, error) {
			return db.Users().ByNameOrCreate(ctx, name, "")
		},
		Username: func(u auth.User) string { return u.(*userdb.User).Username },
	}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// open starts a site whose proxies are on loopback; change may change that.
func open(t *testing.T, change func(*remoteuser.Config, *cardea.Config)) *site {
	t.Helper()
	s := &site{t: t, db: cardeatest.DB(t), log: &log{}}
	cfg, whole := config(s.db), cardeatest.Config()
	cfg.Proxies = loopback
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	whole.Logger = cfg.Logger
	if change != nil {
		change(&cfg, &whole)
	}
	proxied, err := remoteuser.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	passwords := userdb.PasswordBackend(s.db.Users(), cardeatest.Hashers(), userdb.BackendConfig{})
	whole.Backends = []auth.Backend{proxied, passwords}
	if s.stack, err = cardea.New(s.db, whole); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		if u, ok := s.stack.Auth.User(r); ok {
			fmt.Fprint(w, u.Username)
		}
	})
	mux.HandleFunc("GET /keep", func(w http.ResponseWriter, r *http.Request) {
		basket := s.stack.Sessions.Session(r)
		if v := r.URL.Query().Get("v"); v != "" {
			if err := basket.Set("basket", v); err != nil {
				t.Error(err)
			}
		}
		raw, _ := basket.Get("basket")
		fmt.Fprint(w, strings.Trim(string(raw), `"`))
	})
	mux.HandleFunc("POST /form", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/accounts/", s.stack.Pages)
	s.server = httptest.NewServer(s.stack.Handler(proxied.Handler(s.stack.Auth, mux)))
	t.Cleanup(s.server.Close)
	return s
}

// A visitor is a person whose browser is behind the proxy.
type visitor struct {
	site    *site
	browser *cardeatest.Browser
}

func (s *site) visitor() *visitor { return &visitor{s, cardeatest.Open(s.t, s.server.URL)} }

// get asks for a path with header lines "Name: value" and returns the body.
func (v *visitor) get(path string, lines ...string) string {
	v.site.t.Helper()
	status, body := v.ask(path, lines...)
	if status != http.StatusOK {
		v.site.t.Fatalf("%s %q: status %d\n%s", path, lines, status, body)
	}
	return body
}

func (v *visitor) ask(path string, lines ...string) (status int, body string) {
	v.site.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.site.server.URL+path, nil)
	if err != nil {
		v.site.t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := v.browser.Client().Do(req)
	if err != nil {
		v.site.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		v.site.t.Fatal(err)
	}
	return res.StatusCode, b.String()
}

func (v *visitor) is(want string, lines ...string) {
	v.site.t.Helper()
	if got := v.get("/who", lines...); got != want {
		v.site.t.Errorf("with %q the user is %q, want %q", lines, got, want)
	}
}

// login logs in by a password.
func (v *visitor) login(name string) {
	v.site.t.Helper()
	v.browser.Visit("/accounts/login/").Fill("username", name).Fill("password", password).Submit().HasStatus(http.StatusOK)
}

// key is the session's.
func (v *visitor) key() string { return v.browser.Cookie("sessionid") }
