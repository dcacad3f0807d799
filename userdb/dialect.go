package userdb

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Dialect is what differs between the databases. There are three: [SQLite], [PostgreSQL] and [MySQL].
type Dialect struct {
	name      string
	quote     string // around the name of a table or column
	dollars   bool   // parameters are $1, $2, … instead of ?
	textTimes bool   // times are text, as Django writes them into SQLite
	returning bool   // the key of a new row comes back by RETURNING
	folding   bool   // = takes case, accents and trailing blanks for equal
	ignore    string // how an INSERT that may meet an existing row begins
	nothing   string // and how it ends
	hexUUID   bool   // a UUID is stored as 32 hexadecimal digits
	schema    string // the file of Django's tables
}

// The databases that userdb speaks to.
var (
	// SQLite 3.35 or later. Times are stored as Django's text.
	SQLite = &Dialect{
		name: "sqlite", quote: `"`, textTimes: true, returning: true, hexUUID: true,
		ignore: "INSERT", nothing: " ON CONFLICT DO NOTHING", schema: "schema/sqlite.sql",
	}
	// PostgreSQL 12 or later.
	PostgreSQL = &Dialect{
		name: "postgres", quote: `"`, dollars: true, returning: true,
		ignore: "INSERT", nothing: " ON CONFLICT DO NOTHING", schema: "schema/postgres.sql",
	}
	// MySQL 8 or later, and MariaDB 10.5 or later.
	MySQL = &Dialect{
		name: "mysql", quote: "`", folding: true, hexUUID: true,
		ignore: "INSERT IGNORE", schema: "schema/mysql.sql",
	}
)

// String returns the dialect's name: sqlite, postgres or mysql.
func (d *Dialect) String() string { return d.name }

// bind gives a statement written with ? the parameters of the dialect. No statement of this package has a ? in a literal.
func (d *Dialect) bind(query string) string {
	if !d.dollars {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := range len(query) {
		if query[i] != '?' {
			b.WriteByte(query[i])
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// ident quotes the name of a table or column.
func (d *Dialect) ident(name string) string {
	return d.quote + strings.ReplaceAll(name, d.quote, d.quote+d.quote) + d.quote
}

// idents quotes names and joins them by commas.
func (d *Dialect) idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = d.ident(n)
	}
	return strings.Join(quoted, ", ")
}

// bigint is a parameter of 64 bits, also where it is compared with a column of 32: PostgreSQL's drivers refuse what the
// column could not hold, where Django finds no row.
func (d *Dialect) bigint() string {
	if d.dollars {
		return "CAST(? AS bigint)"
	}
	return "?"
}

// is is the condition that a text column equals a parameter byte for byte, with the index of the column in use. It takes the
// arguments that same gives.
func (d *Dialect) is(column string) string {
	if d.folding {
		return column + " = ? AND BINARY " + column + " = ?"
	}
	return column + " = ?"
}

// same appends the arguments of one is.
func (d *Dialect) same(args []any, value string) []any {
	if d.folding {
		args = append(args, value)
	}
	return append(args, value)
}

// timeText is how Django writes a time into SQLite: UTC, and microseconds only when there are some.
const (
	timeText      = "2006-01-02 15:04:05"
	timeTextMicro = "2006-01-02 15:04:05.000000"
)

// time returns t as a parameter: in UTC and cut to microseconds, which is what all three databases keep.
func (d *Dialect) time(t time.Time) any {
	t = t.UTC().Truncate(time.Microsecond)
	if !d.textTimes {
		return t
	}
	if t.Nanosecond() == 0 {
		return t.Format(timeText)
	}
	return t.Format(timeTextMicro)
}

// timeColumn selects a column of times. SQLite's drivers guess at the form of a column declared as datetime, trying one after
// the other; text they give as it is.
func (d *Dialect) timeColumn(name string) string {
	if d.textTimes {
		return "CAST(" + name + " AS text)"
	}
	return name
}

// nullTime is time, with NULL for nil.
func (d *Dialect) nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return d.time(*t)
}

// A stamp scans a time of any database and driver: a time, or the text that SQLite holds.
type stamp struct {
	Time  time.Time
	Valid bool // false for NULL
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s = stamp{}
		return nil
	case time.Time:
		*s = stamp{v.UTC(), true}
		return nil
	case string:
		return s.parse(v)
	case []byte:
		return s.parse(string(v))
	}
	return fmt.Errorf("a %T is not a time", v)
}

// parse reads the spellings that Django reads from SQLite.
func (s *stamp) parse(text string) error {
	text = strings.TrimSpace(text)
	for _, layout := range [...]string{
		"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00",
		"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			*s = stamp{t.UTC(), true}
			return nil
		}
	}
	return fmt.Errorf("%q is not a time", text)
}

// pointer returns the time, or nil for NULL.
func (s *stamp) pointer() *time.Time {
	if !s.Valid {
		return nil
	}
	t := s.Time
	return &t
}
