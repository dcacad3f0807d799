package csrf_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/origin"
)

const site = "https://www.example.com"

// A request is a POST of a visitor, with everything right unless a test says otherwise.
type request struct {
	secret string // in the cookie; "" sends none
	form   url.Values
	header http.Header
	scheme string // "https" by default
}

func (q request) build() *http.Request {
	if q.scheme == "" {
		q.scheme = "https"
	}
	r := httptest.NewRequest("POST", q.scheme+"://www.example.com/form?x=1", strings.NewReader(q.form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	if q.secret != "" {
		r.Header.Set("Cookie", "csrftoken="+q.secret)
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	return r
}

// good is a request that passes.
func good() request {
	secret := csrf.NewSecret()
	return request{
		secret: secret,
		form:   url.Values{csrf.FieldName: {csrf.Mask(secret)}, "name": {"ada"}},
		header: http.Header{"Origin": {site}},
	}
}

// post sends a request and says whether the app was reached.
func (g *rig) post(r *http.Request) (reached bool, w *httptest.ResponseRecorder) {
	w = g.serve(r, func(http.ResponseWriter, *http.Request) { reached = true })
	return reached, w
}

func TestLoginCSRF(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	if reached, w := g.post(good().build()); !reached { // the control
		t.Fatalf("a good log-in is refused: %d %s", w.Code, w.Body)
	}
	attackers := csrf.NewSecret()
	for name, change := range map[string]func(*request){
		"no cookie":              func(q *request) { q.secret = "" },
		"no cookie, no origin":   func(q *request) { q.secret, q.header = "", http.Header{"Referer": {site + "/"}} },
		"no token":               func(q *request) { q.form.Del(csrf.FieldName) },
		"the attacker's token":   func(q *request) { q.form.Set(csrf.FieldName, csrf.Mask(attackers)) },
		"another origin":         func(q *request) { q.header.Set("Origin", "https://evil.example") },
		"a null origin":          func(q *request) { q.header.Set("Origin", "null") },
		"http instead of https":  func(q *request) { q.header.Set("Origin", "http://www.example.com") },
		"a subdomain":            func(q *request) { q.header.Set("Origin", "https://a.www.example.com") },
		"no referer over https":  func(q *request) { q.header = nil },
		"two origins":            func(q *request) { q.header["Origin"] = []string{site, "https://evil.example"} },
		"an XMLHttpRequest mark": func(q *request) { q.secret = ""; q.header.Set("X-Requested-With", "XMLHttpRequest") },
	} {
		q := good()
		change(&q)
		if reached, w := g.post(q.build()); reached || w.Code != http.StatusForbidden {
			t.Errorf("%s: reached the app: %v, status %d, want a 403", name, reached, w.Code)
		}
	}
}

// TestFlippedByte changes each byte of the cookie in turn.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	q := good()
	whole := q.secret
	for i := range whole {
		b := []byte(whole)
		b[i] ^= 1
		q.secret = string(b)
		if reached, w := g.post(q.build()); reached || w.Code != http.StatusForbidden {
			t.Errorf("byte %d flipped: reached the app: %v, status %d, want a 403", i, reached, w.Code)
		}
	}
	q.secret = whole
	if reached, _ := g.post(q.build()); !reached { // the control
		t.Error("the cookie as it was is refused")
	}
}

// TestCrossOriginProtection holds that the standard library's check is on top of Django's rules, and does not refuse what the
// trusted origins allow.
func TestCrossOriginProtection(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{TrustedOrigins: []string{"https://other.example", "https://*.wild.example"}}, nil)
	for name, test := range map[string]struct {
		scheme  string
		headers map[string]string
		want    bool
	}{
		"own origin":                           {"https", map[string]string{"Origin": site, "Sec-Fetch-Site": "same-origin"}, true},
		"own referer":                          {"https", map[string]string{"Referer": site + "/a", "Sec-Fetch-Site": "same-origin"}, true},
		"own referer, but cross-site":          {"https", map[string]string{"Referer": site + "/a", "Sec-Fetch-Site": "cross-site"}, false},
		"own referer, but same-site":           {"https", map[string]string{"Referer": site + "/a", "Sec-Fetch-Site": "same-site"}, false},
		"trusted origin":                       {"https", map[string]string{"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}, true},
		"trusted by wildcard":                  {"https", map[string]string{"Origin": "https://a.wild.example", "Sec-Fetch-Site": "cross-site"}, true},
		"trusted by wildcard, the domain":      {"https", map[string]string{"Origin": "https://wild.example", "Sec-Fetch-Site": "cross-site"}, true},
		"not quite the wildcard":               {"https", map[string]string{"Origin": "https://evilwild.example", "Sec-Fetch-Site": "cross-site"}, false},
		"trusted referer":                      {"https", map[string]string{"Referer": "https://a.wild.example/x", "Sec-Fetch-Site": "cross-site"}, true},
		"plain http, no origin":                {"http", nil, true},
		"plain http, cross-site, no origin":    {"http", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"plain http, foreign referer: ignored": {"http", map[string]string{"Referer": "http://evil.example/"}, true},
	} {
		q := good()
		q.scheme, q.header = test.scheme, http.Header{}
		for k, v := range test.headers {
			q.header.Set(k, v)
		}
		if reached, w := g.post(q.build()); reached != test.want {
			t.Errorf("%s: reached the app: %v, status %d, want %v", name, reached, w.Code, test.want)
		}
	}
}

func TestHeaderBeforeBody(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	q := good()
	r := q.build()
	r.Header.Set("X-Csrftoken", csrf.Mask(q.secret))
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
		t.Error("the body is read")
		return 0, io.EOF
	}))
	if reached, w := g.post(r); !reached {
		t.Errorf("a good header is refused: %d %s", w.Code, w.Body)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestHeaderForOtherMethods(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{HeaderName: "HTTP_X_XSRF_TOKEN"}, nil)
	for _, method := range []string{"PUT", "PATCH", "DELETE", "PROPFIND", "get"} {
		q := good()
		r := q.build()
		r.Method = method
		if reached, _ := g.post(r); reached {
			t.Errorf("%s with the token in the form passes", method)
		}
		r = q.build()
		r.Method = method
		r.Header.Set("X-Xsrf-Token", csrf.Mask(q.secret))
		if reached, w := g.post(r); !reached {
			t.Errorf("%s with the token in the header is refused: %s", method, w.Body)
		}
	}
}

// TestCookieOnlyWhenAsked holds when the cookie is sent again: asked for, rotated or malformed.
func TestCookieOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	secret := csrf.NewSecret()
	for name, test := range map[string]struct {
		cookie string
		app    http.HandlerFunc
		want   string // the secret that is set: "" for no cookie, "new"
	}{
		"nothing asked":       {secret, func(http.ResponseWriter, *http.Request) {}, ""},
		"no cookie, no token": {"", func(http.ResponseWriter, *http.Request) {}, ""},
		"token":               {secret, func(_ http.ResponseWriter, r *http.Request) { csrf.Token(r) }, secret},
		"field":               {secret, func(_ http.ResponseWriter, r *http.Request) { csrf.Field(r) }, secret},
		"first token":         {"", func(_ http.ResponseWriter, r *http.Request) { csrf.Token(r) }, "new"},
		"rotated":             {secret, func(_ http.ResponseWriter, r *http.Request) { csrf.Rotate(r) }, "new"},
		"malformed":           {secret[1:], func(http.ResponseWriter, *http.Request) {}, "new"},
		"masked by Django 4.0": {
			csrf.MaskWith(secret, secret),
			func(_ http.ResponseWriter, r *http.Request) { csrf.Token(r) }, secret,
		},
		"failing response": {"", func(w http.ResponseWriter, r *http.Request) { csrf.Token(r); w.WriteHeader(500) }, "new"},
	} {
		r := httptest.NewRequest("GET", site+"/", nil)
		if test.cookie != "" {
			r.Header.Set("Cookie", "csrftoken="+test.cookie)
		}
		w := g.serve(r, test.app)
		var got string
		for _, c := range w.Result().Cookies() {
			got = c.Value
		}
		if test.want == "new" && (got == secret || csrf.CheckFormat(got) != "") || test.want != "new" && got != test.want {
			t.Errorf("%s: the cookie is %q, want %q", name, got, test.want)
		}
		if vary := w.Header().Get("Vary"); (vary == "Cookie") != (test.want != "") {
			t.Errorf("%s: Vary is %q", name, vary)
		}
	}
}

func TestTokensDifferAndAllMatch(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	r := httptest.NewRequest("GET", site+"/", nil)
	var tokens []string
	w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, csrf.Token(r), csrf.Token(r))
		field := string(csrf.Field(r))
		_, value, _ := strings.Cut(field, `value="`)
		tokens = append(tokens, strings.TrimSuffix(value, `">`))
		csrf.Rotate(r)
		tokens = append(tokens, csrf.Token(r))
	})
	secret := w.Result().Cookies()[0].Value
	seen := map[string]bool{}
	for i, token := range tokens {
		if seen[token] {
			t.Errorf("token %d is there twice", i)
		}
		seen[token] = true
		if want := i == len(tokens)-1; csrf.Match(token, secret) != want {
			t.Errorf("token %d matches the cookie: %v, want %v", i, !want, want)
		}
	}
}

// TestLayerTwice holds that a Layer that is there twice is one: a rotation between the two is not undone by the inner one.
func TestLayerTwice(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	token := ""
	inner := g.layer.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { token = csrf.Token(r) }))
	w := g.serve(good().build(), func(w http.ResponseWriter, r *http.Request) {
		csrf.Rotate(r)
		inner.ServeHTTP(w, r)
	})
	cookies := w.Result().Cookies()
	if token == "" || len(cookies) != 1 || !csrf.Match(token, cookies[0].Value) {
		t.Errorf("the token %q does not match the cookie %v", token, cookies)
	}
}

func TestTooLate(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	g := newRig(t, settings{}, nil)
	app := func(app http.HandlerFunc) *httptest.ResponseRecorder {
		h := g.origin.Handler(g.sessions.Handler(g.layer.Handler(app)))
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", site+"/", nil)
		respond.Handler(h, respond.Config{Logger: slog.New(slog.NewTextHandler(&logs, nil))}).ServeHTTP(w, r)
		return w
	}
	app(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "body")
		if token, field := csrf.Token(r), csrf.Field(r); token != "" || field != "" {
			t.Errorf("a token after the header: %q %q", token, field)
		}
		csrf.Rotate(r)
	})
	for _, want := range []string{"csrf.Token", "csrf.Field", "csrf.Rotate", "csrf_test.go:"} {
		if !strings.Contains(logs.String(), want) {
			t.Errorf("the log does not name %s: %s", want, &logs)
		}
	}
	logs.Reset()
	app(func(w http.ResponseWriter, r *http.Request) { // the control: asked for in time, a token can be had again
		csrf.Token(r)
		_, _ = io.WriteString(w, "body")
		if csrf.Token(r) == "" {
			t.Error("no second token")
		}
	})
	if logs.Len() > 0 {
		t.Errorf("logged: %s", &logs)
	}
}

func TestExempt(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, func(c *csrf.Config) {
		c.Exempt = func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }
	})
	r := httptest.NewRequest("POST", site+"/api", nil)
	r.Header.Set("Origin", "https://elsewhere.example")
	if reached, _ := g.post(r); reached {
		t.Error("without a bearer token, the request passes")
	}
	r = httptest.NewRequest("POST", site+"/api", nil)
	r.Header.Set("Origin", "https://elsewhere.example")
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("Cookie", "csrftoken=malformed")
	reached, w := g.post(r)
	if !reached {
		t.Error("an exempt request is refused")
	}
	if got := w.Header()["Set-Cookie"]; got != nil {
		t.Errorf("an exempt request is given the cookie %q", got)
	}
}

// TestSessionSecret goes through a form with the secret in the session.
func TestSessionSecret(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{UseSessions: true}, nil)
	var token string
	w := g.serve(httptest.NewRequest("GET", site+"/", nil), func(_ http.ResponseWriter, r *http.Request) { token = csrf.Token(r) })
	cookie := w.Result().Cookies()[0]
	if cookie.Name != "sessionid" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("cookies: %v", w.Result().Cookies())
	}
	q := request{form: url.Values{csrf.FieldName: {token}}, header: http.Header{"Origin": {site}, "Cookie": {"sessionid=" + cookie.Value}}}
	if reached, w := g.post(q.build()); !reached {
		t.Errorf("the form is refused: %s", w.Body)
	}
	q.header["Cookie"] = []string{"csrftoken=" + csrf.Unmask(token)}
	if reached, _ := g.post(q.build()); reached {
		t.Error("a cookie stands in for the session")
	}
}

func TestWithoutTheLayer(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	csrf.Rotate(r) // nothing, so that a login works without it
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "csrf.Layer") {
			t.Errorf("Token panics with %q, which does not name the cure", text)
		}
	}()
	csrf.Token(r)
}

func TestWrongConfigurations(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]csrf.Config{
		"no scheme":          {TrustedOrigins: []string{"example.com"}},
		"a path":             {TrustedOrigins: []string{"https://example.com/"}},
		"a bare star":        {TrustedOrigins: []string{"https://*"}},
		"a star in a name":   {TrustedOrigins: []string{"https://*example.com"}},
		"a star further on":  {TrustedOrigins: []string{"https://a.*.example.com"}},
		"no host":            {TrustedOrigins: []string{"https://"}},
		"no sessions":        {UseSessions: true},
		"a bad cookie name":  {Cookie: origin.CookiePolicy{Name: "a;b"}},
		"a broken IPv6 host": {TrustedOrigins: []string{"https://[::1"}},
	} {
		if _, err := csrf.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := csrf.New(csrf.Config{TrustedOrigins: []string{"https://*.example.com:8443", "http://[::1]:80"}}); err != nil { // the control
		t.Error(err)
	}
}

// TestCookieName uses the cookie's default names: __Host- over HTTPS.
func TestCookieName(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, func(c *csrf.Config) { c.Cookie = origin.CookiePolicy{} })
	r := httptest.NewRequest("GET", site+"/", nil)
	r.TLS = &tls.ConnectionState{}
	w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) { csrf.Token(r) })
	if c := w.Result().Cookies()[0]; c.Name != "__Host-csrftoken" || !c.Secure || !c.HttpOnly || c.MaxAge != 31449600 {
		t.Errorf("the cookie is %v", c)
	}
}
