package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/cardea-go/cardea/perm"
)

// ErrNoGroup says that there is no group of that name.
var ErrNoGroup = errors.New("no such group")

// A Group is a name under which users share permissions.
type Group struct {
	ID   int64
	Name string
}

// Groups are those of a table of users; make them with [Table.Groups]. A group is meant by its name, byte for byte. Where there
// is none of that name, the error is [ErrNoGroup].
type Groups[T any] struct{ users *Table[T] }

// Groups returns the groups that these users can belong to. All tables of users share them, but each has its own members.
func (t *Table[T]) Groups() *Groups[T] { return &Groups[T]{t} }

// Tx returns the same groups inside the application's own transaction; see [DB.Tx].
func (g *Groups[T]) Tx(tx *sql.Tx) *Groups[T] { return &Groups[T]{g.users.Tx(tx)} }

// List returns all groups by name.
func (g *Groups[T]) List(ctx context.Context) ([]Group, error) {
	return g.list(ctx, "list the groups", "")
}

// Of returns the groups that a user belongs to, by name.
func (g *Groups[T]) Of(ctx context.Context, u *T) ([]Group, error) {
	d, j := g.users.db.dialect, g.users.groups
	if j.name == "" {
		return nil, nil
	}
	return g.list(ctx, "groups of a user", " WHERE id IN (SELECT group_id FROM "+d.ident(j.name)+" WHERE "+d.ident(j.owner)+" = "+d.keyMark(j.key)+")",
		g.users.key(g.users.record(u)))
}

func (g *Groups[T]) list(ctx context.Context, op, where string, args ...any) ([]Group, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var list []Group
	err := g.users.db.each(ctx, "SELECT id, name FROM auth_group"+where+" ORDER BY name", args, func(scan func(...any) error) error {
		var one Group
		err := scan(&one.ID, &one.Name)
		list = append(list, one)
		return err
	})
	return list, g.users.db.dialect.failed(op, err)
}

// Members returns the users of a group, active or not, oldest first.
func (g *Groups[T]) Members(ctx context.Context, name string) ([]*T, error) {
	const op = "members of a group"
	id, err := groupID(ctx, g.users.db, name)
	if err != nil {
		return nil, g.users.db.dialect.failed(op, err)
	}
	d, j, key := g.users.db.dialect, g.users.groups, g.users.column(colID)
	if j.name == "" {
		return nil, nil
	}
	return g.users.query(ctx, op, key+" IN (SELECT "+d.ident(j.owner)+" FROM "+d.ident(j.name)+" WHERE group_id = ?) ORDER BY "+key, id)
}

// Permissions returns what a group gives its members.
func (g *Groups[T]) Permissions(ctx context.Context, name string) (perm.Set, error) {
	const op = "permissions of a group"
	id, err := groupID(ctx, g.users.db, name)
	if err != nil {
		return perm.Set{}, g.users.db.dialect.failed(op, err)
	}
	sets, err := g.users.db.permissionSets(ctx, op, "SELECT 0, ct.app_label, p.codename FROM auth_group_permissions gp "+
		"JOIN auth_permission p ON p.id = gp.permission_id "+ofType+" WHERE gp.group_id = ?", id)
	return sets[0], err
}

// Create makes a group. A taken name is an [ErrDuplicate], on MySQL also one that differs only by case, accents or trailing
// blanks; one that does not fit is a [FieldError].
func (g *Groups[T]) Create(ctx context.Context, name string) (Group, error) {
	const op = "create a group"
	if err := checkGroup(name); err != nil {
		return Group{}, fmt.Errorf("userdb: %s: %w", op, err)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	db, made := g.users.db, Group{Name: name}
	var err error
	if db.dialect.returning {
		err = db.row(ctx, "INSERT INTO auth_group (name) VALUES (?) RETURNING id", name).Scan(&made.ID)
	} else {
		made.ID, err = db.insertID(ctx, "INSERT INTO auth_group (name) VALUES (?)", name)
	}
	if err != nil {
		return Group{}, groupFailed(db, op, err)
	}
	return made, nil
}

// Rename gives a group another name, with the errors of Create. Members and permissions stay.
func (g *Groups[T]) Rename(ctx context.Context, name, to string) error {
	const op = "rename a group"
	if err := checkGroup(to); err != nil {
		return fmt.Errorf("userdb: %s: %w", op, err)
	}
	if !storable(name) {
		return noGroup(op, name)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	db := g.users.db
	n, err := db.exec(ctx, "UPDATE auth_group SET name = ? WHERE "+db.dialect.is("name"), db.dialect.same([]any{to}, name)...)
	if err == nil && n == 0 {
		return noGroup(op, name)
	}
	return groupFailed(db, op, err)
}

// Delete removes a group. Its members lose what it gave them.
func (g *Groups[T]) Delete(ctx context.Context, name string) error {
	return g.change(ctx, "delete a group", name, func(ctx context.Context, tx *DB, id int64) error {
		stmts := []string{"DELETE FROM auth_group_permissions WHERE group_id = ?"}
		if j := g.users.groups; j.name != "" {
			stmts = append(stmts, "DELETE FROM "+tx.dialect.ident(j.name)+" WHERE group_id = ?")
		}
		for _, stmt := range append(stmts, "DELETE FROM auth_group WHERE id = ?") {
			if _, err := tx.exec(ctx, stmt, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Add makes users members of a group. Those who are stay so. One who is gone is auth.ErrNoUser, and then nothing changes.
func (g *Groups[T]) Add(ctx context.Context, name string, users ...*T) error {
	return g.change(ctx, "add to a group", name, func(ctx context.Context, tx *DB, id int64) error {
		if g.users.groups.name == "" {
			return fmt.Errorf("the table %s has no table of groups beside it", g.users.name)
		}
		for _, u := range users {
			user := g.users.key(g.users.record(u))
			if err := g.users.in(tx).exists(ctx, user); err != nil {
				return err
			}
			if err := tx.link(ctx, g.users.groups, user, []int64{id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Remove ends the membership of users. Those who are no members are passed over.
func (g *Groups[T]) Remove(ctx context.Context, name string, users ...*T) error {
	return g.change(ctx, "remove from a group", name, func(ctx context.Context, tx *DB, id int64) error {
		if g.users.groups.name == "" {
			return nil
		}
		for _, u := range users {
			if err := tx.unlink(ctx, g.users.groups, g.users.key(g.users.record(u)), []int64{id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// groupPermissions joins groups to permissions.
var groupPermissions = joinTable{name: "auth_group_permissions", owner: "group_id", other: "permission_id", target: "auth_permission"}

// Grant gives a group permissions; see [Table.Grant].
func (g *Groups[T]) Grant(ctx context.Context, name string, permissions ...string) error {
	return g.changePermissions(ctx, "grant permissions to a group", name, permissions, (*DB).link)
}

// Revoke takes permissions from a group; see [Table.Revoke].
func (g *Groups[T]) Revoke(ctx context.Context, name string, permissions ...string) error {
	return g.changePermissions(ctx, "revoke permissions from a group", name, permissions, (*DB).unlink)
}

func (g *Groups[T]) changePermissions(ctx context.Context, op, name string, permissions []string, change change) error {
	return g.change(ctx, op, name, func(ctx context.Context, tx *DB, id int64) error {
		ids, err := tx.permissionIDs(ctx, permissions)
		if err != nil {
			return err
		}
		return change(tx, ctx, groupPermissions, id, ids)
	})
}

// change runs f in a transaction, with the id of a group.
func (g *Groups[T]) change(ctx context.Context, op, name string, f func(ctx context.Context, tx *DB, id int64) error) error {
	err := g.users.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		id, err := groupID(ctx, tx, name)
		if err != nil {
			return err
		}
		return f(ctx, tx, id)
	})
	return g.users.db.dialect.failed(op, err)
}

func groupID(ctx context.Context, db *DB, name string) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	err = sql.ErrNoRows
	if storable(name) {
		err = db.row(ctx, "SELECT id FROM auth_group WHERE "+db.dialect.is("name"), db.dialect.same(nil, name)...).Scan(&id)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%w: %q", ErrNoGroup, name)
	}
	return id, err
}

func noGroup(op, name string) error { return fmt.Errorf("userdb: %s: %w: %q", op, ErrNoGroup, name) }

func groupFailed(db *DB, op string, err error) error {
	if dup, ok := db.dialect.duplicate(err, "name"); ok {
		return fmt.Errorf("userdb: %s: %w", op, dup)
	}
	return db.dialect.failed(op, err)
}

func checkGroup(name string) error {
	switch {
	case name == "":
		return &FieldError{"name", "is empty"}
	case !storable(name):
		return &FieldError{"name", "contains a NUL or is not UTF-8"}
	case utf8.RuneCountInString(name) > 150:
		return &FieldError{"name", "is longer than 150 characters"}
	}
	return nil
}
