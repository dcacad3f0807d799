// Package directory runs an OpenLDAP server of a test's own: in a scratch folder, on free ports, with an authority of its own.
package directory

import (
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

	"github.com/cardea-go/cardea/integration/harness"
)

// Names in every directory. Site may read everything but passwords, and its own is Secret.
const (
	Suffix = "dc=example,dc=com"
	People = "ou=people," + Suffix
	Groups = "ou=groups," + Suffix
	Site   = "cn=site,ou=services," + Suffix
	Secret = "the site's own"
	admin  = "cn=admin," + Suffix
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

// A Server is a directory server.
type Server struct {
	*harness.Process
	Plain, TLS string // HOST:PORT
	Roots      *x509.CertPool
	CA         string // PEM file

	t        testing.TB
	dir, bin string
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

// New makes a directory with ada, bob and eve in it, and starts it. It skips the test where there is no slapd.
func New(t testing.TB) *Server {
	t.Helper()
	system := program(t)
	s := &Server{t: t, dir: t.TempDir(), Roots: x509.NewCertPool()}
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
	s.Plain, s.TLS = "127.0.0.1:"+harness.FreePort(t), "127.0.0.1:"+harness.FreePort(t)
	s.Start()
	return s
}

// person is an entry.
func person(name string) string {
	return fmt.Sprintf("dn: uid=%[1]s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\nsn: Lovelace\ngivenName: %[2]s\n"+
		"mail: %[1]s@example.com\nuserPassword: right %[1]s\n\n", name, strings.ToUpper(name[:1])+name[1:])
}

// Start starts the server, again after a Stop or a Kill.
func (s *Server) Start() {
	s.t.Helper()
	s.Process = harness.Start(s.t, harness.Command{
		Path:  s.bin,
		Args:  []string{"-d", "stats", "-f", filepath.Join(s.dir, "slapd.conf"), "-h", "ldap://" + s.Plain + "/ ldaps://" + s.TLS + "/"},
		Ready: regexp.MustCompile(`slapd starting`),
	})
	for began := time.Now(); ; { // it says so a little before it is
		c, err := net.Dial("tcp", s.TLS)
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

func (s *Server) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// certificates makes an authority and a certificate of it for 127.0.0.1.
func (s *Server) certificates() {
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
	s.CA = filepath.Join(s.dir, "ca.pem")
	s.write("ca.pem", encode("CERTIFICATE", der))
	if !s.Roots.AppendCertsFromPEM([]byte(encode("CERTIFICATE", der))) {
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

// Change does something to the directory as its administrator.
func (s *Server) Change(f func(c *ldap.Conn) error) {
	s.t.Helper()
	c, err := ldap.DialURL("ldaps://"+s.TLS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.Roots, ServerName: "127.0.0.1"}))
	must(s.t, err)
	defer c.Close()
	must(s.t, c.Bind(admin, "admin"))
	must(s.t, f(c))
}

// Add adds an entry: "attribute: value" lines.
func (s *Server) Add(dn string, lines ...string) {
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
	s.Change(func(c *ldap.Conn) error { return c.Add(merged) })
}

// AddPerson adds somebody whose password is "right" and the name.
func (s *Server) AddPerson(dn, uid string, more ...string) {
	s.t.Helper()
	s.Add(dn, append([]string{"objectClass: inetOrgPerson", "uid: " + uid, "cn: " + uid, "sn: " + uid, "userPassword: right " + uid}, more...)...)
}

// Remove removes an entry.
func (s *Server) Remove(dn string) {
	s.t.Helper()
	s.Change(func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
}

// Replace sets the values of an attribute.
func (s *Server) Replace(dn, attribute string, values ...string) {
	s.t.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Replace(attribute, values)
	s.Change(func(c *ldap.Conn) error { return c.Modify(req) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
