package manage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// userCommand looks after accounts.
type userCommand struct {
	List       userListCommand       `cmd:"" help:"List users, oldest first."`
	Show       userShowCommand       `cmd:"" help:"Show what is known of a user."`
	Activate   userActivateCommand   `cmd:"" help:"Let a user log in again."`
	Deactivate userDeactivateCommand `cmd:"" help:"Shut a user out, at once: sessions and mailed links end for good."`
	Delete     userDeleteCommand     `cmd:"" help:"Delete a user, with sessions, memberships and permissions."`
	Groups     userGroupsCommand     `cmd:"" help:"Show a user's groups, or change them."`
}

// A listedUser is a user in JSON, by the names of Django's columns.
type listedUser struct {
	ID          any        `json:"id"` // a number, or a text where keys are UUIDs
	Username    string     `json:"username"`
	Email       string     `json:"email"`
	FirstName   string     `json:"first_name"`
	LastName    string     `json:"last_name"`
	IsActive    bool       `json:"is_active"`
	IsStaff     bool       `json:"is_staff"`
	IsSuperuser bool       `json:"is_superuser"`
	HasPassword bool       `json:"has_password"`
	LastLogin   *time.Time `json:"last_login"`
	DateJoined  *time.Time `json:"date_joined"` // null where the site does not keep it
}

func userRow(u *userdb.User) listedUser {
	var id any = u.ID
	if u.Key != "" {
		id = u.Key
	}
	var joined *time.Time
	if !u.DateJoined.IsZero() {
		joined = &u.DateJoined
	}
	return listedUser{
		id, u.Username, u.Email, u.FirstName, u.LastName, u.IsActive, u.IsStaff, u.IsSuperuser, password.Usable(u.Password), u.LastLogin, joined,
	}
}

type userListCommand struct {
	output
	Active     bool   `help:"Only those who may log in." xor:"status"`
	Inactive   bool   `help:"Only those who may not." xor:"status"`
	Staff      bool   `help:"Only those who may use Django's administration."`
	Superusers bool   `help:"Only those who may do everything."`
	Like       string `help:"Only those with this in the user name or the address." placeholder:"TEXT"`
	Limit      int    `help:"At most so many." default:"100"`
	After      string `help:"Only those behind this one: the ID of the last one of the page before." placeholder:"ID"`
}

func (c *userListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if c.Limit < 1 {
		return errors.New("--limit has to be at least 1")
	}
	filter := userdb.UserFilter{Status: userdb.AllUsers, Staff: c.Staff, Superusers: c.Superusers, Like: c.Like, After: c.After, Limit: c.Limit + 1}
	switch {
	case c.Active:
		filter.Status = userdb.ActiveUsers
	case c.Inactive:
		filter.Status = userdb.InactiveUsers
	}
	return s.withDB(ctx, func(db *userdb.DB) error {
		users, err := db.Users().List(ctx, filter)
		if err != nil {
			return err
		}
		more := len(users) > c.Limit
		users = users[:min(c.Limit, len(users))]
		if err := c.print(p.Stdout, userListing(users)); err != nil {
			return err
		}
		if more {
			fmt.Fprintf(p.Stderr, "There are more; see them with --after %s.\n", users[len(users)-1].AuthID())
		}
		return nil
	})
}

func userListing(users []*userdb.User) listing {
	rows := []listedUser{} // JSON's [] and not null
	l := listing{header: []string{"ID", "USERNAME", "EMAIL", "STATE", "ROLE", "LAST LOG-IN"}, none: "No users."}
	for _, u := range users {
		rows = append(rows, userRow(u))
		l.lines = append(l.lines, []string{u.AuthID(), u.Username, u.Email, state(u), role(u), cellTime(lastLogin(u))})
	}
	l.rows = rows
	return l
}

func state(u *userdb.User) string {
	if u.IsActive {
		return "active"
	}
	return "inactive"
}

func role(u *userdb.User) string {
	switch {
	case u.IsSuperuser:
		return "superuser"
	case u.IsStaff:
		return "staff"
	}
	return ""
}

func lastLogin(u *userdb.User) time.Time {
	if u.LastLogin == nil {
		return time.Time{}
	}
	return *u.LastLogin
}

type userShowCommand struct {
	output
	User string `arg:"" help:"User name, or id:ID."`
}

// A shownUser is a user in JSON with what belongs to the user.
type shownUser struct {
	listedUser
	PasswordAlgorithm string   `json:"password_algorithm"` // "" without a password
	Groups            []string `json:"groups"`
	Permissions       []string `json:"permissions"` // given to the user directly
	Sessions          *int     `json:"sessions"`    // live ones; null where nobody can list them
}

func (c *userShowCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) (err error) {
		shown := shownUser{listedUser: userRow(u)}
		if shown.HasPassword {
			if shown.PasswordAlgorithm, err = password.Identify(u.Password); err != nil {
				shown.PasswordAlgorithm = "unknown"
			}
		}
		if shown.Groups, err = groupsOf(ctx, db, u); err != nil {
			return err
		}
		given, err := givenTo(ctx, db, u)
		if err != nil {
			return err
		}
		shown.Permissions = append([]string{}, given.Direct.Names()...) // JSON's [] and not null
		live := ""
		if shown.Sessions, err = s.countSessions(ctx, db, u); err != nil {
			return err
		}
		if shown.Sessions != nil {
			live = strconv.Itoa(*shown.Sessions)
		}
		return c.print(p.Stdout, listing{rows: shown, lines: [][]string{
			{"ID", u.AuthID()},
			{"User name", u.Username},
			{"Name", strings.TrimSpace(u.FirstName + " " + u.LastName)},
			{"E-mail address", u.Email},
			{"State", state(u)},
			{"Role", role(u)},
			{"Password", shown.PasswordAlgorithm},
			{"Joined", cellTime(u.DateJoined)},
			{"Last log-in", cellTime(lastLogin(u))},
			{"Groups", strings.Join(shown.Groups, ", ")},
			{"Permissions", strings.Join(shown.Permissions, ", ")},
			{"Sessions", live},
		}})
	})
}

// countSessions counts the live sessions of a user; nil where nobody can list them.
func (s *Settings) countSessions(ctx context.Context, db *userdb.DB, u *userdb.User) (*int, error) {
	if s.listable() != nil {
		return nil, nil
	}
	store, err := s.sessionStore(ctx, db)
	if err != nil {
		return nil, err
	}
	live, err := store.Of(ctx, u.AuthID())
	n := len(live)
	return &n, err
}

type userActivateCommand struct {
	User string `arg:"" help:"User name, or id:ID."`
}

func (c *userActivateCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		if err := db.Users().SetActive(ctx, u, true, nil); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s may log in.\n", cell(u.Username))
		return nil
	})
}

type userDeactivateCommand struct {
	User string `arg:"" help:"User name, or id:ID."`
}

func (c *userDeactivateCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		store, err := s.sessionStore(ctx, db)
		if err != nil {
			return err
		}
		if err := db.Users().SetActive(ctx, u, false, store); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s may not log in any more, and is logged in nowhere.\n", cell(u.Username))
		return nil
	})
}

type userDeleteCommand struct {
	confirmation
	User string `arg:"" help:"User name, or id:ID."`
}

func (c *userDeleteCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		store, err := s.sessionStore(ctx, db)
		if err != nil {
			return err
		}
		sentence := fmt.Sprintf("This deletes the user %s (id:%s, %s) with all sessions, memberships and permissions, and cannot be undone.", cell(u.Username), u.AuthID(), cell(u.Email))
		if err := c.confirm(p, sentence); err != nil {
			return err
		}
		if err := db.Users().Delete(ctx, u, store); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Deleted the user %s (id:%s).\n", cell(u.Username), u.AuthID())
		return nil
	})
}

type userGroupsCommand struct {
	output
	User   string   `arg:"" help:"User name, or id:ID."`
	Add    []string `help:"Groups to put the user into." placeholder:"GROUP"`
	Remove []string `help:"Groups to take the user out of." placeholder:"GROUP"`
}

func (c *userGroupsCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		err := db.Together(ctx, func(ctx context.Context, in *userdb.DB) error {
			groups := in.Users().Groups()
			for _, name := range c.Add {
				if err := groups.Add(ctx, name, u); err != nil {
					return err
				}
			}
			for _, name := range c.Remove {
				if err := groups.Remove(ctx, name, u); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		names, err := groupsOf(ctx, db, u)
		if err != nil {
			return err
		}
		l := listing{rows: names, header: []string{"GROUP"}, none: "No groups."}
		for _, name := range names {
			l.lines = append(l.lines, []string{name})
		}
		return c.print(p.Stdout, l)
	})
}

// groupsOf returns the names of a user's groups.
func groupsOf(ctx context.Context, db *userdb.DB, u *userdb.User) ([]string, error) {
	groups, err := db.Users().Groups().Of(ctx, u)
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	return names, err
}
