package mail_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/mail"
)

func message(change func(m *mail.Message)) *mail.Message {
	m := &mail.Message{From: "Site <site@example.com>", To: "ada@example.com", Subject: "Your password", Text: "Hello Ada.\n"}
	if change != nil {
		change(m)
	}
	return m
}

// TestHeaderInjection: nothing that becomes a header takes a line break or another control character.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{
		"\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\rBcc: eve@example.com", "\r\n\r\n<a href=x>", "\x00", "\x1b[31m", "\u0085x", "\u2028x", "\u2029x",
	} {
		for field, change := range map[string]func(m *mail.Message){
			"from":         func(m *mail.Message) { m.From += tail },
			"from, a name": func(m *mail.Message) { m.From = "Site" + tail + " <site@example.com>" },
			"from, quoted": func(m *mail.Message) { m.From = `"Site` + tail + `" <site@example.com>` },
			"to":           func(m *mail.Message) { m.To += tail },
			"to, inside":   func(m *mail.Message) { m.To = "ada" + tail + "@example.com" },
			"to, quoted":   func(m *mail.Message) { m.To = `"ada` + tail + `"@example.com` },
			"subject":      func(m *mail.Message) { m.Subject += tail },
			"id":           func(m *mail.Message) { m.ID = "a" + tail },
		} {
			if err := message(change).Check(); !errors.Is(err, mail.ErrMessage) {
				t.Errorf("%s with %q: got %v, want ErrMessage", field, tail, err)
			}
		}
	}
	// An encoded name is decoded by whoever reads it.
	for _, name := range []string{"=?utf-8?q?Site=0D=0ABcc:_eve=40example.com?=", "=?utf-8?b?U2l0ZQ0KQmNjOiBldmU=?="} {
		if err := message(func(m *mail.Message) { m.From = name + " <site@example.com>" }).Check(); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("%s: got %v, want ErrMessage", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := message(nil).Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m *mail.Message){
		"HTML":         func(m *mail.Message) { m.HTML = "<p>\tHello</p>\r\n" },
		"a subject":    func(m *mail.Message) { m.Subject = "Größe 😀" },
		"an id":        func(m *mail.Message) { m.ID = "1a.2B" },
		"a plain from": func(m *mail.Message) { m.From = "webmaster@localhost" },
	} {
		if err := message(change).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(m *mail.Message){
		"nobody":               func(m *mail.Message) { m.To = "" },
		"no sender":            func(m *mail.Message) { m.From = "" },
		"two recipients":       func(m *mail.Message) { m.To = "ada@example.com, eve@example.com" },
		"two, by a semicolon":  func(m *mail.Message) { m.To = "ada@example.com; eve@example.com" },
		"a group":              func(m *mail.Message) { m.To = "all: ada@example.com, eve@example.com;" },
		"no domain":            func(m *mail.Message) { m.To = "ada" },
		"a long address":       func(m *mail.Message) { m.To = strings.Repeat("a", 320) + "@example.com" },
		"bytes that are not":   func(m *mail.Message) { m.To = "ad\xffa@example.com" },
		"a folding domain":     func(m *mail.Message) { m.To = "ada@e\u212Bample.com\u3002evil.example" },
		"no subject":           func(m *mail.Message) { m.Subject = " " },
		"a long subject":       func(m *mail.Message) { m.Subject = strings.Repeat("x", 901) },
		"a broken subject":     func(m *mail.Message) { m.Subject = "\xff" },
		"no text":              func(m *mail.Message) { m.Text = "\n"; m.HTML = "<p>x" },
		"a NUL in the text":    func(m *mail.Message) { m.Text = "a\x00b" },
		"an escape in HTML":    func(m *mail.Message) { m.HTML = "\x1b" },
		"an id with an at":     func(m *mail.Message) { m.ID = "a@b" },
		"an id that closes":    func(m *mail.Message) { m.ID = "a>" },
		"an id without an end": func(m *mail.Message) { m.ID = strings.Repeat("x", 101) },
	} {
		if err := message(change).Check(); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("%s: got %v, want ErrMessage", name, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ada@example.com":                    "ada@example.com",
		"Ada Lovelace <Ada@Example.COM>":     "Ada@Example.COM",
		"ada@Exämple.com":                    "ada@xn--exmple-cua.com",
		"ada@EXÄMPLE.com":                    "ada@xn--exmple-cua.com",
		"ada@παράδειγμα.δοκιμή":              "ada@xn--hxajbheg2az3al.xn--jxalpdlp",
		"\"quoted\"@example.com":             "quoted@example.com",
		"ada@[127.0.0.1]":                    "ada@[127.0.0.1]",
		"ädä@example.com":                    "ädä@example.com",
		"=?utf-8?q?Ad=C3=A4?= <a@localhost>": "a@localhost",
	} {
		a, err := mail.ParseAddress(text)
		if err != nil || a.Address != want {
			t.Errorf("ParseAddress(%q) = %v, %v, want %s", text, a, err, want)
		}
	}
	// Local parts that would be another recipient, or two, where the quotes are lost.
	for _, local := range []string{"odd name", "eve@evil.example> ", "eve@evil.example", "a,b", "a;b", "a:b", "(a)b", "a\\\\b", "[a]", "a\\\"b"} {
		if a, err := mail.ParseAddress(`"` + local + `"@example.com`); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("ParseAddress(%q) = %v, %v, want ErrMessage", local, a, err)
		}
	}
	// Domains that others would fold into one that exists.
	for _, text := range []string{"ada@eﬀ.com", "ada@example.com\u3002evil.com", "ada@exa\u00ADmple.com", "ada@ｅxample.com", "ada@exampl\u200De.com", "ada@\u212Aelvin.com", "ada@\u0130x.com"} {
		if a, err := mail.ParseAddress(text); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("ParseAddress(%q) = %v, %v, want ErrMessage", text, a, err)
		}
	}
}
