package ldap_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

const (
	loginPath   = "/accounts/login/"
	profilePath = "/accounts/profile/"
	wrong       = "do not match"                  // what the login page says of a wrong password
	down        = "does not answer at the moment" // what the page says when something is away
)

// A station is "cardea serve" beside a directory.
type station struct {
	t      *testing.T
	db     *userdb.DB
	url    testdb.DB
	file   string // the configuration
	server *harness.Server
}

// serve starts a site on a database with local users, who have the harness's password. stack are the back ends, section is what stands in
// [ldap] beside where the directory is and how to ask it.
func serve(t *testing.T, address string, s *slapd, db testdb.DB, stack, section string, local ...string) *station {
	t.Helper()
	st := &station{t: t, url: db, file: filepath.Join(t.TempDir(), "site.toml")}
	st.db = harness.Migrated(t, db, local...)
	text := fmt.Sprintf("authentication_backends = [%s]\n[ldap]\nservers = [%q]\nca_file = %q\nbind_dn = %q\nuser_base = %q\ntimeout = 1\n%s\n",
		stack, address, s.CA, site, people, section)
	must(t, os.WriteFile(st.file, []byte(text), 0o600))
	st.server = harness.Serve{DB: db.URL, Env: st.environ()}.Start(t)
	return st
}

func (st *station) environ() []string {
	// Without insecure_http, a header about an address is answered 403 on a site without a proxy.
	return []string{"CARDEA_CONFIG=" + st.file, "CARDEA_LDAP_BIND_PASSWORD=" + secret, "CARDEA_INSECURE_HTTP=true", harness.CheapHashing}
}

// command runs cardea on the site's database and returns what it printed and its status.
func (st *station) command(args ...string) (output string, status int) {
	st.t.Helper()
	return harness.Run(st.t, harness.Command{Path: harness.Cardea(st.t), Args: append([]string{"--db", st.url.URL}, args...), Env: st.environ()})
}

// open opens a browser on the site.
func (st *station) open() *cardeatest.Browser {
	b := cardeatest.Open(st.t, st.server.URL)
	b.Client().Timeout = harness.Patience
	return b
}

// try types a name and a password into the login page.
func (st *station) try(name, password string) *cardeatest.Browser {
	st.t.Helper()
	return st.open().Visit(loginPath).Fill("username", name).Fill("password", password).Submit()
}

// in logs somebody in, who has to come in.
func (st *station) in(name, password string) *cardeatest.Browser {
	st.t.Helper()
	return st.try(name, password).AtPath(profilePath).HasStatus(http.StatusOK)
}

// refused checks that somebody is told that name and password do not match.
func (st *station) refused(name, password string) *cardeatest.Browser {
	st.t.Helper()
	return st.try(name, password).AtPath(loginPath).HasStatus(http.StatusOK).Sees(wrong)
}

// away checks that somebody is told that something is away, in time, and nothing about the password.
func (st *station) away(name, password string) {
	st.t.Helper()
	began := time.Now()
	st.try(name, password).HasStatus(http.StatusServiceUnavailable).Sees(down).SeesNot(wrong)
	if took := time.Since(began); took > 5*time.Second {
		st.t.Errorf("it took %v to say so", took)
	}
}

// user returns the user of that name.
func (st *station) user(name string) *userdb.User {
	st.t.Helper()
	u, err := st.db.UserByName(st.t.Context(), name)
	must(st.t, err)
	return u
}

// groups are those of a user here.
func (st *station) groups(name string) string {
	st.t.Helper()
	of, err := st.db.Users().Groups().Of(st.t.Context(), st.user(name))
	must(st.t, err)
	var names []string
	for _, g := range of {
		names = append(names, g.Name)
	}
	return strings.Join(names, " ")
}

var token = regexp.MustCompile(`name="csrfmiddlewaretoken" value="[^"]*"`)

// page is what a visitor sees, without what is another one each time.
func page(b *cardeatest.Browser) string {
	return fmt.Sprint(b.Status, token.ReplaceAllString(b.Body, ""))
}

// post sends the login form as somebody does who says to come from that address.
func post(b *cardeatest.Browser, name, password, from string) (status int) {
	b.Client().Transport = claim(from)
	return b.Visit(loginPath).Fill("username", name).Fill("password", password).Submit().Status
}

// A claim is an address that a header claims.
type claim string

func (c claim) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(c))
	r.Header.Set("X-Real-IP", string(c))
	return http.DefaultTransport.RoundTrip(r)
}
