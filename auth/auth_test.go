package auth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

// Whatever is wrong in a configuration is an error at the start: nothing fails open later.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	sm, err := sessions.New(memstore.New(memstore.Config{}), sessions.Config{})
	if err != nil {
		t.Fatal(err)
	}
	good := func() auth.Config {
		return auth.Config{Backends: []auth.Backend{&stub{name: "a"}}, Keys: signing.Keys{Current: secret, Fallbacks: []string{oldSecret}}}
	}
	if _, err := auth.New(newTable(), sm, good()); err != nil { // the control
		t.Fatalf("a good configuration: %v", err)
	}
	if _, err := auth.New[*member](nil, sm, good()); err == nil {
		t.Error("New took no users")
	}
	if _, err := auth.New(newTable(), nil, good()); err == nil {
		t.Error("New took no sessions")
	}
	for name, spoil := range map[string]func(*auth.Config){
		"no back ends":           func(c *auth.Config) { c.Backends = nil },
		"a nil back end":         func(c *auth.Config) { c.Backends = append(c.Backends, nil) },
		"a skipped nil back end": func(c *auth.Config) { c.Backends = append(c.Backends, auth.SkipIfDown(nil)) },
		"a back end without name": func(c *auth.Config) {
			c.Backends = append(c.Backends, &stub{})
		},
		"a back end with an odd name": func(c *auth.Config) { c.Backends = append(c.Backends, &stub{name: "a\nb"}) },
		"two back ends of one name":   func(c *auth.Config) { c.Backends = append(c.Backends, auth.SkipIfDown(&stub{name: "a"})) },
		"no key":                      func(c *auth.Config) { c.Keys.Current = "" },
		"an empty fallback":           func(c *auth.Config) { c.Keys.Fallbacks = []string{oldSecret, ""} },
		"a login URL elsewhere":       func(c *auth.Config) { c.LoginURL = "//evil.example" },
		"a login URL of a script":     func(c *auth.Config) { c.LoginURL = "javascript:alert(1)" },
		"a login URL with a newline":  func(c *auth.Config) { c.LoginURL = "/a\r\nSet-Cookie: x" },
		"a relative login URL":        func(c *auth.Config) { c.LoginURL = "login" },
		"a redirect by backslash":     func(c *auth.Config) { c.LoginRedirectURL = `/\evil.example` },
		"a nil login hook":            func(c *auth.Config) { c.OnLogin = []func(*http.Request, auth.User){nil} },
		"a nil logout hook":           func(c *auth.Config) { c.OnLogout = []func(*http.Request, auth.User){nil} },
		"a nil failure hook":          func(c *auth.Config) { c.OnFailure = []func(*http.Request, map[string]string, error){nil} },
	} {
		cfg := good()
		spoil(&cfg)
		if _, err := auth.New(newTable(), sm, cfg); err == nil {
			t.Errorf("New took %s", name)
		}
	}
}

// The keys do not print, whatever is printed.
func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *site, cfg *auth.Config) { cfg.Keys.Fallbacks = []string{oldSecret} })
	v := s.auth.Trust(s.users.change("1", func(*member) {}), "")
	for _, text := range []string{fmt.Sprintf("%+v %#v %v", s.auth, s.auth, *s.auth), fmt.Sprintf("%+v %#v", v, *v)} {
		if strings.Contains(text, secret) || strings.Contains(text, oldSecret) {
			t.Errorf("a key prints: %s", text)
		}
	}
}

// Auth is a Gate for every user type.
var _ auth.Gate = (*auth.Auth[*member])(nil)
