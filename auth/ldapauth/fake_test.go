package ldapauth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// An entry is one in the directory: the values of its attributes, by their names in small letters.
type entry map[string][]string

// A directory is a small LDAP server: faultless, unless a test says otherwise. It compares as real ones do, without case and without
// seeing all blanks.
type directory struct {
	listener net.Listener
	tls      *tls.Config // nil: no STARTTLS
	implicit bool

	mu       sync.Mutex
	entries  map[string]entry // by name
	binds    []string         // names that were bound to with a password
	searches []string         // filters
	conns    map[net.Conn]bool
	opened   int

	// fault is asked before each answer: op is bind, search or starttls, what the name or filter. It gives the result code to answer
	// with (0: go on), or does not return.
	fault func(op, what string) uint16
	refer bool // add a reference to another server to each search
}

// silence is a fault that never answers.
const silence = 65535

// hangUp is a fault that closes the connection.
const hangUp = 65534

func newDirectory(t testing.TB, change func(*directory)) *directory {
	t.Helper()
	d := &directory{entries: map[string]entry{}, conns: map[net.Conn]bool{}}
	if change != nil {
		change(d)
	}
	d.start(t, "127.0.0.1:0")
	t.Cleanup(d.stop)
	return d
}

func (d *directory) start(t testing.TB, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	d.listener = listener
	if d.implicit {
		d.listener = tls.NewListener(listener, d.tls)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns[c] = true
			d.opened++
			d.mu.Unlock()
			if d.implicit {
				go d.serve(tls.Server(c, d.tls))
			} else {
				go d.serve(c)
			}
		}
	}()
}

// stop closes the port and all connections.
func (d *directory) stop() {
	_ = d.listener.Close()
	d.disconnect()
}

func (d *directory) disconnect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		_ = c.Close()
	}
	clear(d.conns)
}

func (d *directory) address() string { return d.listener.Addr().String() }

func (d *directory) url() string {
	if d.implicit {
		return "ldaps://" + d.address()
	}
	return "ldap://" + d.address()
}

// set gives the directory another fault.
func (d *directory) set(fault func(op, what string) uint16) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// count returns how many binds and searches, and how many connections, there were so far.
func (d *directory) count() (binds, searches, opened int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.binds), len(d.searches), d.opened
}

func (d *directory) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	who := ""
	for {
		packet, err := ber.ReadPacket(c)
		if err != nil || len(packet.Children) < 2 {
			return
		}
		id, op := packet.Children[0].Value.(int64), packet.Children[1]
		send := func(tag ber.Tag, code uint16, more ...*ber.Packet) bool {
			if code == silence {
				_, _ = c.Read(make([]byte, 1)) // until the other side goes
				return false
			}
			if code == hangUp {
				return false
			}
			answer := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
			answer.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
			answer.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			answer.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "because", ""))
			return send(c, id, append(more, answer)...)
		}
		switch op.Tag {
		case ldap.ApplicationBindRequest:
			dn, password := str(op.Children[1]), op.Children[2].Data.String()
			code := d.bind(dn, password)
			who = ""
			if code == 0 {
				who = dn
			}
			if !send(ldap.ApplicationBindResponse, code) {
				return
			}
		case ldap.ApplicationSearchRequest:
			found, code := d.search(op, who)
			if !send(ldap.ApplicationSearchResultDone, code, found...) {
				return
			}
		case ldap.ApplicationExtendedRequest:
			code := d.ask("starttls", "")
			if code == 0 && d.tls == nil {
				code = ldap.LDAPResultProtocolError
			}
			if !send(ldap.ApplicationExtendedResponse, code) {
				return
			}
			if code == 0 {
				c = tls.Server(c, d.tls)
			}
		default:
			return
		}
	}
}

func send(c net.Conn, id int64, answers ...*ber.Packet) bool {
	var out bytes.Buffer
	for _, a := range answers {
		envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
		envelope.AppendChild(a)
		out.Write(envelope.Bytes())
	}
	_, err := c.Write(out.Bytes())
	return err == nil
}

func str(p *ber.Packet) string {
	if s, ok := p.Value.(string); ok {
		return s
	}
	return p.Data.String()
}

func (d *directory) ask(op, what string) uint16 {
	d.mu.Lock()
	fault := d.fault
	d.mu.Unlock()
	if fault == nil {
		return 0
	}
	return fault(op, what)
}

func (d *directory) bind(dn, password string) uint16 {
	d.mu.Lock()
	d.binds = append(d.binds, dn)
	e := d.entries[same(dn)]
	d.mu.Unlock()
	switch code := d.ask("bind", dn); {
	case code != 0:
		return code
	case password == "": // nobody, and yes, as real servers do it
		return 0
	case e == nil || !slices.Contains(e["userpassword"], password):
		return ldap.LDAPResultInvalidCredentials
	}
	return 0
}

// same is how a directory compares.
func same(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00ad", "")), " "))
}

func (d *directory) search(op *ber.Packet, who string) (found []*ber.Packet, code uint16) {
	filter, err := ldap.DecompileFilter(op.Children[6])
	if err != nil {
		return nil, ldap.LDAPResultProtocolError
	}
	d.mu.Lock()
	d.searches = append(d.searches, filter)
	d.mu.Unlock()
	if code := d.ask("search", filter); code != 0 {
		return nil, code
	}
	base, scope, limit := same(str(op.Children[0])), op.Children[1].Value.(int64), op.Children[3].Value.(int64)
	d.mu.Lock()
	defer d.mu.Unlock()
	for dn, e := range d.entries {
		inside := dn == base || scope == ldap.ScopeWholeSubtree && strings.HasSuffix(dn, ","+base)
		if !inside || !matches(op.Children[6], e) || len(e["readers"]) > 0 && !slices.Contains(e["readers"], who) {
			continue
		}
		if limit > 0 && int64(len(found)) == limit {
			return found, ldap.LDAPResultSizeLimitExceeded
		}
		one := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
		one.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, e["dn"][0], ""))
		list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		for _, a := range op.Children[7].Children {
			values := e[strings.ToLower(str(a))]
			if len(values) == 0 {
				continue
			}
			attribute := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
			attribute.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, str(a), ""))
			set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
			for _, v := range values {
				set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, v, ""))
			}
			attribute.AppendChild(set)
			list.AppendChild(attribute)
		}
		one.AppendChild(list)
		found = append(found, one)
	}
	if d.refer {
		reference := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
		reference.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "ldap://elsewhere.invalid/", ""))
		found = append(found, reference)
	}
	if len(found) == 0 && d.entries[base] == nil {
		return nil, ldap.LDAPResultNoSuchObject
	}
	return found, 0
}

// matches evaluates a filter.
func matches(f *ber.Packet, e entry) bool {
	has := func(attribute, value string) bool {
		return slices.ContainsFunc(e[strings.ToLower(attribute)], func(v string) bool { return same(v) == same(value) })
	}
	switch f.Tag {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return !matches(c, e) })
	case ldap.FilterOr:
		return slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return matches(c, e) })
	case ldap.FilterNot:
		return !matches(f.Children[0], e)
	case ldap.FilterEqualityMatch:
		return has(str(f.Children[0]), str(f.Children[1]))
	case ldap.FilterPresent:
		return len(e[strings.ToLower(f.Data.String())]) > 0
	case ldap.FilterSubstrings:
		return true // whoever gets a * into a filter gets everybody
	case ldap.FilterExtensibleMatch: // as if the groups of Active Directory were all direct
		return has("member", str(f.Children[2]))
	}
	return false
}

// put adds an entry: its name, and "attribute: value" lines.
func (d *directory) put(dn string, lines ...string) {
	e := entry{"dn": {dn}}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		name = strings.ToLower(name)
		e[name] = append(e[name], value)
	}
	if e["objectclass"] == nil {
		e["objectclass"] = []string{"top"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries[same(dn)] = e
}

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{cert, key, pool}
}

// server returns the settings of a server that is called name, or has that address.
func (a *authority) server(t testing.TB, name string, until time.Time) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
