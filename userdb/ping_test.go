package userdb_test

import (
	"context"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
)

// TestPingLocked: a SQLite file that another program keeps to itself does not answer.
func TestPingLocked(t *testing.T) {
	t.Parallel()
	empty := testdb.New(t, "sqlite")
	other, err := empty.SQL(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do := func(query string) {
		t.Helper()
		if _, err := other.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	do("CREATE TABLE theirs (id integer)") // and so a journal that keeps readers out
	db := openEmpty(t, empty)
	for _, locked := range []bool{false, true, false} {
		if locked {
			do("BEGIN EXCLUSIVE")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if err := db.Ping(ctx); (err != nil) != locked {
			t.Errorf("locked: %v; Ping: %v", locked, err)
		}
		cancel()
		if locked {
			do("ROLLBACK")
		}
	}
}
