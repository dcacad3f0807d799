package userdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/perm"
)

// ErrNoPermission says that nobody has made a permission of that name; see [DB.EnsurePermissions].
var ErrNoPermission = errors.New("no such permission")

// Permissions returns what a user has directly and by groups, in one statement, as Django's ModelBackend does: a Table is a
// perm.Source. Inactive and unknown users have nothing, and an active superuser all that there are.
func (t *Table[T]) Permissions(ctx context.Context, s perm.Subject) (perm.Grants, error) {
	if !s.Active {
		return perm.Grants{}, nil
	}
	key, ok := t.parseKey(s.ID)
	if !ok { // nobody, or nobody of ours
		return perm.Grants{}, nil
	}
	if u, ok := s.User.(*T); ok && !s.Superuser && u != nil {
		if rec := t.record(u); rec.AuthID() == s.ID && rec.standing != nil && rec.standing.grants != nil {
			return *rec.standing.grants, nil
		}
	}
	if s.Superuser {
		all, err := t.db.permissionSets(ctx, "all permissions", "SELECT 0, ct.app_label, p.codename FROM auth_permission p "+ofType)
		return perm.Grants{Direct: all[0], Group: all[0]}, err
	}
	d, own, groups := t.db.dialect, t.permissions, t.groups
	var queries []string
	var args []any
	if own.name != "" {
		queries = append(queries, "SELECT 0, ct.app_label, p.codename FROM "+d.ident(own.name)+" up JOIN auth_permission p ON p.id = up.permission_id "+ofType+
			" WHERE up."+d.ident(own.owner)+" = "+d.keyMark(own.key))
		args = append(args, key)
	}
	if groups.name != "" {
		queries = append(queries, "SELECT 1, ct.app_label, p.codename FROM "+d.ident(groups.name)+" ug "+
			"JOIN auth_group_permissions gp ON gp.group_id = ug.group_id JOIN auth_permission p ON p.id = gp.permission_id "+ofType+
			" WHERE ug."+d.ident(groups.owner)+" = "+d.keyMark(groups.key))
		args = append(args, key)
	}
	if len(queries) == 0 {
		return perm.Grants{}, nil
	}
	sets, err := t.db.permissionSets(ctx, "permissions of a user", strings.Join(queries, " UNION ALL "), args...)
	return perm.Grants{Direct: sets[0], Group: sets[1]}, err
}

// ofType joins a permission p to its content type ct.
const ofType = "JOIN django_content_type ct ON ct.id = p.content_type_id"

// permissionSets runs a query for the number of a set, 0 or 1, an app and a codename.
func (db *DB) permissionSets(ctx context.Context, op, query string, args ...any) (sets [2]perm.Set, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	rows, err := db.q.QueryContext(ctx, db.dialect.bind(query), args...)
	if err != nil {
		return sets, db.dialect.failed(op, err)
	}
	defer rows.Close()
	var names [2][]string
	for rows.Next() {
		var which int
		var app, codename string
		if err := rows.Scan(&which, &app, &codename); err != nil {
			return sets, db.dialect.failed(op, err)
		}
		names[which] = append(names[which], app+"."+codename)
	}
	if err := rows.Err(); err != nil {
		return sets, db.dialect.failed(op, err)
	}
	return [2]perm.Set{perm.NewSet(names[0]...), perm.NewSet(names[1]...)}, nil
}

// A Status says which users count. The zero value is those who may log in.
type Status int

// The values of [PermissionFilter].Status.
const (
	ActiveUsers Status = iota
	InactiveUsers
	AllUsers
)

// A PermissionFilter narrows [Table.WithPermission].
type PermissionFilter struct {
	Status            Status // Defaults to ActiveUsers
	WithoutSuperusers bool   // only those who were given the permission
}

// WithPermission returns the users who have a permission, directly, by a group, or as superusers, oldest first: Django's
// with_perm. A name without exactly one dot is a perm.ErrName. Superusers have also what nobody has ever made.
func (t *Table[T]) WithPermission(ctx context.Context, name string, f PermissionFilter) ([]*T, error) {
	const op = "users with a permission"
	app, codename, err := perm.Split(name)
	if err != nil {
		return nil, fmt.Errorf("userdb: %s: %w", op, err)
	}
	d, own, groups := t.db.dialect, t.permissions, t.groups
	id := d.ident(t.name) + "." + t.column(colID)
	var conditions []string
	var args []any
	if storable(name) {
		named := "WHERE " + d.is("ct.app_label") + " AND " + d.is("p.codename")
		if own.name != "" {
			conditions = append(conditions, "EXISTS (SELECT 1 FROM "+d.ident(own.name)+" up JOIN auth_permission p ON p.id = up.permission_id "+ofType+" "+named+
				" AND up."+d.ident(own.owner)+" = "+id+")")
			args = d.same(d.same(args, app), codename)
		}
		if groups.name != "" {
			conditions = append(conditions, "EXISTS (SELECT 1 FROM "+d.ident(groups.name)+" ug JOIN auth_group_permissions gp ON gp.group_id = ug.group_id "+
				"JOIN auth_permission p ON p.id = gp.permission_id "+ofType+" "+named+" AND ug."+d.ident(groups.owner)+" = "+id+")")
			args = d.same(d.same(args, app), codename)
		}
	}
	if !f.WithoutSuperusers {
		conditions = append(conditions, t.condition(colSuperuser))
	}
	if len(conditions) == 0 {
		return nil, nil
	}
	where := "(" + strings.Join(conditions, " OR ") + ")"
	if f.Status != AllUsers {
		active, more := t.active(f.Status == ActiveUsers)
		where, args = where+" AND "+active, append(args, more...)
	}
	return t.query(ctx, op, where+" ORDER BY "+t.column(colID), args...)
}

// Grant gives a user permissions directly, by names such as "blog.add_post". Those that the user has are kept; a name that
// several models of an app share means all of them. If one is an [ErrNoPermission], nothing changes. A user who is gone is
// auth.ErrNoUser.
func (t *Table[T]) Grant(ctx context.Context, u *T, names ...string) error {
	return t.changePermissions(ctx, "grant permissions", u, names, (*DB).link)
}

// Revoke takes permissions back that were given directly. One that the user does not have is passed over, and the errors are
// those of [Table.Grant].
func (t *Table[T]) Revoke(ctx context.Context, u *T, names ...string) error {
	return t.changePermissions(ctx, "revoke permissions", u, names, (*DB).unlink)
}

type change func(db *DB, ctx context.Context, j joinTable, owner any, others []int64) error

func (t *Table[T]) changePermissions(ctx context.Context, op string, u *T, names []string, change change) error {
	err := t.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		ids, err := tx.permissionIDs(ctx, names)
		if err != nil {
			return err
		}
		key := t.key(t.record(u))
		if err := t.in(tx).exists(ctx, key); err != nil {
			return err
		}
		if t.permissions.name == "" {
			return fmt.Errorf("the table %s has no table of permissions beside it", t.name)
		}
		return change(tx, ctx, t.permissions, key, ids)
	})
	return t.db.dialect.failed(op, err)
}

// exists returns auth.ErrNoUser unless there is a user with this key.
func (t *Table[T]) exists(ctx context.Context, key any) error {
	d := t.db.dialect
	var n int
	err := t.db.row(ctx, "SELECT COUNT(*) FROM "+d.ident(t.name)+" WHERE "+t.byKey(), key).Scan(&n)
	if err == nil && n == 0 {
		return auth.ErrNoUser
	}
	return err
}

// batch is how many values one statement takes, well below the limit of every database.
const batch = 500

// permissionIDs finds the permissions of these names.
func (db *DB) permissionIDs(ctx context.Context, names []string) ([]int64, error) {
	var codenames []any
	found := map[string]bool{}
	for _, name := range names {
		app, codename, ok := strings.Cut(name, ".")
		if !ok || app == "" || codename == "" || !storable(name) {
			return nil, fmt.Errorf("%w: %q", ErrNoPermission, name)
		}
		found[name] = false
		codenames = append(codenames, codename)
	}
	var ids []int64
	for len(codenames) > 0 {
		part := codenames[:min(batch, len(codenames))]
		codenames = codenames[len(part):]
		err := db.each(ctx, "SELECT p.id, ct.app_label, p.codename FROM auth_permission p "+ofType+" WHERE p.codename IN ("+marks(len(part))+") ORDER BY p.id",
			part, func(scan func(...any) error) error {
				var id int64
				var app, codename string
				if err := scan(&id, &app, &codename); err != nil {
					return err
				}
				if _, wanted := found[app+"."+codename]; wanted { // byte for byte
					found[app+"."+codename] = true
					ids = append(ids, id)
				}
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, fmt.Errorf("%w: %q", ErrNoPermission, name)
		}
	}
	return ids, nil
}

// each runs a query and gives f the means to read each row.
func (db *DB) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := db.q.QueryContext(ctx, db.dialect.bind(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// marks is n parameters.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// link adds rows to a joining table, and passes over those that are there.
func (db *DB) link(ctx context.Context, j joinTable, owner any, others []int64) error {
	d := db.dialect
	for len(others) > 0 {
		part := others[:min(batch, len(others))]
		others = others[len(part):]
		args := make([]any, 0, 2*len(part))
		for _, other := range part {
			args = append(args, owner, other)
		}
		query := "INSERT INTO " + d.ident(j.name) + " (" + d.idents([]string{j.owner, j.other}) + ") VALUES " +
			strings.TrimSuffix(strings.Repeat("(?, ?), ", len(part)), ", ")
		if d == MySQL { // INSERT IGNORE would pass over more than duplicates
			query += " ON DUPLICATE KEY UPDATE " + d.ident(j.other) + " = " + d.ident(j.other)
		} else {
			query += d.nothing
		}
		if _, err := db.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// unlink removes rows from a joining table.
func (db *DB) unlink(ctx context.Context, j joinTable, owner any, others []int64) error {
	d := db.dialect
	for len(others) > 0 {
		part := others[:min(batch, len(others))]
		others = others[len(part):]
		args := []any{owner}
		for _, other := range part {
			args = append(args, other)
		}
		_, err := db.exec(ctx, "DELETE FROM "+d.ident(j.name)+" WHERE "+d.ident(j.owner)+" = "+d.keyMark(j.key)+
			" AND "+d.ident(j.other)+" IN ("+marks(len(part))+")", args...)
		if err != nil {
			return err
		}
	}
	return nil
}
