package smtpmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/cardea-go/cardea/mail"
)

// The rules of sending:
//
//  1. Whatever the server does or leaves undone, Send ends in time: the connection is closed under it.
//  2. The server's yes to the content is the end of it. A connection that breaks afterwards is no failure, or the mail would be
//     sent twice.
//  3. Errors say where it failed and what the server said, but not to whom.

type sender struct{ cfg Config }

// Send implements mail.Sender.
func (s *sender) Send(ctx context.Context, m *mail.Message) error {
	if m.From == "" && s.cfg.From != "" {
		copied := *m
		copied.From = s.cfg.From
		m = &copied
	}
	l, err := newLetter(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	at, err := s.deliver(ctx, l)
	if err == nil {
		return nil
	}
	text := strings.ReplaceAll(err.Error(), l.to.Address, "(recipient)") // which the server may repeat
	if ended := ctx.Err(); ended != nil {
		err, text = ended, "given up without an answer: "+ended.Error()
	}
	server := net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port))
	return &failure{text: fmt.Sprintf("smtpmail: %s: %s: %s", server, at, text), err: err, forGood: forGood(at, err)}
}

// A stage of sending, as errors name it.
type stage string

const (
	connecting stage = "connect"
	sending    stage = "MAIL FROM"
	receiving  stage = "RCPT TO"
	writing    stage = "DATA"
)

// deliver makes a connection for one letter and returns where it failed.
func (s *sender) deliver(ctx context.Context, l *letter) (stage, error) {
	client, err := s.client(s.dialer(ctx))
	if err != nil {
		return connecting, err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return connecting, err
	}
	session.SkipSMTPUTF8(l.ascii)
	if err := session.Mail(l.from.String()); err != nil {
		return sending, err
	}
	if err := session.Rcpt(l.to.String()); err != nil {
		return receiving, err
	}
	w, err := session.Data()
	if err != nil {
		return writing, err
	}
	if _, err := l.msg.WriteTo(w); err != nil {
		return writing, err
	}
	if err := w.Close(); err != nil {
		return writing, err
	}
	if session.UpdateDeadline(time.Second) == nil {
		_ = session.Quit() // politeness, and no more
	}
	return "", nil
}

// client is the library's, for one connection.
func (s *sender) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.cfg.Port), gomail.WithTLSConfig(s.tls()), gomail.WithDialContextFunc(dial),
		gomail.WithTimeout(s.cfg.Timeout + time.Minute), // our own clock is the one that counts
	}
	switch s.cfg.TLS {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Implicit:
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.cfg.Hello != "" {
		options = append(options, gomail.WithHELO(s.cfg.Hello))
	}
	if s.cfg.Username != "" {
		plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
		if s.cfg.TLS == Insecure { // on loopback, as New saw to
			plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
		}
		options = append(options, gomail.WithUsername(s.cfg.Username), gomail.WithPassword(s.cfg.Password),
			gomail.WithOpportunisticSMTPAuth(plain, login, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.cfg.Host, options...)
}

func (s *sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.cfg.Host, RootCAs: s.cfg.RootCAs, MinVersion: tls.VersionTLS12}
}

// dialer makes connections, encrypted from the start where they have to be, that are closed when ctx ends.
func (s *sender) dialer(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if s.cfg.TLS != Implicit {
			return conn, nil
		}
		encrypted := tls.Client(conn, s.tls())
		if err := encrypted.HandshakeContext(dialing); err != nil {
			return nil, err
		}
		return encrypted, nil
	}
}

// forGood tells whether trying again is of no use: the server knows no such recipient, or does not want the content. Any other
// refusal is more likely a mistake in the settings, which somebody will mend.
func forGood(at stage, err error) bool {
	var answer *textproto.Error
	return (at == receiving || at == writing) && errors.As(err, &answer) && answer.Code >= 500 && answer.Code < 600
}

// A failure is an error whose text leaves the recipient out.
type failure struct {
	text    string
	err     error
	forGood bool
}

func (f *failure) Error() string { return f.text }

// Is makes a refusal for good a mail.ErrRefused.
func (f *failure) Is(target error) bool { return f.forGood && target == mail.ErrRefused }

// Unwrap returns what the connection or the server said.
func (f *failure) Unwrap() error { return f.err }
