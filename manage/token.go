package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

// tokenCommand looks after the tokens of programs.
type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token for a program of a user's. It is printed once."`
	List   tokenListCommand   `cmd:"" help:"List tokens. None of what is shown opens anything."`
	End    tokenEndCommand    `cmd:"" help:"End tokens. They are dead at their next request."`
}

// A listedToken is a token in JSON.
type listedToken struct {
	ID       string     `json:"id"`
	UserID   string     `json:"user_id"`
	Username *string    `json:"username"`
	Name     string     `json:"name"`
	Hint     string     `json:"hint"`
	Scopes   []string   `json:"scopes"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`   // null: never
	LastUsed *time.Time `json:"last_used"` // null: never
}

type tokenCreateCommand struct {
	output
	User    string   `arg:"" help:"Whose token it is."`
	Name    string   `required:"" help:"What it is for, such as \"nightly backup\"."`
	Scope   []string `required:"" help:"What it may do: permissions of the user such as blog.add_post, or all." placeholder:"PERMISSION"`
	Expires string   `default:"90d" help:"When it ends: in so many days (90d), on a day (2030-12-31), or never." placeholder:"WHEN"`
}

func (c *tokenCreateCommand) run(ctx context.Context, p *Program, s *Settings) error {
	now := time.Now()
	expires, err := parseExpiry(c.Expires, now)
	if err != nil {
		return err
	}
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		if !u.IsActive {
			return ours(fmt.Errorf("%s may not log in, and no token of such a user works; see \"cardea user activate\"", cell(u.Username)))
		}
		subject := perm.Subject{ID: u.AuthID(), Active: true, Superuser: u.IsSuperuser, User: u}
		if err := tokenauth.CheckScopes(perm.For(ctx, subject, db.Users()), c.Scope); err != nil {
			return explainToken(err)
		}
		t, secret, err := db.Tokens(db.Users()).MakeToken(ctx, tokenauth.Token{User: u.AuthID(), Name: c.Name, Scopes: c.Scope, Created: now, Expires: expires})
		if err != nil {
			return explainToken(err)
		}
		if !s.APITokens {
			fmt.Fprintln(p.Stderr, "The site takes no tokens yet: set api_tokens = true.")
		}
		if c.JSON {
			encoder := json.NewEncoder(p.Stdout)
			encoder.SetIndent("", "  ")
			return encoder.Encode(struct {
				listedToken
				Token string `json:"token"`
			}{tokenRowOf(t, &u.Username), secret.Reveal()})
		}
		fmt.Fprintln(p.Stderr, "This is the token. It is not shown again.")
		_, err = fmt.Fprintln(p.Stdout, secret.Reveal())
		return err
	})
}

// explainToken is a mistake in the words of the command.
func explainToken(err error) error {
	var invalid *tokenauth.Invalid
	if errors.As(err, &invalid) {
		flag := map[string]string{"name": "--name", "scopes": "--scope", "expires": "--expires"}[invalid.Field]
		return ours(fmt.Errorf("%s: %s", flag, strings.TrimSuffix(invalid.Text, ".")))
	}
	return err
}

// parseExpiry reads when a token ends.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end := day.AddDate(0, 0, 1); end.After(now) {
			return end, nil
		}
		return time.Time{}, fmt.Errorf("--expires: %s is over", text)
	}
	return time.Time{}, fmt.Errorf("--expires: %q is neither a number of days (90d), a day (2030-12-31) nor \"never\"", text)
}

func tokenRowOf(t tokenauth.Token, name *string) listedToken {
	return listedToken{
		ID: t.ID, UserID: t.User, Username: name, Name: t.Name, Hint: t.Hint, Scopes: t.Scopes,
		Created: t.Created, Expires: optional(t.Expires), LastUsed: optional(t.LastUsed),
	}
}

type tokenListCommand struct {
	output
	User string `help:"Only this user's." placeholder:"USER"`
}

func (c *tokenListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		tokens, err := c.tokens(ctx, db)
		if err != nil {
			return err
		}
		names := usernames{db: db, known: map[string]*string{}}
		rows := []listedToken{} // JSON's [] and not null
		l := listing{header: []string{"ID", "USER", "NAME", "TOKEN", "SCOPES", "CREATED", "LAST USED", "EXPIRES"}, none: "No tokens."}
		for _, t := range tokens {
			name, err := names.of(ctx, t.User)
			if err != nil {
				return err
			}
			rows = append(rows, tokenRowOf(t, name))
			shown, ends := "id:"+t.User, cellTime(t.Expires)
			if name != nil {
				shown = *name
			}
			if t.Expired(time.Now()) {
				ends += " (over)"
			}
			l.lines = append(l.lines, []string{t.ID[:min(len(t.ID), 8)], shown, t.Name, t.Hint + "…", strings.Join(t.Scopes, " "), cellTime(t.Created), cellTime(t.LastUsed), ends})
		}
		l.rows = rows
		return c.print(p.Stdout, l)
	})
}

func (c *tokenListCommand) tokens(ctx context.Context, db *userdb.DB) ([]tokenauth.Token, error) {
	store := db.Tokens(db.Users())
	if c.User == "" {
		return store.AllTokens(ctx)
	}
	u, err := findUser(ctx, db, c.User)
	if err != nil {
		return nil, err
	}
	return store.Tokens(ctx, u.AuthID())
}

type tokenEndCommand struct {
	ID   []string `arg:"" optional:"" help:"As \"cardea token list\" shows them; the first characters will do."`
	User string   `help:"All of this user." placeholder:"USER"`
}

func (c *tokenEndCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if (len(c.ID) > 0) == (c.User != "") {
		return errors.New("say which tokens, in one way: by ID, or with --user USER")
	}
	for _, id := range c.ID {
		if len(id) < shortestID {
			return fmt.Errorf("%q is too short; give at least %d characters of the ID", id, shortestID)
		}
	}
	return s.withDB(ctx, func(db *userdb.DB) error {
		store := db.Tokens(db.Users())
		if c.User != "" {
			u, err := findUser(ctx, db, c.User)
			if err != nil {
				return err
			}
			n, err := store.EndTokens(ctx, u.AuthID())
			if err == nil {
				fmt.Fprintf(p.Stdout, "Ended tokens of %s: %d.\n", cell(u.Username), n)
			}
			return err
		}
		for _, id := range c.ID {
			t, err := tokenByID(ctx, store, id)
			if err == nil {
				err = store.EndToken(ctx, t.User, t.ID)
			}
			if errors.Is(err, tokenauth.ErrNotFound) {
				err = ours(fmt.Errorf("no token has an ID that begins with %q; see \"cardea token list\"", id))
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(p.Stdout, "Ended the token %s (%s).\n", t.ID[:min(len(t.ID), 8)], cell(t.Name))
		}
		return nil
	})
}

// tokenByID finds the one token whose ID begins so.
func tokenByID(ctx context.Context, store *userdb.TokenStore, prefix string) (tokenauth.Token, error) {
	all, err := store.AllTokens(ctx)
	if err != nil {
		return tokenauth.Token{}, err
	}
	var found []tokenauth.Token
	for _, t := range all {
		if strings.HasPrefix(t.ID, strings.ToUpper(prefix)) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return tokenauth.Token{}, tokenauth.ErrNotFound
	case 1:
		return found[0], nil
	}
	return tokenauth.Token{}, ours(fmt.Errorf("several tokens have an ID that begins with %q; give more of it", prefix))
}
