package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

const (
	secret    = "the secret of the tests, which is long enough"
	oldSecret = "the secret before, which is long enough too"
	modelName = "django.contrib.auth.backends.ModelBackend"
)

// A member is the user type of the tests, made by hand.
type member struct {
	id, name, email, password string
	active                    bool
	lastLogin                 time.Time
}

func (m *member) AuthID() string       { return m.id }
func (m *member) PasswordHash() string { return m.password }
func (m *member) Active() bool         { return m.active }

// A table is a user table in memory.
type table struct {
	mu      sync.Mutex
	members map[string]member
	outside map[string]string // issuer and subject to id
	enrol   bool              // provisions unknown outsiders
	down    error
	hangs   bool // nothing can be recorded, and nobody says so
	asked   int  // calls of ByID
}

func newTable() *table {
	return &table{outside: map[string]string{}, members: map[string]member{
		"1": {id: "1", name: "ada", email: "ada@example.com", password: "plain$engine", active: true},
		"2": {id: "2", name: "bob", email: "bob@example.com", password: "plain$builder", active: true},
		"3": {id: "3", name: "eve", email: "eve@example.com", password: "plain$apple", active: false},
	}}
}

func (t *table) ByID(ctx context.Context, id string) (*member, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	if err := errors.Join(t.down, ctx.Err()); err != nil {
		return nil, err
	}
	m, ok := t.members[id]
	if !ok {
		return nil, auth.ErrNoUser
	}
	return &m, nil
}

func (t *table) ByIdentity(ctx context.Context, id *auth.Identity) (*member, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := errors.Join(t.down, ctx.Err()); err != nil {
		return nil, err
	}
	if id.Issuer == "" || id.Subject == "" {
		return nil, auth.ErrNoUser
	}
	key := id.Issuer + " " + id.Subject
	m, ok := t.members[t.outside[key]]
	switch {
	case ok:
		return &m, nil
	case !t.enrol:
		return nil, auth.ErrNoUser
	}
	m = member{id: fmt.Sprint(100 + len(t.members)), name: id.Name, password: "!", active: true}
	t.members[m.id], t.outside[key] = m, m.id
	return &m, nil
}

func (t *table) RecordLogin(ctx context.Context, m *member, at time.Time) error {
	if t.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m.lastLogin = at
	t.members[m.id] = *m
	return t.down
}

// change edits a member as another program would.
func (t *table) change(id string, f func(*member)) *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.members[id]
	f(&m)
	t.members[id] = m
	return &m
}

// passwords is a back end over the table whose hashing is a counter.
type passwords struct {
	table *table
	name  string
	work  atomic.Int64
	down  error
}

func (p *passwords) Name() string { return p.name }

func (p *passwords) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	c, ok := creds.(auth.Password)
	if !ok {
		return nil, auth.ErrNoMatch
	}
	if err := errors.Join(p.down, r.Context().Err()); err != nil {
		return nil, err
	}
	p.work.Add(1) // for unknown users too
	p.table.mu.Lock()
	defer p.table.mu.Unlock()
	for _, m := range p.table.members {
		if m.name == c.Username && m.password == "plain$"+c.Password && m.active {
			return &auth.Identity{UserID: m.id, Attached: &m, Methods: []string{"pwd"}}, nil
		}
	}
	return nil, auth.ErrNoMatch
}

// A stub is a back end with a fixed answer.
type stub struct {
	name  string
	id    *auth.Identity
	err   error
	calls atomic.Int64
}

func (s *stub) Name() string { return s.name }

func (s *stub) Authenticate(*http.Request, any) (*auth.Identity, error) {
	s.calls.Add(1)
	return s.id, s.err
}

// A shim stands between a Manager and its store, to fail, to wait, or to load a user beside the session.
type shim struct {
	sessions.Store
	mu     sync.Mutex
	down   error
	attach func(sessions.Record) any
	after  func(op string) // runs after each call
	loads  atomic.Int64
}

func (s *shim) set(f func(*shim)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *shim) now() (attach func(sessions.Record) any, after func(string), down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after = s.after
	if after == nil {
		after = func(string) {}
	}
	return s.attach, after, s.down
}

func (s *shim) Load(ctx context.Context, key string) (sessions.Record, error) {
	attach, after, down := s.now()
	if down != nil {
		return sessions.Record{}, down
	}
	defer after("load")
	s.loads.Add(1)
	rec, err := s.Store.Load(ctx, key)
	if err == nil && attach != nil {
		rec.Attached = attach(rec)
	}
	return rec, err
}

func (s *shim) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	_, after, down := s.now()
	if down != nil {
		return "", down
	}
	defer after("save")
	return s.Store.Save(ctx, key, rec)
}

func (s *shim) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	_, after, down := s.now()
	if down != nil {
		return "", down
	}
	defer after("rotate")
	return s.Store.Rotate(ctx, key, rec)
}

func (s *shim) Delete(ctx context.Context, key string) error {
	_, after, down := s.now()
	if down != nil {
		return down
	}
	defer after("delete")
	return s.Store.Delete(ctx, key)
}

func (s *shim) Rotated(ctx context.Context, key string) (bool, error) {
	return s.Store.(sessions.Tracer).Rotated(ctx, key)
}

// A site is everything around an Auth.
type site struct {
	t       *testing.T
	auth    *auth.Auth[*member]
	users   *table
	backend *passwords
	store   *shim
	manager *sessions.Manager
	logs    *syncBuffer
	wrap    func(http.Handler) http.Handler

	mu  sync.Mutex
	at  time.Time
	err error // what replaced the last response
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

// replaced returns and forgets the error that replaced the last response.
func (s *site) replaced() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return err
}

// open makes a site, with changes to the configuration of its Auth.
func open(t *testing.T, change ...func(*site, *auth.Config)) *site {
	t.Helper()
	s := &site{t: t, users: newTable(), logs: &syncBuffer{}, at: time.Now().UTC().Truncate(time.Second)}
	s.backend = &passwords{table: s.users, name: modelName}
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	s.store = &shim{Store: memstore.New(memstore.Config{Now: s.clock})}
	var err error
	if s.manager, err = sessions.New(s.store, sessions.Config{Now: s.clock, Logger: log}); err != nil {
		t.Fatal(err)
	}
	cfg := auth.Config{Backends: []auth.Backend{s.backend}, Keys: signing.Keys{Current: secret}, Now: s.clock, Logger: log}
	for _, f := range change {
		f(s, &cfg)
	}
	if s.auth, err = auth.New(s.users, s.manager, cfg); err != nil {
		t.Fatal(err)
	}
	s.wrap = s.layers(s.auth, log)
	return s
}

func (s *site) layers(a *auth.Auth[*member], log *slog.Logger) func(http.Handler) http.Handler {
	return s.stack(a, log, a.Claims)
}

// layersWithout are the layers without the one that looks for credentials in the request.
func (s *site) layersWithout(a *auth.Auth[*member]) func(http.Handler) http.Handler {
	return s.stack(a, slog.New(slog.NewTextHandler(s.logs, nil)), func(h http.Handler) http.Handler { return h })
}

func (s *site) stack(a *auth.Auth[*member], log *slog.Logger, claims func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	o, err := origin.New(origin.Config{})
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := csrf.New(csrf.Config{Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	fail := func(w http.ResponseWriter, _ *http.Request, err error) {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		status := http.StatusServiceUnavailable
		if errors.Is(err, sessions.ErrInterrupted) {
			status = http.StatusBadRequest
		}
		http.Error(w, "an error page", status)
	}
	return func(app http.Handler) http.Handler {
		return respond.Handler(o.Handler(claims(s.manager.Handler(c.Handler(a.Handler(app))))), respond.Config{Error: fail, Logger: log})
	}
}

// record loads the session that a browser's cookie names.
func (s *site) record(b *browser) sessions.Record {
	s.t.Helper()
	rec, err := s.store.Store.Load(context.Background(), b.key())
	if err != nil {
		s.t.Fatalf("the session of the cookie: %v", err)
	}
	return rec
}

func (s *site) live(key string) bool {
	_, err := s.store.Store.Load(context.Background(), key)
	return err == nil
}

// plant stores a session with this JSON for data and returns a browser that has its cookie.
func (s *site) plant(data string) *browser {
	s.t.Helper()
	d, err := sessions.ParseData([]byte(data))
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := s.store.Store.Save(context.Background(), "", sessions.Record{Data: d, Expires: s.clock().Add(time.Hour), Created: s.clock()})
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	b.cookies["cardea_sessionid"] = key
	return b
}

// login is the JSON of a login as Django leaves it.
func login(id, backend, hash string) string {
	b, err := json.Marshal(hash)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"cart":[1],"_auth_user_id":%s,"_auth_user_backend":"%s","_auth_user_hash":%s}`, id, backend, b)
}

// A browser keeps cookies.
type browser struct {
	s       *site
	mu      sync.Mutex
	cookies map[string]string
	header  http.Header
	query   string
}

func (s *site) browser() *browser {
	return &browser{s: s, cookies: map[string]string{}, header: http.Header{"Accept": {"text/html,*/*;q=0.8"}}}
}

func (b *browser) key() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cookies["cardea_sessionid"]
}

// request sends one request to an app that is just this handler.
func (b *browser) request(h http.HandlerFunc) *http.Response { return b.send(context.Background(), h) }

func (b *browser) send(ctx context.Context, h http.HandlerFunc) *http.Response {
	return b.sendBy(ctx, http.MethodGet, h)
}

// method is request by another method than GET.
func (b *browser) method(method string, h http.HandlerFunc) *http.Response {
	return b.sendBy(context.Background(), method, h)
}

func (b *browser) sendBy(ctx context.Context, method string, h http.HandlerFunc) *http.Response {
	r := httptest.NewRequestWithContext(ctx, method, "http://localhost/page"+b.query, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header = b.header.Clone()
	b.mu.Lock()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.mu.Unlock()
	w := httptest.NewRecorder()
	b.s.wrap(h).ServeHTTP(w, r)
	res := w.Result()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return res
}

// signIn logs in with a password, and fails the test if that does not work.
func (b *browser) signIn(name, password string) *http.Response {
	b.s.t.Helper()
	return b.request(func(_ http.ResponseWriter, r *http.Request) {
		if err := b.s.auth.SignIn(r, auth.Password{Username: name, Password: password}); err != nil {
			b.s.t.Errorf("SignIn(%q): %v", name, err)
		}
	})
}

// who returns the name of the user that the site sees, or "".
func (b *browser) who() (name string) {
	b.request(func(_ http.ResponseWriter, r *http.Request) {
		if u, ok := b.s.auth.User(r); ok {
			name = u.name
		}
	})
	return name
}

// syncBuffer is a log that several requests write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func contains(t *testing.T, what, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s = %q, which lacks %q", what, text, want)
	}
}
