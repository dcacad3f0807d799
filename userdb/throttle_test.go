package userdb_test

import (
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/throttle"
	"github.com/cardea-go/cardea/throttle/throttletest"
)

// TestThrottle holds the store against the rules of all stores of tries.
func TestThrottle(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		throttletest.Run(t, func(t *testing.T) throttle.Store {
			exec(t, db, "DELETE FROM cardea_throttle")
			return db.Throttle()
		})
	})
}
