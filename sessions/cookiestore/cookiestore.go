// Package cookiestore keeps the session in the cookie itself, signed, as Django's engine django.contrib.sessions.backends.signed_cookies
// does, and keeps nothing on the server. Django reads what it writes and the other way round.
//
// What such a session cannot do, whoever implements it:
//
//   - Nobody can end it. A log-out deletes the cookie in one browser; a copy of the cookie stays logged in until it is too old, or
//     the password or the secret key changes.
//   - Whatever is to happen once can happen again: the browser may send an older cookie, with the older data.
//   - Of two requests that change it at once, the answer that arrives last wins.
//   - The person can read it. It is signed, not encrypted.
//   - It has to fit into a cookie, see [TooLargeError].
//   - It does not know when it began, nor whether it is in use: limits on either cannot be kept.
//
// The store says so by implementing [sessions.Stateless].
package cookiestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
)

// Limit is how many bytes browsers keep of a cookie, its name and value together; what is larger they drop without a word.
const Limit = 4096

// Config says how a Store works.
type Config struct {
	// CookieName is the name of the session's cookie, which counts towards Limit. Defaults to "sessionid".
	CookieName string
	// Age is how old a cookie may be, Django's SESSION_COOKIE_AGE. A session that asks for less is held to that, which Django
	// does not do. Defaults to 14 days.
	Age time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Store is a [sessions.Store] that keeps nothing. It is safe for concurrent use.
type Store struct {
	codec *sessions.Codec
	cfg   Config
}

var (
	_ sessions.Store     = (*Store)(nil)
	_ sessions.Stateless = (*Store)(nil)
)

// New returns a Store whose cookies are signed with keys.
func New(keys signing.Keys, cfg Config) (*Store, error) {
	codec, err := sessions.NewCodec(keys, sessions.CookieSalt, true)
	if err != nil {
		return nil, fmt.Errorf("cookiestore: %w", err)
	}
	if cfg.CookieName == "" {
		cfg.CookieName = "sessionid"
	}
	if cfg.Age == 0 {
		cfg.Age = 14 * 24 * time.Hour
	}
	if cfg.Age < 0 {
		return nil, fmt.Errorf("cookiestore: Config.Age is %v, less than nothing", cfg.Age)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Store{codec, cfg}, nil
}

// A TooLargeError says that a session does not fit into a cookie: keep less in it, or choose a store with a place of its own.
type TooLargeError struct {
	Size int // bytes of the cookie's name and value
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("cookiestore: the session takes %d bytes as a cookie and browsers keep %d: keep less in it, or keep sessions elsewhere than in cookies", e.Size, Limit)
}

// Stateless implements [sessions.Stateless].
func (*Store) Stateless() {}

// Load implements [sessions.Store]. The key is the cookie's value. The version is always empty: there is nothing to compare with.
func (s *Store) Load(ctx context.Context, key string) (sessions.Record, error) {
	if err := ctx.Err(); err != nil {
		return sessions.Record{}, fmt.Errorf("cookiestore: load a session: %w", err)
	}
	return s.open(key)
}

// Save implements [sessions.Store]: it returns the whole session as its key. A session that does not fit is a [*TooLargeError].
func (s *Store) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("cookiestore: save a session: %w", err)
	}
	if key != "" {
		if _, err := s.open(key); err != nil {
			return "", err
		}
	}
	text, err := s.codec.Encode(rec.Data, s.cfg.Now())
	if err != nil {
		return "", fmt.Errorf("cookiestore: save a session: %w", err)
	}
	if size := len(s.cfg.CookieName) + len("=") + len(text); size > Limit {
		return "", &TooLargeError{size}
	}
	return text, nil
}

// Rotate implements [sessions.Store] as far as that goes: it signs anew, and the old cookie stays valid.
func (s *Store) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if key == "" {
		return "", sessions.ErrNotFound
	}
	return s.Save(ctx, key, rec)
}

// Delete implements [sessions.Store]. There is nothing to delete.
func (*Store) Delete(context.Context, string) error { return nil }

// open reads a cookie that is neither forged nor too old.
func (s *Store) open(text string) (sessions.Record, error) {
	if len(text) > Limit {
		return sessions.Record{}, sessions.ErrNotFound
	}
	now := s.cfg.Now()
	data, err := s.codec.DecodeWithin(text, s.cfg.Age, now)
	if err != nil {
		return sessions.Record{}, errors.Join(sessions.ErrNotFound, err)
	}
	signed, err := signedAt(text)
	if err != nil {
		return sessions.Record{}, errors.Join(sessions.ErrNotFound, err)
	}
	end := signed.Add(s.cfg.Age)
	life, at := sessions.DjangoLife(data, s.cfg.Age)
	if at.IsZero() {
		at = signed.Add(life)
	}
	if at.Before(end) {
		end = at
	}
	if end.Before(now) {
		return sessions.Record{}, sessions.ErrNotFound
	}
	return sessions.Record{Data: data, Expires: end}, nil
}

// signedAt reads the time out of a signed text: the part before the signature, in base 62.
func signedAt(text string) (time.Time, error) {
	parts := strings.Split(text, ":")
	n, err := signing.ParseBase62(parts[max(0, len(parts)-2)])
	if err != nil {
		return time.Time{}, err
	}
	if !n.IsInt64() {
		return time.Time{}, signing.ErrMalformed
	}
	return time.Unix(n.Int64(), 0).UTC(), nil
}
