package cardeatest

import (
	"context"
	"regexp"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/mail"
)

// A Mailbox takes the mail of a site under test: set it as Config.Mail, and let Site.SendMail send what waits. The zero value is
// empty.
type Mailbox struct {
	mu       sync.Mutex
	messages []*mail.Message
	err      error
}

// Send implements mail.Sender.
func (b *Mailbox) Send(_ context.Context, m *mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.messages = append(b.messages, m)
	return nil
}

// Fail makes Send fail with err from now on, as a mail server that is down; nil ends that.
func (b *Mailbox) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Messages returns what came to an address, the oldest first; "" is any address.
func (b *Mailbox) Messages(to string) []*mail.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*mail.Message
	for _, m := range b.messages {
		if to == "" || m.To == to {
			found = append(found, m)
		}
	}
	return found
}

// Empty throws all mail away.
func (b *Mailbox) Empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = nil
}

var link = regexp.MustCompile(`https?://[^\s]+`)

// Link returns the first link of the newest mail to an address. Without one the test ends.
func (b *Mailbox) Link(t testing.TB, to string) string {
	t.Helper()
	found := b.Messages(to)
	if len(found) == 0 {
		t.Fatalf("there is no mail to %s", to)
	}
	m := found[len(found)-1]
	target := link.FindString(m.Text)
	if target == "" {
		t.Fatalf("there is no link in the mail %q to %s:\n%s", m.Subject, to, m.Text)
	}
	return target
}
