package manage_test

import (
	"context"
	"fmt"
	"os"

	"github.com/cardea-go/cardea/userdb"
)

// runSQL is the command of scripts that runs a file in a database, as another program's migrations would: sql URL FILE.
func runSQL() {
	if err := sqlFile(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sqlFile(ctx context.Context, url, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	db, err := userdb.OpenURL(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Pool().ExecContext(ctx, string(text))
	return err
}
