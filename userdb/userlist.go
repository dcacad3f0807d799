package userdb

import (
	"context"
	"strings"
)

// A UserFilter narrows [Table.List]. The zero value is all users who may log in.
type UserFilter struct {
	Status     Status // Defaults to ActiveUsers
	Staff      bool   // only those who may use the administration
	Superusers bool   // only those who may do everything
	Like       string // only those in whose user name or e-mail address this stands, in capital letters or small ones
	After      int64  // only those with a greater ID: the last one of the page before
	Limit      int    // at most so many. Defaults to all
}

// List returns users, oldest first.
func (t *Table[T]) List(ctx context.Context, f UserFilter) ([]*T, error) {
	d := t.db.dialect
	conditions, args := []string{"id > " + d.bigint()}, []any{f.After}
	if f.Status != AllUsers {
		conditions, args = append(conditions, "is_active = ?"), append(args, f.Status == ActiveUsers)
	}
	if f.Staff {
		conditions = append(conditions, "is_staff")
	}
	if f.Superusers {
		conditions = append(conditions, "is_superuser")
	}
	if f.Like != "" {
		if !storable(f.Like) {
			return nil, nil
		}
		like := "LIKE ? ESCAPE '\\'"
		switch d {
		case PostgreSQL:
			like = "I" + like
		case MySQL: // where \ escapes unless it is told otherwise
			like = "LIKE ?"
		}
		conditions = append(conditions, "(username "+like+" OR email "+like+")")
		pattern := "%" + escapeLike(f.Like) + "%"
		args = append(args, pattern, pattern)
	}
	end := " ORDER BY id"
	if f.Limit > 0 {
		end, args = end+" LIMIT ?", append(args, f.Limit)
	}
	return t.query(ctx, "list users", strings.Join(conditions, " AND ")+end, args...)
}
