package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// openSQLite opens a file, making it if it is not there, so that every connection has the settings of pragmas.
func openSQLite(path string) (*sql.DB, error) {
	name, err := driverFor("SQLite", "github.com/ncruces/go-sqlite3/driver", "sqlite3", "sqlite")
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, errors.New(`userdb: the path of the SQLite file is empty: name a file, such as "site.db"`)
	}
	memory := path == ":memory:" || strings.Contains(path, "mode=memory")
	fresh, dsn := false, path
	switch {
	case memory:
	case strings.HasPrefix(path, "file:"):
	default:
		if fresh, err = makeFile(path); err != nil {
			return nil, err
		}
		dsn = fileURI(path)
	}
	opened, err := sql.Open(name, dsn)
	if err != nil {
		return nil, fmt.Errorf("userdb: open %s: %w", path, err)
	}
	inner, err := connectorOf(opened.Driver(), dsn)
	if err := errors.Join(err, opened.Close()); err != nil {
		return nil, fmt.Errorf("userdb: open %s: %w", path, err)
	}
	pool := limit(sql.OpenDB(&connector{inner, fresh}))
	if memory { // each connection would be a database of its own
		pool.SetMaxOpenConns(1)
		pool.SetConnMaxIdleTime(0)
	}
	return pool, nil
}

// makeFile makes an empty file that only its owner can read, and reports whether it did: a file without a byte counts as made
// now, for it has no journal mode to respect.
func makeFile(path string) (fresh bool, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return false, fmt.Errorf("userdb: %s is a folder: name a file, such as %s", path, filepath.Join(path, "site.db"))
	case err == nil:
		return info.Size() == 0, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("userdb: open the SQLite file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, fmt.Errorf("userdb: make the SQLite file: %w", err)
	}
	return true, f.Close()
}

// fileURI names a file so that no character in its path means anything to SQLite.
func fileURI(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	return u.String()
}

// connectorOf makes the connector that sql.Open would make.
func connectorOf(d driver.Driver, dsn string) (driver.Connector, error) {
	if c, ok := d.(driver.DriverContext); ok {
		return c.OpenConnector(dsn)
	}
	return plainConnector{d, dsn}, nil
}

type plainConnector struct {
	driver driver.Driver
	dsn    string
}

func (c plainConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

func (c plainConnector) Driver() driver.Driver { return c.driver }

// A connector gives every new connection its settings, in words that all SQLite drivers understand.
type connector struct {
	driver.Connector
	fresh bool // the file was made by us
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	settings := []string{"PRAGMA busy_timeout = 5000", "PRAGMA foreign_keys = ON", "PRAGMA journal_mode"}
	if c.fresh { // the mode stays with the file, and lets readers go on while one writes
		settings[2] = "PRAGMA journal_mode = WAL"
	}
	var mode string
	for _, s := range settings {
		if mode, err = ask(ctx, conn, s); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", s, err), conn.Close())
		}
	}
	if mode == "wal" { // as safe there against corruption: a loss of power can only undo the last moments
		if _, err := ask(ctx, conn, "PRAGMA synchronous = NORMAL"); err != nil {
			return nil, errors.Join(fmt.Errorf("set synchronous: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// ask carries out one statement on a driver's connection and returns the first value of its answer, if it has one.
func ask(ctx context.Context, conn driver.Conn, query string) (string, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return "", err
	}
	defer stmt.Close()
	var rows driver.Rows
	if s, ok := stmt.(driver.StmtQueryContext); ok {
		rows, err = s.QueryContext(ctx, nil)
	} else {
		rows, err = stmt.Query(nil) //lint:ignore SA1019 all that a driver without contexts has
	}
	if err != nil {
		return "", err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	switch err := rows.Next(row); {
	case errors.Is(err, io.EOF):
		return "", nil
	case err != nil:
		return "", err
	case len(row) == 0:
		return "", nil
	}
	switch v := row[0].(type) {
	case []byte:
		return string(v), nil
	default:
		return fmt.Sprint(v), nil
	}
}
