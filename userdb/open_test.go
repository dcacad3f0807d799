package userdb_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// open opens an empty database and migrates it.
func open(t testing.TB, db testdb.DB) *userdb.DB {
	t.Helper()
	udb := openEmpty(t, db)
	if _, err := udb.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return udb
}

func openEmpty(t testing.TB, db testdb.DB) *userdb.DB {
	t.Helper()
	udb, err := userdb.OpenURL(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := udb.Close(); err != nil {
			t.Error(err)
		}
	})
	return udb
}

func exec(t testing.TB, db *userdb.DB, query string) {
	t.Helper()
	if _, err := db.Pool().ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// text returns the one value of a query as text.
func text(t testing.TB, db *userdb.DB, query string) string {
	t.Helper()
	var s sql.NullString
	if err := db.Pool().QueryRowContext(t.Context(), query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s.String
}

// TestOpen: each kind opens and answers, and MySQL has the settings that Django gives it.
func TestOpen(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := db.Dialect().String(); got != empty.Kind {
			t.Errorf("got the dialect %q, want %q", got, empty.Kind)
		}
		switch empty.Kind {
		case "mysql":
			if got := text(t, db, "SELECT CONCAT_WS(' ', @@tx_isolation, @@time_zone, @@character_set_client)"); got != "READ-COMMITTED +00:00 utf8mb4" {
				t.Errorf("got the settings %q", got)
			}
		case "postgres":
			if got := text(t, db, "SHOW timezone"); got != "UTC" {
				t.Errorf("got the time zone %q", got)
			}
		}
	})
}

// TestOpenErrors: what cannot be opened says the cure in one line, and no password.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, want string }{
		{"site.db", "sqlite:site.db"},
		{"oracle://x", "sqlite, postgres or mysql"},
		{"sqlite:", "name a file"},
		{"sqlite:" + t.TempDir(), "is a folder"},
		{"sqlite:" + filepath.Join(t.TempDir(), "no", "such", "site.db"), "no such file"},
		{"postgres://u:hush@host:port/x", "cannot be read"},
		{"mysql://u:hush@host:port/x", "cannot be read"},
		{"postgres://u:hush@127.0.0.1:1/x", "refused"},
		{"mysql://u:hush@127.0.0.1:1/x", "refused"},
		{"mysql://u:hush%3F%2F%40%3A%25@127.0.0.1:1/x?tls=false", "refused"},
		{"postgres://u:hush%3F%2F%40%3A%25@127.0.0.1:1/x", "refused"},
		{"mysql://u:hush%3F@/x?socket=%2Fno%2Fsuch.sock", "no such file"},
		{"postgres://u:hush%3F@/x?host=%2Fno%2Fsuch", "no such file"},
	} {
		_, err := userdb.OpenURL(t.Context(), c.url)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("OpenURL(%q): got %v, want it to say %q", c.url, err, c.want)
		}
	}
}

// TestSQLiteFile: a new file is its owner's alone, with all that SQLite puts beside it, and keeps a write-ahead log; an existing one keeps its mode, whatever is in
// the path, and every connection enforces foreign keys and waits.
func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c%20d#é&x=1+2.db")
	connect := func() *userdb.DB { return openEmpty(t, testdb.DB{Kind: "sqlite", URL: "sqlite:" + path}) }
	db := connect()
	owned := func(suffixes ...string) {
		t.Helper()
		for _, suffix := range suffixes {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("%q beside the file has the mode %o, want 600", suffix, got)
			}
		}
	}
	exec(t, db, "PRAGMA user_version")
	owned("", "-wal", "-shm") // with one connection, and nothing written yet
	for range 2 {             // made now, and found there
		var conns []*sql.Conn
		for range 3 {
			conn, err := db.Pool().Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			for pragma, want := range map[string]string{"foreign_keys": "1", "busy_timeout": "5000", "journal_mode": "wal", "synchronous": "1"} {
				var got string
				if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("PRAGMA %s: got %q and %v, want %q", pragma, got, err, want)
				}
			}
			conn.Close()
		}
		exec(t, db, "CREATE TABLE IF NOT EXISTS t (id integer)")
		owned("", "-wal", "-shm")
		db.Close()
		db = connect()
	}
	db.Pool().SetMaxIdleConns(0)
	exec(t, db, "PRAGMA journal_mode = DELETE")
	if got := text(t, connect(), "PRAGMA journal_mode"); got != "delete" {
		t.Errorf("an existing file: got the journal mode %q, want it left as delete", got)
	}
	tx, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	owned("-journal")
}

// TestSQLiteMemory: a database in memory is one database, not one for each connection.
func TestSQLiteMemory(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.DB{Kind: "sqlite", URL: "sqlite::memory:"})
	done := make(chan error)
	for range 4 {
		go func() {
			_, err := db.CountUsers(context.Background())
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestNewRefusesMySQL: a pool that counts changed rows, or gives times as text, is refused with the cure; the right one is not.
func TestNewRefusesMySQL(t *testing.T) {
	t.Parallel()
	empty := testdb.New(t, "mysql")
	for range 2 { // before there is a table of ours, and with it
		testRefusals(t, empty.URL)
		open(t, empty)
	}
	if _, err := userdb.New(nil, userdb.SQLite); err == nil {
		t.Error("a nil pool was taken")
	}
}

func testRefusals(t *testing.T, address string) {
	t.Helper()
	for params, want := range map[string]string{
		"parseTime=true&loc=UTC":                      "clientFoundRows=true",
		"clientFoundRows=true":                        "parseTime=true",
		"clientFoundRows=true&parseTime=true&loc=UTC": "",
	} {
		pool, err := sql.Open("mysql", testdb.MySQLDSN(t, address)+"?"+params)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		_, err = userdb.New(pool, userdb.MySQL)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", params, err, want)
		}
	}
}

// TestLockedSQLite: who finds the file locked for longer than anybody waits gets an error in time, and all is well afterwards.
func TestLockedSQLite(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.New(t, "sqlite"))
	writer, err := db.Pool().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	store := db.Sessions(codec(t), userdb.SessionsConfig{})
	start := time.Now()
	_, err = store.Save(t.Context(), "", record(t, `{}`))
	if took := time.Since(start); err == nil || took < time.Second || took > userdb.Timeout+time.Second/2 {
		t.Errorf("Save while another one writes: got %v after %v, want an error within %v", err, took, userdb.Timeout)
	}
	if _, err := writer.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Save(t.Context(), "", record(t, `{}`)); err != nil {
		t.Errorf("Save afterwards: %v", err)
	}
}
