package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"
)

// MigrateOptions are the options of [DB.Migrate].
type MigrateOptions struct {
	// DryRun gets the SQL that would be run; nothing is changed. Defaults to running it.
	DryRun io.Writer
	// Users is the table of the site's own user type, from [NewTable]. Defaults to that of [DB.Users].
	Users UserTable
}

// A UserTable is a [Table] of any type, or a table named by [UsersOf].
type UserTable interface {
	Name() string
	keyColumn() string // the primary key
	plain() bool       // the columns are those of auth_user
	active(want bool) (condition string, args []any)
	extraColumns() []column
	joinTables() []joinTable
	joinedColumns(prefix string) string // "" when users are not read here
	alongColumns(id string, w wish) string
	joinedRow() joinedRow
}

// A Report says what [DB.Migrate] did, or would do.
type Report struct {
	Owner   Owner    // who made the database: OwnedByCardea also when it was empty before
	Created []string // tables, in the order of their creation
	Added   []string // columns, as table.column
}

// Migrate creates the tables, indexes and rows that are missing. In an empty database these are Django's tables, exactly as
// Django's own migrate makes them and marked as done in django_migrations, and Cardea's. In a database that Django made, only
// Cardea's own tables are added, and django_session if the site does without. A table of Django is never altered there. Two
// processes that migrate at once wait for each other.
//
// A user type's own columns are added to its table, or a table of its own is made, in a database that Cardea made; in Django's
// they have to be there.
func (db *DB) Migrate(ctx context.Context, opts MigrateOptions) (Report, error) {
	if db.pool == nil {
		return Report{}, errors.New("userdb: migrate: not inside a transaction of the application's")
	}
	if opts.Users == nil && db.users != nil {
		opts.Users = db.users
	}
	var report Report
	err := db.locked(ctx, func(db *DB) error {
		m := &migration{db: db, ctx: ctx, users: opts.Users, dry: opts.DryRun, now: time.Now()}
		err := m.run()
		report = m.report
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("userdb: migrate: %w", err)
	}
	return report, nil
}

// lockKey names the lock of PostgreSQL; the number is "cardea" in ASCII.
const lockKey = 0x636172646561

// locked runs f while no other process can be in locked. On SQLite and PostgreSQL f is one transaction; MySQL ends a transaction
// at every CREATE TABLE, so what f did up to a failure stays, and the next Migrate goes on from there.
func (db *DB) locked(ctx context.Context, f func(*DB) error) error {
	switch db.dialect {
	case SQLite:
		return db.byStatements(ctx, func(_ context.Context, tx *DB) error { return f(tx) }, "BEGIN IMMEDIATE")
	case PostgreSQL:
		tx, err := db.pool.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit it does nothing
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockKey)); err != nil {
			return err
		}
		if err := f(db.in(tx)); err != nil {
			return err
		}
		return tx.Commit()
	default:
		return db.lockedMySQL(ctx, f)
	}
}

func (db *DB) lockedMySQL(ctx context.Context, f func(*DB) error) error {
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const name = "CONCAT('cardea.', LEFT(SHA2(DATABASE(), 256), 32))" // locks are the server's, not the database's
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", 60)").Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return errors.New("another process has been migrating for a minute")
	}
	defer func() {
		var released sql.NullInt64
		_ = conn.QueryRowContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK("+name+")").Scan(&released)
	}()
	return f(db.in(conn))
}

// A migration is one run of Migrate.
type migration struct {
	db     *DB
	ctx    context.Context
	users  UserTable
	dry    io.Writer
	now    time.Time
	tables map[string]bool // those that are there, or would be
	report Report
}

func (m *migration) run() error {
	var err error
	if m.tables, err = m.db.tables(m.ctx); err != nil {
		return err
	}
	if m.report.Owner, err = m.db.owner(m.ctx, m.tables); err != nil {
		return err
	}
	if m.report.Owner == Empty {
		m.report.Owner = OwnedByCardea
	}
	// The mark comes first: a run that is cut off leaves tables that are known as ours.
	for _, step := range [...]func() error{m.mark, m.django, m.userTable, m.userJoins, m.cardea} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// do runs a statement, or shows it.
func (m *migration) do(stmt string) error {
	if m.dry != nil {
		_, err := fmt.Fprintf(m.dry, "%s;\n", stmt)
		return err
	}
	if _, err := m.db.q.ExecContext(m.ctx, stmt); err != nil {
		return fmt.Errorf("%.60s: %w", stmt, err)
	}
	return nil
}

// create makes a table unless it is there.
func (m *migration) create(table string, stmts ...string) error {
	if m.tables[table] {
		return nil
	}
	for _, s := range stmts {
		if err := m.do(s); err != nil {
			return err
		}
	}
	m.tables[table] = true
	m.report.Created = append(m.report.Created, table)
	return nil
}

// planned reports whether a table is in this run's doing, and in a dry run therefore not there to be asked.
func (m *migration) planned(table string) bool {
	for _, t := range m.report.Created {
		if t == table {
			return true
		}
	}
	return false
}
