package account

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	texttemplate "text/template"

	"github.com/cardea-go/cardea/mail"
)

//go:embed templates/*.txt templates/*.html
var builtin embed.FS

// The layout of the HTML part, and the mails: NAME.txt defines "subject" and "text", NAME.html defines "content".
const layout = "base.html"

var letterNames = [...]string{
	"password_reset", "password_changed", "signup", "signup_known", "email_change", "email_known", "email_change_notice", "email_changed",
	KindIdentityLinked, KindIdentityUnlinked,
	"token_made",
}

type templates struct {
	text map[string]*texttemplate.Template
	html map[string]*htmltemplate.Template
}

// loadTemplates parses the templates of all mails, each file taken from the overlay where it has one of that name.
func loadTemplates(overlay fs.FS) (*templates, error) {
	read := func(name string) (string, error) {
		if overlay != nil {
			text, err := fs.ReadFile(overlay, name)
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				return string(text), err
			}
		}
		text, err := builtin.ReadFile("templates/" + name)
		return string(text), err
	}
	t := &templates{text: map[string]*texttemplate.Template{}, html: map[string]*htmltemplate.Template{}}
	base, err := read(layout)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	common, err := read("common.txt")
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	for _, name := range letterNames {
		plain, err := read(name + ".txt")
		if err != nil {
			return nil, fmt.Errorf("account: %w", err)
		}
		rich, err := read(name + ".html")
		if err != nil {
			return nil, fmt.Errorf("account: %w", err)
		}
		if t.text[name], err = texttemplate.New(name).Parse(common + plain); err != nil {
			return nil, fmt.Errorf("account: template %s.txt: %w", name, err)
		}
		if t.html[name], err = htmltemplate.New(name).Parse(base + rich); err != nil {
			return nil, fmt.Errorf("account: template %s.html: %w", name, err)
		}
		if t.text[name].Lookup("subject") == nil || t.text[name].Lookup("text") == nil {
			return nil, fmt.Errorf("account: template %s.txt has to define \"subject\" and \"text\"", name)
		}
	}
	return t, nil
}

// write makes a message without sender and recipient. The subject is one line, whatever the names in it.
func (t *templates) write(name string, l Letter) (*mail.Message, error) {
	var subject, text, html bytes.Buffer
	for _, step := range [...]func() error{
		func() error { return t.text[name].ExecuteTemplate(&subject, "subject", l) },
		func() error { return t.text[name].ExecuteTemplate(&text, "text", l) },
		func() error { return t.html[name].ExecuteTemplate(&html, "base", l) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("account: %w", err)
		}
	}
	return &mail.Message{
		Subject: strings.Join(strings.Fields(subject.String()), " "),
		Text:    strings.TrimSpace(text.String()) + "\n",
		HTML:    strings.TrimSpace(html.String()) + "\n",
	}, nil
}
