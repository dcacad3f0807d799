package ldap_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/integration/directory"
	"github.com/cardea-go/cardea/integration/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	suffix = directory.Suffix
	people = directory.People
	groups = directory.Groups
	site   = directory.Site
	secret = directory.Secret
)

// A slapd is a directory server of this test's own.
type slapd struct{ *directory.Server }

func newSlapd(t testing.TB) *slapd { return &slapd{directory.New(t)} }

// config is that of a back end on this directory.
func (s *slapd) config() ldapauth.Config {
	return ldapauth.Config{
		Servers: []string{"ldaps://" + s.TLS}, RootCAs: s.Roots, BindDN: site, BindPassword: secret, UserBase: people,
		Groups: ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Depth: 3},
	}
}

// settled is what the server has printed, after it has printed all that was asked so far.
func settled(t testing.TB, s *slapd) string {
	t.Helper()
	mark := "mark" + strings.ToLower(rand.Text()) // in small letters, as the server prints it
	s.Change(func(c *ldap.Conn) error {
		_, err := c.Search(&ldap.SearchRequest{BaseDN: people, Filter: "(cn=" + mark + ")"})
		return err
	})
	harness.Eventually(t, "the server prints what was asked", harness.Patience, func() bool { return strings.Contains(s.Output(), mark) })
	return s.Output()
}

func backend(t testing.TB, cfg ldapauth.Config) *ldapauth.Backend {
	t.Helper()
	b, err := ldapauth.New(cfg)
	must(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func try(b *ldapauth.Backend, name, password string) (*auth.Identity, error) {
	return b.Explain(context.Background(), auth.Password{Username: name, Password: password}, nil)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
