package userdb

import (
	"context"
	"database/sql/driver"
)

// SetUp returns a connector as Open makes it, which carries out one statement on each new connection.
func SetUp(inner driver.Connector, statement string) driver.Connector {
	return &connector{inner, func(ctx context.Context, conn driver.Conn) error {
		_, err := ask(ctx, conn, statement)
		return err
	}}
}
