// Package oidctest has an OpenID provider for tests: faultless by default, and wrong on demand, one fault at a time. It checks what
// a provider has to check: redirect addresses, the client's secret, PKCE, and that a code works once.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// A Provider is an OpenID provider at an address of its own. People do not type anything there: whoever comes is [Provider.User],
// logged in at once.
type Provider struct {
	Issuer string // its address, and its name

	// User is who is logged in there.
	User User
	// Faults is what goes wrong.
	Faults Faults
	// SendsIss has answers name the issuer (RFC 9207), and announces it. New sets it.
	SendsIss bool
	// Now is its clock. Defaults to time.Now.
	Now func() time.Time

	server  *httptest.Server
	mu      sync.Mutex
	clients map[string]client
	codes   map[string]grant
	tokens  map[string]grant // by access token
	keys    []key
	calls   map[string]int
	last    grant
}

// A User is an account at the provider.
type User struct {
	Subject       string
	Name          string // preferred_username
	Email         string
	EmailVerified any // true, false, or nil for not saying
	Groups        []string
	Claims        map[string]any // laid over the others
	LoggedIn      time.Time      // auth_time; zero: now
	SID           string         // of the login; "": none
	Refuses       bool           // presses "Cancel"
}

type client struct {
	secret    string
	redirects []string
}

// A grant is what a code stands for.
type grant struct {
	client, redirect, challenge, nonce string
	user                               User
	used                               bool
	at                                 time.Time
	fresh                              bool // asked to log in again
}

// firstKey is the key that every provider begins with, and strayKey one that none publishes: to make one takes a while.
var firstKey, strayKey = sync.OnceValues(newKey), sync.OnceValues(newKey)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

type key struct {
	id      string
	private *rsa.PrivateKey
}

// New starts a provider for as long as the test lasts.
func New(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{
		User:     User{Subject: "248289761001", Name: "jane", Email: "jane@example.com", EmailVerified: true},
		SendsIss: true,
		clients:  map[string]client{}, codes: map[string]grant{}, tokens: map[string]grant{}, calls: map[string]int{},
	}
	private, err := firstKey()
	if err != nil {
		t.Fatal(err)
	}
	p.keys = []key{{rand.Text(), private}}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	p.Issuer = p.server.URL
	return p
}

// Register makes a client known. An empty secret is a public client.
func (p *Provider) Register(id, secret string, redirects ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[id] = client{secret, redirects}
}

// Set changes the provider between requests.
func (p *Provider) Set(change func(p *Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// Calls is how often a path was asked, such as "/keys".
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// RotateKeys makes a new key for signatures and forgets the old one.
func (p *Provider) RotateKeys() error {
	private, err := newKey()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []key{{rand.Text(), private}}
	return nil
}

func (p *Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.calls[r.URL.Path]++
	faults := p.Faults
	p.mu.Unlock()
	if faults.answer(w, r) {
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.discovery(w)
	case "/keys":
		p.publish(w)
	case "/authorize":
		p.authorize(w, r)
	case "/token":
		p.token(w, r)
	case "/userinfo":
		p.userinfo(w, r)
	case "/logout":
		p.logout(w, r)
	default:
		http.NotFound(w, r)
	}
}
