package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/cardea-go/cardea/manage"
	"github.com/cardea-go/cardea/userdb"
)

// fillOutbox is a command of the scripts: it puts a mail into the outbox of a database for each state that it is given.
func fillOutbox() {
	if err := fill(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fill(ctx context.Context, url string, states []string) error {
	db, err := userdb.OpenURL(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	box := db.Outbox()
	now := time.Now()
	for _, state := range states {
		due := now
		if state == "waiting" {
			due = now.Add(time.Hour)
		}
		if err := box.Enqueue(ctx, "test", json.RawMessage(`{"email": "ada@example.com"}`), due); err != nil {
			return err
		}
		if state == "waiting" {
			continue
		}
		it, err := box.Claim(ctx, now, time.Hour)
		if err == nil && state == "parked" {
			err = box.Retry(ctx, it, time.Time{}, "550 nobody here")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestSendTestMail: a test mail reaches the mail server of the settings.
func TestSendTestMail(t *testing.T) {
	t.Parallel()
	box := &mailServer{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return box, nil }))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	var out, errs bytes.Buffer
	p := manage.Program{
		Args: []string{"sendtestmail", "ada@example.com"},
		Environ: []string{
			"CARDEA_EMAIL_HOST=127.0.0.1", fmt.Sprintf("CARDEA_EMAIL_PORT=%d", ln.Addr().(*net.TCPAddr).Port), "CARDEA_DEFAULT_FROM_EMAIL=Site <site@example.com>",
		},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
	}
	if status := p.Run(t.Context()); status != 0 || out.String() != "Sent to ada@example.com.\n" {
		t.Fatalf("status %d, %q, %q", status, out.String(), errs.String())
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.got) != 1 || !strings.HasPrefix(box.got[0], "site@example.com→ada@example.com: ") || !strings.Contains(box.got[0], "so the settings of mail work") {
		t.Errorf("arrived: %q", box.got)
	}
}

// A mailServer keeps what it gets, one mail after the other.
type mailServer struct {
	mu       sync.Mutex
	envelope string
	got      []string
}

func (s *mailServer) Reset() {}

func (s *mailServer) Logout() error { return nil }

func (s *mailServer) Mail(from string, _ *smtp.MailOptions) error { s.envelope = from; return nil }

func (s *mailServer) Rcpt(to string, _ *smtp.RcptOptions) error { s.envelope += "→" + to; return nil }

func (s *mailServer) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, s.envelope+": "+string(text))
	return err
}
