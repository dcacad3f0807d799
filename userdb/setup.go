package userdb

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// The set-up link lets whoever reads the server's first lines of output make the first administrator. The rules:
//
//  1. It works while there is no user at all, for a limited time, and once.
//  2. The database keeps a hash of it. A new link replaces the ones before.
//  3. Using it up and making the administrator is one transaction.

// CreateSetupLink returns the token of a new set-up link, 128 random bits in 22 characters, that works until ttl after now. The
// links made before no longer work.
func (db *DB) CreateSetupLink(ctx context.Context, now time.Time, ttl time.Duration) (token string, err error) {
	var random [16]byte
	rand.Read(random[:]) // never fails: it ends the program instead
	token = base64.RawURLEncoding.EncodeToString(random[:])
	d := db.dialect
	err = db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		if _, err := tx.exec(ctx, "DELETE FROM cardea_setup"); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "INSERT INTO cardea_setup (token_hash, created_at, expires_at) VALUES (?, ?, ?)",
			sessions.HashKey(token), d.time(now), d.time(now.Add(ttl)))
		return err
	})
	if err != nil {
		return "", d.failed("make a set-up link", err)
	}
	return token, nil
}

// usableLink is the condition that a link works: its arguments are the hash and the time.
func (db *DB) usableLink() string {
	return "token_hash = ? AND used_at IS NULL AND expires_at > ? AND NOT EXISTS (SELECT 1 FROM " + db.dialect.ident(db.Users().name) + ")"
}

// SetupLinkUsable reports whether a set-up link would work now. It uses nothing up.
func (db *DB) SetupLinkUsable(ctx context.Context, token string, now time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var n int
	err := db.row(ctx, "SELECT COUNT(*) FROM cardea_setup WHERE "+db.usableLink(), sessions.HashKey(token), db.dialect.time(now)).Scan(&n)
	return n == 1, db.dialect.failed("look at a set-up link", err)
}

// ConsumeSetupLink uses a set-up link up and makes the first administrator, both or neither. It is [ErrSetupLink] for a link
// that does not work, and whatever [DB.CreateSuperuser] says: then the link still works.
func (db *DB) ConsumeSetupLink(ctx context.Context, token string, now time.Time, n NewUser) (*User, error) {
	var admin *User
	err := db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		d := db.dialect
		used, err := tx.exec(ctx, "UPDATE cardea_setup SET used_at = ? WHERE "+db.usableLink(), d.time(now), sessions.HashKey(token), d.time(now))
		if err != nil {
			return d.failed("use a set-up link", err)
		}
		if used != 1 {
			return fmt.Errorf("userdb: %w", ErrSetupLink)
		}
		admin, err = tx.CreateSuperuser(ctx, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return admin, nil
}
