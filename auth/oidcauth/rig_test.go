package oidcauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// A rig is a site with a provider, and handlers that say in a word what came of a login.
type rig struct {
	*cardeatest.Browser
	t        *testing.T
	provider *oidctest.Provider
	other    *oidctest.Provider // an honest one that somebody else runs, or nil
	site     *cardea.Site[*userdb.User]
	flow     *oidcauth.Flow
	backend  *oidcauth.Backend
	log      *strings.Builder
	lastID   *auth.Identity
	caught   *auth.Arrival // the last one, where catch is set: nobody is logged in then
	catch    bool
	ended    *ender
}

const (
	clientID     = "site & co"
	clientSecret = "s3cret/+ of the site"
)

func newRig(t *testing.T, change func(cfg *oidcauth.Config)) *rig {
	t.Helper()
	return newRigWith(t, change, nil)
}

// newRigWith makes a site with a provider "here", and "there" if other is set.
func newRigWith(t *testing.T, change func(cfg *oidcauth.Config), other *oidctest.Provider) *rig {
	t.Helper()
	g := &rig{t: t, provider: oidctest.New(t), other: other, log: &strings.Builder{}, ended: &ender{}}
	logger := slog.New(slog.NewTextHandler(&lockedWriter{w: g.log}, nil))
	cfg := oidcauth.Config{
		Name: "here", Issuer: g.provider.Issuer, ClientID: clientID, ClientSecret: clientSecret, Groups: "groups", BackChannel: true, EndSession: true,
		Timeout: 5 * time.Second, Logger: logger,
	}
	if change != nil {
		change(&cfg)
	}
	here, err := oidcauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	providers := []*oidcauth.Provider{here}
	if other != nil {
		there, err := oidcauth.New(oidcauth.Config{Name: "there", Issuer: other.Issuer, ClientID: clientID, ClientSecret: clientSecret, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		providers = append(providers, there)
	}
	if g.flow, err = oidcauth.NewFlow(&memory{}, providers, oidcauth.FlowConfig{Logger: logger, Now: cfg.Now}); err != nil {
		t.Fatal(err)
	}
	users, err := userdb.NewTable(cardeatest.DB(t), userdb.TableConfig[userdb.User]{ByIdentity: g.byIdentity})
	if err != nil {
		t.Fatal(err)
	}
	config := cardeatest.Config()
	g.backend = oidcauth.NewBackend("oidc", providers...)
	config.Backends = []auth.Backend{g.backend}
	config.Logger, config.Now = logger, cfg.Now
	if g.site, err = cardea.NewWith(users, config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /go/{provider}", g.begin)
	mux.HandleFunc("GET /accounts/oidc/{provider}/callback/", g.back)
	mux.HandleFunc("GET /whoami", g.whoami)
	mux.HandleFunc("GET /leave", func(w http.ResponseWriter, r *http.Request) {
		to := g.flow.Leave(r, "http://"+r.Host+"/whoami")
		if err := g.site.Auth.Logout(r); err != nil || to == "" {
			fmt.Fprintf(w, "left without the provider (%v)", err)
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	outer := http.NewServeMux()
	outer.Handle("/", g.site.Handler(mux))
	outer.HandleFunc("POST /accounts/oidc/{provider}/callback/", func(w http.ResponseWriter, r *http.Request) {
		if !g.flow.Posted(w, r) {
			http.Error(w, "no form", http.StatusBadRequest)
		}
	})
	outer.HandleFunc("/accounts/oidc/{provider}/backchannel/", func(w http.ResponseWriter, r *http.Request) {
		g.flow.BackChannel(w, r, r.PathValue("provider"), g.ended)
	})
	g.Browser = cardeatest.NewBrowser(t, outer)
	g.provider.Register(clientID, clientSecret, g.URL("/accounts/oidc/here/callback/"))
	if other != nil {
		other.Register(clientID, clientSecret, g.URL("/accounts/oidc/there/callback/"))
	}
	return g
}

// byIdentity makes a user for everybody.
func (g *rig) byIdentity(ctx context.Context, t *userdb.Table[userdb.User], id *auth.Identity) (*userdb.User, error) {
	g.lastID = id
	u, err := t.ByName(ctx, id.Subject)
	if errors.Is(err, auth.ErrNoUser) {
		u = &userdb.User{Username: id.Subject, Password: "!", IsActive: true}
		err = t.Create(ctx, u)
	}
	return u, err
}

func (g *rig) begin(w http.ResponseWriter, r *http.Request) {
	to, err := g.flow.Begin(w, r, auth.Journey{
		Provider: r.PathValue("provider"), Next: r.URL.Query().Get("next"), Again: r.URL.Query().Get("again") != "", User: r.URL.Query().Get("user"),
	})
	if err != nil {
		say(w, err)
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (g *rig) back(w http.ResponseWriter, r *http.Request) {
	arrival, err := g.flow.Return(w, r, r.PathValue("provider"))
	if g.catch {
		g.caught = &arrival
		return
	}
	if err == nil && arrival.User != "" {
		var id *auth.Identity
		if id, err = arrival.Identify(r); err == nil {
			fmt.Fprintf(w, "user %s is %s at %s", arrival.User, id.Subject, id.Issuer)
			return
		}
	}
	if err == nil {
		if err = g.site.Auth.SignIn(r, arrival.Credentials); err == nil {
			err = arrival.Remember(r)
		}
	}
	if err != nil {
		say(w, err)
		return
	}
	user, _ := g.site.Auth.User(r)
	fmt.Fprintf(w, "in as %s, next %q", user.Username, arrival.Next)
}

func (g *rig) whoami(w http.ResponseWriter, r *http.Request) {
	user, err := g.site.Auth.Lookup(r)
	if err != nil {
		fmt.Fprint(w, "nobody")
		return
	}
	p := g.site.Auth.Proofs(r)[0]
	fmt.Fprintf(w, "%s by %s %v at %d", user.Username, p.Backend, p.Methods, p.At.Unix())
}

// say tells the kinds of errors apart.
func say(w http.ResponseWriter, err error) {
	var outage *auth.OutageError
	switch {
	case errors.Is(err, auth.ErrJourney):
		fmt.Fprint(w, "no attempt")
	case errors.Is(err, auth.ErrCancelled):
		fmt.Fprint(w, "cancelled")
	case errors.Is(err, auth.ErrNoProvider):
		fmt.Fprint(w, "no provider")
	case errors.Is(err, auth.ErrInvalid):
		fmt.Fprint(w, "refused")
	case errors.As(err, &outage):
		fmt.Fprint(w, "outage: ", err)
	default:
		fmt.Fprint(w, "error: ", err)
	}
}

// in ends the test unless the login succeeds.
func (g *rig) in() {
	g.t.Helper()
	if g.Visit("/go/here?next=/cart"); g.Body != `in as `+g.provider.User.Subject+`, next "/cart"` {
		g.t.Fatalf("a faultless login: %s\n%s", g.Body, g.log)
	}
}

// stopAt logs in up to an address on the way, which is returned and not asked for.
func (g *rig) stopAt(from, prefix string) string {
	g.t.Helper()
	client := *g.Client()
	at := ""
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if at = r.URL.String(); strings.HasPrefix(at, prefix) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Get(g.URL(from))
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); !strings.HasPrefix(at, prefix) {
		g.t.Fatalf("the login got to %q, not to %q: %s", at, prefix, body)
	}
	return at
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// memory is a Store.
type memory struct {
	mu   sync.Mutex
	rows map[string]row
	down error
}

type row struct {
	value   []byte
	expires time.Time
}

func (m *memory) Put(_ context.Context, key string, value []byte, expires time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.rows[key]; ok || m.down != nil {
		return false, m.down
	}
	if m.rows == nil {
		m.rows = map[string]row{}
	}
	m.rows[key] = row{value, expires}
	return true, nil
}

func (m *memory) Look(_ context.Context, key string, now time.Time) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[key]
	return r.value, ok && now.Before(r.expires), m.down
}

func (m *memory) Take(ctx context.Context, key string, now time.Time) ([]byte, bool, error) {
	value, ok, err := m.Look(ctx, key, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
	return value, ok, err
}
