package browser_test

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
)

// A letter is a mail as its reader sees it.
type letter struct{ To, Subject, Text, HTML string }

// readLetter reads a mail as it goes over the wire.
func readLetter(raw string) (letter, error) {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return letter{}, err
	}
	to, err := mail.ParseAddress(m.Header.Get("To"))
	if err != nil {
		return letter{}, err
	}
	l := letter{To: to.Address}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return letter{}, err
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return letter{}, fmt.Errorf("a mail of type %q, want multipart/alternative (%v)", kind, err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return letter{}, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return letter{}, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = string(text)
		} else {
			l.Text = string(text)
		}
	}
	if l.Text == "" || l.HTML == "" {
		return letter{}, errors.New("a mail without a text or without HTML")
	}
	return l, nil
}

// A postbox is where the mails of a site arrive.
type postbox interface {
	letters(t testing.TB) []letter
}

// A folder is the postbox of a site with email_backend = file.
type folder string

// settings are those of a site that writes its mails into the folder.
func (f folder) settings() []string {
	return []string{"CARDEA_EMAIL_BACKEND=file", "CARDEA_EMAIL_FILE_PATH=" + string(f)}
}

func (f folder) letters(t testing.TB) []letter {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(string(f), "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	var list []letter
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(string(raw), "-----\n") {
			continue // it is being written
		}
		l, err := readLetter(string(raw))
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, raw)
		}
		list = append(list, l)
	}
	return list
}

// awaitLetter waits for the nth mail to an address with these words in its subject.
func awaitLetter(t testing.TB, box postbox, to, subject string, n int) letter {
	t.Helper()
	var found letter
	harness.Eventually(t, fmt.Sprintf("mail %d to %s: %s", n, to, subject), harness.Patience, func() bool {
		have := 0
		for _, l := range box.letters(t) {
			if l.To == to && strings.Contains(l.Subject, subject) {
				if have++; have == n {
					found = l
				}
			}
		}
		return have >= n
	})
	return found
}

var address = regexp.MustCompile(`https?://\S+/accounts/\S+`)

// link is the path of the one page of accounts that a mail leads to. Both of its parts name it.
func (l letter) link(t testing.TB) string {
	t.Helper()
	found := address.FindAllString(l.Text, -1)
	if len(found) != 1 {
		t.Fatalf("%d links in the mail, want one:\n%s", len(found), l.Text)
	}
	if !strings.Contains(l.HTML, found[0]) {
		t.Errorf("the HTML of the mail has another link than %s:\n%s", found[0], l.HTML)
	}
	u, err := url.Parse(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}
