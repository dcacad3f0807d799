// Package throttletest tests what a throttle.Store promises.
package throttletest

import (
	"testing"

	"github.com/cardea-go/cardea/throttle"
)

// Run tests a store. Open returns a fresh, empty one for each subtest.
func Run(t *testing.T, open func(t *testing.T) throttle.Store) {
	t.Helper()
}
