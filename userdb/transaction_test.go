package userdb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/userdb"
)

// wire is a connection to a server that stops answering at one statement, with a driver that gives the connection up when the
// context of a statement ends, and knows nothing of contexts elsewhere: as github.com/go-sql-driver/mysql does.
type wire struct {
	silent string // at this statement
	broken bool   // from the start, which shows at the first statement
	heard  []string
	closed bool
}

func (w *wire) Driver() driver.Driver                                        { return nil }
func (w *wire) Prepare(string) (driver.Stmt, error)                          { return nil, errors.New("not prepared") }
func (w *wire) Begin() (driver.Tx, error)                                    { return w, nil }
func (w *wire) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return w, nil }
func (w *wire) Commit() error                                                { select {} }
func (w *wire) Rollback() error                                              { select {} }

func (w *wire) Connect(context.Context) (driver.Conn, error) {
	w.closed = false
	return w, nil
}

func (w *wire) Close() error {
	w.closed = true
	return nil
}

func (w *wire) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	switch w.heard = append(w.heard, query); {
	case w.closed || w.broken:
		w.broken = false // the next connection is a good one
		return nil, driver.ErrBadConn
	case query == w.silent:
		<-ctx.Done()
		return nil, errors.Join(w.Close(), ctx.Err())
	}
	return driver.RowsAffected(1), nil
}

// TestTransactionEnds: a transaction is over in time, whichever of its statements the server does not answer.
func TestTransactionEnds(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for _, test := range []struct {
		name, silent string
		broken       bool
		answer, want error // of the function, and of the whole
		heard        []string
	}{
		{name: "whole", heard: []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION", "COMMIT"}},
		{name: "refused", answer: refused, want: refused, heard: []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION", "ROLLBACK"}},
		{name: "begin", silent: "START TRANSACTION", want: context.DeadlineExceeded},
		{name: "commit", silent: "COMMIT", want: context.DeadlineExceeded},
		{name: "rollback", silent: "ROLLBACK", answer: refused, want: refused},
		{name: "a connection that had broken", broken: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{silent: test.silent, broken: test.broken}
				pool := sql.OpenDB(w)
				defer pool.Close()
				began := time.Now()
				err := userdb.Transact(context.Background(), pool, userdb.MySQL, func(context.Context, *userdb.DB) error { return test.answer })
				if !errors.Is(err, test.want) {
					t.Errorf("got the error %v, want %v", err, test.want)
				}
				if took := time.Since(began); took > userdb.Timeout {
					t.Errorf("it took %v", took)
				}
				if test.heard != nil && !slices.Equal(w.heard, test.heard) {
					t.Errorf("the server heard %q, want %q", w.heard, test.heard)
				}
				if n := pool.Stats().OpenConnections; test.silent != "" && n != 0 {
					t.Errorf("%d connections are left, want none: one of them has a transaction open", n)
				}
			})
		})
	}
}
