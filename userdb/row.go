package userdb

import (
	"database/sql"
	"reflect"
	"time"
)

// A rowReader scans rows of a table of users, also those of an outer join, in which all columns may be NULL. It is used
// again and again, so that scanning allocates no more than what stays in the user.
type rowReader[T any] struct {
	table *Table[T]
	base  userRow
	extra []reflect.Value // pointers to pointers to the fields' types, or *stamp
	dest  []any
}

// userRow holds the columns of User.
type userRow struct {
	id                                     sql.NullInt64
	key                                    sql.NullString // in place of id
	password, username, first, last, email sql.NullString
	superuser, staff, active               sql.NullBool
	lastLogin, joined                      stamp
}

// reader takes a reader from the pool; put it back after use.
func (t *Table[T]) reader() *rowReader[T] {
	if r, ok := t.readers.Get().(*rowReader[T]); ok {
		return r
	}
	r := &rowReader[T]{table: t}
	b := &r.base
	var id any = &b.id
	if t.keyType == UUIDKey {
		id = &b.key
	}
	r.dest = []any{
		id, &b.password, &b.lastLogin, &b.superuser, &b.username, &b.first, &b.last, &b.email, &b.staff, &b.active, &b.joined,
	}
	for _, c := range t.extra {
		v := reflect.ValueOf(new(stamp))
		if c.typ != timeType {
			v = reflect.New(reflect.PointerTo(c.typ))
		}
		r.extra = append(r.extra, v)
		r.dest = append(r.dest, v.Interface())
	}
	return r
}

var timeType = reflect.TypeFor[time.Time]()

// user returns what was scanned as a new user, or false when an outer join found none.
func (r *rowReader[T]) user() (*T, bool) {
	b := &r.base
	if !b.id.Valid && !b.key.Valid {
		return nil, false
	}
	columns := &r.table.columns
	u := new(T)
	rec := any(u).(interface{ Base() *User }).Base()
	*rec = User{
		ID: b.id.Int64, Key: r.table.db.dialect.djangoID(b.key.String), Password: b.password.String, LastLogin: b.lastLogin.pointer(), IsSuperuser: b.superuser.Bool,
		Username: b.username.String, FirstName: b.first.String, LastName: b.last.String, Email: b.email.String,
		IsStaff: b.staff.Bool, IsActive: b.active.Bool || columns[colActive] == "", DateJoined: b.joined.Time,
	}
	if len(r.extra) > 0 {
		r.fill(reflect.ValueOf(u).Elem())
	}
	return u, true
}

// fill sets the fields that T has beside those of User. NULL leaves the zero value.
func (r *rowReader[T]) fill(u reflect.Value) {
	for i, c := range r.table.extra {
		field := u.FieldByIndex(c.index)
		var value reflect.Value
		if at, ok := r.extra[i].Interface().(*stamp); ok {
			if !at.Valid {
				continue
			}
			value = reflect.ValueOf(at.pointer())
		} else if value = r.extra[i].Elem(); value.IsNil() {
			continue
		}
		if c.null {
			field.Set(value)
		} else {
			field.Set(value.Elem())
		}
	}
}

// values returns the parameters for the columns that T has beside those of User.
func (t *Table[T]) values(u *T) []any {
	args := make([]any, 0, len(t.extra))
	v := reflect.ValueOf(u).Elem()
	for _, c := range t.extra {
		field := v.FieldByIndex(c.index)
		switch {
		case c.null && field.IsNil():
			args = append(args, nil)
			continue
		case c.null:
			field = field.Elem()
		}
		if c.typ == timeType {
			args = append(args, t.db.dialect.time(field.Interface().(time.Time)))
		} else {
			args = append(args, field.Interface())
		}
	}
	return args
}
