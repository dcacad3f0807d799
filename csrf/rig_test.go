package csrf_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
)

// settings are Django's, as far as the cases set them.
type settings struct {
	TrustedOrigins   []string        `json:"CSRF_TRUSTED_ORIGINS"`
	CookieDomain     string          `json:"CSRF_COOKIE_DOMAIN"`
	CookiePath       string          `json:"CSRF_COOKIE_PATH"`
	CookieName       string          `json:"CSRF_COOKIE_NAME"`
	CookieAge        json.RawMessage `json:"CSRF_COOKIE_AGE"`
	CookieSecure     bool            `json:"CSRF_COOKIE_SECURE"`
	CookieHTTPOnly   bool            `json:"CSRF_COOKIE_HTTPONLY"`
	CookieSameSite   any             `json:"CSRF_COOKIE_SAMESITE"`
	HeaderName       string          `json:"CSRF_HEADER_NAME"`
	UseSessions      bool            `json:"CSRF_USE_SESSIONS"`
	UseForwardedPort bool            `json:"USE_X_FORWARDED_PORT"`
}

// A rig is the layers around csrf, on a store that a test can look into.
type rig struct {
	t        *testing.T
	store    *memstore.Store
	sessions *sessions.Manager
	origin   *origin.Origin
	layer    *csrf.Layer
}

func newRig(t *testing.T, st settings, change func(*csrf.Config)) *rig {
	t.Helper()
	g := &rig{t: t, store: memstore.New(memstore.Config{})}
	var err error
	if g.sessions, err = sessions.New(g.store, sessions.Config{Cookie: origin.CookiePolicy{Plain: true}}); err != nil {
		t.Fatal(err)
	}
	oc := origin.Config{AllowedHosts: []string{"*"}, InsecureHTTP: true, UseForwardedPort: st.UseForwardedPort}
	if st.UseForwardedPort {
		oc.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's peer
	}
	if g.origin, err = origin.New(oc); err != nil {
		t.Fatal(err)
	}
	cfg := csrf.Config{
		Cookie: origin.CookiePolicy{
			Name: st.CookieName, Plain: true, Domain: st.CookieDomain, Path: st.CookiePath, Secure: st.CookieSecure,
			ScriptReadable: !st.CookieHTTPOnly,
		},
		Logger:      slog.New(slog.DiscardHandler),
		UseSessions: st.UseSessions, Sessions: g.sessions, TrustedOrigins: st.TrustedOrigins, HeaderName: st.HeaderName,
	}
	switch v := st.CookieSameSite.(type) {
	case string:
		cfg.Cookie.SameSite = v
	case bool:
		cfg.Cookie.SameSite = "omit"
	}
	if age, err := strconv.Atoi(string(st.CookieAge)); err == nil {
		cfg.CookieAge = time.Duration(age) * time.Second
	} else if string(st.CookieAge) == "null" {
		cfg.CookieAge = -1
	}
	if change != nil {
		change(&cfg)
	}
	if g.layer, err = csrf.New(cfg); err != nil {
		t.Fatal(err)
	}
	return g
}

// serve runs the app within the layers.
func (g *rig) serve(r *http.Request, app http.HandlerFunc) *httptest.ResponseRecorder {
	h := g.origin.Handler(g.sessions.Handler(g.layer.Handler(app)))
	w := httptest.NewRecorder()
	respond.Handler(h, respond.Config{}).ServeHTTP(w, r)
	return w
}

// begin stores a session and gives r its cookie.
func (g *rig) begin(r *http.Request, data string) (key string) {
	g.t.Helper()
	d, err := sessions.ParseData([]byte(data))
	if err != nil {
		g.t.Fatal(err)
	}
	key, err = g.store.Save(context.Background(), "", sessions.Record{Data: d, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Add("Cookie", "sessionid="+key)
	return key
}
