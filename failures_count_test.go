package cardea_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	sqlite "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea/userdb"
)

// countedDB is cardeatest.DB with its statements counted, those that open and close transactions aside.
func countedDB(t *testing.T) (*userdb.DB, *atomic.Int64) {
	t.Helper()
	path := url.URL{Scheme: "file", Opaque: filepath.ToSlash(filepath.Join(t.TempDir(), "test.db"))}
	inner, err := (&sqlite.SQLite{}).OpenConnector(path.String() + "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	n := &atomic.Int64{}
	pool := sql.OpenDB(countingConnector{inner, n})
	t.Cleanup(func() { _ = pool.Close() })
	db, err := userdb.New(pool, userdb.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(context.Background(), userdb.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	return db, n
}

type countingConnector struct {
	driver.Connector
	n *atomic.Int64
}

func (c countingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{conn, c.n}, nil
}

// A countingConn lets database/sql prepare each statement, since it offers nothing shorter.
type countingConn struct {
	driver.Conn
	n *atomic.Int64
}

func (c *countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &countingStmt{stmt, c.n}, nil
}

func (c *countingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

type countingStmt struct {
	driver.Stmt
	n *atomic.Int64
}

func (s *countingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.n.Add(1)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s *countingStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.n.Add(1)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *countingStmt) CheckNamedValue(arg *driver.NamedValue) error {
	return s.Stmt.(driver.NamedValueChecker).CheckNamedValue(arg)
}
