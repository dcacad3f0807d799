package mail_test

import (
	"testing"

	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/mail/mailtest"
)

func TestMemoryOutbox(t *testing.T) {
	t.Parallel()
	mailtest.Run(t, func(*testing.T) mail.Outbox { return mail.NewMemoryOutbox() })
}
