package userdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// A counter is a connector that counts the statements that its connections run.
type counter struct {
	driver.Connector
	n *atomic.Int64
}

func (c counter) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return &countedConn{conn, c.n}, err
}

type countedConn struct {
	driver.Conn
	n *atomic.Int64
}

func (c *countedConn) Prepare(query string) (driver.Stmt, error) {
	stmt, err := c.Conn.Prepare(query)
	return &countedStmt{stmt, c.n}, err
}

type countedStmt struct {
	driver.Stmt
	n *atomic.Int64
}

func (s *countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.n.Add(1)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.n.Add(1)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s *countedStmt) CheckNamedValue(v *driver.NamedValue) error {
	return s.Stmt.(driver.NamedValueChecker).CheckNamedValue(v)
}

// TestOneStatement: a session and its user are one statement, a pool of the application's own is good enough for it, and what
// is read writes nothing.
func TestOneStatement(t *testing.T) {
	t.Parallel()
	empty := testdb.New(t, "sqlite")
	plain := open(t, empty)
	ada := create(t, plain, userdb.NewUser{Username: "ada"})
	connector, err := plain.Pool().Driver().(driver.DriverContext).OpenConnector("file:" + strings.TrimPrefix(empty.URL, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	pool := sql.OpenDB(counter{connector, &n})
	t.Cleanup(func() { pool.Close() })
	db, err := userdb.New(pool, userdb.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users(), HashKeys: true})
	rec := record(t, `{"a":1}`)
	rec.Owner = ada.AuthID()
	key := save(t, store, "", rec)
	before := n.Load()
	if before == 0 {
		t.Fatal("the counter does not count")
	}
	for range 3 {
		if got := load(t, store, key); got.Attached.(*userdb.User).Username != "ada" {
			t.Errorf("got %+v", got)
		}
	}
	if got := n.Load() - before; got != 3 {
		t.Errorf("3 loads took %d statements", got)
	}
}
