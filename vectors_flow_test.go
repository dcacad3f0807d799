package cardea_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// A flowWorld is the site that Django's transcripts were recorded on, built of Cardea: its users, its views and its settings.
type flowWorld struct {
	t       *testing.T
	db      *userdb.DB
	codec   *sessions.Codec
	store   *userdb.SessionStore
	encoded map[string]string // passwords by id
	mail    cardeatest.Mailbox
	other   *flowClient       // logged in as testclient in another browser, from the beginning
	masks   *strings.Replacer // of the parts of a reset link that the recordings hide
	names   *strings.Replacer // the other way round
	servers map[string]*httptest.Server
	site    *cardea.Site[*userdb.User] // the one that was started last
}

func newFlowWorld(t *testing.T) *flowWorld {
	t.Helper()
	codec, err := sessions.NewCodec(signing.Keys{Current: djangoSecret}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	w := &flowWorld{t: t, db: cardeatest.DB(t), codec: codec, encoded: map[string]string{}, servers: map[string]*httptest.Server{}}
	w.store = w.db.Sessions(codec, userdb.SessionsConfig{Users: w.db.Users()})
	for _, name := range []string{"testclient", "staff", "inactive"} {
		encoded, err := cardeatest.Hashers().Make(context.Background(), "password")
		if err != nil {
			t.Fatal(err)
		}
		u, err := w.db.CreateUser(context.Background(), userdb.NewUser{
			Username: name, Email: name + "@example.com", PasswordHash: encoded, IsStaff: name == "staff", Inactive: name == "inactive",
		})
		if err != nil {
			t.Fatal(err)
		}
		w.encoded[u.AuthID()] = encoded
	}
	if _, err := w.db.CreateUser(context.Background(), userdb.NewUser{Username: "unusable", Email: "unusable@example.com"}); err != nil {
		t.Fatal(err)
	}
	w.other = w.newClient()
	w.other.logIn("testclient")
	w.resetLink()
	return w
}

// resetLink makes a link for testclient and hides its parts as the recordings do.
func (w *flowWorld) resetLink() {
	w.t.Helper()
	u, err := w.db.UserByName(context.Background(), "testclient")
	if err != nil {
		w.t.Fatal(err)
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: djangoSecret}, auth.ResetConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	uid := auth.EncodeUID(u.AuthID())
	token := tokens.Make(auth.ResetSubject{ID: u.AuthID(), PasswordHash: u.Password, LastLogin: u.LastLogin, Email: u.Email}, time.Now())
	wrong := token[:len(token)-2] + "00"
	if wrong == token {
		wrong = token[:len(token)-2] + "11"
	}
	w.names = strings.NewReplacer("<UID>", uid, "<TOKEN>", token, "<TOKEN WITH LAST TWO DIGITS 00>", wrong)
	w.masks = strings.NewReplacer("/"+uid+"/", "/<UID>/", token, "<TOKEN>")
}

// mails sends what waits and returns what came of it.
func (w *flowWorld) mails(site *cardea.Site[*userdb.User]) []flowMail {
	w.t.Helper()
	w.mail.Empty()
	if _, err := site.SendMail(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	list := []flowMail{}
	for _, m := range w.mail.Messages("") {
		list = append(list, flowMail{To: []string{m.To}, Subject: m.Subject, From: m.From})
	}
	return list
}

// server starts the site with the settings of a step.
func (w *flowWorld) server(s step) *httptest.Server {
	w.t.Helper()
	settings := flowSettings(s.Flow)
	redirects := strings.HasPrefix(s.In.URL, "/login_redir/")
	id := s.Flow + strconv.FormatBool(redirects) + strings.Join(s.In.Settings.Fallbacks, " ")
	if server := w.servers[id]; server != nil {
		return server
	}
	site, err := cardea.New(w.db, cardea.Config{
		Profile:                   cardea.Django,
		SecretKey:                 djangoSecret,
		SecretKeyFallbacks:        s.In.Settings.Fallbacks,
		Hashers:                   cardeatest.Hashers(),
		AllowedHosts:              []string{"testserver"},
		InsecureHTTP:              true,
		AccountsURL:               "/",
		LoginURL:                  "/accounts/login/",
		LoginRedirectURL:          "/accounts/profile/",
		LogoutRedirectURL:         settings["LOGOUT_REDIRECT_URL"],
		RedirectAuthenticatedUser: redirects,
		Mail:                      &w.mail,
		Logger:                    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	page := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, text)
	}
	who := func(w http.ResponseWriter, r *http.Request) {
		if u, ok := site.Auth.User(r); ok {
			page(w, u.Username)
			return
		}
		page(w, "anonymous")
	}
	mux := http.NewServeMux()
	mux.Handle("/", site.Pages)
	mux.HandleFunc("/who/", who)
	mux.Handle("/private/", site.Auth.Required(http.HandlerFunc(who)))
	mux.Handle("/perm/", site.Auth.RequirePermission("auth.t1")(http.HandlerFunc(who)))
	mux.HandleFunc("/perm403/", func(w http.ResponseWriter, r *http.Request) {
		switch allowed, err := site.Auth.Permissions(r).Has("auth.t1"); {
		case err != nil:
			site.Error(w, r, err)
		case !allowed:
			site.Error(w, r, auth.ErrDenied)
		default:
			who(w, r)
		}
	})
	mux.HandleFunc("/touch/", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.From(r).Set("cart", []int{1}); err != nil {
			site.Error(w, r, err)
			return
		}
		page(w, "ok")
	})
	server := httptest.NewServer(site.Handler(mux))
	w.t.Cleanup(server.Close)
	w.servers[id], w.site = server, site
	return server
}

// A flowClient is Django's test client: like a browser, but a cookie that was deleted is sent on as an empty one. Django's does
// not check CSRF; this one carries a token that passes.
type flowClient struct {
	world   *flowWorld
	cookies map[string]string
}

const flowToken = "lcccccccX2kcccccccY2jcccccccssIC"

func (w *flowWorld) newClient() *flowClient {
	return &flowClient{world: w, cookies: map[string]string{"csrftoken": flowToken}}
}

// key is the session's, or "".
func (c *flowClient) key() string { return strings.Trim(c.cookies["sessionid"], `"`) }

// plant stores a session under a new key, which the client has from then on.
func (c *flowClient) plant(data string) {
	c.world.t.Helper()
	parsed, err := sessions.ParseData([]byte(data))
	if err != nil {
		c.world.t.Fatal(err)
	}
	key, err := c.world.store.Save(context.Background(), "", sessions.Record{Data: parsed, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		c.world.t.Fatal(err)
	}
	c.cookies["sessionid"] = key
}

// logIn is Django's force_login, which leaves no trace of ours.
func (c *flowClient) logIn(username string) {
	c.world.t.Helper()
	u, err := c.world.db.UserByName(context.Background(), username)
	if err != nil {
		c.world.t.Fatal(err)
	}
	c.plant(fmt.Sprintf(`{"_auth_user_id":%q,"_auth_user_backend":%q,"_auth_user_hash":%q}`,
		u.AuthID(), userdb.ModelBackend, auth.SessionHash(u.Password, signing.Keys{Current: djangoSecret})))
}

func (c *flowClient) loggedIn() bool {
	return strings.Contains(c.world.session(c.key()), `"_auth_user_id"`)
}

// session is the stored text of a session, as JSON in order, or null.
func (w *flowWorld) session(key string) string {
	w.t.Helper()
	if key == "" {
		return "null"
	}
	rec, err := w.store.Load(context.Background(), key)
	if errors.Is(err, sessions.ErrNotFound) {
		return "null"
	}
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := rec.Data.AppendJSON(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// exists looks for a row of Django's table.
func (w *flowWorld) exists(key string) bool {
	w.t.Helper()
	var n int
	if err := w.db.Pool().QueryRow("SELECT count(*) FROM django_session WHERE session_key = ?", key).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n > 0
}

// A flowAnswer is an answer in the form of the recordings.
type flowAnswer struct {
	status             int
	headers, setCookie map[string]string
	sessionKey         string
	oldRow             bool
	session            string
	readUser           bool   // a page that asks for the user
	text               string // of an application's page
	mails              []flowMail
}

// comparedHeaders are those that the recordings have.
var comparedHeaders = []string{"Location", "Cache-Control", "Vary", "Allow", "Content-Type", "Expires"}

func (c *flowClient) send(s step) (*flowAnswer, error) {
	c.world.t.Helper()
	// The built-in pages have one log-in page; the recorded site had a second one with redirect_authenticated_user.
	one := strings.NewReplacer("/login_redir/", "/login/", "%2Flogin_redir%2F", "%2Flogin%2F")
	form := url.Values{}
	for name, value := range s.In.Data {
		form.Set(name, one.Replace(value))
	}
	req, err := http.NewRequest(s.In.Method, c.world.server(s).URL+c.world.names.Replace(one.Replace(s.In.URL)), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Host = "testserver"
	req.Header.Set("Accept", "text/html") // the recordings stand for browsers: to a program, Required answers 401
	switch s.In.Method {
	case http.MethodPost:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-CSRFToken", c.cookies["csrftoken"])
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		req.Header.Set("X-CSRFToken", c.cookies["csrftoken"])
	}
	for name, value := range c.cookies {
		req.Header.Set("Cookie", strings.TrimPrefix(req.Header.Get("Cookie")+"; ", "; ")+name+"="+value)
	}
	before := c.key()
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	got := &flowAnswer{status: resp.StatusCode, headers: map[string]string{}, setCookie: map[string]string{}}
	for _, name := range comparedHeaders {
		if values := resp.Header.Values(name); len(values) > 0 {
			got.headers[name] = c.world.masks.Replace(strings.Join(values, ", "))
		}
	}
	if at, err := http.ParseTime(got.headers["Expires"]); err == nil && at.Sub(began).Abs() < time.Minute {
		got.headers["Expires"] = "<now>"
	}
	for _, line := range resp.Header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(line, "=")
		c.cookies[name], _, _ = strings.Cut(rest, ";")
		got.setCookie[name] = maskCookie(line, began)
	}
	after := c.key()
	got.sessionKey, got.oldRow = keyChange(before, after), before != "" && c.world.exists(before)
	got.session = c.world.masks.Replace(c.world.session(after))
	if s.Out.Mails != nil {
		got.mails = c.world.mails(c.world.site)
	}
	if strings.HasPrefix(s.In.URL, "/who/") || strings.HasPrefix(s.In.URL, "/private/") || strings.HasPrefix(s.In.URL, "/perm") || strings.HasPrefix(s.In.URL, "/password_change/") {
		got.readUser = true
	}
	if (got.readUser && !strings.HasPrefix(s.In.URL, "/password_change/") || strings.HasPrefix(s.In.URL, "/touch/")) && resp.StatusCode == http.StatusOK {
		got.text = string(body)
	}
	return got, nil
}

func keyChange(before, after string) string {
	switch {
	case after == "":
		return "none"
	case before == "":
		return "new"
	case before == after:
		return "same"
	}
	return "changed"
}

var cookieLine = regexp.MustCompile(`^(\w+)=([^;]*); expires=([^;]*); (.*)$`)

// maskCookie hides the value and the date, once the date has been found to agree with Max-Age. A deletion has none to hide.
func maskCookie(line string, now time.Time) string {
	m := cookieLine.FindStringSubmatch(line)
	if m == nil || m[2] == `""` {
		return line
	}
	_, rest, _ := strings.Cut(m[4], "Max-Age=")
	digits, _, _ := strings.Cut(rest, ";")
	age, err := strconv.Atoi(digits)
	at, err2 := http.ParseTime(m[3])
	if err != nil || err2 != nil || at.Sub(now.Add(time.Duration(age)*time.Second)).Abs() > time.Minute {
		return line
	}
	return m[1] + "=<VALUE>; expires=<DATE>; " + m[4]
}

var flowHash = regexp.MustCompile(`"_auth_user_hash":"[0-9a-f]{64}"`)

// withoutNotes masks the hash of a session, and takes away what Cardea notes of a log-in, if it stands last.
func withoutNotes(session string) (text string, noted bool) {
	session = flowHash.ReplaceAllString(session, `"_auth_user_hash":"<HASH>"`)
	before, after, noted := strings.Cut(session, `,"_cardea":{`)
	if noted && strings.HasSuffix(after, "}}") {
		return before + "}", true
	}
	return session, false
}

func compact(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "null"
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}
