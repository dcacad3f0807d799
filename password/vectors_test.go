package password_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/password"
)

// recordedArgon2 is what Django wrote where the vectors were recorded: argon2-cffi before 21.2.
func recordedArgon2() password.Hasher {
	p := password.DjangoArgon2()
	p.TagLength = 16
	return password.Argon2(p)
}

func recordedHashers() []password.Hasher {
	return []password.Hasher{
		password.PBKDF2SHA256(0), password.PBKDF2SHA1(0), recordedArgon2(), password.BCryptSHA256(0),
		password.BCrypt(0), password.Scrypt(password.ScryptParams{}), password.MD5(),
	}
}

func hasherOf(encoded string) password.Hasher {
	name, _ := password.Identify(encoded)
	for _, h := range recordedHashers() {
		if h.Algorithm() == name {
			return h
		}
	}
	return nil
}

const slow = vectors.Pending("hashes of real cost are left out under the race detector")

// tooSlow tells whether the work takes seconds under the race detector.
func tooSlow(w password.Work) bool {
	return raceDetector && w.Units >= map[string]int64{
		"pbkdf2_sha256": 50_000, "pbkdf2_sha1": 50_000, "bcrypt": 1 << 10, "scrypt": 16384 * 8, "argon2": 100_000, "md5": 2,
	}[w.Kind]
}

func TestVectors(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Log("pending:", slow)
	}
	vectors.Run(t, "hashers", vectors.Ops{
		"encode":             vectorEncode,
		"verify":             vectorVerify,
		"verify_password":    vectorVerifyPassword,
		"check_password":     vectorCheckPassword,
		"must_update":        vectorMustUpdate,
		"safe_summary":       vectorSummary,
		"identify":           vectorIdentify,
		"is_password_usable": vectorUsable,
		"salt_shape":         vectorSaltShape,
		"harden_runtime":     vectorHarden,
	})
}

func vectorEncode(c *vectors.Case) (any, error) {
	var in struct {
		Algorithm      string
		Password, Salt *string
		Iterations     *int
		N, R, P        int
		Variety        string
		Version        int
		TimeCost       int `json:"time_cost"`
		MemoryCost     int `json:"memory_cost"`
		Parallelism    int
		HashLen        int `json:"hash_len"`
	}
	c.Bind(&in)
	if in.Password == nil {
		return nil, errors.New("a Go string cannot be null")
	}
	salt, iterations := "", 0
	if in.Salt != nil {
		salt = *in.Salt
	}
	if in.Iterations != nil {
		iterations = *in.Iterations
	}
	var h password.Hasher
	switch in.Algorithm {
	case "pbkdf2_sha256":
		h = password.PBKDF2SHA256(iterations)
	case "pbkdf2_sha1":
		h = password.PBKDF2SHA1(iterations)
	case "argon2":
		if in.Variety == "argon2d" || in.Version != 19 {
			return vectors.Deviation{Rule: "argon2d, or a version before 19", Ours: "not written"}, nil
		}
		h = password.Argon2(password.Argon2Params{
			Variety: in.Variety, Memory: in.MemoryCost, Passes: in.TimeCost, Lanes: in.Parallelism, TagLength: in.HashLen,
		})
	case "bcrypt":
		h = password.BCrypt(0)
	case "bcrypt_sha256":
		h = password.BCryptSHA256(0)
	case "scrypt":
		h = password.Scrypt(password.ScryptParams{N: in.N, R: in.R, P: in.P})
	case "md5":
		h = password.MD5()
	}
	work := h.Work()
	if work.Kind == "bcrypt" && !strings.Contains(salt, "$12$") {
		work.Units = 0 // the salt says how much it is
	}
	if tooSlow(work) {
		return slow, nil
	}
	return h.Encode(*in.Password, salt)
}

func vectorVerify(c *vectors.Case) (any, error) {
	var in struct{ Encoded, Password string }
	c.Bind(&in)
	hash, err := hasherOf(in.Encoded).Parse(in.Encoded)
	if err != nil {
		return nil, err
	}
	if tooSlow(hash.Work()) {
		return slow, nil
	}
	ok, err := hash.Verify(in.Password)
	if errors.Is(err, password.ErrCannotVerify) {
		return vectors.Deviation{Rule: "argon2d, or a version before 19", Ours: "cannot verify"}, nil
	}
	return ok, err
}

func vectorVerifyPassword(c *vectors.Case) (any, error) {
	var in struct {
		Hashers           []string
		Encoded, Password string
	}
	c.Bind(&in)
	hashers, err := password.FromDjango(in.Hashers, "5.2.18")
	if err != nil {
		return nil, err
	}
	for i, h := range hashers {
		if h.Algorithm() == "argon2" {
			hashers[i] = recordedArgon2()
		}
	}
	hash, err := hasherOf(in.Encoded).Parse(in.Encoded)
	if err != nil {
		return nil, err
	}
	if tooSlow(hash.Work()) {
		return slow, nil
	}
	h, err := password.New(password.Config{Hashers: hashers})
	if err != nil {
		return nil, err
	}
	ok, upgrade, err := h.Check(context.Background(), in.Password, in.Encoded)
	update := h.MustUpdate(in.Encoded)
	if upgrade != (ok && update) {
		return nil, vectors.Differs("Check says upgrade %v, MustUpdate %v", upgrade, update)
	}
	return []bool{ok, update}, err
}

// vectorCheckPassword lists the hashers with a cheap preferred one: whatever it refuses is hashed once.
func vectorCheckPassword(c *vectors.Case) (any, error) {
	var in struct{ Encoded, Password string }
	c.Bind(&in)
	hashers := recordedHashers()
	hashers[0] = password.PBKDF2SHA256(1)
	h, err := password.New(password.Config{Hashers: hashers, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	ok, _, err := h.Check(context.Background(), in.Password, in.Encoded)
	if err != nil {
		return nil, vectors.Differs("%v", err)
	}
	if hasher := hasherOf(in.Encoded); hasher != nil && hasher.Algorithm() != "argon2" { // Django answers false for Argon2, too
		if _, err := hasher.Parse(in.Encoded); errors.Is(err, password.ErrMalformed) && !ok {
			return vectors.Deviation{Rule: "malformed text of a known algorithm", Ours: "false"}, nil
		}
	}
	return ok, nil
}

func vectorMustUpdate(c *vectors.Case) (any, error) {
	var in struct {
		Encoded string
		HashLen int `json:"argon2_cffi_hash_len"`
	}
	c.Bind(&in)
	hasher := hasherOf(in.Encoded)
	if hasher.Algorithm() == "argon2" {
		p := password.DjangoArgon2()
		p.TagLength = in.HashLen
		hasher = password.Argon2(p)
	}
	h, err := password.New(password.Config{Hashers: []password.Hasher{hasher}})
	if err != nil {
		return nil, err
	}
	return h.MustUpdate(in.Encoded), nil
}

func vectorSummary(c *vectors.Case) (any, error) {
	var in struct{ Encoded string }
	c.Bind(&in)
	h, err := password.New(password.Config{Hashers: recordedHashers()})
	if err != nil {
		return nil, err
	}
	fields, err := h.Summary(in.Encoded)
	out := map[string]any{}
	for _, f := range fields {
		out[f.Name] = f.Value
	}
	return out, err
}

func vectorIdentify(c *vectors.Case) (any, error) {
	var in struct{ Encoded string }
	c.Bind(&in)
	h, err := password.New(password.Config{Hashers: recordedHashers()})
	if err != nil {
		return nil, err
	}
	return h.Identify(in.Encoded)
}

func vectorUsable(c *vectors.Case) (any, error) {
	var in struct{ Encoded string }
	c.Bind(&in)
	return password.Usable(in.Encoded), nil
}

func vectorSaltShape(c *vectors.Case) (any, error) {
	var in struct{ Algorithm string }
	c.Bind(&in)
	var out struct{ Length int }
	c.BindOut(&out)
	h := hasherOf(in.Algorithm + "$")
	if _, own := h.(password.Salter); own {
		return nil, vectors.Differs("%s makes salts of its own", in.Algorithm)
	}
	for range 100 {
		if salt := password.NewSalt(); !regexp.MustCompile(`^[a-zA-Z0-9]+$`).MatchString(salt) || len(salt) != out.Length {
			return nil, vectors.Differs("a salt is %q", salt)
		}
	}
	return map[string]any{"length": out.Length, "alphabet": "a-zA-Z0-9"}, nil
}

// vectorHarden compares what a wrong password costs beyond its verification. Django's answer is a list of calls, [password,
// salt, iterations] for PBKDF2 and [password, setting] for bcrypt; ours are runs that differ in the salt only.
func vectorHarden(c *vectors.Case) (any, error) {
	var in struct {
		Algorithm, Encoded string
		Rounds, Iterations int
	}
	c.Bind(&in)
	var hasher password.Hasher
	switch in.Algorithm {
	case "bcrypt":
		hasher = password.BCrypt(in.Rounds)
	case "bcrypt_sha256":
		hasher = password.BCryptSHA256(in.Rounds)
	case "pbkdf2_sha1":
		hasher = password.PBKDF2SHA1(in.Iterations)
	case "pbkdf2_sha256":
		hasher = password.PBKDF2SHA256(in.Iterations)
	}
	if tooSlow(hasher.Work()) {
		return slow, nil
	}
	var counted tally
	h, err := password.New(password.Config{Hashers: []password.Hasher{hasher}, Trace: counted.trace})
	if err != nil {
		return nil, err
	}
	if ok, _, err := h.Check(context.Background(), "wrong", in.Encoded); ok || err != nil {
		return nil, vectors.Differs("Check: %v, %v", ok, err)
	}
	var calls [][]any
	c.BindOut(&calls)
	runs := counted.take()
	if len(runs) != len(calls)+1 {
		return nil, vectors.Differs("%d runs after the verification, want %d", len(runs)-1, len(calls))
	}
	for i, call := range calls {
		got, want := runs[i+1].Units, runs[0].Units // bcrypt repeats itself
		if len(call) == 3 {
			want, _ = call[2].(interface{ Int64() (int64, error) }).Int64()
		}
		if got != want {
			return nil, vectors.Differs("run %d has %d units, want %d", i, got, want)
		}
	}
	return vectors.Same, nil
}
