package auth_test

import (
	"net/http"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/signing"
)

func keysOf(current string) signing.Keys { return signing.Keys{Current: current} }

// TestLoginRequired: a whole site is closed, but for what is exempt and the way in.
func TestLoginRequired(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t)
	mux := http.NewServeMux()
	for _, pattern := range []string{"/{$}", "/about", "GET /static/", "/accounts/login/", "/private/", "/private/{id}", "POST /form"} {
		mux.Handle(pattern, page)
	}
	exempt := []func(*http.Request) bool{
		auth.Paths("/{$}", "/about", "/static/"),
		func(r *http.Request) bool { return r.Header.Get("X-Public") == "1" },
	}
	closed := s.auth.LoginRequired(exempt...)(mux)
	ada := s.browser()
	ada.signIn("ada", "engine")
	for _, c := range []struct {
		target, visitor, ada string
		header               []string
	}{
		{"/", "200", "200", nil},
		{"/about", "200", "200", nil},
		{"/static/a/b.css", "200", "200", nil},
		{"/accounts/login/", "200", "200", nil},
		{"/accounts/login/?next=/private/", "200", "200", nil},
		{"/private/", "302 /accounts/login/?next=/private/", "200", nil},
		{"/private/7?a=b", "302 /accounts/login/?next=/private/7%3Fa%3Db", "200", nil},
		{"/private/7", "200", "200", []string{"X-Public", "1"}},
		{"/private/7", "401", "200", []string{"Accept", program}},
		{"/nosuch", "404", "404", nil},
		{"/form", "405", "405", nil},
		// What a router might take for another page is not exempt.
		{"/static/%2e%2e/private/7", "302 /accounts/login/?next=/static/%252e%252e/private/7", "200", nil},
		{"/static/..%2fprivate/7", "302 /accounts/login/?next=/static/..%252fprivate/7", "200", nil},
		{"/static/x%2fy", "302 /accounts/login/?next=/static/x%252fy", "200", nil},
		{"/static/x%5Cy", "302 /accounts/login/?next=/static/x%255Cy", "200", nil},
		{"/static/../private/7", "302 /accounts/login/?next=/static/../private/7", "307 /private/7", nil}, // by the mux, to where the guard stands
	} {
		res, _ := s.browser().ask(closed, "GET", c.target, c.header...)
		want(t, "a visitor at "+c.target, res, c.visitor)
		res, _ = ada.ask(closed, "GET", c.target, c.header...)
		want(t, "ada at "+c.target, res, c.ada)
	}
	loads := s.store.loads.Load()
	ada.ask(closed, "GET", "/about")
	if got := s.store.loads.Load(); got != loads {
		t.Error("an exempt page costs a look at the session")
	}
}

// TestLoginRequiredAnyHandler: without a mux nobody knows which addresses there are, and all are closed.
func TestLoginRequiredAnyHandler(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) { cfg.LoginURL = "/in/?x=1" })
	closed := s.auth.LoginRequired(auth.Paths("/static/"))(page)
	for target, answer := range map[string]string{
		"/nosuch":             "302 /in/?x=1&next=/nosuch",
		"/in/":                "200", // else the login page would send to itself
		"/in%2F":              "302 /in/?x=1&next=/in%252F",
		"/in/more":            "302 /in/?x=1&next=/in/more",
		"/static/":            "200",
		"/static":             "302 /in/?x=1&next=/static",
		"/static/../private":  "302 /in/?x=1&next=/static/../private",
		"/static//private":    "302 /in/?x=1&next=/static//private",
		"/static/./private":   "302 /in/?x=1&next=/static/./private",
		"/staticprivate":      "302 /in/?x=1&next=/staticprivate",
		"/static/%2e%2e/priv": "302 /in/?x=1&next=/static/%252e%252e/priv",
	} {
		res, _ := s.browser().ask(closed, "GET", target)
		want(t, target, res, answer)
	}
}

// TestLoginRequiredHalfLogin: the page that asks for the second factor is open to whom the policy sends there, and to nobody else.
func TestLoginRequiredHalfLogin(t *testing.T) {
	t.Parallel()
	s, _ := guarded(t, func(_ *site, cfg *auth.Config) {
		cfg.Policy = func(*http.Request, auth.User, []auth.Proof) error {
			return &auth.Incomplete{Need: []string{"otp"}, URL: "/code/"}
		}
	})
	closed := s.auth.LoginRequired()(page)
	b := s.plant(login(`"1"`, modelName, hash("plain$engine", secret))) // a whole login, which the policy no longer takes
	res, _ := b.ask(closed, "GET", "/private/")
	want(t, "half logged in", res, "302 /code/?next=/private/")
	res, _ = b.ask(closed, "GET", "/code/")
	want(t, "the page for the rest", res, "200")
	res, _ = s.browser().ask(closed, "GET", "/code/")
	want(t, "a visitor there", res, "302 /accounts/login/?next=/code/")
}
