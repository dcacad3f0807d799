package userdb

import (
	"context"
	"slices"
)

// mirror makes a user's groups those of an identity.
func (t *Table[T]) mirror(ctx context.Context, user any, p IdentityPolicy, groups []string) error {
	mirrored := func(name string) bool {
		if p.MirrorOnly != nil {
			return slices.Contains(p.MirrorOnly, name)
		}
		return !slices.Contains(p.MirrorExcept, name)
	}
	j := t.groups
	if j.name == "" {
		return nil
	}
	var names []string
	for _, name := range groups {
		if mirrored(name) && checkGroup(name) == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	want, err := t.ensureGroups(ctx, names)
	if err != nil {
		return err
	}
	d := t.db.dialect
	var lost []int64
	have := map[int64]bool{}
	err = t.db.each(ctx, "SELECT g.id, g.name FROM auth_group g JOIN "+d.ident(j.name)+" m ON m.group_id = g.id WHERE m."+d.ident(j.owner)+" = "+d.keyMark(j.key),
		[]any{user}, func(scan func(...any) error) error {
			var id int64
			var name string
			err := scan(&id, &name)
			have[id] = true
			if mirrored(name) && !slices.Contains(want, id) {
				lost = append(lost, id)
			}
			return err
		})
	if err != nil {
		return err
	}
	if err := t.db.unlink(ctx, j, user, lost); err != nil {
		return err
	}
	return t.db.link(ctx, j, user, slices.DeleteFunc(want, func(id int64) bool { return have[id] }))
}

// ensureGroups returns the ids of groups and makes those that are missing. On MySQL a name that differs from another group's by case,
// accents or trailing blanks only cannot be made: that group is left out, for it is not that other one.
func (t *Table[T]) ensureGroups(ctx context.Context, names []string) ([]int64, error) {
	ids, missing, err := t.groupIDs(ctx, names)
	if err != nil || len(missing) == 0 {
		return ids, err
	}
	slices.Sort(missing) // in the same order everywhere, so that two who make the same groups do not wait for each other
	values := make([]any, len(missing))
	for i, name := range missing {
		values[i] = name
	}
	if err := t.db.insertMissing(ctx, "auth_group", []string{"name"}, values); err != nil {
		return nil, err
	}
	made, _, err := t.groupIDs(ctx, missing)
	return append(ids, made...), err
}

func (t *Table[T]) groupIDs(ctx context.Context, names []string) (ids []int64, missing []string, err error) {
	found := map[string]int64{}
	for part := range slices.Chunk(names, batch) {
		args := make([]any, len(part))
		for i, name := range part {
			args[i] = name
		}
		err := t.db.each(ctx, "SELECT id, name FROM auth_group WHERE name IN ("+marks(len(part))+")", args, func(scan func(...any) error) error {
			var id int64
			var name string
			err := scan(&id, &name)
			found[name] = id
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	for _, name := range names {
		if id, ok := found[name]; ok {
			ids = append(ids, id)
		} else {
			missing = append(missing, name)
		}
	}
	return ids, missing, nil
}
