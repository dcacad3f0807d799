//go:build !race

package signing_test

const race = false
