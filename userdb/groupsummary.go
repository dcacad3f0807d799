package userdb

import "context"

// A GroupSummary is a group in numbers.
type GroupSummary struct {
	Group
	Members     int // of this table of users
	Permissions int
}

// Summaries returns all groups by name, with how many members and permissions each has, in one statement.
func (g *Groups[T]) Summaries(ctx context.Context) ([]GroupSummary, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d, members := g.users.db.dialect, "0"
	if j := g.users.groups; j.name != "" {
		members = "(SELECT COUNT(*) FROM " + d.ident(j.name) + " m WHERE m.group_id = g.id)"
	}
	var list []GroupSummary
	err := g.users.db.each(ctx, "SELECT g.id, g.name, "+members+", "+
		"(SELECT COUNT(*) FROM auth_group_permissions p WHERE p.group_id = g.id) FROM auth_group g ORDER BY g.name", nil,
		func(scan func(...any) error) error {
			var one GroupSummary
			err := scan(&one.ID, &one.Name, &one.Members, &one.Permissions)
			list = append(list, one)
			return err
		})
	return list, d.failed("list the groups", err)
}
