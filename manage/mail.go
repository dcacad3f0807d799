package manage

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/mail/smtpmail"
)

// mailSettings are Django's settings of mail, under its names and with its meanings, but for two: without email_use_tls, what goes
// to another machine is encrypted all the same, and without any of them nothing is sent to a mail server on this machine.
type mailSettings struct {
	EmailBackend      string        `setting:"email_backend"`
	EmailHost         string        `setting:"email_host"`
	EmailPort         int           `setting:"email_port"`
	EmailHostUser     string        `setting:"email_host_user"`
	EmailHostPassword string        `setting:"email_host_password" secret:"true"`
	EmailUseTLS       *bool         `setting:"email_use_tls" fallback:"(where the server is another machine)"`
	EmailUseSSL       bool          `setting:"email_use_ssl"`
	EmailTimeout      time.Duration `setting:"email_timeout" fallback:"20"`
	EmailFilePath     string        `setting:"email_file_path"`
}

// fallbackFrom is Django's DEFAULT_FROM_EMAIL.
const fallbackFrom = "webmaster@localhost"

func (s *Settings) mailFrom() string {
	if s.DefaultFromEmail == "" {
		return fallbackFrom
	}
	return s.DefaultFromEmail
}

// mailSender is the sender that the settings name; console is what its mail is written to if that is the console. It is nil when
// they name none.
func (s *Settings) mailSender(console io.Writer) (mail.Sender, error) {
	if _, err := mail.ParseAddress(s.mailFrom()); err != nil {
		return nil, s.wrong("default_from_email", "must be an address, such as \"Site <site@example.com>\"")
	}
	kind, ok := strings.CutPrefix(s.EmailBackend, "django.core.mail.backends.")
	if ok {
		kind = strings.TrimSuffix(strings.TrimSuffix(kind, ".EmailBackend"), "based") // filebased
	}
	switch {
	case kind == "" && s.EmailHost == "":
		return nil, nil
	case kind == "console":
		return mail.NewConsole(console), nil
	case kind == "file" && s.EmailFilePath == "":
		return nil, s.wrong("email_backend", "needs email_file_path, the folder to write mail into")
	case kind == "file":
		sender, err := mail.NewFile(s.EmailFilePath)
		if err != nil {
			return nil, s.wrong("email_file_path", "cannot be used: "+strings.TrimPrefix(err.Error(), "mail: "))
		}
		return sender, nil
	case kind == "" || kind == "smtp":
		return s.smtpSender()
	}
	return nil, s.wrong("email_backend", "can only be smtp, console or file, or Django's dotted path of one of them")
}

func (s *Settings) smtpSender() (mail.Sender, error) {
	cfg := smtpmail.Config{
		Host: s.EmailHost, Port: s.EmailPort, Username: s.EmailHostUser, Password: s.EmailHostPassword, Timeout: s.EmailTimeout, From: s.mailFrom(),
	}
	switch {
	case s.EmailUseSSL && s.EmailUseTLS != nil && *s.EmailUseTLS:
		return nil, s.wrong("email_use_ssl", "and email_use_tls exclude each other: leave out email_use_ssl for port 587 or 25, email_use_tls for port 465")
	case s.EmailUseSSL:
		cfg.TLS = smtpmail.Implicit
	case s.EmailUseTLS != nil && *s.EmailUseTLS:
		cfg.TLS = smtpmail.StartTLS
	case s.EmailUseTLS != nil:
		cfg.TLS = smtpmail.Insecure
	}
	if cfg.Port == 0 && !s.EmailUseSSL {
		cfg.Port = 25
	}
	sender, err := smtpmail.New(cfg)
	if errors.Is(err, smtpmail.ErrCleartext) {
		return nil, s.wrong("email_use_tls", "= false would send the password in the clear: leave it out")
	}
	if err != nil {
		return nil, s.wrong("email_host", "cannot be used: "+strings.TrimPrefix(err.Error(), "smtpmail: "))
	}
	return sender, nil
}

// wrong is a *SettingError about a setting, wherever it was set.
func (s *Settings) wrong(name, cure string) error {
	where := s.sources[name]
	if where == "" {
		where = "settings"
	}
	return &SettingError{Where: where, Cure: fmt.Sprintf("%s %s", name, cure)}
}
