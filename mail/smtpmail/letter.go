package smtpmail

import (
	"crypto/rand"
	netmail "net/mail"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/cardea-go/cardea/mail"
)

// A letter is a message as it goes to the server.
type letter struct {
	from, to *netmail.Address // without names
	msg      *gomail.Msg
	ascii    bool // whether both addresses are
}

func newLetter(m *mail.Message) (*letter, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	from, to, err := m.Addresses()
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	msg.Subject(m.Subject)
	msg.SetDate()
	id := m.ID
	if id == "" {
		id = rand.Text()
	}
	// The library's own would tell the name of this machine.
	msg.SetMessageIDWithValue(id + from.Address[strings.LastIndexByte(from.Address, '@'):])
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that no holiday notice answers
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return &letter{
		from: &netmail.Address{Address: from.Address}, to: &netmail.Address{Address: to.Address}, msg: msg,
		ascii: isASCII(from.Address + to.Address),
	}, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
