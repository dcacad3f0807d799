package signing_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/pyjson"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/signing"
)

// input has the members of every operation.
type input struct {
	Key       string          `json:"key"`
	KeyB64    string          `json:"key_b64"`
	Secret    string          `json:"secret"`
	Fallbacks []string        `json:"fallback_keys"`
	OldKeys   []string        `json:"fallbacks"`
	KeySalt   string          `json:"key_salt"`
	Salt      string          `json:"salt"`
	Sep       string          `json:"sep"`
	Algorithm string          `json:"algorithm"`
	Value     json.RawMessage `json:"value"`
	Signed    string          `json:"signed"`
	Cookie    string          `json:"cookie"`
	Name      string          `json:"name"`
	JSON      string          `json:"json"`
	Compress  bool            `json:"compress"`
	Legacy    bool            `json:"legacy_fallback"`
	Now       json.Number     `json:"now"`
	MaxAge    *json.Number    `json:"max_age"`
	A         string          `json:"a"`
	B         string          `json:"b"`
}

func (in *input) keys() signing.Keys {
	key := in.Key
	if in.KeyB64 != "" {
		raw, err := base64.StdEncoding.DecodeString(in.KeyB64)
		if err != nil {
			panic(err)
		}
		key = string(raw)
	}
	if in.Secret != "" {
		return signing.Keys{Current: in.Secret, Fallbacks: in.OldKeys}
	}
	return signing.Keys{Current: key, Fallbacks: in.Fallbacks}
}

func (in *input) config() signing.SignerConfig {
	return signing.SignerConfig{Salt: in.Salt, Sep: in.Sep, Algorithm: in.Algorithm}
}

func (in *input) now() time.Time {
	f, err := in.Now.Float64()
	if err != nil {
		panic(err)
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(frac*1e9))
}

// maxAge maps Django's None to zero, and its zero to the least that is not.
func (in *input) maxAge() time.Duration {
	if in.MaxAge == nil {
		return 0
	}
	f, err := in.MaxAge.Float64()
	if err != nil {
		panic(err)
	}
	if f == 0 {
		return time.Nanosecond
	}
	return time.Duration(f * float64(time.Second))
}

// text is a value as Python's str gives it.
func (in *input) text() string {
	switch v := string(in.Value); v {
	case "true":
		return "True"
	case "false":
		return "False"
	case "null":
		return "None"
	default:
		if !strings.HasPrefix(v, `"`) {
			return v
		}
	}
	var s string
	if err := json.Unmarshal(in.Value, &s); err != nil {
		panic(err)
	}
	return s
}

func bind(c *vectors.Case) *input {
	in := &input{}
	c.Bind(in)
	return in
}

func signer(c *vectors.Case) (*input, *signing.Signer, error) {
	in := bind(c)
	s, err := signing.NewSigner(in.keys(), in.config())
	return in, s, err
}

func timestampSigner(c *vectors.Case) (*input, *signing.TimestampSigner) {
	in := bind(c)
	s, err := signing.NewTimestampSigner(in.keys(), in.config())
	if err != nil {
		panic(err)
	}
	return in, s
}

// expect checks that an error is of the kind that Django raised.
func expect(c *vectors.Case, value string, err error) (any, error) {
	var expired *signing.ExpiredError
	switch c.Error {
	case "":
		return value, err
	case "SignatureExpired":
		if !errors.As(err, &expired) || !errors.Is(err, signing.ErrBadSignature) {
			return nil, vectors.Differs("got %v, want an ExpiredError", err)
		}
	case "BadSignature":
		if !errors.Is(err, signing.ErrBadSignature) || errors.As(err, &expired) {
			return nil, vectors.Differs("got %v, want ErrBadSignature", err)
		}
	case "ValueError", "IndexError":
		if !errors.Is(err, signing.ErrMalformed) || errors.Is(err, signing.ErrBadSignature) {
			return nil, vectors.Differs("got %v, want ErrMalformed", err)
		}
	default:
		return nil, vectors.Differs("unknown exception %s", c.Error)
	}
	return nil, err
}

func TestVectors(t *testing.T) {
	t.Parallel()
	vectors.Run(t, "signing", vectors.Ops{
		"salted_hmac_hex": func(c *vectors.Case) (any, error) {
			in := bind(c)
			once := hex.EncodeToString(signing.SaltedHMAC(in.KeySalt, []byte(in.text()), in.Secret, in.Algorithm))
			m, err := signing.NewMAC(in.KeySalt, in.Secret, in.Algorithm)
			if err != nil {
				return nil, err
			}
			kept := m.Hex(in.text())
			if kept != once || !m.EqualHex(once, in.text()) || m.EqualHex(once[1:], in.text()) {
				return nil, vectors.Differs("MAC %s, SaltedHMAC %s", kept, once)
			}
			return once, nil
		},
		"signer.sign": func(c *vectors.Case) (any, error) {
			in, s, err := signer(c)
			if err != nil {
				return nil, err
			}
			return s.Sign(in.text()), nil
		},
		"signer.unsign": func(c *vectors.Case) (any, error) {
			in, s, err := signer(c)
			if err != nil {
				return nil, err
			}
			v, err := s.Unsign(in.Signed)
			return expect(c, v, err)
		},
		"timestampsigner.sign": func(c *vectors.Case) (any, error) {
			in, s := timestampSigner(c)
			return s.Sign(in.text(), in.now()), nil
		},
		"timestampsigner.unsign": func(c *vectors.Case) (any, error) {
			in, s := timestampSigner(c)
			v, err := s.Unsign(in.Signed, in.maxAge(), in.now())
			return expect(c, v, err)
		},
		"dumps":             dumps,
		"loads":             loads,
		"set_signed_cookie": setCookie,
		"get_signed_cookie": func(c *vectors.Case) (any, error) {
			in := bind(c)
			v, err := signing.UnsignCookie(in.keys(), in.Name, in.Salt, in.Cookie, in.maxAge(), in.now(), in.Legacy)
			return expect(c, v, err)
		},
		"constant_time_compare": func(c *vectors.Case) (any, error) {
			in := bind(c)
			return signing.ConstantTimeCompare(in.A, in.B), nil
		},
	})
}

// dumps compares the text itself where Django did not compress. Go's zlib writes other bytes than Python's, so that there
// Django's text must read as the value, and ours too, and ours must be no longer than uncompressed.
func dumps(c *vectors.Case) (any, error) {
	in, s := timestampSigner(c)
	var all struct {
		Out        string `json:"out"`
		Compressed bool   `json:"compressed"`
		JSONLen    int    `json:"json_len"`
	}
	c.BindAll(&all)
	got, err := s.Dumps([]byte(in.JSON), in.Compress, in.now())
	if err != nil {
		return nil, err
	}
	for _, text := range []string{got, all.Out} {
		raw, err := s.Loads(text, time.Nanosecond, in.now())
		if err != nil {
			return nil, err
		}
		if compact, err := pyjson.Compact(nil, raw); err != nil || string(compact) != string(raw) || len(raw) != all.JSONLen {
			return nil, vectors.Differs("%s read as %s, written again %s (%v), length %d", text, raw, compact, err, all.JSONLen)
		}
		if string(raw) != in.JSON {
			return nil, vectors.Differs("%s read as %s", text, raw)
		}
	}
	if all.Compressed {
		if base64.RawURLEncoding.EncodedLen(all.JSONLen) < strings.IndexByte(got, ':') {
			return nil, vectors.Differs("%s is longer than uncompressed", got)
		}
		return vectors.Same, nil
	}
	if strings.HasPrefix(got, ".") {
		return nil, vectors.Differs("compressed, and Django's was not: %s", got)
	}
	return got, nil
}

func loads(c *vectors.Case) (any, error) {
	in, s := timestampSigner(c)
	raw, err := s.Loads(in.Signed, in.maxAge(), in.now())
	if c.Error == "JSONDecodeError" {
		if err != nil {
			return nil, vectors.Differs("got %v, want text that is not JSON", err)
		}
		_, err = pyjson.Compact(nil, raw)
		return nil, err
	}
	if err != nil {
		return expect(c, "", err)
	}
	if c.OutJSON != nil {
		text, err := pyjson.Compact(nil, raw)
		return json.RawMessage(text), err
	}
	text, err := pyjson.Append(nil, raw, pyjson.SpacedStyle) // "out" holds json.dumps of the value
	return string(text), err
}

func setCookie(c *vectors.Case) (any, error) {
	in := bind(c)
	got, err := signing.SignCookie(in.keys(), in.Name, in.Salt, in.text(), in.now())
	if err != nil {
		return nil, err
	}
	var all struct {
		Legacy     string `json:"legacy"`
		SaltV2     string `json:"salt_v2"`
		SaltLegacy string `json:"salt_legacy"`
	}
	c.BindAll(&all)
	for salt, want := range map[string]string{all.SaltV2: got, all.SaltLegacy: all.Legacy} {
		s, err := signing.NewTimestampSigner(in.keys().ForCookies(), signing.SignerConfig{Salt: salt})
		if err != nil {
			return nil, err
		}
		if text := s.Sign(in.text(), in.now()); text != want {
			return nil, vectors.Differs("with salt %q got %s, want %s", salt, text, want)
		}
	}
	return got, nil
}

func number(c *vectors.Case) *big.Int {
	var in struct {
		Int string `json:"int"`
	}
	c.Bind(&in)
	n, ok := new(big.Int).SetString(in.Int, 10)
	if !ok {
		panic(in.Int)
	}
	return n
}

func parse(f func(string) (*big.Int, error)) vectors.Op {
	return func(c *vectors.Case) (any, error) {
		var in struct {
			S string `json:"s"`
		}
		c.Bind(&in)
		n, err := f(in.S)
		if err != nil {
			if !errors.Is(err, signing.ErrNumber) {
				return nil, vectors.Differs("got the error %v, want ErrNumber", err)
			}
			return nil, err
		}
		return fmt.Sprint(n), nil
	}
}

func TestBaseVectors(t *testing.T) {
	t.Parallel()
	vectors.Run(t, "base36", vectors.Ops{
		"int_to_base36": func(c *vectors.Case) (any, error) { return signing.Base36(number(c)) },
		"base36_to_int": parse(signing.ParseBase36),
	})
	vectors.Run(t, "base62", vectors.Ops{
		"b62_encode": func(c *vectors.Case) (any, error) { return signing.Base62(number(c)), nil },
		"b62_decode": parse(signing.ParseBase62),
	})
}
