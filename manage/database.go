package manage

import (
	"context"
	"fmt"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

type migrateCommand struct {
	Print bool `help:"Print the SQL and change nothing."`
}

func (c *migrateCommand) run(ctx context.Context, p *Program, s *Settings) error {
	db, err := userdb.OpenURL(ctx, s.DB)
	if err != nil {
		return explainDatabase(s, err)
	}
	defer func(db *userdb.DB) { _ = db.Close() }(db)
	owner, err := db.Owner(ctx)
	if err != nil {
		return explainDatabase(s, err)
	}
	if owner == userdb.OwnedByDjango && s.Profile == "" {
		return cardea.ErrDjangoDatabase
	}
	if db, err = s.withUsers(ctx, db); err != nil {
		return err
	}
	options := userdb.MigrateOptions{}
	if c.Print {
		options.DryRun = p.Stdout
	}
	report, err := db.Migrate(ctx, options)
	if err != nil {
		return err
	}
	switch {
	case c.Print:
	case len(report.Created) == 0:
		fmt.Fprintln(p.Stdout, "Nothing to do.")
	default:
		for _, name := range report.Created {
			fmt.Fprintln(p.Stdout, "created", name)
		}
	}
	return nil
}

type clearSessionsCommand struct{}

func (*clearSessionsCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	n, err := s.sweepSessions(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Deleted %d expired sessions.\n", n)
	return nil
}
