//go:build race

package password_test

// raceDetector makes PBKDF2 eleven times slower, so that hashes of real cost are left to runs without it.
const raceDetector = true
