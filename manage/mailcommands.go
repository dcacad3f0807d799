package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/userdb"
)

// mailCommand looks after the mail that waits in the database.
type mailCommand struct {
	List  mailListCommand  `cmd:"" help:"List the mail that waits, is being sent, or is parked."`
	Retry mailRetryCommand `cmd:"" help:"Have mail tried again: the named ones, or all that are parked."`
}

type mailListCommand struct {
	JSON  bool `help:"Print JSON, for programs." name:"json"`
	Limit int  `help:"At most so many, the oldest first." default:"100"`
}

// A listedMail is a mail as the list shows it.
type listedMail struct {
	ID        int64           `json:"id"`
	Kind      string          `json:"kind"`
	State     string          `json:"state"` // waiting, sending or parked
	Tries     int             `json:"tries"`
	Created   time.Time       `json:"created"`
	Due       *time.Time      `json:"due"` // null when it is parked
	LastError string          `json:"last_error"`
	Data      json.RawMessage `json:"data"`
}

func (c *mailListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if c.Limit < 1 {
		return errors.New("--limit has to be at least 1")
	}
	var items []mail.Item
	err := s.withOutbox(ctx, func(o mail.Lister) (err error) {
		items, err = o.List(ctx, c.Limit+1)
		return err
	})
	if err != nil {
		return err
	}
	more := len(items) > c.Limit
	now := time.Now()
	list := []listedMail{} // JSON's [] and not null
	for _, it := range items[:min(c.Limit, len(items))] {
		list = append(list, listed(it, now))
	}
	if c.JSON {
		encoder := json.NewEncoder(p.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.Stdout, "No mail waits.")
		return err
	}
	if err := printMails(p.Stdout, list); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(p.Stderr, "There is more; see it with --limit %d.\n", 10*c.Limit)
	}
	return nil
}

func listed(it mail.Item, now time.Time) listedMail {
	l := listedMail{ID: it.ID, Kind: it.Kind, State: "waiting", Tries: it.Tries, Created: it.Created, LastError: it.LastError, Data: it.Data}
	switch {
	case it.Due.IsZero():
		l.State = "parked"
	case it.ClaimedUntil.After(now):
		l.State = "sending"
	}
	if !it.Due.IsZero() {
		l.Due = &it.Due
	}
	return l
}

// printMails leaves out what the mails are about: a list is no place for addresses.
func printMails(w io.Writer, list []listedMail) error {
	const when = "2006-01-02 15:04:05Z"
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tSTATE\tTRIES\tCREATED\tDUE\tLAST ERROR")
	for _, l := range list {
		due := "-"
		if l.Due != nil {
			due = l.Due.Format(when)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", l.ID, l.Kind, l.State, l.Tries, l.Created.Format(when), due, l.LastError)
	}
	return table.Flush()
}

type mailRetryCommand struct {
	ID []int64 `arg:"" optional:"" help:"As \"cardea mail list\" shows them. Defaults to all that are parked."`
}

func (c *mailRetryCommand) run(ctx context.Context, p *Program, s *Settings) error {
	var n int
	err := s.withOutbox(ctx, func(o mail.Lister) (err error) {
		n, err = o.Again(ctx, time.Now(), c.ID...)
		return err
	})
	switch {
	case err != nil:
		return err
	case n < len(c.ID):
		return fmt.Errorf("%d of these %d will be tried again; the others are not there, or being sent right now: see \"cardea mail list\"", n, len(c.ID))
	case n == 0:
		fmt.Fprintln(p.Stdout, "No mail is parked.")
	default:
		fmt.Fprintf(p.Stdout, "To be tried again: %d. The server sends within seconds, when it runs.\n", n)
	}
	return nil
}

// withOutbox opens the database and hands out its outbox.
func (s *Settings) withOutbox(ctx context.Context, f func(o mail.Lister) error) error {
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return f(outboxOf(db))
}

// outboxOf is the outbox of a database, which people can look into.
func outboxOf(db *userdb.DB) mail.Lister { return db.Outbox().(mail.Lister) }

type sendTestMailCommand struct {
	Address []string `arg:"" help:"To whom."`
}

// run sends at once, past the outbox, so that what is wrong shows here.
func (c *sendTestMailCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	sender, err := s.mailSender(p.Stdout)
	if err != nil {
		return err
	}
	if sender == nil {
		return errors.New("no mail is set up: set email_host, or email_backend to \"console\" or \"file\"")
	}
	machine, err := os.Hostname()
	if err != nil {
		machine = "an unknown machine"
	}
	for _, to := range c.Address {
		m := &mail.Message{
			From: s.mailFrom(), To: to,
			Subject: "Test mail from " + strings.ToValidUTF8(machine, ""),
			Text:    "This is the mail that \"cardea sendtestmail\" sent on " + time.Now().UTC().Format(time.RFC1123) + ".\nIt arrived, so the settings of mail work.\n",
		}
		switch err := sender.Send(ctx, m); {
		case errors.Is(err, mail.ErrMessage):
			return fmt.Errorf("nothing was sent to %q: %w", to, err)
		case err != nil:
			return fmt.Errorf("nothing was sent to %s: %w; \"cardea config\" shows the settings, which begin with email_", to, err)
		}
		fmt.Fprintf(p.Stdout, "Sent to %s.\n", to)
	}
	return nil
}
