package userdb_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea/userdb"
)

// mute is a server that takes a call and says nothing: at once, or when the connection is set up.
type mute struct {
	driver.Conn
	connects bool
	closed   bool
}

func (m *mute) Driver() driver.Driver { return nil }

func (m *mute) Connect(ctx context.Context) (driver.Conn, error) {
	if m.connects {
		return m, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (m *mute) PrepareContext(ctx context.Context, _ string) (driver.Stmt, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (m *mute) Close() error {
	m.closed = true
	return nil
}

// TestConnectEnds: making a connection ends in time, whatever the context: else the pool fills up with calls that nobody answers,
// and stays full when the server is back.
func TestConnectEnds(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]*mute{"at once": {}, "at the set-up": {connects: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := userdb.SetUp(server, "SET x = 1").Connect(context.Background())
				if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != userdb.Timeout {
					t.Errorf("Connect: %v after %v, want the deadline after %v", err, took, userdb.Timeout)
				}
				if server.connects && !server.closed {
					t.Error("the connection is left open")
				}
			})
		})
	}
}
