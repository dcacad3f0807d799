package userdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cardea-go/cardea/perm"
)

// A standing is what came along with a user in one statement; see perm.Prefetch.
type standing struct {
	groups []string
	grants *perm.Grants // nil: not asked for
}

// wish is what came with a context: the index of a statement.
type wish int

const (
	plainly wish = iota
	withGroups
	withPermissions
	wishes // how many there are
)

func wishOf(ctx context.Context) wish {
	switch groups, permissions := perm.Prefetched(ctx); {
	case permissions:
		return withPermissions
	case groups:
		return withGroups
	}
	return plainly
}

// alongColumns are the columns behind those of a user that bring along what is wished for, each a list in JSON; id is the user's key in
// the statement around them.
func (t *Table[T]) alongColumns(id string, w wish) string {
	if w == plainly {
		return ""
	}
	d, own, groups := t.db.dialect, t.permissions, t.groups
	of := func(j joinTable, selection, join string) string {
		if j.name == "" {
			return ", NULL"
		}
		return ", (SELECT " + d.jsonList(selection) + " FROM " + d.ident(j.name) + " up " + join + " WHERE up." + d.ident(j.owner) + " = " + id + ")"
	}
	columns := of(groups, "g.name", "JOIN auth_group g ON g.id = up.group_id")
	if w == withGroups {
		return columns
	}
	name := d.joined("ct.app_label", "'.'", "p.codename")
	return columns + of(own, name, "JOIN auth_permission p ON p.id = up.permission_id "+ofType) +
		of(groups, name, "JOIN auth_group_permissions gp ON gp.group_id = up.group_id JOIN auth_permission p ON p.id = gp.permission_id "+ofType)
}

// jsonList aggregates an expression into a list in JSON, as text.
func (d *Dialect) jsonList(expression string) string {
	switch d {
	case PostgreSQL:
		return "CAST(json_agg(" + expression + ") AS text)"
	case MySQL:
		return "JSON_ARRAYAGG(" + expression + ")"
	}
	return "json_group_array(" + expression + ")"
}

// joined puts texts together.
func (d *Dialect) joined(a, b, c string) string {
	if d == MySQL { // where || means or
		return "CONCAT(" + a + ", " + b + ", " + c + ")"
	}
	return a + " || " + b + " || " + c
}

// An along scans the columns of alongColumns.
type along struct{ groups, direct, byGroup sql.NullString }

func (a *along) dests(w wish) []any {
	return []any{&a.groups, &a.direct, &a.byGroup}[:[wishes]int{plainly: 0, withGroups: 1, withPermissions: 3}[w]]
}

// standing reads what was scanned; nil when nothing was wished for.
func (a *along) standing(w wish) (*standing, error) {
	if w == plainly {
		return nil, nil
	}
	var lists [3][]string
	for i, text := range []sql.NullString{a.groups, a.direct, a.byGroup} {
		if !text.Valid {
			continue
		}
		if err := json.Unmarshal([]byte(text.String), &lists[i]); err != nil {
			return nil, fmt.Errorf("read the groups and permissions of a user: %w", err)
		}
	}
	slices.Sort(lists[0])
	s := &standing{groups: lists[0]}
	if w == withPermissions {
		s.grants = &perm.Grants{Direct: perm.NewSet(lists[1]...), Group: perm.NewSet(lists[2]...)}
	}
	return s, nil
}

// Names returns the names of the groups that a user belongs to, in order. They cost nothing for a user who was loaded with a context of
// perm.Prefetch.
func (g *Groups[T]) Names(ctx context.Context, u *T) ([]string, error) {
	if s := g.users.record(u).standing; s != nil {
		return slices.Clone(s.groups), nil
	}
	list, err := g.Of(ctx, u)
	names := make([]string, 0, len(list))
	for _, one := range list {
		names = append(names, one.Name)
	}
	slices.Sort(names)
	return names, err
}
