package password

import (
	"fmt"
	"math/bits"
)

// MaxLength is the longest password, in bytes, that [Hashers.Make] takes. A longer one is refused with [ErrTooLong], never cut,
// and [Hashers.Check] answers false for it. All hashers but plain bcrypt read a long password once, before the slow
// part, so that its length hardly matters; forms should still stop at 4096 bytes, as newer Djangos do.
const MaxLength = 64 << 10

// maxEncoded bounds the stored text. Django's column holds 128 characters.
const maxEncoded = 1024

// Limits bounds what a stored text may ask for. Whoever can write one row could otherwise make each log-in of it take all
// memory or minutes. The defaults let a single check take about five seconds on a slow core. A text over a limit is logged and
// answered false, after the usual work.
type Limits struct {
	// PBKDF2 is the highest number of iterations. Defaults to 10,000,000.
	PBKDF2 int64
	// BCrypt is the highest cost. Defaults to 16.
	BCrypt int
	// Argon2 is the highest product of memory, in KiB, and passes. Defaults to 4 GiB (4,194,304).
	Argon2 int64
	// Scrypt is the highest product of N, r and p. Defaults to 16,777,216.
	Scrypt int64
	// Memory is the most memory of one hash, in bytes. Defaults to 1 GiB.
	Memory int64
}

func (l Limits) withDefaults() Limits {
	if l.PBKDF2 == 0 {
		l.PBKDF2 = 10_000_000
	}
	if l.BCrypt == 0 {
		l.BCrypt = 16
	}
	if l.Argon2 == 0 {
		l.Argon2 = 4 << 20
	}
	if l.Scrypt == 0 {
		l.Scrypt = 16 << 20
	}
	if l.Memory == 0 {
		l.Memory = 1 << 30
	}
	return l
}

// check returns ErrTooCostly, wrapped, for work over a limit.
func (l Limits) check(w Work) error {
	if w.Memory > l.Memory {
		return fmt.Errorf("%w: %s with %d MiB of memory, the limit is %d", ErrTooCostly, w.Kind, w.Memory>>20, l.Memory>>20)
	}
	limit := int64(0)
	switch w.Kind {
	case kindPBKDF2SHA256, kindPBKDF2SHA1:
		limit = l.PBKDF2
	case kindBCrypt:
		limit = 1 << l.BCrypt
	case kindArgon2:
		limit = l.Argon2
	case kindScrypt:
		limit = l.Scrypt
	default:
		return nil
	}
	if w.Units > limit {
		return fmt.Errorf("%w: %s with %d units of work, the limit is %d", ErrTooCostly, w.Kind, w.Units, limit)
	}
	return nil
}

// product multiplies parameters that are not negative, and stays at the highest int64 instead of overflowing.
func product(factors ...int64) int64 {
	const highest = 1<<63 - 1
	p := uint64(1)
	for _, f := range factors {
		hi, lo := bits.Mul64(p, uint64(f))
		if hi != 0 || lo > highest {
			p = highest
			if f == 0 {
				p = 0
			}
			continue
		}
		p = lo
	}
	return int64(p)
}
