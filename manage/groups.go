package manage

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cardea-go/cardea/userdb"
)

// groupCommand looks after groups, through which users share permissions.
type groupCommand struct {
	List    groupListCommand    `cmd:"" help:"List the groups."`
	Create  groupCreateCommand  `cmd:"" help:"Make a group."`
	Delete  groupDeleteCommand  `cmd:"" help:"Delete a group. Its members lose what it gave them."`
	Rename  groupRenameCommand  `cmd:"" help:"Give a group another name. Members and permissions stay."`
	Members groupMembersCommand `cmd:"" help:"Show a group's members, or change them."`
	Grant   groupGrantCommand   `cmd:"" help:"Give a group permissions."`
	Revoke  groupRevokeCommand  `cmd:"" help:"Take permissions from a group."`
}

// A listedGroup is a group in JSON.
type listedGroup struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Members     int    `json:"members"`
	Permissions int    `json:"permissions"`
}

type groupListCommand struct{ output }

func (c *groupListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		groups, err := db.Users().Groups().Summaries(ctx)
		if err != nil {
			return err
		}
		rows := []listedGroup{} // JSON's [] and not null
		l := listing{header: []string{"GROUP", "MEMBERS", "PERMISSIONS"}, none: "No groups."}
		for _, g := range groups {
			rows = append(rows, listedGroup{g.ID, g.Name, g.Members, g.Permissions})
			l.lines = append(l.lines, []string{g.Name, strconv.Itoa(g.Members), strconv.Itoa(g.Permissions)})
		}
		l.rows = rows
		return c.print(p.Stdout, l)
	})
}

type groupCreateCommand struct {
	Group string `arg:"" help:"Name of the group."`
}

func (c *groupCreateCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		made, err := db.Users().Groups().Create(ctx, c.Group)
		if err != nil {
			return taken(err, c.Group)
		}
		fmt.Fprintf(p.Stdout, "Created the group %s.\n", cell(made.Name))
		return nil
	})
}

// taken says whose name it is that two groups cannot have.
func taken(err error, name string) error {
	if errors.Is(err, userdb.ErrDuplicate) {
		return fmt.Errorf("there is a group %q already; choose another name", name)
	}
	return err
}

type groupDeleteCommand struct {
	confirmation
	Group string `arg:"" help:"Name of the group."`
}

func (c *groupDeleteCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		groups := db.Users().Groups()
		if _, err := groups.Permissions(ctx, c.Group); err != nil { // nobody is asked about a group that is not there
			return err
		}
		if err := c.confirm(p, fmt.Sprintf("This deletes the group %s, and cannot be undone.", cell(c.Group))); err != nil {
			return err
		}
		if err := groups.Delete(ctx, c.Group); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "Deleted the group %s.\n", cell(c.Group))
		return nil
	})
}

type groupRenameCommand struct {
	Group string `arg:"" help:"Name of the group."`
	To    string `arg:"" help:"Its new name."`
}

func (c *groupRenameCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		if err := db.Users().Groups().Rename(ctx, c.Group, c.To); err != nil {
			return taken(err, c.To)
		}
		fmt.Fprintf(p.Stdout, "The group %s is called %s now.\n", cell(c.Group), cell(c.To))
		return nil
	})
}

type groupMembersCommand struct {
	output
	Group  string   `arg:"" help:"Name of the group."`
	Add    []string `help:"Users to put into the group." placeholder:"USER"`
	Remove []string `help:"Users to take out of it." placeholder:"USER"`
}

func (c *groupMembersCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		err := db.Together(ctx, func(ctx context.Context, in *userdb.DB) error {
			groups := in.Users().Groups()
			for _, change := range [...]struct {
				names []string
				do    func(ctx context.Context, name string, users ...*userdb.User) error
			}{{c.Add, groups.Add}, {c.Remove, groups.Remove}} {
				for _, name := range change.names {
					u, err := findUser(ctx, in, name)
					if err != nil {
						return err
					}
					if err := change.do(ctx, c.Group, u); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		members, err := db.Users().Groups().Members(ctx, c.Group)
		if err != nil {
			return err
		}
		l := userListing(members)
		l.none = "No members."
		return c.print(p.Stdout, l)
	})
}

type groupGrantCommand struct {
	Group      string   `arg:"" help:"Name of the group."`
	Permission []string `arg:"" help:"Names such as blog.add_post."`
}

func (c *groupGrantCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		if err := db.Users().Groups().Grant(ctx, c.Group, c.Permission...); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "The group %s has %s.\n", cell(c.Group), several(c.Permission))
		return nil
	})
}

type groupRevokeCommand struct {
	Group      string   `arg:"" help:"Name of the group."`
	Permission []string `arg:"" help:"Names such as blog.add_post."`
}

func (c *groupRevokeCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		if err := db.Users().Groups().Revoke(ctx, c.Group, c.Permission...); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "The group %s has %s no more.\n", cell(c.Group), several(c.Permission))
		return nil
	})
}
