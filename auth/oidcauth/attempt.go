package oidcauth

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Store keeps what works once, for a short time: attempts to log in, and the logout tokens that were seen. Package userdb has
// one. Its methods may be called concurrently, by several processes.
type Store interface {
	// Put keeps value under key until expires, and answers false if there is something under key already: of any number of calls
	// with one key one answers true.
	Put(ctx context.Context, key string, value []byte, expires time.Time) (bool, error)
	// Look returns what is under key, and false if there is nothing, or it has expired.
	Look(ctx context.Context, key string, now time.Time) ([]byte, bool, error)
	// Take is Look, and removes it, by one conditional statement: of any number of calls one answers true.
	Take(ctx context.Context, key string, now time.Time) ([]byte, bool, error)
}

// An attempt is what is kept from the button to the answer.
type attempt struct {
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Redirect string    `json:"redirect"`
	Next     string    `json:"next,omitempty"`
	User     string    `json:"user,omitempty"`
	Again    bool      `json:"again,omitempty"`
	Begun    time.Time `json:"begun"`
}

// keyOf names a thing in the store by a hash of its parts, so that the store opens nothing to those who read it.
func keyOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:25]))
}

// attemptKey binds an attempt to its provider and its browser: from elsewhere it can be neither used nor used up.
func attemptKey(provider, browser, state string) string {
	return keyOf("attempt", provider, browser, state)
}

func (f *Flow) keep(ctx context.Context, key string, a attempt) error {
	value, err := json.Marshal(a)
	if err != nil {
		return err
	}
	fresh, err := f.store.Put(ctx, key, value, a.Begun.Add(attemptTime))
	if err == nil && !fresh {
		err = fmt.Errorf("two attempts have one state")
	}
	return err
}

func (f *Flow) take(ctx context.Context, key string) (a attempt, ok bool, err error) {
	value, ok, err := f.store.Take(ctx, key, f.cfg.Now())
	if err != nil || !ok {
		return attempt{}, false, err
	}
	if err := json.Unmarshal(value, &a); err != nil {
		return attempt{}, false, fmt.Errorf("read an attempt: %w", err)
	}
	return a, true, nil
}
