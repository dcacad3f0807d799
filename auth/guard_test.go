package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/perm"
)

// Superuser makes a member called root one.
func (m *member) Superuser() bool { return m.name == "root" }

// A ward is a source of permissions in memory, by user id.
type ward struct {
	mu    sync.Mutex
	has   map[string][]string
	down  error
	asked int
}

func (s *ward) set(id string, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[id] = names
}

func (s *ward) Permissions(_ context.Context, who perm.Subject) (perm.Grants, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if !who.Active {
		return perm.Grants{}, s.down
	}
	return perm.Grants{Direct: perm.NewSet(s.has[who.ID]...)}, s.down
}

// guarded makes a site with a source of permissions.
func guarded(t *testing.T, change ...func(*site, *auth.Config)) (*site, *ward) {
	t.Helper()
	source := &ward{has: map[string][]string{}}
	return open(t, append([]func(*site, *auth.Config){func(s *site, cfg *auth.Config) {
		cfg.Permissions = []perm.Source{source}
		s.users.members["4"] = member{id: "4", name: "root", password: "plain$toor", active: true}
	}}, change...)...), source
}

// ask sends one request to a handler, with the browser's cookies, and returns the answer and its body.
func (b *browser) ask(h http.Handler, method, target string, header ...string) (*http.Response, string) {
	b.s.t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+target, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header = b.header.Clone()
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if method == http.MethodPost {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: "cardea_csrftoken", Value: strings.Repeat("a", 32)})
		r.Header.Set("X-CSRFToken", strings.Repeat("a", 32))
	}
	w := httptest.NewRecorder()
	b.s.wrap(h).ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c.Value
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return res, string(body)
}

// want compares an answer with "200", or "302 /target".
func want(t *testing.T, what string, res *http.Response, answer string) {
	t.Helper()
	got := strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", res.Header.Get("Location")))
	if got != answer {
		t.Errorf("%s: got %s, want %s", what, got, answer)
	}
}

// page is what guards guard.
var page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the page") })

const program = "application/json"

func TestRequirePermission(t *testing.T) {
	t.Parallel()
	s, source := guarded(t)
	one := s.auth.RequirePermission("blog.add_post")(page)
	both := s.auth.RequirePermission("blog.add_post", "blog.change_post")(page)

	visitor := s.browser()
	res, body := visitor.ask(one, "GET", "/new/?x=1")
	want(t, "a visitor", res, "302 /accounts/login/?next=/new/%3Fx%3D1")
	res, _ = visitor.ask(one, "GET", "/new/", "Accept", program)
	want(t, "a program", res, "401")
	if strings.Contains(body, "the page") || len(visitor.cookies) != 0 || source.asked != 0 {
		t.Errorf("a visitor: body %q, cookies %v, the source was asked %d times", body, visitor.cookies, source.asked)
	}

	ada := s.browser()
	ada.signIn("ada", "engine")
	res, body = ada.ask(both, "GET", "/new/")
	want(t, "without permissions", res, "403")
	if strings.Contains(body, "the page") {
		t.Errorf("denied, and got %q", body)
	}
	source.set("1", "blog.add_post", "other.change_post")
	res, body = ada.ask(one, "GET", "/new/") // seen at the next request
	want(t, "with the permission", res, "200")
	contains(t, "the body", body, "the page")
	res, _ = ada.ask(both, "GET", "/new/")
	want(t, "with one of two", res, "403")
	source.set("1", "blog.add_post", "blog.change_post")
	res, _ = ada.ask(both, "GET", "/new/")
	want(t, "with both", res, "200")
	source.set("1")
	res, _ = ada.ask(one, "GET", "/new/")
	want(t, "with none again", res, "403")
	res, _ = ada.ask(one, "GET", "/new/", "Accept", program)
	want(t, "a program, denied", res, "403")

	asked := source.asked
	root := s.browser()
	root.signIn("root", "toor")
	res, _ = root.ask(both, "GET", "/new/")
	want(t, "a superuser", res, "200")
	if source.asked != asked {
		t.Error("a source was asked about a superuser")
	}
	s.users.change("4", func(m *member) { m.active = false })
	res, _ = root.ask(both, "GET", "/new/")
	want(t, "an inactive superuser", res, "302 /accounts/login/?next=/new/")

	source.down = errors.New("down")
	res, _ = ada.ask(one, "GET", "/new/")
	want(t, "an outage", res, "503")
}

// TestDenied: who is denied gets a number, by which the log says why; and nothing in a request forges a line of the log.
func TestDenied(t *testing.T) {
	t.Parallel()
	var errs []error
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) {
		cfg.Error = func(w http.ResponseWriter, _ *http.Request, err error) {
			errs = append(errs, err)
			w.WriteHeader(http.StatusForbidden)
		}
	})
	ada := s.browser()
	ada.signIn("ada", "engine")
	ask := func(guard func(http.Handler) http.Handler, what string) *auth.DeniedError {
		t.Helper()
		ada.ask(guard(page), "GET", "/new/")
		var denied *auth.DeniedError
		if len(errs) == 0 || !errors.As(errs[len(errs)-1], &denied) {
			t.Fatalf("%s: got %v, want a DeniedError", what, errs)
		}
		if len(denied.ID) != 10 || errors.Is(denied, auth.ErrInvalid) || errors.Is(denied, auth.ErrAnonymous) {
			t.Errorf("%s: %+v", what, denied)
		}
		line := ""
		for _, l := range strings.Split(s.logs.String(), "\n") {
			if strings.Contains(l, denied.ID) {
				line += l
			}
		}
		for _, part := range []string{"level=WARN", "id=" + denied.ID, "guard=" + denied.Guard, "user=1", "method=GET", "path=/new/", denied.Reason, denied.Permission} {
			contains(t, what+": the log", line, part)
		}
		return denied
	}
	first := ask(s.auth.RequirePermission("blog.add_post"), "a permission")
	if first.Permission != "blog.add_post" || first.UserID != "1" || first.Guard != "RequirePermission" {
		t.Errorf("got %+v", first)
	}
	contains(t, "the text", first.Error(), "blog.add_post")
	second := ask(s.auth.RequirePermission("blog.add_post"), "again")
	if first.ID == second.ID {
		t.Error("two denials have one number")
	}
	third := ask(s.auth.RequireTest("not an editor", func(*http.Request, *member) bool { return false }), "a test")
	if third.Reason != "not an editor" || third.Permission != "" {
		t.Errorf("got %+v", third)
	}
}

// TestDeniedDefault: without an error page of the site's, the answer shows the number and nothing else of the reason.
func TestDeniedDefault(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	ada := s.browser()
	ada.signIn("ada", "engine")
	res, body := ada.ask(s.auth.RequirePermission("blog.add_post")(page), "GET", "/new/")
	want(t, "denied", res, "403")
	_, after, _ := strings.Cut(body, "number ")
	id := strings.TrimSuffix(strings.TrimSpace(after), ".")
	if len(id) != 10 || !strings.Contains(s.logs.String(), "id="+id+" ") || strings.Contains(body, "add_post") {
		t.Errorf("got %q", body)
	}
}

// A rawLog writes values as they are, as some log handlers do.
type rawLog struct {
	slog.Handler
	out *strings.Builder
}

func (l rawLog) Enabled(context.Context, slog.Level) bool { return true }

func (l rawLog) Handle(_ context.Context, r slog.Record) error {
	l.out.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		l.out.WriteString(" " + a.Key + "=" + a.Value.String())
		return true
	})
	l.out.WriteString("\n")
	return nil
}

// TestM34LogInjection: no path forges a line of the log, or hides one.
func TestM34LogInjection(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) { cfg.Logger = slog.New(rawLog{out: &out}) })
	ada := s.browser()
	ada.signIn("ada", "engine")
	for _, c := range []struct{ path, logged string }{
		{"/a%0Aauth:%20request%20denied%20id=forged", `path=/a\nauth: request denied id=forged`},
		{"/%0D%0A%1B%5B2J%00", `path=/\r\n\x1b[2J\x00`},
		{"/%E2%80%A8%E2%80%AE%C2%85%7F", `path=/\u2028\u202e\u0085\x7f`},
		{"/%FF%C3", `path=/\xff\xc3`},
		{"/caf%C3%A9", `path=/café`},
		{"/" + strings.Repeat("%0A", 2000), `path=/` + strings.Repeat(`\n`, 511) + "…"},
	} {
		out.Reset()
		res, _ := ada.ask(s.auth.RequireTest("no", func(*http.Request, *member) bool { return false })(page), "GET", c.path)
		want(t, c.path[:min(20, len(c.path))], res, "403")
		if got := out.String(); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b\x00\u2028\u202e\u0085\x7f") {
			t.Errorf("the log is %q", got)
		}
		contains(t, "the log", out.String(), c.logged)
	}
}

func TestRequireTest(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	asked := 0
	guard := s.auth.RequireTest("not ada", func(r *http.Request, m *member) bool {
		asked++
		return m.name == "ada" && r.URL.Path == "/x"
	})(page)
	res, _ := s.browser().ask(guard, "GET", "/x")
	want(t, "a visitor", res, "302 /accounts/login/?next=/x")
	if asked != 0 {
		t.Error("the test was asked about a visitor")
	}
	for name, c := range map[string]struct{ password, answer string }{"ada": {"engine", "200"}, "bob": {"builder", "403"}} {
		b := s.browser()
		b.signIn(name, c.password)
		res, _ := b.ask(guard, "GET", "/x")
		want(t, name, res, c.answer)
	}
}

func TestAnonymousOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, target string
		header       []string
		home, user   string // where a login leads; the answer to ada
	}{
		{"to where a login leads", "/sign-up/", nil, "", "302 /accounts/profile/"},
		{"to next", "/sign-up/?next=/cart%3Fa%3D1", nil, "", "302 /cart?a=1"},
		{"not to elsewhere", "/sign-up/?next=//evil.example/", nil, "", "302 /accounts/profile/"},
		{"not to itself", "/sign-up/?next=/sign-up/", nil, "", "302 /accounts/profile/"},
		{"not to itself in full", "/sign-up/?next=http://localhost/sign-up/%3Fa", nil, "", "302 /accounts/profile/"},
		{"not to itself encoded", "/sign-up/?next=/%2573ign-up/", nil, "", "302 /accounts/profile/"},
		{"nowhere to go", "/sign-up/", nil, "/sign-up/", "403"},
		{"a program", "/sign-up/", []string{"Accept", program}, "", "403"},
		{"the login page", "/accounts/login/", nil, "", "302 /accounts/profile/"},
		{"the login page, again", "/accounts/login/?again=1&next=/x", nil, "", "200"},
		{"another page, again", "/sign-up/?again=1", nil, "", "302 /accounts/profile/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := guarded(t, func(_ *site, cfg *auth.Config) { cfg.LoginRedirectURL = c.home })
			guard := s.auth.AnonymousOnly(page)
			res, body := s.browser().ask(guard, "GET", c.target, c.header...)
			want(t, "a visitor", res, "200")
			contains(t, "the body", body, "the page")
			ada := s.browser()
			ada.signIn("ada", "engine")
			res, _ = ada.ask(guard, "GET", c.target, c.header...)
			want(t, "ada", res, c.user)
		})
	}
}

// TestGuardsOutage: when the user cannot be looked up, no guard takes anybody for anonymous.
func TestGuardsOutage(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	ada := s.browser()
	ada.signIn("ada", "engine")
	s.store.set(func(s *shim) { s.down = errors.New("down") })
	for name, guard := range map[string]http.Handler{
		"RequirePermission": s.auth.RequirePermission("a.b")(page),
		"RequireTest":       s.auth.RequireTest("", func(*http.Request, *member) bool { return true })(page),
		"AnonymousOnly":     s.auth.AnonymousOnly(page),
		"Fresh":             s.auth.Fresh(1)(page),
		"LoginRequired":     s.auth.LoginRequired()(page),
	} {
		res, body := ada.ask(guard, "GET", "/accounts/login/")
		if want(t, name, res, "503"); strings.Contains(body, "the page") {
			t.Errorf("%s: got %q", name, body)
		}
	}
}

// TestGuardMistakes: a guard that could let nobody or everybody through is found when it is made.
func TestGuardMistakes(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	bare := open(t)
	for name, make := range map[string]func(){
		"no permission": func() { s.auth.RequirePermission() },
		"no app":        func() { s.auth.RequirePermission("a.b", "add_post") },
		"no codename":   func() { s.auth.RequirePermission("blog.") },
		"no source":     func() { bare.auth.RequirePermission("blog.add_post") },
		"no time":       func() { s.auth.Fresh(0) },
		"all paths":     func() { auth.Paths("/") },
		"no slash":      func() { auth.Paths("static/") },
		"dots":          func() { auth.Paths("/a/../b") },
		"a wildcard":    func() { auth.Paths("/a/{id}/") },
		"half an end":   func() { auth.Paths("/a{$}") },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "auth: ") {
					t.Errorf("%s: recovered %v, want a panic with the cure", name, v)
				}
			}()
			make()
		}()
	}
	if _, err := auth.New(s.users, s.manager, auth.Config{
		Backends: []auth.Backend{s.backend}, Keys: keysOf(secret), Permissions: []perm.Source{nil},
	}); err == nil {
		t.Error("New took a nil source")
	}
}
