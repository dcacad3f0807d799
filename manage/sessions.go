package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// sessionsCommand looks after sessions, Cardea's and those that Django made.
type sessionsCommand struct {
	List sessionsListCommand `cmd:"" help:"List live sessions. None of what is shown opens one."`
	End  sessionsEndCommand  `cmd:"" help:"End sessions. They are dead at their next request."`
}

// A listedSession is a session in JSON.
type listedSession struct {
	ID        string     `json:"id"`
	UserID    *string    `json:"user_id"`  // null when nobody is logged in
	Username  *string    `json:"username"` // null too when the user is gone
	MadeBy    string     `json:"made_by"`  // cardea or django
	Address   string     `json:"address"`
	Browser   string     `json:"browser"`
	UserAgent string     `json:"user_agent"`
	Created   *time.Time `json:"created"` // null when Django made it
	LastSeen  *time.Time `json:"last_seen"`
	Expires   time.Time  `json:"expires"`
}

type sessionsListCommand struct {
	output
	User  string `help:"Only this user's." placeholder:"USER"`
	Limit int    `help:"At most so many." default:"100"`
	Skip  int    `help:"Leave out so many first: those of the pages before." placeholder:"N"`
}

func (c *sessionsListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	switch {
	case c.Limit < 1:
		return errors.New("--limit has to be at least 1")
	case c.Skip < 0:
		return errors.New("--skip has to be at least 0")
	}
	if err := s.listable(); err != nil {
		return err
	}
	return s.withDB(ctx, func(db *userdb.DB) error {
		store, err := s.sessionStore(ctx, db)
		if err != nil {
			return err
		}
		page, more, err := c.page(ctx, db, store)
		if err != nil {
			return err
		}
		names := usernames{db: db, known: map[string]*string{}}
		rows := []listedSession{} // JSON's [] and not null
		l := listing{header: []string{"ID", "USER", "ADDRESS", "BROWSER", "FIRST SEEN", "LAST SEEN", "EXPIRES"}, none: "No sessions."}
		for _, one := range page {
			row, err := names.row(ctx, one)
			if err != nil {
				return err
			}
			rows = append(rows, row)
			l.lines = append(l.lines, row.line())
		}
		l.rows = rows
		if err := c.print(p.Stdout, l); err != nil {
			return err
		}
		if more {
			fmt.Fprintf(p.Stderr, "There are more; see them with --skip %d.\n", c.Skip+c.Limit)
		}
		return nil
	})
}

// page returns the sessions to be listed, and whether there are more behind them.
func (c *sessionsListCommand) page(ctx context.Context, db *userdb.DB, store *userdb.SessionStore) (page []userdb.StoredSession, more bool, err error) {
	if c.User != "" {
		u, err := findUser(ctx, db, c.User)
		if err != nil {
			return nil, false, err
		}
		all, err := store.Of(ctx, u.AuthID())
		all = all[min(c.Skip, len(all)):]
		return all[:min(c.Limit, len(all))], len(all) > c.Limit, err
	}
	n := 0
	for one, err := range store.Live(ctx) {
		if err != nil {
			return nil, false, err
		}
		if n++; n <= c.Skip {
			continue
		}
		if len(page) == c.Limit {
			return page, true, nil
		}
		page = append(page, one)
	}
	return page, false, nil
}

// usernames finds the name of each user once.
type usernames struct {
	db    *userdb.DB
	known map[string]*string
}

func (n usernames) of(ctx context.Context, id string) (*string, error) {
	if name, ok := n.known[id]; ok {
		return name, nil
	}
	u, err := n.db.UserByID(ctx, id)
	switch {
	case err == nil:
		n.known[id] = &u.Username
	case errors.Is(err, auth.ErrNoUser):
		n.known[id] = nil
	default:
		return nil, err
	}
	return n.known[id], nil
}

func (n usernames) row(ctx context.Context, one userdb.StoredSession) (row listedSession, err error) {
	row = listedSession{
		ID: one.ID, MadeBy: "cardea", Address: one.Client.Address, Browser: account.Device(one.Client.UserAgent), UserAgent: one.Client.UserAgent,
		Created: optional(one.Created), LastSeen: optional(one.Seen), Expires: one.Expires,
	}
	if one.Django {
		row.MadeBy = "django"
	}
	if one.Owner != "" {
		row.UserID = &one.Owner
		row.Username, err = n.of(ctx, one.Owner)
	}
	return row, err
}

// line is the row of the table.
func (row listedSession) line() []string {
	user, browser := "", row.Browser
	switch {
	case row.Username != nil:
		user = *row.Username
	case row.UserID != nil:
		user = "(deleted, id:" + *row.UserID + ")"
	}
	if row.MadeBy == "django" {
		browser = "(made by Django)"
	}
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return cellTime(*t)
	}
	return []string{row.ID, user, row.Address, browser, when(row.Created), when(row.LastSeen), cellTime(row.Expires)}
}

type sessionsEndCommand struct {
	confirmation
	ID   []string `arg:"" optional:"" help:"As \"cardea sessions list\" shows them; the first characters will do."`
	User string   `help:"All of this user." placeholder:"USER"`
	All  bool     `help:"All that there are. Everybody has to log in again."`
}

// shortestID is how much of an ID has to be given.
const shortestID = 4

func (c *sessionsEndCommand) run(ctx context.Context, p *Program, s *Settings) error {
	ways := 0
	for _, given := range [...]bool{len(c.ID) > 0, c.User != "", c.All} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return errors.New("say which sessions, in one way: by ID, with --user USER, or with --all")
	}
	if err := s.listable(); err != nil {
		return err
	}
	return s.withDB(ctx, func(db *userdb.DB) error {
		store, err := s.sessionStore(ctx, db)
		if err != nil {
			return err
		}
		switch {
		case c.All:
			return c.endAll(ctx, p, store)
		case c.User != "":
			return c.endUser(ctx, p, db, store)
		}
		return c.endIDs(ctx, p, store)
	})
}

func (c *sessionsEndCommand) endAll(ctx context.Context, p *Program, store *userdb.SessionStore) error {
	if err := c.confirm(p, "This ends all sessions: everybody has to log in again."); err != nil {
		return err
	}
	n, err := store.EndEvery(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Ended sessions: %d.\n", n)
	return nil
}

func (c *sessionsEndCommand) endUser(ctx context.Context, p *Program, db *userdb.DB, store *userdb.SessionStore) error {
	u, err := findUser(ctx, db, c.User)
	if err != nil {
		return err
	}
	n, err := store.EndAll(ctx, u.AuthID(), "")
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Ended sessions of %s: %d.\n", cell(u.Username), n)
	return nil
}

func (c *sessionsEndCommand) endIDs(ctx context.Context, p *Program, store *userdb.SessionStore) error {
	for _, id := range c.ID {
		if len(id) < shortestID {
			return fmt.Errorf("%q is too short; give at least %d characters of the ID", id, shortestID)
		}
	}
	for _, id := range c.ID {
		ended, err := store.EndID(ctx, id)
		switch {
		case errors.Is(err, sessions.ErrNotFound):
			return fmt.Errorf("no live session has an ID that begins with %q; see \"cardea sessions list\"", id)
		case errors.Is(err, userdb.ErrAmbiguous):
			return fmt.Errorf("several sessions have an ID that begins with %q; give more of it", id)
		case err != nil:
			return err
		}
		fmt.Fprintf(p.Stdout, "Ended the session %s.\n", ended.ID)
	}
	return nil
}
