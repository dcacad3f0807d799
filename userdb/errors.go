package userdb

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrDuplicate says that a value which has to be unique is taken. As a [DuplicateError] it tells which.
	ErrDuplicate = errors.New("already taken")

	// ErrNoTables says that tables are missing: the database was never migrated.
	ErrNoTables = errors.New(`the tables are missing: run "cardea migrate", or call Migrate`)

	// ErrSetupLink is the answer to a set-up link that is unknown, too old, or used already.
	ErrSetupLink = errors.New("the set-up link is unknown, too old, or was used already")
)

// A DuplicateError says which column's value is taken. It is an [ErrDuplicate].
type DuplicateError struct {
	Column string // "username"; "" when the database does not say
	Err    error  // the database's own error
}

func (e *DuplicateError) Error() string {
	if e.Column == "" {
		return ErrDuplicate.Error()
	}
	return e.Column + " " + ErrDuplicate.Error()
}

// Is makes a DuplicateError an [ErrDuplicate].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Unwrap returns the database's own error.
func (e *DuplicateError) Unwrap() error { return e.Err }

// sqlState returns the five characters that PostgreSQL's drivers give an error, or "". No driver is imported: both of the
// common ones have this method.
func sqlState(err error) string {
	var pg interface{ SQLState() string }
	if errors.As(err, &pg) {
		return pg.SQLState()
	}
	return ""
}

// duplicate reports whether err is the violation of a uniqueness rule, and if so by which of the columns.
func (d *Dialect) duplicate(err error, columns ...string) (*DuplicateError, bool) {
	if err == nil {
		return nil, false
	}
	text := err.Error()
	switch d {
	case PostgreSQL:
		if sqlState(err) != "23505" {
			return nil, false
		}
	case MySQL:
		if !strings.Contains(text, "Error 1062") && !strings.Contains(text, "Error 1586") {
			return nil, false
		}
	default:
		if !strings.Contains(text, "UNIQUE constraint failed") {
			return nil, false
		}
	}
	dup := &DuplicateError{Err: err}
	// The value itself may stand in the text of MySQL; what the violated rule is called stands at its end.
	if i := strings.LastIndex(text, "for key"); d == MySQL && i >= 0 {
		text = text[i:]
	}
	for _, c := range columns {
		if strings.Contains(text, c) {
			dup.Column = c
			break
		}
	}
	return dup, true
}

// missingTable reports whether err says that a table is not there.
func (d *Dialect) missingTable(err error) bool {
	switch d {
	case PostgreSQL:
		return sqlState(err) == "42P01"
	case MySQL:
		return strings.Contains(err.Error(), "Error 1146")
	default:
		return strings.Contains(err.Error(), "no such table")
	}
}

// deadlock reports whether the database gave a transaction up because two waited for each other.
func (d *Dialect) deadlock(err error) bool {
	switch d {
	case PostgreSQL:
		return sqlState(err) == "40P01"
	case MySQL:
		return strings.Contains(err.Error(), "Error 1213")
	}
	return false
}

// failed says what was tried. A missing table becomes ErrNoTables beside the database's own error.
func (d *Dialect) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if d.missingTable(err) {
		return fmt.Errorf("userdb: %s: %w (%w)", op, ErrNoTables, err)
	}
	return fmt.Errorf("userdb: %s: %w", op, err)
}
