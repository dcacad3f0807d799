// Package testdb gives tests a database of each kind that Cardea speaks to, empty, and drops it when the test ends.
//
// SQLite is always there. The servers are those of CARDEA_TEST_POSTGRES and CARDEA_TEST_MYSQL, URLs such as
// postgres://user:password@host/name of a user who may create databases; by default those on loopback. Where there is none,
// the tests for it are skipped and say why; with CARDEA_TEST_REQUIRE=1 they fail instead.
package testdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the drivers that the tests use
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
)

// A DB is an empty database of one kind.
type DB struct {
	Kind string // sqlite, postgres or mysql
	URL  string // as userdb.OpenURL takes it
}

// Kinds are the kinds of databases, in the order in which Each takes them.
var Kinds = []string{"sqlite", "postgres", "mysql"}

// Each runs a subtest for each kind of database, with an empty one.
func Each(t *testing.T, run func(t *testing.T, db DB)) {
	t.Helper()
	for _, kind := range Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			run(t, New(t, kind))
		})
	}
}

// New returns an empty database of that kind, which lasts as long as the test. It skips the test where there is no server.
func New(t testing.TB, kind string) DB {
	t.Helper()
	switch kind {
	case "sqlite":
		return DB{kind, "sqlite:" + filepath.Join(t.TempDir(), "test.db")}
	case "postgres":
		return server(t, kind, "CARDEA_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres", "pgx")
	case "mysql":
		return server(t, kind, "CARDEA_TEST_MYSQL", "mysql://root@127.0.0.1:3306/", "mysql")
	}
	t.Fatalf("testdb: unknown kind %q", kind)
	return DB{}
}

// SQL opens a plain pool on the database, without any of userdb's settings but those that its driver cannot do without.
func (db DB) SQL(t testing.TB) *sql.DB {
	t.Helper()
	driver, dsn := map[string]string{"sqlite": "sqlite3", "postgres": "pgx", "mysql": "mysql"}[db.Kind], db.URL
	switch db.Kind {
	case "sqlite":
		dsn = "file:" + (&url.URL{Path: strings.TrimPrefix(dsn, "sqlite:")}).EscapedPath()
	case "mysql":
		dsn = MySQLDSN(t, dsn) + "?clientFoundRows=true&parseTime=true&loc=UTC"
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	pool.SetMaxOpenConns(8)
	t.Cleanup(func() { pool.Close() })
	return pool
}

// MySQLDSN turns a mysql:// URL into the driver's form, without parameters.
func MySQLDSN(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	host := u.Host
	if u.Port() == "" {
		host += ":3306"
	}
	return fmt.Sprintf("%s@tcp(%s)%s", u.User, host, u.Path)
}

func server(t testing.TB, kind, variable, otherwise, driver string) DB {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		address = otherwise
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("testdb: %s: %v", variable, err)
	}
	dsn := address
	if kind == "mysql" {
		dsn = MySQLDSN(t, address)
	}
	admin, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	admin.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := admin.PingContext(ctx); err != nil {
		admin.Close()
		missing := fmt.Sprintf("no %s server at %s (set %s): %v", kind, u.Host, variable, err)
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatal("testdb: " + missing)
		}
		t.Skip("testdb: " + missing)
	}
	name := "cardea_test_" + strings.ToLower(rand.Text()[:16])
	create, drop := "CREATE DATABASE "+name, "DROP DATABASE "+name
	switch kind {
	case "mysql":
		create += " CHARACTER SET utf8mb4"
	case "postgres":
		drop += " WITH (FORCE)" // a test that failed may have left a connection open
	}
	if _, err := admin.ExecContext(ctx, create); err != nil {
		admin.Close()
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(func() {
		defer admin.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := admin.ExecContext(ctx, drop); err != nil {
			t.Errorf("testdb: %v", err)
		}
	})
	u.Path = "/" + name
	return DB{kind, u.String()}
}
