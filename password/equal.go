package password

import (
	"sync"
	"time"
)

// The rules of equal work:
//  1. A decoy is one Encode of the preferred hasher.
//  2. A check is one Verify. With EqualWork it is hardened to the listed parameters of its own algorithm, right or wrong;
//     as in Django, only when wrong and of the preferred algorithm, and only PBKDF2 and bcrypt.
//  3. With EqualWork, both are then filled with PBKDF2 iterations up to the slowest listed hasher.

// decoy does the work of a check that fails.
func (h *Hashers) decoy(password string) {
	work := h.preferred.Work()
	if len(password) > MaxLength {
		password = "" // megabytes are not worth reading
	}
	// An error means that nothing was hashed: bcrypt was given a NUL. Any other password costs the same.
	if _, err := h.preferred.Encode(password, salt(h.preferred)); err != nil {
		_, _ = h.preferred.Encode("", salt(h.preferred))
	}
	h.trace(work)
	if h.cfg.EqualWork {
		h.fill(password, work)
	}
}

// level brings a check that was just done to the work of the slowest hasher.
func (h *Hashers) level(password string, owner Hasher, hash Hash) {
	done := append([]Work{hash.Work()}, h.harden(password, owner, hash)...)
	h.fill(password, done...)
}

// harden makes up for an older work factor and returns what it did.
func (h *Hashers) harden(password string, owner Hasher, hash Hash) []Work {
	old, ok := hash.(hardener)
	if !ok || hash.Work().Units >= owner.Work().Units {
		return nil
	}
	if kind := owner.Work().Kind; !h.cfg.EqualWork && (kind == kindArgon2 || kind == kindScrypt) {
		return nil
	}
	var done []Work
	for _, r := range old.harden() {
		r.do(password)
		h.trace(r.work)
		done = append(done, r.work)
	}
	return done
}

// fill runs PBKDF2 for as long as the slowest hasher would take beyond what was done.
func (h *Hashers) fill(password string, done ...Work) {
	iterations := h.equal.missing(done)
	if iterations <= 0 {
		return
	}
	r := kindPBKDF2SHA256Run(iterations)
	r.do(password)
	h.trace(r.work)
}

// memory is what a check may need at its peak, all its runs being one after the other.
func (h *Hashers) memory(hash Hash) int64 {
	// Whatever the text, the check may end as a decoy, or be hardened to the listed parameters.
	most := h.preferred.Work().Memory
	if hash != nil {
		most = max(most, hash.Work().Memory)
	}
	if h.cfg.EqualWork {
		for _, hasher := range h.cfg.Hashers {
			most = max(most, hasher.Work().Memory)
		}
	}
	return most
}

// An equalizer knows how much time the slowest hasher takes, and how many PBKDF2 iterations fill a given time.
type equalizer struct {
	hashers []Hasher
	speed   func(Work) time.Duration

	once   *sync.Once
	target time.Duration
}

// missing returns the PBKDF2 iterations between what was done and the slowest hasher. A difference below one in a
// hundred is not filled: the estimate is no better.
func (e *equalizer) missing(done []Work) int64 {
	if len(e.hashers) == 1 && sameKind(done, e.hashers[0].Work()) {
		return 0 // nothing to weigh, so no measurement either
	}
	e.once.Do(func() {
		if e.speed == nil {
			e.speed = measure(e.hashers)
		}
		for _, hasher := range e.hashers {
			e.target = max(e.target, e.speed(hasher.Work()))
		}
	})
	rest := e.target
	for _, w := range done {
		rest -= e.speed(w)
	}
	if rest <= e.target/100 {
		return 0
	}
	const many = 1_000_000
	each := e.speed(Work{Kind: kindPBKDF2SHA256, Units: many})
	if each <= 0 {
		return 0
	}
	return int64(float64(rest) / float64(each) * many)
}

// sameKind tells whether the work done, all of want's kind, amounts to want.
func sameKind(done []Work, want Work) bool {
	var sum int64
	for _, w := range done {
		if w.Kind != want.Kind {
			return false
		}
		sum += w.Units
	}
	return sum >= want.Units
}

// measure times a small run of each hasher and returns an estimate that grows with the units. The runs take turns and the
// best of several counts, so that a busy moment, or the first touch of cold memory, does not weigh on one of them.
func measure(hashers []Hasher) func(Work) time.Duration {
	const rounds = 5
	samples := []run{kindPBKDF2SHA256Run(50_000)}
	for _, hasher := range hashers {
		if s, ok := hasher.(sampler); ok {
			samples = append(samples, s.sample())
			continue
		}
		samples = append(samples, run{work: hasher.Work(), do: func(password string) { _, _ = hasher.Encode(password, salt(hasher)) }})
	}
	best := make(map[string]float64, len(samples)) // nanoseconds a unit
	for range rounds {
		for _, r := range samples {
			start := time.Now()
			r.do("a password of usual length")
			each := float64(time.Since(start)) / float64(max(1, r.work.Units))
			if known, ok := best[r.work.Kind]; !ok || each < known {
				best[r.work.Kind] = each
			}
		}
	}
	return func(w Work) time.Duration { return time.Duration(best[w.Kind] * float64(w.Units)) }
}
