package smtpmail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-go/cardea/mail"
)

// TLS is how the connection to the mail server is protected.
type TLS int

// The ways to protect the connection.
const (
	// Auto is StartTLS, and nothing for a server on loopback, where nobody listens.
	Auto TLS = iota
	// StartTLS encrypts by STARTTLS, usual on ports 587 and 25. A server that cannot gets no mail.
	StartTLS
	// Implicit encrypts from the first byte, usual on port 465.
	Implicit
	// Insecure encrypts nothing, wherever the server is: whoever is on the way can read the links in the mails, and use them. No
	// password is sent this way beyond loopback.
	Insecure
)

// A Config says where the mail server is and how to talk to it.
type Config struct {
	// Host is the server's name, which its certificate has to be for, or its address. Defaults to "localhost".
	Host string
	// Port defaults to 465 with Implicit, 25 without TLS, and 587 otherwise.
	Port int
	// Username and Password log in at the server. Defaults to not logging in.
	Username, Password string
	// TLS is how the connection is protected. Defaults to Auto.
	TLS TLS
	// RootCAs are who may have signed the server's certificate. Defaults to the system's.
	RootCAs *x509.CertPool
	// Timeout is how long sending one message may take, from the call to the server's yes. Defaults to 20 seconds.
	Timeout time.Duration
	// From is the sender of messages that name none.
	From string
	// Hello is the name under which we greet the server. Defaults to the name of this machine.
	Hello string
}

// hidden stands for a Config where somebody prints it: it holds a password.
const hidden = "smtpmail.Config (redacted)"

// Format hides the Config, whatever the verb.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the Config.
func (Config) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the Config, from encoding/json and its like too.
func (Config) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// ErrCleartext is the refusal to send a password to another machine without encryption.
var ErrCleartext = errors.New("the password would be sent in the clear: use StartTLS or Implicit")

// New returns a sender that makes a connection for each message. It does not talk to the server yet.
func New(cfg Config) (mail.Sender, error) {
	if cfg.Host == "" {
		cfg.Host = "localhost"
	}
	local := loopback(cfg.Host)
	switch {
	case cfg.TLS < Auto || cfg.TLS > Insecure:
		return nil, fmt.Errorf("smtpmail: %d is no way to protect a connection", cfg.TLS)
	case cfg.TLS == Auto && local:
		cfg.TLS = Insecure
	case cfg.TLS == Auto:
		cfg.TLS = StartTLS
	}
	switch {
	case cfg.Password != "" && cfg.Username == "":
		return nil, errors.New("smtpmail: a password without a user name")
	case cfg.Username != "" && cfg.TLS == Insecure && !local:
		return nil, fmt.Errorf("smtpmail: %s: %w", cfg.Host, ErrCleartext)
	case cfg.Port < 0 || cfg.Port > 65535:
		return nil, fmt.Errorf("smtpmail: %d is no port", cfg.Port)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("smtpmail: the timeout %v is negative", cfg.Timeout)
	case strings.ContainsAny(cfg.Host+cfg.Hello, " \t\r\n\x00/@"):
		return nil, fmt.Errorf("smtpmail: %q is no name of a server", cfg.Host)
	}
	if cfg.From != "" {
		if _, err := mail.ParseAddress(cfg.From); err != nil {
			return nil, fmt.Errorf("smtpmail: %w", err)
		}
	}
	if cfg.Port == 0 {
		cfg.Port = map[TLS]int{StartTLS: 587, Implicit: 465, Insecure: 25}[cfg.TLS]
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	s := &sender{cfg}
	if _, err := s.client(new(net.Dialer).DialContext); err != nil { // whatever the library refuses, it refuses now
		return nil, fmt.Errorf("smtpmail: %w", err)
	}
	return s, nil
}

func loopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}
