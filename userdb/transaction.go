package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
)

// Together runs f in a transaction that writes: all that it does through tx happens, or, where it returns an error, nothing. On SQLite
// it waits for others that write, where a transaction of database/sql that reads first fails at once. f may run more than once, when the
// database gave up one of two transactions that waited for each other.
func (db *DB) Together(ctx context.Context, f func(ctx context.Context, tx *DB) error) error {
	return db.atomically(ctx, f)
}

// atomically runs f in a transaction that writes: the one db is in, or one of its own. An error rolls that one back. A
// transaction of its own that the database gave up, because two waited for each other, runs again; f may run more than once.
func (db *DB) atomically(ctx context.Context, f func(ctx context.Context, tx *DB) error) error {
	if db.pool == nil {
		return f(ctx, db)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	for tries := 0; ; tries++ {
		err := db.transact(ctx, f)
		if err == nil || tries == 3 || !db.dialect.deadlock(err) {
			return err
		}
	}
}

// transact runs f in a transaction. Those of database/sql do not do on two databases:
//
//   - SQLite's take the write lock at the start: a transaction that reads first and writes then fails at once, without waiting,
//     when another one wrote in between. database/sql has no word for it.
//   - MySQL's driver waits for the answer to its Commit and Rollback without end, whatever the context.
func (db *DB) transact(ctx context.Context, f func(ctx context.Context, tx *DB) error) error {
	switch db.dialect {
	case SQLite:
		return db.byStatements(ctx, f, "BEGIN IMMEDIATE")
	case MySQL:
		return db.byStatements(ctx, f, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION")
	}
	tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := f(ctx, db.in(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

// byStatements runs f in a transaction on a connection of its own, which the statements named begin.
func (db *DB) byStatements(ctx context.Context, f func(ctx context.Context, tx *DB) error, begin ...string) error {
	conn, err := db.begin(ctx, begin)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err = f(ctx, db.in(conn)); err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		rollBack(ctx, conn)
	}
	return err
}

// begin begins a transaction. A connection that broke while it was idle is replaced, as database/sql does it for its own.
func (db *DB) begin(ctx context.Context, statements []string) (*sql.Conn, error) {
	for tries := 0; ; tries++ {
		conn, err := db.pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			if _, err = conn.ExecContext(ctx, s); err != nil {
				break
			}
		}
		if err == nil {
			return conn, nil
		}
		rollBack(ctx, conn) // what had begun unheard
		_ = conn.Close()
		if tries == 3 || !errors.Is(err, driver.ErrBadConn) {
			return nil, err
		}
	}
}

// rollBack ends a transaction. If that does not work, the connection must not go back to the pool.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), asideTime)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil && inTransaction(err) {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// inTransaction is false for the one failure of ROLLBACK that is none: SQLite had rolled back already.
func inTransaction(err error) bool { return !strings.Contains(err.Error(), "no transaction is active") }
