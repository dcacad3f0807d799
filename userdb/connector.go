package userdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// A connector gives every new connection its settings, in time: database/sql also makes connections for whoever waits, with a
// context that has no end, and a server that takes a call and says nothing would keep their places in the pool for ever.
type connector struct {
	driver.Connector
	set func(ctx context.Context, conn driver.Conn) error
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.set(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("set up the connection: %w", err), conn.Close())
	}
	return conn, nil
}

// openWith opens a pool, as sql.Open does, whose connections all pass set.
func openWith(name, dsn string, set func(ctx context.Context, conn driver.Conn) error) (*sql.DB, error) {
	opened, err := sql.Open(name, dsn)
	if err != nil {
		return nil, err
	}
	var inner driver.Connector = plainConnector{opened.Driver(), dsn}
	if d, ok := opened.Driver().(driver.DriverContext); ok {
		inner, err = d.OpenConnector(dsn)
	}
	if err := errors.Join(err, opened.Close()); err != nil {
		return nil, err
	}
	return limit(sql.OpenDB(&connector{inner, set})), nil
}

type plainConnector struct {
	driver driver.Driver
	dsn    string
}

func (c plainConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

func (c plainConnector) Driver() driver.Driver { return c.driver }

// ask carries out one statement on a driver's connection and returns the first value of its answer, if it has one.
func ask(ctx context.Context, conn driver.Conn, query string) (string, error) {
	stmt, err := prepare(ctx, conn, query)
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
	if len(row) == 0 {
		return "", nil
	}
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		return "", err
	}
	if text, ok := row[0].([]byte); ok {
		return string(text), nil
	}
	return fmt.Sprint(row[0]), nil
}

func prepare(ctx context.Context, conn driver.Conn, query string) (driver.Stmt, error) {
	if c, ok := conn.(driver.ConnPrepareContext); ok {
		return c.PrepareContext(ctx, query)
	}
	return conn.Prepare(query)
}
