package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"
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

// ParseTime reads a time as a database of that dialect holds it, and WriteTime makes what it would hold.
func ParseTime(text string) (time.Time, error) {
	var s stamp
	err := s.Scan(text)
	return s.Time, err
}

// WriteTime is the parameter for a time.
func (d *Dialect) WriteTime(t time.Time) any { return d.time(t) }

// CanonicalUUID is the form of a UUID that sessions hold; StoredUUID what the database does, and back.
var CanonicalUUID = canonicalUUID

// StoredUUID is the parameter for a UUID, and ReadUUID its text again.
func (d *Dialect) StoredUUID(id string) any { return d.ownerID(id) }

// ReadUUID is the text of what the database holds.
func (d *Dialect) ReadUUID(stored string) string { return d.djangoID(stored) }
