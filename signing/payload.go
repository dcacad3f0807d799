package signing

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// ErrTooLarge says that a payload does not fit SignerConfig.MaxInflated once it is decompressed.
var ErrTooLarge = fmt.Errorf("%w: too large when decompressed", ErrMalformed)

// Dumps signs a JSON text: the value becomes compact ASCII JSON as Python writes it, is compressed if asked for and shorter that
// way, encoded as base64url and signed. It is Django's sign_object. Text that is not JSON is an error.
//
// Go's compressor and Python's give different bytes for the same input, so that compressed texts differ between the two; each
// reads the other's.
func (s *TimestampSigner) Dumps(raw []byte, compress bool, at time.Time) (string, error) {
	b := s.scratch()
	defer s.release(b)
	var err error
	if b.plain, err = pyjson.Compact(b.plain[:0], raw); err != nil {
		return "", fmt.Errorf("signing: dumps: %w", err)
	}
	payload, dot := b.plain, ""
	if compress {
		if z := b.deflate(b.plain); len(z) < len(b.plain)-1 {
			payload, dot = z, "."
		}
	}
	b.text = append(b.text[:0], dot...)
	b.text = base64.RawURLEncoding.AppendEncode(b.text, payload)
	b.text = append(b.text, s.signer.sep...)
	b.text = appendBase62(b.text, at.Unix())
	return s.signer.Sign(string(b.text)), nil
}

// Loads checks a text made by Dumps or by Django and returns its JSON as UTF-8. It does not parse the JSON: whoever reads it
// does, and finds out then that it is none. The failures are those of Unsign, and ErrMalformed for a payload that does not
// decode, of which ErrTooLarge is one.
func (s *TimestampSigner) Loads(text string, maxAge time.Duration, now time.Time) ([]byte, error) {
	text, err := s.Unsign(text, maxAge, now)
	if err != nil {
		return nil, err
	}
	body, compressed := strings.CutPrefix(text, ".")
	b := s.scratch()
	defer s.release(b)
	b.text = append(b.text[:0], body...)
	if b.plain, err = decode(b.plain[:0], b.text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	payload := b.plain
	if compressed {
		if payload, err = b.inflate(b.plain, s.maxInflated); err != nil {
			return nil, err
		}
	}
	return fromLatin1(payload), nil
}

// decode reads base64url as Python does: padding is optional, + and / stand for - and _, and other characters are skipped. It
// changes text.
func decode(dst, text []byte) ([]byte, error) {
	out, err := base64.RawURLEncoding.AppendDecode(dst, text)
	if err == nil {
		return out, nil
	}
	n := 0
	for _, c := range text {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '+':
			c = '-'
		case c == '/':
			c = '_'
		default:
			continue
		}
		text[n] = c
		n++
	}
	return base64.RawURLEncoding.AppendDecode(dst, text[:n])
}

// fromLatin1 returns a copy of b with each byte as one character, which is how Django reads the payload.
func fromLatin1(b []byte) []byte {
	high := 0
	for _, c := range b {
		high += int(c >> 7)
	}
	out := make([]byte, 0, len(b)+high)
	if high == 0 {
		return append(out, b...)
	}
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// scratch is what one Dumps or Loads needs.
type scratch struct {
	text, plain []byte
	out         bytes.Buffer
	in          bytes.Reader
	limited     io.LimitedReader
	r           io.ReadCloser // a zlib reader
	w           *zlib.Writer
}

func (b *scratch) deflate(p []byte) []byte {
	b.out.Reset()
	if b.w == nil {
		b.w = zlib.NewWriter(&b.out)
	} else {
		b.w.Reset(&b.out)
	}
	_, _ = b.w.Write(p) // a bytes.Buffer takes everything
	_ = b.w.Close()
	return b.out.Bytes()
}

func (b *scratch) inflate(p []byte, limit int) ([]byte, error) {
	b.in.Reset(p)
	b.out.Reset()
	var err error
	if b.r == nil {
		b.r, err = zlib.NewReader(&b.in)
	} else if rs, ok := b.r.(zlib.Resetter); ok {
		err = rs.Reset(&b.in, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	b.limited = io.LimitedReader{R: b.r, N: int64(limit) + 1}
	if _, err = b.out.ReadFrom(&b.limited); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if b.out.Len() > limit {
		return nil, ErrTooLarge
	}
	return b.out.Bytes(), nil
}

func (s *TimestampSigner) scratch() *scratch {
	if b, ok := s.pool.Get().(*scratch); ok {
		return b
	}
	return &scratch{}
}

// release keeps a scratch for the next call unless it grew large.
func (s *TimestampSigner) release(b *scratch) {
	const keep = 64 << 10
	if cap(b.text) <= keep && cap(b.plain) <= keep && b.out.Cap() <= keep {
		s.pool.Put(b)
	}
}
