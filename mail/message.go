package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// A Message is one mail to one person. Senders check it first, see [Message.Check].
type Message struct {
	// From is the sender, "name@example.com" or "Name <name@example.com>".
	From string
	// To is the one recipient, in the same form.
	To string
	// Subject is one line.
	Subject string
	// Text is the plain text, which every mail has.
	Text string
	// HTML says the same as Text. Empty means that the mail is plain text only.
	HTML string
	// ID is the part of the Message-ID before the @: letters, digits and dots. A mail that is sent twice should have the same one
	// both times, so that mail programs can tell; a [Courier] sees to it. Defaults to a random one.
	ID string
}

// A Sender delivers messages. It may be used by several goroutines at once.
type Sender interface {
	// Send delivers one message and returns when the next server has taken responsibility for it. It ends when ctx does. An error
	// that is [ErrRefused] will not go away by trying again; after any other the message can be sent again, and may then arrive
	// twice.
	Send(ctx context.Context, m *Message) error
}

var (
	// ErrMessage says that a message is not one that can be sent: an address that is none, a line break in a header, no text.
	ErrMessage = errors.New("the message cannot be sent")
	// ErrRefused says that the mail server refused a message for good: it knows no such recipient, or does not want the content.
	ErrRefused = errors.New("the mail server refused the message for good")
)

// maxAddress is the length of an address in bytes, and maxSubject that of a subject: SMTP's limit of a line, with room to encode.
const (
	maxAddress = 320
	maxSubject = 900
)

// Check reports whether the message can be sent, as an [ErrMessage] that says why not. Headers take no control characters, so that
// nobody adds a header of their own through a name or a subject (header injection).
func (m *Message) Check() error {
	_, _, err := m.Addresses()
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(m.Subject) == "":
		return bad("there is no subject")
	case len(m.Subject) > maxSubject:
		return bad("the subject has more than %d bytes", maxSubject)
	case hasControl(m.Subject) || !utf8.ValidString(m.Subject):
		return bad("the subject has a line break, another control character, or is not UTF-8")
	case strings.TrimSpace(m.Text) == "":
		return bad("there is no plain text")
	case !isText(m.Text) || !isText(m.HTML):
		return bad("the text has control characters or is not UTF-8")
	case strings.Trim(m.ID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") != "" || len(m.ID) > 100:
		return bad("the message ID %q has more than letters, digits and dots", m.ID)
	}
	return nil
}

// Addresses returns the checked sender and recipient, with domains in ASCII.
func (m *Message) Addresses() (from, to *mail.Address, err error) {
	if from, err = ParseAddress(m.From); err != nil {
		return nil, nil, fmt.Errorf("from: %w", err)
	}
	if to, err = ParseAddress(m.To); err != nil {
		return nil, nil, fmt.Errorf("to: %w", err)
	}
	return from, to, nil
}

// ParseAddress reads exactly one address, with or without a name. The domain comes back in ASCII, as the mail system needs it; a
// domain that only becomes a valid one by folding its characters to others is refused, since it may be somebody else's. So is a
// local part that has to be quoted: where one ends is what mail systems disagree about, and so who gets the mail. The error is
// an [ErrMessage].
func ParseAddress(text string) (*mail.Address, error) {
	if len(text) > maxAddress || hasControl(text) || !utf8.ValidString(text) {
		return nil, bad("the address is too long, has a line break or another control character, or is not UTF-8")
	}
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, bad("%q is not an address, such as ada@example.com", text)
	}
	if hasControl(a.Name) || hasControl(a.Address) { // which an encoded name can bring in
		return nil, bad("the address has a control character")
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if strings.ContainsAny(local, " \"(),:;<>@[\\]") {
		return nil, bad("%q has a local part that has to be quoted", text)
	}
	if !isASCII(domain) {
		if domain, err = idna.Registration.ToASCII(strings.Map(lower, domain)); err != nil {
			return nil, bad("%q is not an address: its domain cannot exist", text)
		}
	}
	a.Address = local + "@" + domain
	return a, nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("mail: %w: %s", ErrMessage, fmt.Sprintf(format, args...))
}

// lower is the small letter of a capital one; not that of the Kelvin sign, which is no letter of a domain but would become a k.
func lower(r rune) rune {
	if l := unicode.ToLower(r); unicode.ToUpper(l) == r {
		return l
	}
	return r
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// hasControl finds control characters and the line breaks of Unicode.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// isText takes tabs and line breaks, but no other control character.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}
