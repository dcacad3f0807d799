package userdb

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// FitTable is [NewTable] for a table that a Django site made: it looks at the table and finds out by itself what the configuration
// leaves open, which are the primary key and its type, which of the columns of [User] and which of the tables of groups and permissions
// are there, and how long names may be. What the configuration names has to be there.
//
//	users, err := userdb.FitTable[userdb.User](ctx, db, userdb.TableConfig[userdb.User]{
//		Name:    "shop_customer",
//		Columns: userdb.Columns{Username: "email"},
//	})
func FitTable[T any, P Embeds[T]](ctx context.Context, db *DB, cfg TableConfig[T]) (*Table[T], error) {
	if cfg.Name == "" {
		cfg.Name = "auth_user"
	}
	extra, err := extraColumns(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	const op = "look at the table of users"
	f := &fitting{db: db, table: cfg.Name}
	if f.found, err = db.columnsOf(ctx, cfg.Name); err != nil {
		return nil, db.dialect.failed(op, err)
	}
	if len(f.found) == 0 {
		return nil, fmt.Errorf("userdb: there is no table %s: has the Django site made its tables, by its migrate? Else correct the name", cfg.Name)
	}
	if err := f.columns(&cfg.Columns); err != nil {
		return nil, fmt.Errorf("userdb: %w", err)
	}
	if cfg.Key, err = f.keyType(cfg.Columns.ID); err != nil {
		return nil, fmt.Errorf("userdb: %w", err)
	}
	t, err := newTable(db, cfg, extra)
	if err != nil {
		return nil, err
	}
	if err := t.fitJoins(ctx, cfg); err != nil {
		return nil, db.dialect.failed(op, err)
	}
	for name := range cfg.Defaults {
		if f.column(name) == nil {
			return nil, fmt.Errorf("userdb: the table %s has no column %s to give a default: there are %s", cfg.Name, name, f.names())
		}
	}
	t.sizes = map[int]int{}
	for i, name := range t.columns {
		if c := f.column(name); c != nil && c.size() > 0 {
			t.sizes[i] = c.size()
		}
	}
	if c := f.column(t.columns[colEmail]); c != nil {
		t.nullEmail = !c.notNull && !t.NameIsEmail()
	}
	for _, c := range f.found {
		if _, given := cfg.Defaults[c.name]; c.notNull && !c.filled && !given && !slices.Contains(t.list, c.name) {
			t.missing = append(t.missing, c.name)
		}
	}
	return t, nil
}

// A fitting is what FitTable has found of a table.
type fitting struct {
	db    *DB
	table string
	found []foundColumn
}

func (f *fitting) column(name string) *foundColumn {
	for i := range f.found {
		if f.found[i].name == name {
			return &f.found[i]
		}
	}
	return nil
}

// columns fills in what is not named.
func (f *fitting) columns(c *Columns) error {
	if c.ID == "" {
		for _, column := range f.found {
			if !column.primary {
				continue
			}
			if c.ID != "" {
				return fmt.Errorf("the primary key of the table %s has several columns, which no session can name", f.table)
			}
			c.ID = column.name
		}
	}
	for i, name := range c.fields() {
		field := baseColumns[i]
		switch {
		case *name == Absent || *name != "" && f.column(*name) != nil:
		case *name != "":
			return fmt.Errorf("the table %s has no column %s for %s: there are %s", f.table, *name, field, f.names())
		case f.column(field) != nil:
			*name = field
		case i == colID || i == colPassword || i == colUsername:
			return fmt.Errorf("the table %s has no column %s: say which holds it, of %s", f.table, field, f.names())
		default:
			*name = Absent
		}
	}
	return nil
}

func (f *fitting) names() string {
	var names []string
	for _, c := range f.found {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func (f *fitting) keyType(column string) (KeyType, error) {
	c := f.column(column)
	switch typ := strings.ToLower(c.typ); {
	case typ == "uuid" || typ == "char(32)":
		return UUIDKey, nil
	case strings.Contains(typ, "int"):
		return NumberKey, nil
	}
	return 0, fmt.Errorf("the primary key %s.%s is a %s: known are whole numbers and UUIDs", f.table, c.name, c.typ)
}

// fitJoins leaves out the tables of groups and permissions that are not there.
func (t *Table[T]) fitJoins(ctx context.Context, cfg TableConfig[T]) error {
	tables, err := t.db.tables(ctx)
	if err != nil {
		return err
	}
	for i, j := range [...]*joinTable{&t.groups, &t.permissions} {
		named := [...]string{cfg.Groups, cfg.Permissions}[i]
		switch {
		case named == Absent:
			continue
		case !tables[j.name] && named != "":
			return fmt.Errorf("there is no table %s", j.name)
		case !tables[j.name]:
			j.name = ""
			continue
		}
		found, err := t.db.columnsOf(ctx, j.name)
		if err != nil {
			return err
		}
		f := fitting{table: j.name, found: found}
		if f.column(j.owner) == nil || f.column(j.other) == nil {
			return fmt.Errorf("the table %s has not the columns %s and %s, but %s: name the model", j.name, j.owner, j.other, f.names())
		}
	}
	return nil
}

// A foundColumn is one that a table has.
type foundColumn struct {
	name, typ string
	notNull   bool
	filled    bool // by the database, when an INSERT leaves it out
	primary   bool
}

var sizeOf = regexp.MustCompile(`^(?:var)?char(?:acter varying)?\((\d+)\)`)

// size is how many characters the column holds, or 0.
func (c foundColumn) size() int {
	m := sizeOf.FindStringSubmatch(strings.ToLower(c.typ))
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// columnsOf returns the columns of a table, none when it is not there.
func (db *DB) columnsOf(ctx context.Context, table string) (found []foundColumn, err error) {
	query := `SELECT name, type, "notnull", dflt_value IS NOT NULL, pk > 0 FROM pragma_table_info(?) ORDER BY cid`
	switch db.dialect {
	case PostgreSQL:
		query = "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> '', " +
			"EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) " +
			"FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(quote_ident(?)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
	case MySQL:
		query = "SELECT column_name, column_type, is_nullable = 'NO', column_default IS NOT NULL OR extra LIKE '%auto_increment%' OR extra LIKE '%generated%', " +
			"column_key = 'PRI' FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position"
	}
	err = db.each(ctx, query, []any{table}, func(scan func(...any) error) error {
		var c foundColumn
		err := scan(&c.name, &c.typ, &c.notNull, &c.filled, &c.primary)
		found = append(found, c)
		return err
	})
	return found, err
}

// WithUsers returns the same database with another table of users: what [DB.Users] returns, and what all methods that know of users, such
// as CreateUser or Migrate, work on where nothing else is said. nil is Django's auth_user again.
func (db *DB) WithUsers(users *Table[User]) *DB {
	inner := *db
	inner.users = users
	return &inner
}
