package userdb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/cardea-go/cardea/throttle"
)

// Throttle returns a [throttle.Store] for all processes on the database, in the table cardea_throttle.
func (db *DB) Throttle() throttle.Store { return &throttleStore{db} }

// A throttleStore keeps times as microseconds since 1970.
type throttleStore struct{ db *DB }

var _ throttle.Sweeper = (*throttleStore)(nil)

// Take implements throttle.Store. It is one conditional UPDATE, or one INSERT that gives way to a row; both count what they did.
func (s *throttleStore) Take(ctx context.Context, key string, l throttle.Limit, now time.Time) (ok bool, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := s.db.dialect
	at, interval, full := now.UnixMicro(), l.Interval().Microseconds(), l.Full().Microseconds()
	// Again when another process adds, sweeps or forgets the key in between; who loses three times has to wait.
	for range 3 {
		n, err := s.db.exec(ctx, "UPDATE cardea_throttle SET full_at = CASE WHEN full_at > "+d.bigint()+" THEN full_at ELSE "+d.bigint()+
			" END + "+d.bigint()+" WHERE name = ? AND full_at <= "+d.bigint(), at, at, interval, key, at+full-interval)
		if err != nil {
			return false, 0, d.failed("count a try", err)
		}
		if n == 1 {
			return true, 0, nil
		}
		n, err = s.db.exec(ctx, d.ignore+" INTO cardea_throttle (name, full_at) VALUES (?, ?)"+d.nothing, key, at+interval)
		if err != nil {
			return false, 0, d.failed("count a try", err)
		}
		if n == 1 {
			return true, 0, nil
		}
		var stored int64
		switch err := s.db.row(ctx, "SELECT full_at FROM cardea_throttle WHERE name = ?", key).Scan(&stored); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return false, 0, d.failed("count a try", err)
		}
		if _, wait, ok := l.Next(time.UnixMicro(stored), time.UnixMicro(at)); !ok {
			return false, wait, nil
		}
	}
	return false, l.Interval(), nil
}

// Reset implements throttle.Store.
func (s *throttleStore) Reset(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	_, err := s.db.exec(ctx, "DELETE FROM cardea_throttle WHERE name = ?", key)
	return s.db.dialect.failed("forget tries", err)
}

// Sweep implements throttle.Sweeper.
func (s *throttleStore) Sweep(ctx context.Context, now time.Time) (int, error) {
	return s.db.sweep(ctx, "cardea_throttle", "name", "full_at <= ?", now.UnixMicro())
}

// sweepBatch is how many rows one statement of a sweep deletes, so that none holds locks for long.
const sweepBatch = 1000

// sweep deletes the rows of a table that meet a condition, some at a time, and returns how many there were.
func (db *DB) sweep(ctx context.Context, table, key, where string, args ...any) (int, error) {
	query := "DELETE FROM " + table + " WHERE " + key + " IN (SELECT " + key + " FROM " + table + " WHERE " + where + " LIMIT ?)"
	if db.dialect == MySQL { // which knows no LIMIT in a subquery, but one here
		query = "DELETE FROM " + table + " WHERE " + where + " LIMIT ?"
	}
	args = append(args, sweepBatch)
	total := 0
	for {
		n, err := db.sweepOnce(ctx, query, args)
		total += int(n)
		if err != nil {
			return total, db.dialect.failed("clean up "+table, err)
		}
		if n < sweepBatch {
			return total, nil
		}
	}
}

func (db *DB) sweepOnce(ctx context.Context, query string, args []any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return db.exec(ctx, query, args...)
}
