//go:build race

package signing_test

// The race detector empties pools at random, so that allocations are not counted under it.
const race = true
