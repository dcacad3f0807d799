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
	After      string // only those behind the one with this AuthID: the last one of the page before
	Limit      int    // at most so many. Defaults to all
}

// List returns users, oldest first where their keys are numbers.
func (t *Table[T]) List(ctx context.Context, f UserFilter) ([]*T, error) {
	d := t.db.dialect
	conditions, args := []string{"1 = 1"}, []any(nil)
	if f.After != "" {
		key, ok := t.parseKey(f.After)
		if !ok {
			return nil, nil
		}
		conditions, args = append(conditions, t.column(colID)+" > "+d.keyMark(t.keyType)), append(args, key)
	}
	if f.Status != AllUsers {
		active, more := t.active(f.Status == ActiveUsers)
		conditions, args = append(conditions, active), append(args, more...)
	}
	if f.Staff {
		conditions = append(conditions, t.condition(colStaff))
	}
	if f.Superusers {
		conditions = append(conditions, t.condition(colSuperuser))
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
		pattern := "%" + escapeLike(f.Like) + "%"
		either := t.column(colUsername) + " " + like
		args = append(args, pattern)
		if t.HasEmail() {
			either, args = either+" OR "+t.column(colEmail)+" "+like, append(args, pattern)
		}
		conditions = append(conditions, "("+either+")")
	}
	end := " ORDER BY " + t.column(colID)
	if f.Limit > 0 {
		end, args = end+" LIMIT ?", append(args, f.Limit)
	}
	return t.query(ctx, "list users", strings.Join(conditions, " AND ")+end, args...)
}
