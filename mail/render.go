package mail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// maxLine is the longest line of text that SMTP carries as it is, without its end.
const maxLine = 998

// render writes a checked message as RFC 5322 has it, with bare line feeds: for people and files, not for the network.
func render(m *Message, now time.Time) ([]byte, error) {
	from, to, err := m.Addresses()
	if err != nil {
		return nil, err
	}
	id := m.ID
	if id == "" {
		id = rand.Text()
	}
	var b bytes.Buffer
	boundary := "=_" + rand.Text()
	if m.HTML == "" {
		fmt.Fprint(&b, partHeader("plain", m.Text))
	} else {
		fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=\"%s\"\n", boundary)
	}
	fmt.Fprintf(&b, "MIME-Version: 1.0\nSubject: %s\nFrom: %s\nTo: %s\nDate: %s\nMessage-ID: <%s@%s>\nAuto-Submitted: auto-generated\n\n",
		mime.QEncoding.Encode("utf-8", m.Subject), from, to, now.Format(time.RFC1123Z), id, from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	if m.HTML == "" {
		err := writeBody(&b, m.Text)
		return b.Bytes(), err
	}
	for _, part := range [...]struct{ kind, text string }{{"plain", m.Text}, {"html", m.HTML}} {
		fmt.Fprintf(&b, "--%s\n%sMIME-Version: 1.0\n\n", boundary, partHeader(part.kind, part.text))
		if err := writeBody(&b, part.text); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(&b, "--%s--\n", boundary)
	return b.Bytes(), nil
}

func partHeader(kind, text string) string {
	return fmt.Sprintf("Content-Type: text/%s; charset=\"utf-8\"\nContent-Transfer-Encoding: %s\n", kind, encoding(text))
}

// encoding leaves text as people read it wherever a mail may.
func encoding(text string) string {
	for line := range strings.Lines(text) {
		if len(strings.TrimRight(line, "\r\n")) > maxLine {
			return "quoted-printable"
		}
	}
	if isASCII(text) {
		return "7bit"
	}
	return "8bit"
}

// writeBody ends the text with a line feed.
func writeBody(b *bytes.Buffer, text string) error {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.TrimSuffix(text, "\n") + "\n"
	if encoding(text) != "quoted-printable" {
		b.WriteString(text)
		return nil
	}
	var encoded bytes.Buffer
	w := quotedprintable.NewWriter(&encoded)
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	b.WriteString(strings.ReplaceAll(encoded.String(), "\r\n", "\n"))
	return nil
}
