package cardea_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/sessions"
)

// The canaries of TestM32: texts that must be seen nowhere.
const (
	canarySecret   = "canary-of-the-secret-key-0123456789abcdef"
	canaryOld      = "canary-of-an-older-secret-key-0123456789"
	canaryPassword = "canary of a password"
	canaryWrong    = "canary of what was typed wrongly"
)

// TestM32NoSecretIsShown: neither the log, however much is logged, nor any page, nor a value that somebody prints, shows the
// secret key, a password that was typed, or the key of a session.
func TestM32NoSecretIsShown(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", canaryPassword)
	logs, printed := &syncBuffer{}, &syncBuffer{}
	logger := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	show := func(what string, values ...any) {
		for _, v := range values {
			text, err := json.Marshal(v)
			fmt.Fprintf(printed, "%s: %v\n%+v\n%#v\n%q\n%x\n%d\n%s %v\n", what, v, v, v, v, v, v, text, err)
			logger.Debug("shown", "value", v)
		}
	}
	cfg := cardeatest.Config()
	cfg.SecretKey, cfg.SecretKeyFallbacks, cfg.Logger = canarySecret, []string{canaryOld}, logger
	cfg.OnLogin = []func(*http.Request, auth.User){func(r *http.Request, u auth.User) { show("OnLogin", u.AuthID(), sessions.From(r)) }}
	cfg.OnLoginFailed = []func(*http.Request, map[string]string, error){func(_ *http.Request, c map[string]string, err error) { show("OnLoginFailed", c, err) }}
	site, err := cardea.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	typed := auth.Password{Username: "ada", Password: canaryPassword}
	show("the configuration", cfg, &cfg)
	show("the site", site, *site, site.Auth, site.Sessions, site.Hashers, site.Pages)
	show("credentials", typed, &typed, []any{typed}, map[string]any{"c": typed})

	mux := http.NewServeMux()
	mux.Handle("/", site.Pages)
	mux.Handle("GET /private", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := sessions.From(r)
		show("a session", session, []any{session}, r.Context())
		show("proofs", site.Auth.Proofs(r))
		_, _ = io.WriteString(w, "private")
	})))
	mux.HandleFunc("GET /panic", func(_ http.ResponseWriter, r *http.Request) {
		_ = sessions.From(r).Key()
		panic("on purpose")
	})
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, r *http.Request) {
		v, err := site.Auth.Authenticate(r, typed)
		show("a verified user", v, err)
		site.Error(w, r, errors.New("on purpose"))
	})
	g := &rig{t: t, clock: &clock{}, server: httptest.NewServer(site.Handler(mux))}
	t.Cleanup(g.server.Close)

	p := g.person()
	var pages strings.Builder
	keep := func(a answer) {
		fmt.Fprintf(&pages, "%d %s\n", a.status, a.body)
		for name, values := range a.header {
			if name != "Set-Cookie" {
				fmt.Fprintf(&pages, "%s: %s\n", name, values)
			}
		}
	}
	keep(p.get("/accounts/login/"))
	keep(p.logIn("ada", canaryWrong))
	keep(p.logIn("ada\x00", canaryWrong))
	keep(p.post("/accounts/login/", url.Values{"username": {"ada"}, "password": {canaryWrong}, "csrfmiddlewaretoken": {"x"}}))
	keep(p.post("/accounts/login/", url.Values{"password": {canaryWrong}}))
	if a := p.logIn("ada", canaryPassword); !a.redirects() {
		t.Fatalf("control: log-in: status %d", a.status)
	}
	key := p.cookie("sessionid")
	for _, path := range []string{"/private", "/panic", "/error", "/accounts/profile/", "/nowhere", "/accounts/logout/"} {
		keep(p.get(path))
	}
	p.header.Set("Accept", "application/json")
	for _, path := range []string{"/panic", "/error", "/nowhere"} {
		keep(p.get(path))
	}
	if _, err := db.Pool().Exec("UPDATE django_session SET session_data = 'garbled'"); err != nil {
		t.Fatal(err)
	}
	keep(p.get("/private"))
	if _, err := db.Pool().Exec("DROP TABLE django_session"); err != nil {
		t.Fatal(err)
	}
	p.cookies[p.name("sessionid")] = key
	keep(p.get("/private"))
	keep(p.logIn("ada", canaryPassword))

	for _, tt := range []struct{ what, text, control string }{
		{"the log", logs.String(), "on purpose"},
		{"a page", pages.String(), "503 "},
		{"what was printed", printed.String(), "ada"},
	} {
		if !strings.Contains(tt.text, tt.control) {
			t.Errorf("control: %q is not in %s", tt.control, tt.what)
		}
		for name, canary := range map[string]string{
			"secret key": canarySecret, "older secret key": canaryOld, "password": canaryPassword, "wrong password": canaryWrong, "session key": key,
		} {
			if at := strings.Index(tt.text, canary); at >= 0 {
				t.Errorf("the %s is in %s: …%s", name, tt.what, tt.text[max(0, at-300):at])
			}
		}
	}
	if len(key) != 32 {
		t.Errorf("the session key is %q", key)
	}
}
