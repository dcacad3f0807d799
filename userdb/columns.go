package userdb

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Absent is the name of a column or table that a user model of Django's does without; see [Columns].
const Absent = "-"

// Columns names the columns of a table of users by the fields of [User] that they hold. An empty name is Django's own, such as is_staff
// for IsStaff. [Absent] is a column that the model does not have: the field then stays as it is in a new user, with IsActive true, and
// nothing else can be stored in it. ID, Password and Username have to be there.
//
// A model whose USERNAME_FIELD is "email" has the same column for Username and Email, and one without is_superuser may have the same
// for IsStaff and IsSuperuser.
type Columns struct {
	ID, Password, LastLogin, IsSuperuser, Username, FirstName, LastName, Email, IsStaff, IsActive, DateJoined string
}

// The columns of User, in the order in which they are read.
const (
	colID = iota
	colPassword
	colLastLogin
	colSuperuser
	colUsername
	colFirstName
	colLastName
	colEmail
	colStaff
	colActive
	colJoined
	numColumns
)

// baseColumns are Django's names.
var baseColumns = [numColumns]string{
	"id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active",
	"date_joined",
}

func (c *Columns) fields() [numColumns]*string {
	return [...]*string{
		&c.ID, &c.Password, &c.LastLogin, &c.IsSuperuser, &c.Username, &c.FirstName, &c.LastName, &c.Email, &c.IsStaff, &c.IsActive,
		&c.DateJoined,
	}
}

// resolve gives the columns their names; those that the model lacks have none.
func (c Columns) resolve() (names [numColumns]string, err error) {
	for i, name := range c.fields() {
		switch *name {
		case "":
			names[i] = baseColumns[i]
		case Absent:
		default:
			names[i] = *name
		}
	}
	for _, i := range [...]int{colID, colPassword, colUsername} {
		if names[i] == "" {
			return names, fmt.Errorf("userdb: a table of users without a column for %s", baseColumns[i])
		}
	}
	for i, name := range names {
		j := slices.Index(names[:], name)
		if name == "" || j == i || j == colUsername && i == colEmail || j == colSuperuser && i == colStaff {
			continue
		}
		return names, fmt.Errorf("userdb: the column %q cannot hold both %s and %s", name, baseColumns[j], baseColumns[i])
	}
	return names, nil
}

// NameIsEmail reports whether the user name is the e-mail address: one column holds both.
func (t *Table[T]) NameIsEmail() bool { return t.columns[colUsername] == t.columns[colEmail] }

// HasEmail reports whether users have an e-mail address.
func (t *Table[T]) HasEmail() bool { return t.columns[colEmail] != "" }

// NameLength returns how many characters a user name has at most.
func (t *Table[T]) NameLength() int { return t.size(colUsername) }

// Missing returns the columns that a new user needs a value for and that nothing here knows, in tables that [FitTable] has looked at.
// Where there are some, Create is an [ErrMissing].
func (t *Table[T]) Missing() []string { return slices.Clone(t.missing) }

// ErrMissing says that the table has columns which only its owner, usually a Django site, knows how to fill.
var ErrMissing = errors.New("the table has columns that cannot be filled here")

// size is how many characters a column holds.
func (t *Table[T]) size(column int) int {
	if n := t.sizes[column]; n > 0 {
		return n
	}
	switch column {
	case colEmail:
		return 254
	case colPassword:
		return 128
	}
	return 150
}

// column quotes the name of one of the columns of User that is there.
func (t *Table[T]) column(i int) string { return t.db.dialect.ident(t.columns[i]) }

// condition is a truth value of the table, or false where the model has no such column.
func (t *Table[T]) condition(i int) string {
	if t.columns[i] == "" {
		return "1 = 0"
	}
	return t.column(i)
}

// active is the condition that a user may log in or may not, with its arguments.
func (t *Table[T]) active(want bool) (string, []any) {
	switch {
	case t.columns[colActive] != "":
		return t.column(colActive) + " = ?", []any{want}
	case want:
		return "1 = 1", nil
	}
	return "1 = 0", nil
}

// address is the e-mail column as text.
func (t *Table[T]) address() string {
	if t.nullEmail {
		return "COALESCE(" + t.column(colEmail) + ", '')"
	}
	return t.column(colEmail)
}

// writes returns the columns of User that Update writes, and their values.
func (t *Table[T]) writes(rec *User) (names []string, values []any) {
	put := func(i int, value any) {
		if name := t.columns[i]; name != "" && !slices.Contains(names, name) {
			names, values = append(names, name), append(values, value)
		}
	}
	superuser := rec.IsSuperuser
	if t.columns[colSuperuser] == t.columns[colStaff] {
		superuser = superuser || rec.IsStaff
	}
	put(colSuperuser, superuser)
	put(colUsername, rec.Username)
	put(colFirstName, rec.FirstName)
	put(colLastName, rec.LastName)
	if rec.Email == "" && t.nullEmail {
		put(colEmail, nil)
	} else {
		put(colEmail, rec.Email)
	}
	put(colStaff, rec.IsStaff)
	put(colActive, rec.IsActive)
	put(colJoined, t.db.dialect.time(rec.DateJoined))
	return names, values
}

// normalize brings the name and the address of a new user into the form that is stored.
func (t *Table[T]) normalize(rec *User) {
	rec.Username, rec.Email = NormalizeUsername(rec.Username), NormalizeEmail(rec.Email)
	if !t.NameIsEmail() {
		return
	}
	rec.Email = NormalizeUsername(rec.Email)
	if rec.Username = NormalizeEmail(rec.Username); rec.Username == "" {
		rec.Username = rec.Email
	}
	if rec.Email == "" {
		rec.Email = rec.Username
	}
}

// prune empties what the model has no place for.
func (t *Table[T]) prune(rec *User) {
	for i, text := range map[int]*string{colFirstName: &rec.FirstName, colLastName: &rec.LastName, colEmail: &rec.Email} {
		if t.columns[i] == "" {
			*text = ""
		}
	}
	rec.IsStaff = rec.IsStaff && t.columns[colStaff] != ""
	rec.IsSuperuser = rec.IsSuperuser && t.columns[colSuperuser] != ""
}

// check refuses what one of the databases would refuse, what nobody could log in with, and what the model has no place for.
func (t *Table[T]) check(u *User) error {
	if u.Username == "" {
		return &FieldError{t.columns[colUsername], "is empty"}
	}
	for i, value := range map[int]string{
		colUsername: u.Username, colFirstName: u.FirstName, colLastName: u.LastName, colEmail: u.Email, colPassword: u.Password,
	} {
		switch {
		case t.columns[i] == "":
			if value != "" {
				return &FieldError{baseColumns[i], "is not in the table " + t.name}
			}
		case !storable(value):
			return &FieldError{t.columns[i], "contains a NUL or is not UTF-8"}
		case utf8.RuneCountInString(value) > t.size(i):
			return &FieldError{t.columns[i], fmt.Sprintf("is longer than %d characters", t.size(i))}
		}
	}
	for i, set := range map[int]bool{colSuperuser: u.IsSuperuser, colStaff: u.IsStaff, colActive: !u.IsActive} {
		if set && t.columns[i] == "" {
			return &FieldError{baseColumns[i], "is not in the table " + t.name}
		}
	}
	if t.NameIsEmail() && u.Email != u.Username {
		return &FieldError{t.columns[colEmail], "is the user name too, and the two differ"}
	}
	return nil
}
