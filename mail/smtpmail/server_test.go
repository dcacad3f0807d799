package smtpmail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/cardea-go/cardea/mail/smtpmail"
)

// A server is a mail server in this process that does what the test says.
type server struct {
	smtp     *smtp.Server
	addr     *net.TCPAddr
	roots    *x509.CertPool
	username string
	refuse   map[string]*smtp.SMTPError // by command

	mu  sync.Mutex
	got []letter
}

// A letter is what the server accepted.
type letter struct {
	from, to, text string
	options        smtp.MailOptions
	user           string
	encrypted      bool
}

// start runs a server until the test ends. Implicit makes it speak TLS from the first byte; a certificate for name is offered by
// STARTTLS otherwise, unless name is empty.
func start(t *testing.T, name string, implicit bool, change func(s *server)) *server {
	t.Helper()
	s := &server{refuse: map[string]*smtp.SMTPError{}}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if err := s.refuse["EHLO"]; err != nil {
			return nil, err
		}
		_, encrypted := c.TLSConnectionState()
		return &session{server: s, letter: letter{encrypted: encrypted}}, nil
	}))
	s.smtp.Domain = "test"
	s.smtp.AllowInsecureAuth = true
	s.smtp.ErrorLog = quiet{}
	if name != "" {
		s.smtp.TLSConfig, s.roots = certificate(t, name)
	}
	if change != nil {
		change(s)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().(*net.TCPAddr)
	if implicit {
		ln = tls.NewListener(ln, s.smtp.TLSConfig)
	}
	go func() { _ = s.smtp.Serve(ln) }()
	t.Cleanup(func() { _ = s.smtp.Close() })
	return s
}

// config reaches the server under the name of its address.
func (s *server) config(mode smtpmail.TLS) smtpmail.Config {
	return smtpmail.Config{Host: "127.0.0.1", Port: s.addr.Port, TLS: mode, RootCAs: s.roots, Hello: "site.test", Timeout: 5 * time.Second}
}

func (s *server) letters() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.got...)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

func (quiet) Println(...any) {}

type session struct {
	server *server
	letter letter
}

func (s *session) refused(command string) error {
	if err := s.server.refuse[command]; err != nil {
		return err
	}
	return nil
}

func (s *session) Reset() {}

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	s.letter.from, s.letter.options = from, *options
	return s.refused("MAIL")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = to
	return s.refused("RCPT")
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.refused("DATA"); err != nil {
		return err
	}
	s.letter.text = string(text)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.got = append(s.server.got, s.letter)
	return nil
}

func (s *session) AuthMechanisms() []string {
	if s.server.username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if err := s.refused("AUTH"); err != nil {
			return err
		}
		if username != s.server.username || password != "geheim" {
			return errors.New("invalid credentials")
		}
		s.letter.user = username
		return nil
	}), nil
}

// certificate makes one for a name or an address that is its own root.
func certificate(t *testing.T, name string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

// script runs a server that no library would be: it answers each line that begins with a word by what the test says, and "hang" and
// "die" are what they say. The first connection gets the first answers, and so on; the last ones stay. It returns its port, and how
// often the content of a mail came to its end.
func script(t *testing.T, days ...map[string]string) (port int, ended func() int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	n := 0
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			_ = c.Close()
		}
	})
	serve := func(c net.Conn, answers map[string]string) {
		answer := func(word, otherwise string) bool {
			text, ok := answers[word]
			if !ok {
				text = otherwise
			}
			switch {
			case text == "hang":
				return false
			case text == "die":
				_ = c.Close()
				return false
			case strings.HasSuffix(text, "hang"): // after an answer
				_, _ = io.WriteString(c, strings.TrimSuffix(text, "hang"))
				_, _ = io.Copy(io.Discard, c)
				return false
			case strings.HasSuffix(text, "die"): // in the middle of a sentence
				_, _ = io.WriteString(c, strings.TrimSuffix(text, "die"))
				_ = c.Close()
				return false
			case text == "drip": // a byte now and then, and never the end of the line
				for {
					if _, err := io.WriteString(c, "2"); err != nil {
						return false
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
			_, err := io.WriteString(c, text+"\r\n")
			return err == nil
		}
		if !answer("greeting", "220 test") {
			return
		}
		content := false
		for lines := bufio.NewScanner(c); lines.Scan(); {
			line := lines.Text()
			word, _, _ := strings.Cut(line, " ")
			otherwise := "250 ok"
			switch {
			case content && line == ".":
				content, word = false, "."
				mu.Lock()
				n++
				mu.Unlock()
			case content:
				continue
			case word == "DATA":
				otherwise, content = "354 go on", true
			}
			if !answer(word, otherwise) {
				return
			}
		}
	}
	go func() {
		for i := 0; ; i++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			go serve(c, days[min(i, len(days)-1)])
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}
