package forwardauth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/forwardauth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

const password = "correct horse battery"

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

// A site is one that proxies ask; the test is the proxy.
type site struct {
	t      *testing.T
	db     *userdb.DB
	stack  *cardea.Site[*userdb.User]
	server *httptest.Server
	log    *log
}

// errDown is what the test's own tables answer when they are broken.
var errDown = errors.New("down")

func newHandler(rules []forwardauth.Rule) (*forwardauth.Handler, error) {
	return forwardauth.New(&auth.Auth[*userdb.User]{}, forwardauth.Config{
		Rules:    rules,
		Describe: func(context.Context, auth.User) (forwardauth.Person, error) { return forwardauth.Person{}, errDown },
	})
}

// open makes a site with these rules; change may change more.
func open(t *testing.T, rules []forwardauth.Rule, change ...func(*forwardauth.Config, *cardea.Config)) *site {
	t.Helper()
	s := &site{t: t, db: cardeatest.DB(t), log: &log{}}
	for _, name := range []string{"staff", "admins", "Zoë, & co"} {
		if _, err := s.db.Users().Groups().Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	ada := cardeatest.User(t, s.db, "ada", password)
	for _, group := range []string{"staff", "Zoë, & co"} {
		if err := s.db.Users().Groups().Add(t.Context(), group, ada); err != nil {
			t.Fatal(err)
		}
	}
	whole := cardeatest.Config()
	whole.AllowedHosts, whole.TrustedProxies = []string{".example.com"}, []string{"127.0.0.1"}
	whole.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	groups := s.db.Users().Groups()
	cfg := forwardauth.Config{
		Rules: rules, Logger: whole.Logger,
		Describe: func(ctx context.Context, user auth.User) (p forwardauth.Person, err error) {
			u := user.(*userdb.User)
			p = forwardauth.Person{Username: u.Username, Name: u.FirstName, Email: u.Email}
			p.Groups, err = groups.Names(ctx, u)
			return p, err
		},
	}
	for _, f := range change {
		f(&cfg, &whole)
	}
	var err error
	if s.stack, err = cardea.New(s.db, whole); err != nil {
		t.Fatal(err)
	}
	verify, err := forwardauth.New(s.stack.Auth, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/verify", verify)
	mux.Handle("/accounts/", s.stack.Pages)
	s.server = httptest.NewServer(s.stack.Handler(mux))
	t.Cleanup(s.server.Close)
	return s
}

// A visitor has the cookies of one who logged in, or none.
type visitor struct {
	site   *site
	cookie string
	accept string
}

func (s *site) visitor() *visitor { return &visitor{s, "", "text/html"} }

// login logs a user in, as the proxy of HTTPS would let the browser.
func (s *site) login(name string) *visitor {
	s.t.Helper()
	b := cardeatest.Open(s.t, s.server.URL)
	b.Client().Jar = nil
	cookies := ""
	send := func(method, body string) *cardeatest.Browser {
		req, err := http.NewRequest(method, s.server.URL+"/accounts/login/", strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Host = "login.example.com"
		req.Header.Set("X-Forwarded-Proto", "https")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://login.example.com")
		req.Header.Set("Cookie", cookies)
		b.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.Do(req)
		for _, line := range b.Header.Values("Set-Cookie") {
			pair, _, _ := strings.Cut(line, ";")
			cookies += "; " + pair
		}
		return b
	}
	send(http.MethodGet, "")
	_, rest, _ := strings.Cut(b.Body, `name="csrfmiddlewaretoken" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	send(http.MethodPost, "username="+name+"&password="+strings.ReplaceAll(password, " ", "+")+"&csrfmiddlewaretoken="+token).HasStatus(http.StatusSeeOther)
	return &visitor{s, strings.TrimPrefix(cookies, "; "), "text/html"}
}

// ask asks as a proxy that serves HTTPS does, with header lines "Name: value" beside.
func (v *visitor) ask(host, uri string, lines ...string) *http.Response {
	v.site.t.Helper()
	return v.askAt("/auth/verify", host, uri, lines...)
}

func (v *visitor) askAt(path, host, uri string, lines ...string) *http.Response {
	v.site.t.Helper()
	return v.send(path, append([]string{
		"X-Forwarded-Proto: https", "X-Forwarded-Method: GET", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: " + host, "X-Forwarded-Uri: " + uri,
	}, lines...)...)
}

// send sends a request with nothing but these header lines.
func (v *visitor) send(path string, lines ...string) *http.Response {
	v.site.t.Helper()
	req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil) // past the client's own checks of headers
	req.RemoteAddr, req.Host = "127.0.0.1:4711", "login.example.com"
	req.Header.Set("Accept", v.accept)
	if v.cookie != "" {
		req.Header.Set("Cookie", v.cookie)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if name == "peer" {
			req.RemoteAddr = value
			continue
		}
		name = http.CanonicalHeaderKey(name)
		req.Header[name] = append(req.Header[name], value)
	}
	w := httptest.NewRecorder()
	v.site.server.Config.Handler.ServeHTTP(w, req)
	return w.Result()
}
