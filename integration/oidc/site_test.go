package oidc_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth/oidcauth/oidctest"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	secret  = "told to the provider and to nobody else"
	profile = "/accounts/profile/"
)

// A site is "cardea serve", by one process or several, with the providers work, whose people get an account, and club, whose do not.
type site struct {
	t          *testing.T
	db         *userdb.DB
	url        testdb.DB
	file       string
	work, club *oidctest.Provider
	server     *harness.Server
	addresses  []string // of all its processes
}

// serve starts a site on a database, with ada as a user.
func serve(t *testing.T, db testdb.DB) *site {
	t.Helper()
	s := &site{t: t, url: db, file: filepath.Join(t.TempDir(), "site.toml"), work: oidctest.New(t), club: oidctest.New(t)}
	s.db = harness.Migrated(t, db, "ada")
	s.club.User = oidctest.User{Subject: "club-1", Name: "countess", Email: "countess@example.org", EmailVerified: true}
	s.configure(`"database", "oidc.work", "oidc.club"`)
	s.server = s.start()
	return s
}

// configure writes the configuration.
func (s *site) configure(backends string) {
	s.t.Helper()
	tables := ""
	if strings.Contains(backends, "oidc.work") {
		tables += fmt.Sprintf("[[oidc]]\nname = \"work\"\ntitle = \"Work\"\nissuer = %q\nclient_id = \"site\"\ncreate = true\ngroups = \"groups\"\n"+
			"mirror_groups = true\nstaff_groups = [\"admins\"]\nbackchannel_logout = true\ntimeout = 2\n", s.work.Issuer)
	}
	if strings.Contains(backends, "oidc.club") {
		tables += fmt.Sprintf("[[oidc]]\nname = \"club\"\ntitle = \"Club\"\nissuer = %q\nclient_id = \"site\"\nclient_secret = %q\n", s.club.Issuer, secret)
	}
	if err := os.WriteFile(s.file, []byte("authentication_backends = ["+backends+"]\n"+tables), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts a process of the site, which the providers then know.
func (s *site) start() *harness.Server {
	s.t.Helper()
	env := []string{"CARDEA_CONFIG=" + s.file, harness.CheapHashing}
	if text, err := os.ReadFile(s.file); err == nil && strings.Contains(string(text), `"work"`) {
		env = append(env, "CARDEA_OIDC_WORK_CLIENT_SECRET="+secret)
	}
	server := harness.Serve{DB: s.url.URL, Env: env}.Start(s.t)
	s.addresses = append(s.addresses, server.URL)
	for name, p := range map[string]*oidctest.Provider{"work": s.work, "club": s.club} {
		var callbacks []string
		for _, address := range s.addresses {
			callbacks = append(callbacks, address+"/accounts/oidc/"+name+"/callback/")
		}
		p.Register("site", secret, callbacks...)
	}
	return server
}

// with presses a provider's button.
func with(b *cardeatest.Browser, title string) *cardeatest.Browser {
	return b.Visit("/accounts/login/?next=" + profile).Press("Log in with " + title)
}

func logIn(b *cardeatest.Browser, name string) *cardeatest.Browser {
	return b.Visit("/accounts/login/?next="+profile).Fill("username", name).Fill("password", harness.Password).Submit()
}

// stopAt takes a step up to an address on the way, which is returned and not asked for.
func stopAt(t *testing.T, b *cardeatest.Browser, step func(), prefix string) string {
	t.Helper()
	client, at := b.Client(), ""
	before := client.CheckRedirect
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), prefix) {
			at = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { client.CheckRedirect = before }()
	if step(); at == "" {
		t.Fatalf("the login did not come by %s", prefix)
	}
	return at
}

// ask sends a GET with the cookies of a browser, follows nothing, and returns the status and where it leads.
func ask(b *cardeatest.Browser, address string) (status int, location string, err error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Accept", "text/html")
	for _, c := range b.Client().Jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), nil
}
