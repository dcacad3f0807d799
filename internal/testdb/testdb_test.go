package testdb_test

import (
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
)

// TestEach: every database takes a table and is empty for the next test.
func TestEach(t *testing.T) {
	t.Parallel()
	for range 2 {
		testdb.Each(t, func(t *testing.T, db testdb.DB) {
			if _, err := db.SQL(t).ExecContext(t.Context(), "CREATE TABLE probe (id integer)"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
