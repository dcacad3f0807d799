package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// SetUp returns a connector as Open makes it, which carries out one statement on each new connection.
func SetUp(inner driver.Connector, statement string) driver.Connector {
	return &connector{inner, func(ctx context.Context, conn driver.Conn) error {
		_, err := ask(ctx, conn, statement)
		return err
	}}
}

// Transact runs f in a transaction of a pool that New has not seen.
func Transact(ctx context.Context, pool *sql.DB, d *Dialect, f func(ctx context.Context, tx *DB) error) error {
	return (&DB{pool: pool, q: pool, dialect: d}).atomically(ctx, f)
}

// OwnTables is how many tables of Cardea's own there are.
func OwnTables() int { return 1 + len(cardeaTables) }
