package harness

import (
	"context"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// Each runs a parallel subtest with an empty database for each of the kinds, or for all.
func Each(t *testing.T, run func(t *testing.T, db testdb.DB), kinds ...string) {
	t.Helper()
	if len(kinds) == 0 {
		kinds = testdb.Kinds
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			db := testdb.New(t, kind)
			t.Logf("on %s", Version(t, db))
			run(t, db)
		})
	}
}

// Version is what the database says that it is.
func Version(t testing.TB, db testdb.DB) string {
	t.Helper()
	query := "SELECT version()"
	if db.Kind == "sqlite" {
		query = "SELECT 'SQLite ' || sqlite_version()"
	}
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	var version string
	if err := db.SQL(t).QueryRowContext(ctx, query).Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

// Migrated opens a database, creates its tables, and makes a user for each name, whose password is [Password].
func Migrated(t testing.TB, db testdb.DB, names ...string) *userdb.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	opened, err := userdb.OpenURL(ctx, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	if _, err := opened.Migrate(ctx, userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	encoded, err := password.MD5().Encode(Password, "integration")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := opened.CreateUser(ctx, userdb.NewUser{Username: name, PasswordHash: encoded}); err != nil {
			t.Fatal(err)
		}
	}
	return opened
}

// Password is the password of the users that Migrated makes.
const Password = "correct horse battery"

// Eventually ends the test unless ok becomes true in time. It returns how long that took.
func Eventually(t testing.TB, what string, within time.Duration, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > within {
			t.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}
