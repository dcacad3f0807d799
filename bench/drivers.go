package main

import (
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	ncruces "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"
)

// Both drivers get the settings that userdb.Open gives.
const settings = "?_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"

// statements counts what SQLite itself reports of the statements that the ncruces driver runs, while tracing is on.
var statements, tracing = atomic.Int64{}, atomic.Bool{}

// A sqliteDriver opens a database file.
type sqliteDriver struct {
	name string
	open func(path string) (*sql.DB, error)
}

var drivers = []sqliteDriver{
	{"ncruces", func(path string) (*sql.DB, error) { return ncruces.Open("file:" + path + settings) }},
	{"modernc", func(path string) (*sql.DB, error) { return sql.Open("sqlite", "file:"+path+settings) }},
}

// traced is the ncruces driver with SQLite's own trace of statements switched on.
var traced = sqliteDriver{"traced", func(path string) (*sql.DB, error) {
	return ncruces.Open("file:"+path+settings, func(c *sqlite3.Conn) error {
		return c.Trace(sqlite3.TRACE_STMT, func(sqlite3.TraceEvent, any, any) error {
			if tracing.Load() {
				statements.Add(1)
			}
			return nil
		})
	})
}}

// count returns how many statements SQLite reports for a number of authenticated requests.
func count(dir string, requests int) (int64, error) {
	s, err := cardeaSubject(dir, traced)
	if err != nil {
		return 0, err
	}
	visit(s.handler, "/", s.cookie) // prepares the statement
	tracing.Store(true)
	defer tracing.Store(false)
	for range requests {
		if w := visit(s.handler, "/", s.cookie); !strings.HasPrefix(w.Body.String(), "Hello, ada") {
			return 0, fmt.Errorf("the answer is %d %s", w.Code, w.Body)
		}
	}
	return statements.Load(), nil
}
