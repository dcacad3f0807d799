package cardeatest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// SecretKey is the secret key of [Config].
const SecretKey = "cardeatest: no secret at all, in no program that runs"

// Config is a configuration for tests: a fixed secret and the hasher of [Hashers].
func Config() cardea.Config {
	return cardea.Config{SecretKey: SecretKey, Hashers: Hashers()}
}

// Hashers hash as fast as can be. They are for tests that are not about hashing and for nothing else.
func Hashers() *password.Hashers {
	h, err := password.New(password.Config{Hashers: []password.Hasher{password.PBKDF2SHA256(1)}})
	if err != nil {
		panic("cardeatest: " + err.Error())
	}
	return h
}

// DB makes a database in a folder of the test's, with all tables, and closes it at the end.
func DB(t testing.TB) *userdb.DB {
	t.Helper()
	ctx := context.Background()
	db, err := userdb.Open(ctx, "sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(ctx, userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// User makes an active user with that password, hashed by [Hashers].
func User(t testing.TB, db *userdb.DB, username, plain string) *userdb.User {
	t.Helper()
	ctx := context.Background()
	encoded, err := Hashers().Make(ctx, plain)
	if err != nil {
		t.Fatal(err)
	}
	u, err := db.CreateUser(ctx, userdb.NewUser{Username: username, Email: username + "@example.com", PasswordHash: encoded})
	if err != nil {
		t.Fatal(err)
	}
	return u
}
