package smtpmail_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/mail/smtpmail"
)

// TestBadDays: a mail outlives a server that refuses, hangs after DATA and dies in the middle of a sentence, and is accepted once.
func TestBadDays(t *testing.T) {
	t.Parallel()
	port, ended := script(t,
		map[string]string{"greeting": "421 not today"},
		map[string]string{"RCPT": "450 come back later"},
		map[string]string{"DATA": "hang"},
		map[string]string{"DATA": "354 go ondie"},
		map[string]string{"MAIL": "2die"},
		map[string]string{},
	)
	box := mail.NewMemoryOutbox()
	courier, err := mail.NewCourier(box, sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port, Timeout: 300 * time.Millisecond}),
		func(context.Context, mail.Item) ([]*mail.Message, error) { return []*mail.Message{message()}, nil },
		mail.CourierConfig{Backoff: func(int) time.Duration { return 0 }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Enqueue(t.Context(), "test", json.RawMessage("null"), time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := courier.Once(t.Context()); n != 1 || err != nil || ended() != 1 {
		t.Errorf("Once: got %d, %v, and %d mails at the server, want one", n, err, ended())
	}
	if left, err := box.List(t.Context(), 10); len(left) != 0 || err != nil {
		t.Errorf("left: %+v, %v", left, err)
	}
}

// TestNobodyThere: a recipient that the server does not know is parked, with the reason and without the address.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	port, _ := script(t, map[string]string{"RCPT": "550 5.1.1 <ada@xn--exmple-cua.com>: no such user"})
	box := mail.NewMemoryOutbox()
	courier, err := mail.NewCourier(box, sender(t, smtpmail.Config{Host: "127.0.0.1", Port: port}),
		func(context.Context, mail.Item) ([]*mail.Message, error) { return []*mail.Message{message()}, nil },
		mail.CourierConfig{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Enqueue(t.Context(), "test", json.RawMessage("null"), time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := courier.Once(t.Context()); n != 0 || err != nil {
		t.Errorf("Once: got %d, %v", n, err)
	}
	left, err := box.List(t.Context(), 10)
	if err != nil || len(left) != 1 || !left[0].Due.IsZero() || !strings.HasSuffix(left[0].LastError, `RCPT TO: 550 "5.1.1 <(recipient)>: no such user"`) {
		t.Errorf("left: %+v, %v", left, err)
	}
}
