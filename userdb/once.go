package userdb

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"
)

// Once returns what works once and for a short time only, for all processes on the database, in the table cardea_once: attempts to log
// in elsewhere, and tokens that were seen.
func (db *DB) Once() *OnceStore { return &OnceStore{db} }

// A OnceStore is an oidcauth.Store, and sweeps what has expired. Keys are at most 64 letters and digits of ASCII.
type OnceStore struct{ db *DB }

// onceTable makes cardea_once.
func (m *migration) onceTable() djangoTable {
	moment := m.db.dialect.moment()
	text := map[*Dialect]string{SQLite: "text", PostgreSQL: "text", MySQL: "mediumtext"}[m.db.dialect]
	return djangoTable{"cardea_once", []string{
		"CREATE TABLE cardea_once (name varchar(64) NOT NULL PRIMARY KEY, value " + text + " NOT NULL, expires_at " + moment + " NOT NULL)" + m.engine(),
		"CREATE INDEX cardea_once_expires_at ON cardea_once (expires_at)",
	}}
}

// Put keeps value under key until expires, and answers false if there is something under key already, expired or not. The INSERT
// decides who was first.
func (s *OnceStore) Put(ctx context.Context, key string, value []byte, expires time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	insert, end := "INSERT INTO", " ON CONFLICT (name) DO NOTHING"
	if d == MySQL {
		insert, end = "INSERT IGNORE INTO", ""
	}
	n, err := s.db.exec(ctx, insert+" cardea_once (name, value, expires_at) VALUES (?, ?, ?)"+end,
		key, base64.StdEncoding.EncodeToString(value), d.time(expires))
	return n == 1, d.failed("keep what works once", err)
}

// Look returns what is under key, and false if there is nothing, or it has expired.
func (s *OnceStore) Look(ctx context.Context, key string, now time.Time) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	var text string
	err := s.db.row(ctx, "SELECT value FROM cardea_once WHERE name = ? AND expires_at > ?", key, d.time(now)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	var value []byte
	if err == nil {
		value, err = base64.StdEncoding.DecodeString(text)
	}
	return value, err == nil, d.failed("look for what works once", err)
}

// Take is Look, and removes it. The DELETE decides who took it: nothing changes what is under a key.
func (s *OnceStore) Take(ctx context.Context, key string, now time.Time) ([]byte, bool, error) {
	value, ok, err := s.Look(ctx, key, now)
	if err != nil || !ok {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	d := s.db.dialect
	n, err := s.db.exec(ctx, "DELETE FROM cardea_once WHERE name = ? AND expires_at > ?", key, d.time(now))
	if err != nil || n == 0 {
		return nil, false, d.failed("take what works once", err)
	}
	return value, true, nil
}

// Sweep deletes what has expired and returns how much that was.
func (s *OnceStore) Sweep(ctx context.Context, now time.Time) (int, error) {
	return s.db.sweep(ctx, "cardea_once", "name", "expires_at < ?", s.db.dialect.time(now))
}
