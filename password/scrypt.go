package password

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

const (
	kindScrypt = "scrypt"

	scryptSize = 64
)

// ScryptParams are the parameters of [Scrypt].
type ScryptParams struct {
	// N is the work factor, a power of two above 1. Defaults to 16384.
	N int
	// R is the block size. Defaults to 8.
	R int
	// P is the parallelism: how often the work is done. Defaults to 5, Django's since 5.1; it was 1 before.
	P int
}

type scryptHasher struct{ ScryptParams }

// Scrypt is Django's ScryptPasswordHasher. With the defaults a text is exactly as long as Django's column, 128 characters:
// a larger N, R or P does not fit. [New] and Encode return an error for parameters that scrypt does not define.
func Scrypt(p ScryptParams) Hasher {
	p.N = cmp.Or(p.N, 16384)
	p.R = cmp.Or(p.R, 8)
	p.P = cmp.Or(p.P, 5)
	return &scryptHasher{p}
}

func (p ScryptParams) defined() bool {
	return p.N > 1 && p.N&(p.N-1) == 0 && p.R > 0 && p.P > 0 && product(int64(p.R), int64(p.P)) < 1<<30 &&
		p.work().Memory < 1<<46 // far over any limit, and below where x/crypto/scrypt refuses
}

func (p ScryptParams) check() error {
	if !p.defined() {
		return fmt.Errorf("ScryptParams out of bounds: %+v", p)
	}
	return nil
}

func (p ScryptParams) work() Work {
	n, r := int64(p.N), int64(p.R)
	return Work{Kind: kindScrypt, Units: product(n, r, int64(p.P)), Memory: product(128, n, r)}
}

func (p ScryptParams) run() run {
	return run{work: p.work(), do: func(password string) {
		_, _ = scrypt.Key([]byte(password), []byte("0123456789012345678901"), p.N, p.R, p.P, scryptSize)
	}}
}

func (s *scryptHasher) Algorithm() string { return kindScrypt }

func (s *scryptHasher) Work() Work { return s.work() }

func (s *scryptHasher) Encode(password, salt string) (string, error) {
	return s.encode(password, salt)
}

func (p ScryptParams) encode(password, salt string) (string, error) {
	if err := checkSalt(salt); err != nil {
		return "", fmt.Errorf("scrypt: %w", err)
	}
	key, err := scrypt.Key([]byte(password), []byte(salt), p.N, p.R, p.P, scryptSize)
	if err != nil {
		return "", err // says "scrypt:" itself
	}
	return strings.Join([]string{
		kindScrypt, strconv.Itoa(p.N), salt, strconv.Itoa(p.R), strconv.Itoa(p.P), base64.StdEncoding.EncodeToString(key),
	}, "$"), nil
}

func (s *scryptHasher) sample() run {
	p := s.ScryptParams
	p.P = 1
	return p.run()
}

type scryptHash struct {
	ScryptParams
	hasher              *scryptHasher
	encoded, salt, hash string
}

func (s *scryptHasher) Parse(encoded string) (Hash, error) {
	f := strings.Split(encoded, "$")
	if len(f) != 6 || f[0] != kindScrypt {
		return nil, fmt.Errorf("%w: scrypt needs N, salt, r, p and hash", ErrMalformed)
	}
	n, err1 := pyInt(f[1])
	r, err2 := pyInt(f[3])
	p, err3 := pyInt(f[4])
	h := &scryptHash{ScryptParams: ScryptParams{N: n, R: r, P: p}, hasher: s, encoded: encoded, salt: f[2], hash: f[5]}
	if err1 != nil || err2 != nil || err3 != nil || !h.defined() || h.salt == "" {
		return nil, fmt.Errorf("%w: scrypt parameters or salt", ErrMalformed)
	}
	return h, nil
}

func (h *scryptHash) Work() Work { return h.work() }

func (h *scryptHash) Verify(password string) (bool, error) {
	again, err := h.encode(password, h.salt)
	if err != nil {
		return false, err
	}
	return equalText(h.encoded, again), nil
}

// Current does not look at the salt's length, as Django does not.
func (h *scryptHash) Current() bool { return h.ScryptParams == h.hasher.ScryptParams }

// harden runs what is missing: with the hasher's N and r as often as it fits, then with smaller N.
func (h *scryptHash) harden() []run {
	missing := h.hasher.Work().Units - h.Work().Units
	var runs []run
	p := h.hasher.ScryptParams
	for ; p.N > 1 && missing > 0; p.N /= 2 {
		once := product(int64(p.N), int64(p.R))
		if p.P = int(missing / once); p.P > 0 {
			runs = append(runs, p.run())
			missing -= once * int64(p.P)
		}
	}
	return runs
}

func (h *scryptHash) Summary() []Field {
	return []Field{
		{"algorithm", kindScrypt},
		{"work factor", h.N},
		{"block size", h.R},
		{"parallelism", h.P},
		{"salt", mask(h.salt, 6)},
		{"hash", mask(h.hash, 6)},
	}
}
