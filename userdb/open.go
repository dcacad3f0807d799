package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Open opens a database and checks that it answers:
//
//	sqlite     a path, made if it is not there, or ":memory:"
//	postgres   postgres://user:password@host/name
//	mysql      mysql://user:password@host/name, or a DSN of github.com/go-sql-driver/mysql
//
// It uses the driver that the program imports, whichever of the common ones that is, and it is an error if there is none. Every
// connection gets the settings that Django gives its own: foreign keys and five seconds of patience on SQLite, found rows,
// UTC, utf8mb4 and READ COMMITTED on MySQL. A new SQLite file is for its owner's eyes only and keeps a write-ahead log; an
// existing one keeps the journal that it has. At most 16 connections are opened.
func Open(ctx context.Context, kind, dsn string) (*DB, error) {
	var (
		pool *sql.DB
		d    *Dialect
		err  error
	)
	switch kind {
	case "sqlite", "sqlite3":
		d = SQLite
		pool, err = openSQLite(dsn)
	case "postgres", "postgresql":
		d = PostgreSQL
		pool, err = openPostgres(dsn)
	case "mysql", "mariadb":
		d = MySQL
		pool, err = openMySQL(dsn)
	default:
		return nil, fmt.Errorf("userdb: unknown kind of database %q: it is sqlite, postgres or mysql", kind)
	}
	if err != nil {
		return nil, err
	}
	db, err := New(pool, d)
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// OpenURL opens the database that a URL names: sqlite:PATH, postgres://… or mysql://…; see [Open].
func OpenURL(ctx context.Context, address string) (*DB, error) {
	scheme, rest, found := strings.Cut(address, ":")
	switch {
	case !found:
		return nil, errors.New(`userdb: the database is named by a URL, such as "sqlite:site.db" or "postgres://user@host/name"`)
	case scheme == "sqlite" || scheme == "sqlite3":
		return Open(ctx, scheme, strings.TrimPrefix(rest, "//"))
	default:
		return Open(ctx, scheme, address)
	}
}

const (
	maxConnections = 16
	idleTime       = 5 * time.Minute
)

// driverFor returns the first of the names that a driver is registered under.
func driverFor(kind, cure string, names ...string) (string, error) {
	have := sql.Drivers()
	for _, n := range names {
		if slices.Contains(have, n) {
			return n, nil
		}
	}
	return "", fmt.Errorf("userdb: the program has no driver for %s: import _ %q", kind, cure)
}

func limit(pool *sql.DB) *sql.DB {
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(max(2, runtime.GOMAXPROCS(0)*2))
	pool.SetConnMaxIdleTime(idleTime)
	return pool
}

func openPostgres(dsn string) (*sql.DB, error) {
	name, err := driverFor("PostgreSQL", "github.com/jackc/pgx/v5/stdlib", "pgx", "pgx/v5", "postgres")
	if err != nil {
		return nil, err
	}
	if strings.Contains(dsn, "://") {
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, badURL("postgres", err)
		}
		q := u.Query()
		if !q.Has("timezone") {
			q.Set("timezone", "UTC")
		}
		if !q.Has("connect_timeout") {
			q.Set("connect_timeout", fmt.Sprint(int(Timeout/time.Second)))
		}
		u.Scheme, u.RawQuery = "postgres", q.Encode()
		dsn = u.String()
	}
	pool, err := sql.Open(name, dsn)
	if err != nil {
		return nil, badURL("postgres", err)
	}
	return limit(pool), nil
}

// mysqlParams are what userdb relies on; they win over what the DSN says.
var mysqlParams = map[string]string{
	"clientFoundRows": "true",
	"parseTime":       "true",
	"loc":             "UTC",
	"time_zone":       "'+00:00'",
}

func openMySQL(dsn string) (*sql.DB, error) {
	name, err := driverFor("MySQL and MariaDB", "github.com/go-sql-driver/mysql", "mysql")
	if err != nil {
		return nil, err
	}
	if strings.Contains(dsn, "://") {
		if dsn, err = mysqlDSN(dsn); err != nil {
			return nil, err
		}
	}
	last := strings.LastIndexByte(dsn, '/') + 1 // a password may hold what stands before parameters
	base, query, _ := strings.Cut(dsn[last:], "?")
	path := dsn[:last] + base
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, badURL("mysql", err)
	}
	for k, v := range mysqlParams {
		params.Set(k, v)
	}
	for k, v := range map[string]string{"charset": "utf8mb4", "timeout": Timeout.String()} {
		if !params.Has(k) {
			params.Set(k, v)
		}
	}
	// The variable has other names in MySQL and in MariaDB; the statement is the same.
	pool, err := openWith(name, path+"?"+params.Encode(), func(ctx context.Context, conn driver.Conn) error {
		_, err := ask(ctx, conn, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
		return err
	})
	if err != nil {
		return nil, badURL("mysql", err)
	}
	return pool, nil
}

// mysqlDSN turns a URL into the driver's own form, user:password@tcp(host:port)/name?params.
func mysqlDSN(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", badURL("mysql", err)
	}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	where := "tcp(" + net.JoinHostPort(host, port) + ")"
	q := u.Query()
	if socket := q.Get("socket"); socket != "" {
		where = "unix(" + socket + ")"
		q.Del("socket")
	}
	var who string
	if u.User != nil {
		who = u.User.Username()
		if secret, ok := u.User.Password(); ok {
			who += ":" + secret
		}
		who += "@"
	}
	return who + where + "/" + url.PathEscape(strings.TrimPrefix(u.Path, "/")) + "?" + q.Encode(), nil
}

// badURL hides the URL, which may hold a password, and keeps what is wrong with it.
func badURL(kind string, err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return fmt.Errorf("userdb: the URL of the %s database cannot be read (%s://user:password@host:port/name): %w", kind, kind, err)
}
