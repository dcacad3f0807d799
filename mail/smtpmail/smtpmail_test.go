package smtpmail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/mail/smtpmail"
)

func message() *mail.Message {
	return &mail.Message{
		From: "Die Seite <site@example.com>", To: "Ada <ada@exämple.com>", Subject: "Grüße " + strings.Repeat("ü", 80),
		Text: "Hällo\n.\n..\nFrom here\n" + strings.Repeat("x", 2000) + "\n", HTML: "<p>Hällo</p>\n", ID: "1a2b",
	}
}

func sender(t *testing.T, cfg smtpmail.Config) mail.Sender {
	t.Helper()
	s, err := smtpmail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSend: a mail arrives as it was written, in each way to protect the connection.
func TestSend(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode      smtpmail.TLS
		cert      string
		user      string
		encrypted bool
	}{
		"STARTTLS":              {smtpmail.StartTLS, "127.0.0.1", "", true},
		"STARTTLS and password": {smtpmail.StartTLS, "127.0.0.1", "site", true},
		"implicit":              {smtpmail.Implicit, "127.0.0.1", "", true},
		"implicit and password": {smtpmail.Implicit, "127.0.0.1", "site", true},
		"loopback":              {smtpmail.Auto, "", "", false},
		"loopback and password": {smtpmail.Auto, "", "site", false},
		"none":                  {smtpmail.Insecure, "127.0.0.1", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.cert, tt.mode == smtpmail.Implicit, func(s *server) { s.username = tt.user })
			cfg := s.config(tt.mode)
			if tt.user != "" {
				cfg.Username, cfg.Password = tt.user, "geheim"
			}
			if err := sender(t, cfg).Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := s.letters()
			if len(got) != 1 {
				t.Fatalf("%d letters arrived", len(got))
			}
			l := got[0]
			if l.from != "site@example.com" || l.to != "ada@xn--exmple-cua.com" || l.user != tt.user || l.encrypted != tt.encrypted || l.options.UTF8 {
				t.Errorf("got %+v", l)
			}
			read(t, l.text)
		})
	}
}

// read compares what arrived with what was sent.
func read(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := message()
	if subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || subject != want.Subject {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for header, want := range map[string]string{"From": `"Die Seite" <site@example.com>`, "To": `"Ada" <ada@xn--exmple-cua.com>`} {
		if a, err := netmail.ParseAddress(m.Header.Get(header)); err != nil || a.String() != want {
			t.Errorf("%s is %v, %v, want %s", header, a, err, want)
		}
	}
	for header, want := range map[string]string{"Message-Id": "<1a2b@example.com>", "Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": ""} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if date, err := m.Header.Date(); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("the date is %v, %v", date, err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("it is %q, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{want.Text, want.HTML} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want {
			t.Errorf("a part is %q, %v, want %q", got, err, want)
		}
	}
}

// TestPlainText: without HTML a mail is one text; without a sender it has the configured one.
func TestPlainText(t *testing.T) {
	t.Parallel()
	s := start(t, "", false, nil)
	cfg := s.config(smtpmail.Auto)
	cfg.From = "site@example.com"
	m := message()
	m.HTML, m.From, m.ID, m.Text = "", "", "", "a\r\nb\r\n"
	for range 2 {
		if err := sender(t, cfg).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, l := range s.letters() {
		parsed, err := netmail.ReadMessage(strings.NewReader(l.text))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
		if err != nil || string(body) != "a\r\nb\r\n" || !strings.HasPrefix(parsed.Header.Get("Content-Type"), "text/plain") || l.from != "site@example.com" {
			t.Errorf("got %q, %v, of %s, from %s", body, err, parsed.Header.Get("Content-Type"), l.from)
		}
		ids = append(ids, parsed.Header.Get("Message-Id"))
	}
	if len(ids) != 2 || ids[0] == ids[1] {
		t.Errorf("Message-IDs %q", ids)
	}
}

// TestUnicodeAddress: an address that needs SMTPUTF8 asks for it.
func TestUnicodeAddress(t *testing.T) {
	t.Parallel()
	s := start(t, "", false, func(s *server) { s.smtp.EnableSMTPUTF8 = true })
	m := message()
	m.To = "ädä@example.com"
	if err := sender(t, s.config(smtpmail.Auto)).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if l := s.letters()[0]; l.to != "ädä@example.com" || !l.options.UTF8 {
		t.Errorf("got %+v", l)
	}
}

// TestRefused: at each stage, for now and for good. Only what is said about the recipient or the content is final; an error says
// where, and never to whom.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"EHLO", "AUTH", "MAIL", "RCPT", "DATA"} {
		for _, code := range []int{421, 451, 550, 554} {
			t.Run(fmt.Sprint(stage, code), func(t *testing.T) {
				t.Parallel()
				s := start(t, "127.0.0.1", false, func(s *server) {
					s.username = "site"
					s.refuse[stage] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 7, 1}, Message: "<ada@xn--exmple-cua.com> is not welcome"}
				})
				cfg := s.config(smtpmail.StartTLS)
				cfg.Username, cfg.Password = "site", "geheim"
				err := sender(t, cfg).Send(t.Context(), message())
				if err == nil || len(s.letters()) != 0 {
					t.Fatalf("got %v and %d letters", err, len(s.letters()))
				}
				if want := code >= 500 && (stage == "RCPT" || stage == "DATA"); errors.Is(err, mail.ErrRefused) != want {
					t.Errorf("ErrRefused: got %v, want %v: %v", !want, want, err)
				}
				text := err.Error()
				if !strings.Contains(text, "is not welcome") || strings.Contains(text, "ada@") || strings.Contains(text, "geheim") || strings.Contains(text, "Z2VoZWlt") {
					t.Errorf("the error says %q", text)
				}
			})
		}
	}
}

// TestHangs: whatever the server is silent at, or answers a byte at a time, Send ends in time, and so it does when its caller has
// enough of it.
func TestHangs(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"hang", "drip"} {
		for _, at := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
			t.Run(how+" at "+at, func(t *testing.T) {
				t.Parallel()
				port, _ := script(t, map[string]string{at: how})
				s := sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port, Timeout: 300 * time.Millisecond})
				begun := time.Now()
				err := s.Send(t.Context(), message())
				if took := time.Since(begun); took > 3*time.Second {
					t.Errorf("it took %v", took)
				}
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mail.ErrRefused) {
					t.Errorf("got %v, want DeadlineExceeded", err)
				}
				patient := sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port, Timeout: time.Hour})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(100*time.Millisecond, cancel)
				if err := patient.Send(ctx, message()); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want Canceled", err)
				}
			})
		}
	}
}

// TestHangsInHandshake: a server that takes the call and never says a word of TLS.
func TestHangsInHandshake(t *testing.T) {
	t.Parallel()
	for mode, answers := range map[smtpmail.TLS]map[string]string{
		smtpmail.Implicit: {"greeting": "hang"},
		smtpmail.StartTLS: {"EHLO": "250-test\r\n250 STARTTLS", "STARTTLS": "220 go on\r\nhang"},
	} {
		port, _ := script(t, answers)
		s := sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port, TLS: mode, Timeout: 300 * time.Millisecond})
		begun := time.Now()
		if err := s.Send(t.Context(), message()); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 3*time.Second {
			t.Errorf("mode %v: got %v after %v", mode, err, time.Since(begun))
		}
	}
}

// TestDies: a server that dies, between the sentences or in the middle of one, refused nothing for good.
func TestDies(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		for _, how := range []string{"die", "2die", "250-and\r\n25die", "550-no\r\n55die"} {
			t.Run(fmt.Sprintf("%s at %s", how, at), func(t *testing.T) {
				t.Parallel()
				port, _ := script(t, map[string]string{at: how})
				err := sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port}).Send(t.Context(), message())
				if err == nil || errors.Is(err, mail.ErrRefused) {
					t.Errorf("got %v, want an error that is not ErrRefused", err)
				}
			})
		}
	}
}

// TestAcceptedIsAccepted: once the server has said yes, whatever it does at the end is no failure, or the mail would be sent twice;
// and it does not hold us up.
func TestAcceptedIsAccepted(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"hang", "die", "2die", "421 bye", "drip"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			port, ended := script(t, map[string]string{"QUIT": how, "RSET": how, "NOOP": how})
			s := sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port, Timeout: time.Minute})
			begun := time.Now()
			if err := s.Send(t.Context(), message()); err != nil || ended() != 1 {
				t.Errorf("got %v, and %d mails", err, ended())
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestNoTLS: no mail and no password goes to a server whose encryption is missing, or whose certificate is somebody else's.
func TestNoTLS(t *testing.T) {
	t.Parallel()
	other := start(t, "mail.example.com", false, func(s *server) { s.username = "site" })
	unknown := start(t, "127.0.0.1", false, func(s *server) { s.username = "site" })
	implicit := start(t, "mail.example.com", true, func(s *server) { s.username = "site" })
	without := start(t, "", false, func(s *server) { s.username = "site" })
	stranger := unknown.config(smtpmail.StartTLS)
	stranger.RootCAs = other.roots
	for name, tt := range map[string]struct {
		server *server
		cfg    smtpmail.Config
		says   string
	}{
		"another name":           {other, other.config(smtpmail.StartTLS), "certificate"},
		"another name, implicit": {implicit, implicit.config(smtpmail.Implicit), "certificate"},
		"an unknown authority":   {unknown, stranger, "certificate signed by unknown authority"},
		"no STARTTLS":            {without, without.config(smtpmail.StartTLS), "STARTTLS"},
		"no TLS at all":          {without, without.config(smtpmail.Implicit), "TLS"},
	} {
		tt.cfg.Username, tt.cfg.Password = "site", "geheim"
		err := sender(t, tt.cfg).Send(t.Context(), message())
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.says)) || errors.Is(err, mail.ErrRefused) {
			t.Errorf("%s: got %v, want an error about %q", name, err, tt.says)
		}
		if n := len(tt.server.letters()); n != 0 {
			t.Errorf("%s: %d letters arrived", name, n)
		}
	}
}

// TestWrongPassword: the error says so, and does not hold it.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := start(t, "127.0.0.1", false, func(s *server) { s.username = "site" })
	cfg := s.config(smtpmail.StartTLS)
	cfg.Username, cfg.Password = "site", "canary"
	err := sender(t, cfg).Send(t.Context(), message())
	if err == nil || errors.Is(err, mail.ErrRefused) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

// TestUnreachable: nobody is there.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	cfg := smtpmail.Config{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}
	if err := sender(t, cfg).Send(t.Context(), message()); err == nil || errors.Is(err, mail.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestChecks: a message that is none does not reach the server.
func TestChecks(t *testing.T) {
	t.Parallel()
	s := start(t, "", false, nil)
	for _, change := range []func(m *mail.Message){
		func(m *mail.Message) { m.Subject = "a\r\nBcc: eve@example.com" },
		func(m *mail.Message) { m.To = "ada@example.com>\r\nRCPT TO:<eve@example.com" },
		func(m *mail.Message) { m.To = `"eve@evil.example> "@example.com` },
		func(m *mail.Message) { m.From = "" },
	} {
		m := message()
		change(m)
		if err := sender(t, s.config(smtpmail.Auto)).Send(t.Context(), m); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("got %v, want ErrMessage", err)
		}
	}
	if n := len(s.letters()); n != 0 {
		t.Errorf("%d letters arrived", n)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]smtpmail.Config{
		"a password in the clear":       {Host: "mail.example.com", TLS: smtpmail.Insecure, Username: "site", Password: "geheim"},
		"a password without a name":     {Host: "mail.example.com", Password: "geheim"},
		"no port":                       {Port: 70000},
		"no time":                       {Timeout: -1},
		"no way to protect":             {TLS: 9},
		"a line in the host":            {Host: "mail.example.com\r\nQUIT"},
		"a port in the host":            {Host: "mail.example.com/587"},
		"a line in what we say":         {Hello: "a\r\nMAIL"},
		"a sender that is no address":   {From: "nobody"},
		"a sender with a line break in": {From: "a@example.com\r\nBcc: b@example.com"},
	} {
		if _, err := smtpmail.New(cfg); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	for name, cfg := range map[string]smtpmail.Config{
		"nothing":          {},
		"a relay":          {Host: "relay.internal.example", TLS: smtpmail.Insecure},
		"loopback, log in": {Host: "::1", Username: "site", Password: "geheim"},
		"elsewhere":        {Host: "mail.example.com", Username: "site", Password: "geheim", From: "Site <site@example.com>"},
	} {
		if _, err := smtpmail.New(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfigHides: nothing prints the password.
func TestConfigHides(t *testing.T) {
	t.Parallel()
	cfg := smtpmail.Config{Username: "site", Password: "canary"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", cfg, "pointer", &cfg)
	raw, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%v %+v %#v %s %q %v", cfg, cfg, cfg, cfg, cfg, &cfg) + log.String() + string(raw); strings.Contains(all, "canary") {
		t.Errorf("printed: %s", all)
	}
}
