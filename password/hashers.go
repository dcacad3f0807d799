package password

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Config configures [New].
type Config struct {
	// Hashers are the hashers in use: the first writes, all read. At least one; no algorithm twice.
	Hashers []Hasher
	// Gate bounds how many hashes run at once. Defaults to one of its own with the defaults of [NewGate].
	Gate *Gate
	// EqualWork makes every check cost as much as the slowest of Hashers. Off, the timing is Django's.
	EqualWork bool
	// Limits bounds what stored texts may ask for. The zero value means the defaults.
	Limits Limits
	// Logger gets a warning for each stored text that cannot be read, costs too much or cannot be verified; never a
	// password, salt or hash. Defaults to slog.Default().
	Logger *slog.Logger
	// Trace is called after each run of a key derivation function with what it cost: for metrics and for tests that count.
	// Calls may be concurrent. Defaults to nothing.
	Trace func(Work)
	// Speed estimates how long work takes, to weigh different algorithms against each other. It is used only with EqualWork
	// and more than one hasher. Defaults to a measurement of each hasher, which takes about a second in
	// the first call; a Decoy at the start of the program spares the first visitor that.
	Speed func(Work) time.Duration
}

// Hashers is an ordered set of hashers: the first writes, all read. It is safe for concurrent use.
type Hashers struct {
	cfg       Config
	preferred Hasher
	byName    map[string]Hasher
	equal     equalizer
}

// New makes a set of hashers. It returns an error if none is given, an algorithm comes twice, or a hasher's own
// parameters are undefined or above the limits.
func New(cfg Config) (*Hashers, error) {
	if len(cfg.Hashers) == 0 {
		return nil, errors.New("password: Config.Hashers is empty: list at least one, such as password.Argon2(password.Argon2Params{})")
	}
	cfg.Hashers = slices.Clone(cfg.Hashers)
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Gate == nil {
		cfg.Gate = NewGate(GateConfig{})
	}
	h := &Hashers{cfg: cfg, preferred: cfg.Hashers[0], byName: make(map[string]Hasher, len(cfg.Hashers))}
	for _, hasher := range cfg.Hashers {
		name := hasher.Algorithm()
		if h.byName[name] != nil {
			return nil, fmt.Errorf("password: %s is listed twice", name)
		}
		if c, ok := hasher.(interface{ check() error }); ok {
			if err := c.check(); err != nil {
				return nil, fmt.Errorf("password: %w", err)
			}
		}
		if err := cfg.Limits.check(hasher.Work()); err != nil {
			return nil, fmt.Errorf("password: %s: %w: raise Config.Limits or lower the hasher's cost", name, err)
		}
		h.byName[name] = hasher
	}
	h.equal = equalizer{hashers: cfg.Hashers, speed: cfg.Speed, once: new(sync.Once)}
	return h, nil
}

// Make hashes a new password with the preferred hasher and a fresh salt. The errors are [ErrTooLong], [ErrNUL] with plain
// bcrypt, *[BusyError], and the context's. An empty password is legal, as in Django.
func (h *Hashers) Make(ctx context.Context, password string) (encoded string, err error) {
	if tooLong(h.preferred, password) {
		return "", fmt.Errorf("password: make: %w", ErrTooLong)
	}
	leave, err := h.cfg.Gate.Enter(ctx, h.preferred.Work().Memory)
	if err != nil {
		return "", err
	}
	defer leave()
	encoded, err = h.preferred.Encode(password, salt(h.preferred))
	if err != nil {
		return "", fmt.Errorf("password: make: %w", err)
	}
	h.trace(h.preferred.Work())
	return encoded, nil
}

// Check tells whether the password is the one that encoded was made from, and, if it is, whether encoded should be replaced by
// a new [Hashers.Make] of the same password: because the preferred algorithm or its parameters changed since. It does
// Django's check_password, or more with Config.EqualWork.
//
// The errors are *[BusyError] and the context's: then nothing is known about the password. All else is an answer: for
// an unusable, unknown, malformed or too costly text, false, after the work of a wrong password.
func (h *Hashers) Check(ctx context.Context, password, encoded string) (ok, upgrade bool, err error) {
	hash, owner := h.parse(encoded)
	if len(password) > MaxLength {
		hash = nil
	}
	leave, err := h.cfg.Gate.Enter(ctx, h.memory(hash))
	if err != nil {
		return false, false, err
	}
	defer leave()
	if hash == nil {
		h.decoy(password)
		return false, false, nil
	}
	ok, err = hash.Verify(password)
	if err != nil {
		h.warn(owner.Algorithm(), err)
		h.decoy(password)
		return false, false, nil
	}
	h.trace(hash.Work())
	current := owner == h.preferred && hash.Current()
	switch {
	case h.cfg.EqualWork:
		h.level(password, owner, hash)
	case !ok && owner == h.preferred && !current:
		h.harden(password, owner, hash)
	}
	return ok, ok && !current, nil
}

// Decoy does the work of a Check that fails. Call it where there is no stored text to check: for an unknown or an inactive
// user. The errors are those of Check.
func (h *Hashers) Decoy(ctx context.Context, password string) error {
	leave, err := h.cfg.Gate.Enter(ctx, h.memory(nil))
	if err != nil {
		return err
	}
	defer leave()
	h.decoy(password)
	return nil
}

// Identify returns the algorithm of encoded if a hasher for it is listed, else [ErrUnknownAlgorithm].
func (h *Hashers) Identify(encoded string) (string, error) {
	name, err := Identify(encoded)
	if err != nil {
		return "", err
	}
	if h.byName[name] == nil {
		return "", fmt.Errorf("password: identify: %w", ErrUnknownAlgorithm)
	}
	return name, nil
}

// MustUpdate tells whether a right password for encoded should be hashed anew: because it is not of the preferred
// algorithm, not written with its parameters, or cannot be read.
func (h *Hashers) MustUpdate(encoded string) bool {
	name, err := h.Identify(encoded)
	if err != nil || name != h.preferred.Algorithm() {
		return true
	}
	hash, err := h.preferred.Parse(encoded)
	return err != nil || !hash.Current()
}

// Summary describes encoded for an administrator, with salt and hash masked. The errors are those of Identify and
// [Hasher.Parse].
func (h *Hashers) Summary(encoded string) ([]Field, error) {
	name, err := h.Identify(encoded)
	if err != nil {
		return nil, err
	}
	hash, err := h.byName[name].Parse(encoded)
	if err != nil {
		return nil, fmt.Errorf("password: summary: %w", err)
	}
	return hash.Summary(), nil
}

// parse returns nil for everything that gets no Verify, and says in the log why where someone should know.
func (h *Hashers) parse(encoded string) (Hash, Hasher) {
	name, err := h.Identify(encoded)
	if err != nil {
		return nil, nil
	}
	hasher := h.byName[name]
	if len(encoded) > maxEncoded {
		h.warn(name, fmt.Errorf("%w: %d bytes long", ErrMalformed, len(encoded)))
		return nil, nil
	}
	hash, err := hasher.Parse(encoded)
	if err == nil {
		err = h.cfg.Limits.check(hash.Work())
	}
	if err != nil {
		h.warn(name, err)
		return nil, nil
	}
	return hash, hasher
}

func (h *Hashers) warn(algorithm string, err error) {
	log := h.cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	log.Warn("a stored password cannot be checked", "algorithm", algorithm, "error", err)
}

func (h *Hashers) trace(w Work) {
	if h.cfg.Trace != nil {
		h.cfg.Trace(w)
	}
}

func salt(hasher Hasher) string {
	if s, ok := hasher.(Salter); ok {
		return s.Salt()
	}
	return NewSalt()
}

// tooLong tells whether the hasher would have to cut the password.
func tooLong(hasher Hasher, password string) bool {
	if limited, ok := hasher.(interface{ maxLength() int }); ok && len(password) > limited.maxLength() {
		return true
	}
	return len(password) > MaxLength
}
