package ldap_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/integration/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	suffix = "dc=example,dc=com"
	people = "ou=people," + suffix
	groups = "ou=groups," + suffix
	site   = "cn=site,ou=services," + suffix
	admin  = "cn=admin," + suffix
	secret = "the site's own"
)

// content is what each directory begins with. The passwords are "right" and the user name.
const content = `dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: ou=services,dc=example,dc=com
objectClass: organizationalUnit
ou: services

dn: cn=site,ou=services,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: site
userPassword: the site's own

`

// A slapd is a directory server of this test's own.
type slapd struct {
	*harness.Process
	t          testing.TB
	dir, bin   string
	plain, tls string // HOST:PORT
	roots      *x509.CertPool
	ca         string // PEM file
}

// program returns the path of slapd, or skips the test.
func program(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/slapd", "/usr/local/sbin/slapd", "/usr/lib/openldap/slapd"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	const missing = "there is no slapd: scripts/install.sh installs it"
	if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// newSlapd makes a directory with some people in it, and starts it.
func newSlapd(t testing.TB) *slapd {
	t.Helper()
	system := program(t)
	s := &slapd{t: t, dir: t.TempDir(), roots: x509.NewCertPool()}
	s.bin = filepath.Join(s.dir, "slapd") // a copy: a profile of AppArmor would keep the system's own out of this folder
	text, err := os.ReadFile(system)
	must(t, err)
	must(t, os.WriteFile(s.bin, text, 0o700))
	must(t, os.Mkdir(filepath.Join(s.dir, "db"), 0o700))
	s.certificates()
	s.write("slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile %[1]s/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/server.pem
TLSCertificateKeyFile %[1]s/server.key
threads 4
database mdb
maxsize 16777216
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw admin
directory %[1]s/db
dbnosync
index objectClass,uid,member,uniqueMember,memberUid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=site,ou=services,dc=example,dc=com" read by self read by * none
`, s.dir))
	var ldif strings.Builder
	ldif.WriteString(content)
	for _, name := range []string{"ada", "bob", "eve"} {
		ldif.WriteString(person(name))
	}
	s.write("content.ldif", ldif.String())
	add := exec.Command(s.bin, "-Tadd", "-q", "-f", filepath.Join(s.dir, "slapd.conf"), "-l", filepath.Join(s.dir, "content.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.plain, s.tls = "127.0.0.1:"+harness.FreePort(t), "127.0.0.1:"+harness.FreePort(t)
	s.start()
	return s
}

// person is an entry.
func person(name string) string {
	return fmt.Sprintf("dn: uid=%[1]s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\nsn: Lovelace\ngivenName: %[2]s\n"+
		"mail: %[1]s@example.com\nuserPassword: right %[1]s\n\n", name, strings.ToUpper(name[:1])+name[1:])
}

func (s *slapd) start() {
	s.t.Helper()
	s.Process = harness.Start(s.t, harness.Command{
		Path:  s.bin,
		Args:  []string{"-d", "stats", "-f", filepath.Join(s.dir, "slapd.conf"), "-h", "ldap://" + s.plain + "/ ldaps://" + s.tls + "/"},
		Ready: regexp.MustCompile(`slapd starting`),
	})
	for began := time.Now(); ; { // it says so a little before it is
		c, err := net.Dial("tcp", s.tls)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Since(began) > harness.Patience {
			s.t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *slapd) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// certificates makes an authority and a certificate of it for 127.0.0.1.
func (s *slapd) certificates() {
	t := s.t
	t.Helper()
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		return key
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	caKey, key := newKey(), newKey()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "directory test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(t, err)
	s.ca = filepath.Join(s.dir, "ca.pem")
	s.write("ca.pem", encode("CERTIFICATE", der))
	if !s.roots.AppendCertsFromPEM([]byte(encode("CERTIFICATE", der))) {
		t.Fatal("the certificate of the authority cannot be read")
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err = x509.CreateCertificate(rand.Reader, server, ca, &key.PublicKey, caKey)
	must(t, err)
	s.write("server.pem", encode("CERTIFICATE", der))
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	s.write("server.key", encode("PRIVATE KEY", private))
}

// change does something to the directory as its administrator.
func (s *slapd) change(f func(c *ldap.Conn) error) {
	s.t.Helper()
	c, err := ldap.DialURL("ldaps://"+s.tls, ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}))
	must(s.t, err)
	defer c.Close()
	must(s.t, c.Bind(admin, "admin"))
	must(s.t, f(c))
}

// add adds an entry: "attribute: value" lines.
func (s *slapd) add(dn string, lines ...string) {
	s.t.Helper()
	req := ldap.NewAddRequest(dn, nil)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Attribute(name, []string{value})
	}
	merged := ldap.NewAddRequest(dn, nil)
	for _, a := range req.Attributes {
		known := false
		for i := range merged.Attributes {
			if merged.Attributes[i].Type == a.Type {
				merged.Attributes[i].Vals = append(merged.Attributes[i].Vals, a.Vals...)
				known = true
			}
		}
		if !known {
			merged.Attribute(a.Type, a.Vals)
		}
	}
	s.change(func(c *ldap.Conn) error { return c.Add(merged) })
}

// addPerson adds somebody whose password is "right" and the name.
func (s *slapd) addPerson(dn, uid string, more ...string) {
	s.t.Helper()
	s.add(dn, append([]string{"objectClass: inetOrgPerson", "uid: " + uid, "cn: " + uid, "sn: " + uid, "userPassword: right " + uid}, more...)...)
}

func (s *slapd) remove(dn string) {
	s.t.Helper()
	s.change(func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
}

// replace sets the values of an attribute.
func (s *slapd) replace(dn, attribute string, values ...string) {
	s.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Replace(attribute, values)
	s.change(func(c *ldap.Conn) error { return c.Modify(req) })
}

// config is that of a back end on this directory.
func (s *slapd) config() ldapauth.Config {
	return ldapauth.Config{
		Servers: []string{"ldaps://" + s.tls}, RootCAs: s.roots, BindDN: site, BindPassword: secret, UserBase: people,
		Groups: ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Depth: 3},
	}
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
