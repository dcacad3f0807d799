package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Timeout is how long one step at the database may take, waiting for locks and connections included. It is less than the
// five seconds after which a person takes a page for dead.
const Timeout = 4 * time.Second

// A DB is a database with users and sessions in it. Its methods may be called concurrently, except those of a DB made by Tx.
type DB struct {
	pool    *sql.DB // nil inside a transaction
	q       querier
	dialect *Dialect
	users   *Table[User] // nil: Django's auth_user
}

// A querier is a pool, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// New returns the users and sessions in pool, which stays the caller's: its limits are not touched, and it is the caller who
// closes it. A MySQL pool must count found rows: New asks the database, and refuses the pool with the cure in the error. On
// SQLite the pool's connections should set foreign_keys and busy_timeout, as those that [Open] makes do.
func New(pool *sql.DB, d *Dialect) (*DB, error) {
	if pool == nil || d == nil {
		return nil, errors.New("userdb: New needs a pool and a dialect: userdb.New(pool, userdb.PostgreSQL)")
	}
	db := &DB{pool: pool, q: pool, dialect: d}
	if d == MySQL {
		if err := db.checkMySQL(); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// checkMySQL refuses a pool whose driver counts changed rows or gives times as text. Counting changed rows would make an
// unchanged session look like one that was logged out.
func (db *DB) checkMySQL() error {
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("userdb: connect: %w", err)
	}
	defer conn.Close()
	n, err := db.countUnchanged(ctx, conn)
	if err != nil {
		return fmt.Errorf("userdb: find out how MySQL counts rows: %w", err)
	}
	const cure = "open the pool with clientFoundRows=true&parseTime=true&loc=UTC in its DSN, or by userdb.Open"
	if n != 1 {
		return errors.New("userdb: this MySQL pool counts changed rows instead of found ones: " + cure)
	}
	var t any
	if err := conn.QueryRowContext(ctx, "SELECT CAST('2024-05-06 07:08:09' AS datetime(6))").Scan(&t); err != nil {
		return fmt.Errorf("userdb: find out how MySQL gives times: %w", err)
	}
	if at, ok := t.(time.Time); !ok || !at.Equal(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)) {
		return errors.New("userdb: this MySQL pool does not give times in UTC: " + cure)
	}
	return nil
}

// countUnchanged updates one row to what it is and returns how many rows the driver counts: in cardea_meta if it is there, else
// in a table of this connection's own, for which the user may lack the right.
func (db *DB) countUnchanged(ctx context.Context, conn *sql.Conn) (int64, error) {
	const update = " SET value = value WHERE name = 'version'"
	table := "cardea_meta"
	var there int
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM cardea_meta WHERE name = 'version'").Scan(&there); err != nil && !db.dialect.missingTable(err) {
		return 0, err
	}
	if there == 0 {
		table = "cardea_probe"
		for _, stmt := range [...]string{
			"CREATE TEMPORARY TABLE cardea_probe (name varchar(40) PRIMARY KEY, value int NOT NULL)",
			"INSERT INTO cardea_probe (name, value) VALUES ('version', 1)",
		} {
			if _, err := conn.ExecContext(ctx, stmt); err != nil {
				return 0, err
			}
		}
		defer conn.ExecContext(ctx, "DROP TEMPORARY TABLE cardea_probe") //nolint:errcheck // it goes with the connection
	}
	res, err := conn.ExecContext(ctx, "UPDATE "+table+update)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Tx returns the same database inside the application's own transaction, which stays the caller's to commit or roll back. On
// PostgreSQL an error aborts the whole transaction. The DB is for one goroutine, and for as long as tx lasts.
func (db *DB) Tx(tx *sql.Tx) *DB { return db.in(tx) }

func (db *DB) in(q querier) *DB {
	inner := *db
	inner.pool, inner.q = nil, q
	return &inner
}

// Dialect returns which database this is.
func (db *DB) Dialect() *Dialect { return db.dialect }

// Pool returns the pool of connections, or nil for a DB made by Tx.
func (db *DB) Pool() *sql.DB { return db.pool }

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	query := "SELECT 1"
	if db.dialect == SQLite { // which answers that without a look at its file
		query = "SELECT COUNT(*) FROM sqlite_master"
	}
	var n int
	return db.dialect.failed("ping", db.q.QueryRowContext(ctx, query).Scan(&n))
}

// Close closes the pool. It is for those who called Open; a DB made by Tx has nothing to close.
func (db *DB) Close() error {
	if db.pool == nil {
		return nil
	}
	return db.pool.Close()
}

// exec runs a statement written with ? and returns the number of rows that it found. Outside of a transaction it is tried again when
// the database gave it up for a deadlock, in which it changed nothing.
func (db *DB) exec(ctx context.Context, query string, args ...any) (int64, error) {
	query = db.dialect.bind(query)
	for tries := 0; ; tries++ {
		res, err := db.q.ExecContext(ctx, query, args...)
		switch {
		case err == nil:
			return res.RowsAffected()
		case db.pool == nil || tries == 3 || !db.dialect.deadlock(err):
			return 0, err
		}
	}
}

// row runs a query written with ? for at most one row.
func (db *DB) row(ctx context.Context, query string, args ...any) *sql.Row {
	return db.q.QueryRowContext(ctx, db.dialect.bind(query), args...)
}
