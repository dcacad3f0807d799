package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// The rules of writing a session:
//
//  1. A statement that changes a session names the state that it expects, and counts the rows it found. Reading first and
//     writing then would lose a race.
//  2. The row in django_session is the session: what happens to it happens first, and decides.
//  3. Deleting does not rely on foreign keys, which a program that opens the database may have left off.

// Save implements [sessions.Store].
func (s *SessionStore) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	text, err := s.codec.Encode(rec.Data, s.cfg.Now())
	if err != nil {
		return "", fmt.Errorf("userdb: save a session: %w", err)
	}
	if key == "" {
		return s.insertNew(ctx, "save", func(ctx context.Context, tx *DB, id string) error { return s.insert(ctx, tx, id, text, rec) })
	}
	id, ok := s.stored(key)
	if !ok {
		return "", notFound(ctx, "save")
	}
	err = s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		d := s.db.dialect
		where, args := s.expected(id, rec.Version)
		n, err := tx.exec(ctx, "UPDATE django_session SET session_data = ?, expire_date = ? WHERE "+where,
			append([]any{text, d.time(rec.Expires)}, args...)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.why(ctx, tx, id, rec.Version)
		}
		return s.putFacts(ctx, tx, id, rec)
	})
	if err != nil {
		return "", s.failed("save", err)
	}
	return key, nil
}

// Rotate implements [sessions.Store].
func (s *SessionStore) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	old, ok := s.stored(key)
	if !ok {
		return "", notFound(ctx, "rotate")
	}
	text, err := s.codec.Encode(rec.Data, s.cfg.Now())
	if err != nil {
		return "", fmt.Errorf("userdb: rotate a session: %w", err)
	}
	return s.insertNew(ctx, "rotate", func(ctx context.Context, tx *DB, id string) error {
		d := s.db.dialect
		where, args := s.expected(old, rec.Version)
		n, err := tx.exec(ctx, "DELETE FROM django_session WHERE "+where, args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.why(ctx, tx, old, rec.Version)
		}
		if _, err := tx.exec(ctx, "DELETE FROM cardea_session WHERE "+d.is("session_key"), d.same(nil, old)...); err != nil {
			return err
		}
		if err := s.insert(ctx, tx, id, text, rec); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "INSERT INTO cardea_rotated (old_key, new_key, rotated_at) VALUES (?, ?, ?)", old, id, d.time(s.cfg.Now()))
		return err
	})
}

// expected is the condition that a session is live and, if a version is given, as it was loaded.
func (s *SessionStore) expected(id, version string) (where string, args []any) {
	d := s.db.dialect
	where, args = d.is("session_key")+" AND expire_date > ?", append(d.same(nil, id), d.time(s.cfg.Now()))
	if version == "" {
		return where, args
	}
	if d.folding {
		return where + " AND BINARY session_data = ?", append(args, version)
	}
	return where + " AND session_data = ?", append(args, version)
}

// why tells why no row was found: the session changed, or it is gone.
func (s *SessionStore) why(ctx context.Context, tx *DB, id, version string) error {
	if version == "" {
		return sessions.ErrNotFound
	}
	where, args := s.expected(id, "")
	var one int
	err := tx.row(ctx, "SELECT 1 FROM django_session WHERE "+where, args...).Scan(&one)
	switch {
	case err == nil:
		return sessions.ErrConflict
	case errors.Is(err, sql.ErrNoRows):
		return sessions.ErrNotFound
	}
	return err
}

// failed keeps the contract's answers as they are.
func (s *SessionStore) failed(op string, err error) error {
	if errors.Is(err, sessions.ErrNotFound) || errors.Is(err, sessions.ErrConflict) {
		return err
	}
	return s.db.dialect.failed(op+" a session", err)
}

// insertNew calls write, in a transaction, with what the database is to keep for a new key, and returns the key. Should the key
// exist, which none of the next billion years will see, it takes another.
func (s *SessionStore) insertNew(ctx context.Context, op string, write func(ctx context.Context, tx *DB, id string) error) (string, error) {
	for tries := 0; ; tries++ {
		key := sessions.NewKey()
		id, _ := s.stored(key)
		err := s.db.atomically(ctx, func(ctx context.Context, tx *DB) error { return write(ctx, tx, id) })
		if err == nil {
			return key, nil
		}
		if _, dup := s.db.dialect.duplicate(err); !dup || tries == 3 || s.db.pool == nil {
			return "", s.failed(op, err)
		}
	}
}

// insert adds a session and what is known of it.
func (s *SessionStore) insert(ctx context.Context, tx *DB, id, text string, rec sessions.Record) error {
	_, err := tx.exec(ctx, "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
		id, text, s.db.dialect.time(rec.Expires))
	if err != nil {
		return err
	}
	return s.insertFacts(ctx, tx, id, rec)
}

func (s *SessionStore) insertFacts(ctx context.Context, tx *DB, id string, rec sessions.Record) error {
	_, err := tx.exec(ctx, "INSERT INTO cardea_session (user_id, created_at, last_seen, address, user_agent, session_key) VALUES (?, ?, ?, ?, ?, ?)",
		append(s.facts(rec), id)...)
	return err
}

// putFacts writes what is known of a session that exists; one that Django made has no row of ours yet.
func (s *SessionStore) putFacts(ctx context.Context, tx *DB, id string, rec sessions.Record) error {
	d := s.db.dialect
	n, err := tx.exec(ctx, "UPDATE cardea_session SET user_id = ?, created_at = ?, last_seen = ?, address = ?, user_agent = ? WHERE "+
		d.is("session_key"), d.same(s.facts(rec), id)...)
	if err != nil || n > 0 {
		return err
	}
	return s.insertFacts(ctx, tx, id, rec)
}

// facts are the columns of cardea_session but the key.
func (s *SessionStore) facts(rec sessions.Record) []any {
	d, now := s.db.dialect, s.cfg.Now()
	if rec.Created.IsZero() {
		rec.Created = now
	}
	if rec.Seen.IsZero() {
		rec.Seen = now
	}
	if s.cfg.Users == nil {
		rec.Owner = ""
	}
	return []any{d.ownerID(rec.Owner), d.time(rec.Created), d.time(rec.Seen), clip(rec.Client.Address, 45), clip(rec.Client.UserAgent, 255)}
}

// clip cuts text to what a column holds.
func clip(text string, characters int) string {
	if !storable(text) {
		return ""
	}
	n := 0
	for i := range text {
		if n == characters {
			return text[:i]
		}
		n++
	}
	return text
}

// Touch implements [sessions.Toucher].
func (s *SessionStore) Touch(ctx context.Context, key string, expires, now time.Time) error {
	id, ok := s.stored(key)
	if !ok {
		return notFound(ctx, "touch")
	}
	d := s.db.dialect
	err := s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		where, args := s.expected(id, "")
		n, err := tx.exec(ctx, "UPDATE django_session SET expire_date = ? WHERE "+where, append([]any{d.time(expires)}, args...)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return sessions.ErrNotFound
		}
		_, err = tx.exec(ctx, "UPDATE cardea_session SET last_seen = ? WHERE "+d.is("session_key"), d.same([]any{d.time(now)}, id)...)
		return err
	})
	return s.failed("touch", err)
}

// Delete implements [sessions.Store].
func (s *SessionStore) Delete(ctx context.Context, key string) error {
	id, ok := s.stored(key)
	if !ok {
		return nil
	}
	d := s.db.dialect
	var keys []string
	err := s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		keys = nil
		for gone := id; ; {
			keys = append(keys, gone)
			for _, table := range [...]string{"django_session", "cardea_session"} {
				if _, err := tx.exec(ctx, "DELETE FROM "+table+" WHERE "+d.is("session_key"), d.same(nil, gone)...); err != nil {
					return err
				}
			}
			// Only now: a rotation that was under way has ended, one way or the other.
			next, err := s.successor(ctx, tx, gone)
			if err != nil || next == "" {
				return err
			}
			gone = next
		}
	})
	s.tell(ctx, keys) // in any case: what failed may have happened
	return s.failed("delete", err)
}

// Rotated implements [sessions.Tracer].
func (s *SessionStore) Rotated(ctx context.Context, key string) (bool, error) {
	id, ok := s.stored(key)
	if !ok {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	next, err := s.successor(ctx, s.db, id)
	return next != "", s.failed("look for the successor of", err)
}

// successor returns what a key was rotated into within the last minute, or "".
func (s *SessionStore) successor(ctx context.Context, db *DB, id string) (next string, err error) {
	d := s.db.dialect
	err = db.row(ctx, "SELECT new_key FROM cardea_rotated WHERE "+d.is("old_key")+" AND rotated_at > ?",
		append(d.same(nil, id), d.time(s.cfg.Now().Add(-sessions.Grace)))...).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return next, err
}

// Sweep implements [sessions.Sweeper]. It also removes rotations that are forgotten, and rows of ours whose session Django deleted
// without foreign keys; only sessions are counted.
func (s *SessionStore) Sweep(ctx context.Context, now time.Time) (int, error) {
	d := s.db.dialect
	n, err := s.db.sweep(ctx, "django_session", "session_key", "expire_date < ?", d.time(now))
	if err != nil {
		return n, err
	}
	if _, err := s.db.sweep(ctx, "cardea_rotated", "old_key", "rotated_at < ?", d.time(now.Add(-sessions.Grace))); err != nil {
		return n, err
	}
	_, err = s.db.sweep(ctx, "cardea_session", "session_key",
		"NOT EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = cardea_session.session_key)")
	return n, err
}
