package account_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// A program of its own, without pages: somebody has forgotten a password, and gets a mail.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := userdb.Open(ctx, "sqlite", filepath.Join(dir, "site.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx, userdb.MigrateOptions{}); err != nil {
		log.Fatal(err)
	}
	hashers, err := password.New(password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}}) // cheap, for the example
	if err != nil {
		log.Fatal(err)
	}
	encoded, err := hashers.Make(ctx, "correct horse")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.CreateUser(ctx, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: encoded}); err != nil {
		log.Fatal(err)
	}
	tokens, err := auth.NewResetTokens(signing.Keys{Current: "a secret of at least thirty-two characters"}, auth.ResetConfig{Timeout: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := account.New(db.Users().Accounts(), account.Config{
		Hashers: hashers, ResetTokens: tokens, ResetTime: time.Hour, From: "site@example.com", Site: "Example",
	})
	if err != nil {
		log.Fatal(err)
	}

	asked := account.Asked{At: time.Now(), Address: netip.MustParseAddr("192.0.2.7")}
	if err := accounts.RequestReset(ctx, "ADA@example.com", "https://example.com", asked); err != nil {
		log.Fatal(err)
	}
	courier, err := mail.NewCourier(db.Outbox(), printer{}, accounts.Compose, mail.CourierConfig{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := courier.Once(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// to ada@example.com: Password reset on Example
}

// A printer is a sender that sends nothing.
type printer struct{}

func (printer) Send(_ context.Context, m *mail.Message) error {
	fmt.Printf("to %s: %s\n", m.To, m.Subject)
	return nil
}
