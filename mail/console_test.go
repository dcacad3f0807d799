package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/mail"
)

// TestConsole: a mail on the console is one that a mail program can read, and Django's line of dashes behind it.
func TestConsole(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("wörter ", 300)
	for name, m := range map[string]*mail.Message{
		"plain": message(nil),
		"not ASCII": message(func(m *mail.Message) {
			m.Text, m.Subject = "Grüße\n.\nFrom me\n", "Grüße an Ada, "+strings.Repeat("ü", 90)
		}),
		"long": message(func(m *mail.Message) { m.Text = long + "\n" }),
		"HTML": message(func(m *mail.Message) { m.HTML = "<p>Hello <b>Ädä</b>\n" }),
		"CRLF": message(func(m *mail.Message) { m.Text = "a\r\nb\r\n" }),
	} {
		var b bytes.Buffer
		if err := mail.NewConsole(&b).Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		raw, ok := strings.CutSuffix(b.String(), strings.Repeat("-", 79)+"\n")
		if !ok {
			t.Errorf("%s: no line of dashes at the end of %q", name, b.String())
		}
		check(t, name, raw, m)
	}
}

// check reads a mail and compares it with what it was made of.
func check(t *testing.T, name, raw string, m *mail.Message) {
	t.Helper()
	parsed, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil || subject != m.Subject {
		t.Errorf("%s: the subject is %q, %v", name, subject, err)
	}
	for _, header := range []string{"Message-ID", "Date", "MIME-Version"} {
		if parsed.Header.Get(header) == "" {
			t.Errorf("%s: no %s", name, header)
		}
	}
	if parsed.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%s: not marked as sent by a machine", name)
	}
	for header, want := range map[string]string{"From": m.From, "To": m.To} {
		a, err := netmail.ParseAddress(parsed.Header.Get(header))
		w, _ := netmail.ParseAddress(want)
		if err != nil || *a != *w {
			t.Errorf("%s: %s is %v, %v, want %v", name, header, a, err, w)
		}
	}
	want := []string{m.Text}
	if m.HTML != "" {
		want = append(want, m.HTML)
	}
	for i, got := range bodies(t, parsed) {
		if i >= len(want) || got != strings.ReplaceAll(want[i], "\r\n", "\n") {
			t.Errorf("%s: part %d is %q", name, i, got)
		}
	}
}

func bodies(t *testing.T, m *netmail.Message) []string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(encoding string, r io.Reader) string {
		if encoding == "quoted-printable" {
			r = quotedprintable.NewReader(r)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if kind != "multipart/alternative" {
		return []string{read(m.Header.Get("Content-Transfer-Encoding"), m.Body)}
	}
	var all []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, read(p.Header.Get("Content-Transfer-Encoding"), p)+"\n") // the last line's end belongs to the boundary
	}
}

// TestFile: a file for each mail, which nobody else can read.
func TestFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "mails")
	sender, err := mail.NewFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := sender.Send(context.Background(), message(nil)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) != 10 {
		t.Fatalf("got %d files, %v", len(names), err)
	}
	for _, name := range append(names, dir) {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v: others can read it", name, info.Mode(), err)
		}
	}
	raw, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	check(t, "file", strings.TrimSuffix(string(raw), strings.Repeat("-", 79)+"\n"), message(nil))
}

// TestSendersCheck: no sender takes a message that is none, or one whose time is over.
func TestSendersCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, err := mail.NewFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, sender := range map[string]mail.Sender{"file": file, "console": mail.NewConsole(&b)} {
		if err := sender.Send(t.Context(), message(func(m *mail.Message) { m.Subject = "a\nBcc: eve@example.com" })); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("%s: got %v, want ErrMessage", name, err)
		}
		if err := sender.Send(ended, message(nil)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want Canceled", name, err)
		}
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 || b.Len() != 0 {
		t.Errorf("something was written: %v, %q", names, b.String())
	}
	if _, err := mail.NewFile(""); err == nil {
		t.Error("a sender of files without a folder was made")
	}
	if _, err := mail.NewFile(filepath.Join(os.DevNull, "x")); err == nil {
		t.Error("a sender of files in a folder that cannot be was made")
	}
}
