package manage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

// permissionCommand looks after permissions.
type permissionCommand struct {
	List   permissionListCommand   `cmd:"" help:"List permissions: all, or what a user or a group has."`
	Grant  permissionGrantCommand  `cmd:"" help:"Give a user permissions directly; see \"cardea group grant\" too."`
	Revoke permissionRevokeCommand `cmd:"" help:"Take permissions back that a user was given directly."`
}

// A listedPermission is a permission in JSON.
type listedPermission struct {
	Name  string   `json:"name"`  // "blog.add_post"
	Text  string   `json:"text"`  // "Can add post"
	App   string   `json:"app"`   // "blog"
	Model string   `json:"model"` // "post"
	From  []string `json:"from"`  // with --user: "user", "group" or "superuser"; else empty
}

type permissionListCommand struct {
	output
	User  string `help:"Only what this user has." placeholder:"USER" xor:"whose"`
	Group string `help:"Only what this group has." placeholder:"GROUP" xor:"whose"`
	App   string `help:"Only those of this app." placeholder:"APP"`
}

func (c *permissionListCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withDB(ctx, func(db *userdb.DB) error {
		from, err := c.whose(ctx, db)
		if err != nil {
			return err
		}
		all, err := db.Permissions(ctx)
		if err != nil {
			return err
		}
		rows := []listedPermission{} // JSON's [] and not null
		l := listing{header: []string{"PERMISSION", "MODEL", "MEANING"}, none: "No permissions."}
		if c.User != "" {
			l.header = append(l.header, "FROM")
		}
		for _, one := range all {
			sources, has := from(one.Name)
			if !has || c.App != "" && one.App != c.App {
				continue
			}
			rows = append(rows, listedPermission{one.Name, one.Text, one.App, one.Model, sources})
			line := []string{one.Name, one.Model, one.Text}
			if c.User != "" {
				line = append(line, strings.Join(sources, ", "))
			}
			l.lines = append(l.lines, line)
		}
		l.rows = rows
		return c.print(p.Stdout, l)
	})
}

// whose returns a function that tells whether a permission is to be listed, and where the user has it from.
func (c *permissionListCommand) whose(ctx context.Context, db *userdb.DB) (func(name string) ([]string, bool), error) {
	switch {
	case c.Group != "":
		set, err := db.Users().Groups().Permissions(ctx, c.Group)
		return func(name string) ([]string, bool) { return []string{}, set.Has(name) }, err
	case c.User == "":
		return func(string) ([]string, bool) { return []string{}, true }, nil
	}
	u, err := findUser(ctx, db, c.User)
	if err != nil {
		return nil, err
	}
	given, err := givenTo(ctx, db, u)
	return func(name string) (sources []string, has bool) {
		if u.IsSuperuser {
			sources = append(sources, "superuser")
		}
		if given.Direct.Has(name) {
			sources = append(sources, "user")
		}
		if given.Group.Has(name) {
			sources = append(sources, "group")
		}
		return sources, len(sources) > 0
	}, err
}

// givenTo returns what a user was given, whether or not the user is active or a superuser.
func givenTo(ctx context.Context, db *userdb.DB, u *userdb.User) (perm.Grants, error) {
	return db.Users().Permissions(ctx, perm.Subject{ID: u.AuthID(), Active: true})
}

type permissionGrantCommand struct {
	User       string   `arg:"" help:"User name, or id:ID."`
	Permission []string `arg:"" help:"Names such as blog.add_post."`
}

func (c *permissionGrantCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		if err := db.Users().Grant(ctx, u, c.Permission...); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s has %s.\n", cell(u.Username), several(c.Permission))
		return nil
	})
}

type permissionRevokeCommand struct {
	User       string   `arg:"" help:"User name, or id:ID."`
	Permission []string `arg:"" help:"Names such as blog.add_post."`
}

func (c *permissionRevokeCommand) run(ctx context.Context, p *Program, s *Settings) error {
	return s.withUser(ctx, c.User, func(db *userdb.DB, u *userdb.User) error {
		if err := db.Users().Revoke(ctx, u, c.Permission...); err != nil {
			return err
		}
		given, err := givenTo(ctx, db, u)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s has %s no more directly.\n", cell(u.Username), several(c.Permission))
		switch {
		case u.IsSuperuser:
			fmt.Fprintln(p.Stderr, "But superusers may do everything.")
		case slices.ContainsFunc(c.Permission, given.Group.Has):
			fmt.Fprintf(p.Stderr, "But a group still gives some of it; see \"cardea permission list --user %s\".\n", cell(c.User))
		}
		return nil
	})
}

// several joins names in a sentence.
func several(names []string) string {
	if len(names) == 1 {
		return cell(names[0])
	}
	return cell(strings.Join(names[:len(names)-1], ", ")) + " and " + cell(names[len(names)-1])
}
