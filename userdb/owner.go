package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// An Owner is who made a database.
type Owner int

// The answers of [DB.Owner].
const (
	// Empty is a database with neither Django's tables nor Cardea's.
	Empty Owner = iota
	// OwnedByCardea is a database that Migrate made; the mark is in cardea_meta.
	OwnedByCardea
	// OwnedByDjango is a database with tables of Django that Migrate did not make.
	OwnedByDjango
)

// String returns "empty", "cardea" or "django".
func (o Owner) String() string {
	switch o {
	case OwnedByCardea:
		return "cardea"
	case OwnedByDjango:
		return "django"
	}
	return "empty"
}

// schemaVersion counts the changes of Cardea's own tables.
const schemaVersion = 1

// Owner tells who made the database.
func (db *DB) Owner(ctx context.Context) (Owner, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	tables, err := db.tables(ctx)
	if err != nil {
		return Empty, db.dialect.failed("find out who made the database", err)
	}
	owner, err := db.owner(ctx, tables)
	return owner, db.dialect.failed("find out who made the database", err)
}

// Migrated reports whether the database has the tables of this version of Cardea.
func (db *DB) Migrated(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	tables, err := db.tables(ctx)
	if err != nil {
		return false, db.dialect.failed("look for the tables", err)
	}
	for _, t := range append([]string{"django_session", "cardea_meta"}, cardeaTables...) {
		if !tables[t] {
			return false, nil
		}
	}
	return true, nil
}

// tables returns the names of the tables in the database.
func (db *DB) tables(ctx context.Context) (map[string]bool, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	switch db.dialect {
	case PostgreSQL:
		query = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))"
	case MySQL:
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	}
	names, err := db.texts(ctx, query)
	if err != nil {
		return nil, err
	}
	tables := make(map[string]bool, len(names))
	for _, n := range names {
		tables[n] = true
	}
	return tables, nil
}

// texts returns the first column of a query.
func (db *DB) texts(ctx context.Context, query string) ([]string, error) {
	rows, err := db.q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// owner reads the mark; without one, a table of Django's that nobody else would make decides.
func (db *DB) owner(ctx context.Context, tables map[string]bool) (Owner, error) {
	if tables["cardea_meta"] {
		version, err := db.meta(ctx, "version")
		if err != nil {
			return Empty, err
		}
		if n, _ := strconv.Atoi(version); n > schemaVersion {
			return Empty, fmt.Errorf("the database was migrated by a newer Cardea (version %s of its tables, this one knows %d)", version, schemaVersion)
		}
		switch by, err := db.meta(ctx, "made_by"); {
		case err != nil:
			return Empty, err
		case by == OwnedByCardea.String():
			return OwnedByCardea, nil
		case by == OwnedByDjango.String():
			return OwnedByDjango, nil
		}
	}
	for _, t := range [...]string{"django_migrations", "django_content_type", "auth_user", "django_session"} {
		if tables[t] {
			return OwnedByDjango, nil
		}
	}
	return Empty, nil
}

// meta returns a value of cardea_meta, or "".
func (db *DB) meta(ctx context.Context, name string) (string, error) {
	var v string
	err := db.row(ctx, "SELECT value FROM cardea_meta WHERE name = ?", name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}
