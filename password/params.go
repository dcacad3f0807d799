package password

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Params tells the costs of a hasher of this package as a text, by the names of Django's attributes: "iterations=1000000",
// "rounds=12", "work_factor=16384 block_size=8 parallelism=5" or "memory_cost=102400 time_cost=2 parallelism=8 hash_len=32". It is ""
// for a hasher that has none, and for those of others.
func Params(h Hasher) string {
	var b strings.Builder
	for _, p := range paramsOf(h) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.name + "=" + strconv.Itoa(*p.value))
	}
	return b.String()
}

// WithParams returns a hasher of the same algorithm at other costs, in the form of [Params]: those of a Django project with hashers
// of its own that have Django's algorithms at other costs. What the text does not name stays as it is.
func WithParams(h Hasher, text string) (Hasher, error) {
	changed := copyOf(h)
	params := paramsOf(changed)
	if len(params) == 0 {
		return nil, fmt.Errorf("password: %s has no costs that could be set", h.Algorithm())
	}
next:
	for _, word := range strings.Fields(text) {
		name, number, _ := strings.Cut(word, "=")
		for _, p := range params {
			if p.name != name {
				continue
			}
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("password: %s: %q is no whole number from 1", h.Algorithm(), word)
			}
			*p.value = n
			continue next
		}
		return nil, fmt.Errorf("password: %s has no %q; it is set as %q", h.Algorithm(), name, Params(h))
	}
	if c, ok := changed.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return nil, errors.Join(fmt.Errorf("password: %s cannot be set to %q", h.Algorithm(), text), err)
		}
	}
	return changed, nil
}

type param struct {
	name  string
	value *int
}

func paramsOf(h Hasher) []param {
	switch h := h.(type) {
	case *pbkdf2Hasher:
		return []param{{"iterations", &h.iterations}}
	case *bcryptHasher:
		return []param{{"rounds", &h.cost}}
	case *cuttingBCrypt:
		return []param{{"rounds", &h.cost}}
	case *scryptHasher:
		return []param{{"work_factor", &h.N}, {"block_size", &h.R}, {"parallelism", &h.P}}
	case *argon2Hasher:
		return []param{{"memory_cost", &h.Memory}, {"time_cost", &h.Passes}, {"parallelism", &h.Lanes}, {"hash_len", &h.TagLength}}
	}
	return nil
}

// copyOf is a hasher whose costs can be changed without changing those of h.
func copyOf(h Hasher) Hasher {
	switch h := h.(type) {
	case *pbkdf2Hasher:
		c := *h
		return &c
	case *bcryptHasher:
		c := *h
		return &c
	case *cuttingBCrypt:
		inner := *h.bcryptHasher
		return &cuttingBCrypt{&inner}
	case *scryptHasher:
		c := *h
		return &c
	case *argon2Hasher:
		c := *h
		return &c
	}
	return h
}
