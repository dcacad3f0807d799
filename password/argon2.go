package password

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	kindArgon2 = "argon2"

	argon2Version    = 19
	argon2OldVersion = 18 // what Django calls a text without "v="
)

// Argon2Params are the parameters of [Argon2].
type Argon2Params struct {
	// Variety is "argon2id" or "argon2i". Defaults to argon2id.
	Variety string
	// Memory is in KiB. Defaults to 65536 (64 MiB).
	Memory int
	// Passes over the memory. Defaults to 3.
	Passes int
	// Lanes is the parallelism, 1 to 255. Defaults to 1, so that a hash takes one core and one slot of the gate.
	Lanes int
	// TagLength is the length of the hash in bytes. Django leaves it to argon2-cffi, which wrote 16 before 21.2 and 32
	// since. Defaults to 32.
	TagLength int
}

// DjangoArgon2 returns the parameters that Django writes since 3.2: 100 MiB, 2 passes, 8 lanes.
func DjangoArgon2() Argon2Params {
	return Argon2Params{Variety: "argon2id", Memory: 102400, Passes: 2, Lanes: 8, TagLength: 32}
}

type argon2Hasher struct{ Argon2Params }

// Argon2 is Django's Argon2PasswordHasher. The defaults take about 0.25 s, as Django's parameters do ([DjangoArgon2]), but
// on one core and with less memory. [New] and Encode return an error for parameters outside Argon2's bounds.
func Argon2(p Argon2Params) Hasher {
	p.Variety = cmp.Or(p.Variety, "argon2id")
	p.Memory = cmp.Or(p.Memory, 65536)
	p.Passes = cmp.Or(p.Passes, 3)
	p.Lanes = cmp.Or(p.Lanes, 1)
	p.TagLength = cmp.Or(p.TagLength, 32)
	return &argon2Hasher{p}
}

func (p Argon2Params) check() error {
	if p.Variety != "argon2id" && p.Variety != "argon2i" {
		return fmt.Errorf("Argon2Params.Variety is argon2id or argon2i, not %q", p.Variety)
	}
	if p.Lanes < 1 || p.Lanes > 255 || p.Passes < 1 || p.Memory < 8*p.Lanes || p.Memory > 1<<31 || p.TagLength < 4 || p.TagLength > 128 {
		return fmt.Errorf("Argon2Params out of bounds: %+v", p)
	}
	return nil
}

func (a *argon2Hasher) Algorithm() string { return kindArgon2 }

func (a *argon2Hasher) Work() Work { return argon2Work(a.Memory, a.Passes) }

func argon2Work(memory, passes int) Work {
	return Work{Kind: kindArgon2, Units: product(int64(memory), int64(passes)), Memory: product(int64(memory), 1024)}
}

func (a *argon2Hasher) Encode(password, salt string) (string, error) {
	if err := a.check(); err != nil {
		return "", fmt.Errorf("argon2: %w", err)
	}
	if len(salt) < 8 {
		return "", fmt.Errorf("argon2: %w: shorter than 8 bytes", ErrSalt)
	}
	tag := a.derive(password, []byte(salt))
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("argon2$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", a.Variety, argon2Version, a.Memory, a.Passes, a.Lanes,
		b64.EncodeToString([]byte(salt)), b64.EncodeToString(tag)), nil
}

func (p Argon2Params) derive(password string, salt []byte) []byte {
	key := argon2.IDKey
	if p.Variety == "argon2i" {
		key = argon2.Key
	}
	return key([]byte(password), salt, uint32(p.Passes), uint32(p.Memory), uint8(p.Lanes), uint32(p.TagLength))
}

func (p Argon2Params) run() run {
	return run{work: argon2Work(p.Memory, p.Passes), do: func(password string) {
		p.derive(password, []byte("0123456789012345678901"))
	}}
}

func (a *argon2Hasher) sample() run {
	p := a.Argon2Params
	p.Passes = 1
	return p.run()
}

type argon2Hash struct {
	Argon2Params
	hasher    *argon2Hasher
	version   int
	salt, tag []byte
}

// Parse reads argon2$VARIETY[$v=N]$m=N,t=N,p=N$SALT$TAG. Any variety and version is read, to be shown and recognised; Verify
// can compute argon2i and argon2id of version 19.
func (a *argon2Hasher) Parse(encoded string) (Hash, error) {
	malformed := func(what string) (Hash, error) { return nil, fmt.Errorf("%w: argon2: %s", ErrMalformed, what) }
	f := strings.Split(encoded, "$")
	if len(f) < 5 || f[0] != kindArgon2 {
		return malformed("too few fields")
	}
	h := &argon2Hash{hasher: a, version: argon2OldVersion}
	h.Variety = f[1]
	f = f[2:]
	if v, ok := strings.CutPrefix(f[0], "v="); ok {
		n, err := decimal(v)
		if err != nil {
			return malformed("version")
		}
		h.version = n
		f = f[1:]
	}
	if len(f) != 3 {
		return malformed("number of fields")
	}
	params := strings.Split(f[0], ",")
	targets := []struct {
		prefix string
		value  *int
	}{{"m=", &h.Memory}, {"t=", &h.Passes}, {"p=", &h.Lanes}}
	if len(params) != len(targets) {
		return malformed("parameters")
	}
	for i, target := range targets {
		text, ok := strings.CutPrefix(params[i], target.prefix)
		n, err := decimal(text)
		if !ok || err != nil || n < 1 {
			return malformed("parameters")
		}
		*target.value = n
	}
	var ok1, ok2 bool
	h.salt, ok1 = canonicalBase64(f[1])
	h.tag, ok2 = canonicalBase64(f[2])
	if !ok1 || !ok2 || len(h.salt) < 8 || len(h.tag) < 4 || h.Memory < 8*h.Lanes {
		return malformed("salt, tag or memory")
	}
	h.TagLength = len(h.tag)
	return h, nil
}

// canonicalBase64 decodes what encodes back to the same text: the decoder alone skips line ends and spare bits.
func canonicalBase64(s string) ([]byte, bool) {
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil && base64.RawStdEncoding.EncodeToString(b) == s
}

// decimal reads a canonical unsigned decimal below 2 to the 32, as the Argon2 library does.
func decimal(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s != strconv.FormatUint(n, 10) {
		return 0, strconv.ErrSyntax
	}
	return int(n), nil
}

func (h *argon2Hash) Work() Work { return argon2Work(h.Memory, h.Passes) }

func (h *argon2Hash) Verify(password string) (bool, error) {
	if h.version != argon2Version || h.Variety != "argon2id" && h.Variety != "argon2i" || h.Lanes > 255 {
		return false, fmt.Errorf("%w: %q version %d with %d lanes", ErrCannotVerify, h.Variety, h.version, h.Lanes)
	}
	return subtle.ConstantTimeCompare(h.tag, h.derive(password, h.salt)) == 1, nil
}

func (h *argon2Hash) Current() bool {
	return h.Argon2Params == h.hasher.Argon2Params && h.version == argon2Version && len(h.salt) >= saltLength
}

// harden runs Argon2 with as many passes as the hasher does over the part of the memory that was missing.
func (h *argon2Hash) harden() []run {
	p := h.hasher.Argon2Params
	missing := h.hasher.Work().Units - h.Work().Units
	p.Memory = int(missing / int64(p.Passes))
	if p.Memory < 8*p.Lanes {
		return nil
	}
	return []run{p.run()}
}

func (h *argon2Hash) Summary() []Field {
	return []Field{
		{"algorithm", kindArgon2},
		{"variety", h.Variety},
		{"version", h.version},
		{"memory cost", h.Memory},
		{"time cost", h.Passes},
		{"parallelism", h.Lanes},
		{"salt", mask(string(h.salt), 6)},
		{"hash", mask(base64.RawStdEncoding.EncodeToString(h.tag), 6)},
	}
}
