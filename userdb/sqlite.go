package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
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
	fresh, dsn, file := false, path, ""
	switch {
	case memory:
	case strings.HasPrefix(path, "file:"):
	default:
		if fresh, err = makeFile(path); err != nil {
			return nil, err
		}
		dsn, file = fileURI(path), path
	}
	pool, err := openWith(name, dsn, func(ctx context.Context, conn driver.Conn) error {
		if err := setSQLite(ctx, conn, fresh); err != nil {
			return err
		}
		return closeIndex(file)
	})
	if err != nil {
		return nil, fmt.Errorf("userdb: open %s: %w", path, err)
	}
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

// fileURI names a file so that no character in its path means anything to SQLite, and asks for journals and logs beside it that
// are for the same eyes as the file: what is in it goes through them.
func fileURI(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
	u.RawQuery = "modeof=" + strings.ReplaceAll(url.PathEscape(path), "&", "%26")
	return u.String()
}

// closeIndex gives the index of the write-ahead log the mode of its file. It holds no data, but whoever can open it can hold
// locks on it. Where that is not ours to do, the index stays as it is.
func closeIndex(file string) error {
	if file == "" {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	index, err := os.Stat(file + "-shm")
	if err == nil && index.Mode() != info.Mode() {
		_ = os.Chmod(file+"-shm", info.Mode())
	}
	return nil
}

// setSQLite gives a new connection its settings, in words that all drivers understand.
func setSQLite(ctx context.Context, conn driver.Conn, fresh bool) error {
	settings := []string{"PRAGMA busy_timeout = 5000", "PRAGMA foreign_keys = ON", "PRAGMA journal_mode"}
	if fresh { // the mode stays with the file, and lets readers go on while one writes
		settings[2] = "PRAGMA journal_mode = WAL"
	}
	var mode string
	var err error
	for _, s := range settings {
		if mode, err = ask(ctx, conn, s); err != nil {
			return err
		}
	}
	if mode == "wal" { // as safe there against corruption: a loss of power can only undo the last moments
		if _, err = ask(ctx, conn, "PRAGMA synchronous = NORMAL"); err == nil {
			_, err = ask(ctx, conn, "PRAGMA user_version") // a read makes the log's index, which closeIndex is about
		}
	}
	return err
}
