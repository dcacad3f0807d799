package mail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/cardea-go/cardea/mail"
)

// Where something happens that a person should be told, a note goes into the outbox. What is mailed, a link above all, is made
// when the courier sends.
func Example() {
	ctx := context.Background()
	outbox := mail.NewMemoryOutbox() // a site has userdb's
	if err := outbox.Enqueue(ctx, "welcome", json.RawMessage(`{"to": "ada@example.com"}`), time.Now()); err != nil {
		log.Fatal(err)
	}
	courier, err := mail.NewCourier(outbox, printer{}, func(_ context.Context, it mail.Item) ([]*mail.Message, error) {
		var about struct{ To string }
		if err := json.Unmarshal(it.Data, &about); err != nil {
			return nil, err
		}
		return []*mail.Message{{From: "site@example.com", To: about.To, Subject: "Welcome", Text: "Hello."}}, nil
	}, mail.CourierConfig{})
	if err != nil {
		log.Fatal(err)
	}
	n, err := courier.Once(ctx)
	fmt.Println(n, err)
	// Output:
	// Welcome → ada@example.com
	// 1 <nil>
}

type printer struct{}

func (printer) Send(_ context.Context, m *mail.Message) error {
	fmt.Println(m.Subject, "→", m.To)
	return nil
}
