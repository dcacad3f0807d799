package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"

	"github.com/cardea-go/cardea/auth"
)

// A Table is a table of users of type T: Django's auth_user with T = [User], or one with more columns. *T is an auth.User,
// and a *Table[T] is an auth.Users[*T] and an auth.LoginRecorder[*T].
type Table[T any] struct {
	db         *DB
	name       string
	model      string // as the columns that refer to the table are named; "": by name
	extra      []column
	list       []string // the columns in the order of a row
	readers    *sync.Pool
	byIdentity func(ctx context.Context, t *Table[T], id *auth.Identity) (*T, error)
	policies   map[string]IdentityPolicy // by issuer, where there is no byIdentity
}

// Embeds is what a user type has to be: a struct that embeds [User].
type Embeds[T any] interface {
	*T
	auth.User
	Base() *User
}

// A TableConfig says where the users of a type are.
type TableConfig[T any] struct {
	// Name of the table. A Django site with AUTH_USER_MODEL = "shop.Customer" has shop_customer. Defaults to auth_user.
	Name string
	// Model is the name of Django's model, in lower case: the tables of groups and permissions call the user customer_id. Defaults
	// to what follows the last underscore of Name.
	Model string
	// ByIdentity finds, or makes, the local user whom an outside issuer knows as id; see auth.Users. t is the table, inside
	// whose Tx more can be written. Defaults to those whom [Table.LinkIdentity] linked, and to what [Table.WithIdentities] says.
	ByIdentity func(ctx context.Context, t *Table[T], id *auth.Identity) (*T, error)
}

// NewTable returns the table of users of a type that embeds [User] and adds columns:
//
//	type Customer struct {
//		userdb.User
//		Company string     `db:"company"`           // varchar(255) NOT NULL
//		Notes   string     `db:"notes,text"`        // text NOT NULL
//		Code    string     `db:"code,size=12"`      // varchar(12) NOT NULL
//		Since   *time.Time `db:"since"`             // a time, or NULL
//	}
//	customers, err := userdb.NewTable[Customer](db, userdb.TableConfig[Customer]{})
//
// Fields without a tag are not stored. A field is a string, a truth value, a number, a time.Time, bytes, a pointer to one of
// these (NULL is nil), or implements sql.Scanner and driver.Valuer. [DB.Migrate] adds the columns in a database that Cardea
// made; pass the table as MigrateOptions.Users.
func NewTable[T any, P Embeds[T]](db *DB, cfg TableConfig[T]) (*Table[T], error) {
	extra, err := extraColumns(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return newTable(db, cfg, extra), nil
}

// Users returns Django's table of users.
func (db *DB) Users() *Table[User] { return newTable(db, TableConfig[User]{}, nil) }

func newTable[T any](db *DB, cfg TableConfig[T], extra []column) *Table[T] {
	t := &Table[T]{db: db, name: cfg.Name, model: cfg.Model, extra: extra, byIdentity: cfg.ByIdentity, readers: &sync.Pool{}}
	if t.name == "" {
		t.name = "auth_user"
	}
	t.list = append(t.list, baseColumns...)
	for _, c := range extra {
		t.list = append(t.list, c.name)
	}
	return t
}

// Tx returns the same table inside the application's own transaction; see [DB.Tx].
func (t *Table[T]) Tx(tx *sql.Tx) *Table[T] { return t.in(t.db.Tx(tx)) }

func (t *Table[T]) in(db *DB) *Table[T] {
	inner := *t
	inner.db = db
	return &inner
}

// DB returns the database that the table is in.
func (t *Table[T]) DB() *DB { return t.db }

// Name returns the name of the table.
func (t *Table[T]) Name() string { return t.name }

// baseColumns are those of User, in the order that userRow scans them.
var baseColumns = []string{
	"id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active",
	"date_joined",
}

// columnList is the list of columns for a SELECT, each behind the prefix.
func (t *Table[T]) columnList(prefix string) string {
	var b strings.Builder
	for i, name := range t.list {
		if i > 0 {
			b.WriteString(", ")
		}
		name = prefix + t.db.dialect.ident(name)
		if t.isTime(i) {
			name = t.db.dialect.timeColumn(name)
		}
		b.WriteString(name)
	}
	return b.String()
}

// isTime reports whether the column at that place in the list holds a time.
func (t *Table[T]) isTime(i int) bool {
	if i < len(baseColumns) {
		return baseColumns[i] == "last_login" || baseColumns[i] == "date_joined"
	}
	return t.extra[i-len(baseColumns)].typ == timeType
}

// A column is a field that a user type has beside those of User.
type column struct {
	name  string
	index []int
	typ   reflect.Type // without the pointer
	null  bool
	size  int
	text  bool
}

// extraColumns reads the struct tags of a user type.
func extraColumns(typ reflect.Type) ([]column, error) {
	var list []column
	seen := map[string]bool{}
	for _, name := range baseColumns {
		seen[name] = true
	}
	base := reflect.TypeFor[User]()
	for _, f := range reflect.VisibleFields(typ) {
		tag, tagged := f.Tag.Lookup("db")
		if !tagged || tag == "-" {
			continue
		}
		c := column{index: f.Index, typ: f.Type}
		options := strings.Split(tag, ",")
		c.name = options[0]
		if !f.IsExported() || f.Anonymous && f.Type == base || !columnName(c.name) {
			return nil, fmt.Errorf("userdb: the field %s.%s cannot be a column %q", typ, f.Name, c.name)
		}
		if seen[c.name] {
			return nil, fmt.Errorf("userdb: the field %s.%s names the column %q, which is there already", typ, f.Name, c.name)
		}
		seen[c.name] = true
		for _, o := range options[1:] {
			if _, err := fmt.Sscanf(o, "size=%d", &c.size); err != nil && o != "text" {
				return nil, fmt.Errorf("userdb: the tag of %s.%s has an unknown option %q: text and size=N are known", typ, f.Name, o)
			}
			c.text = c.text || o == "text"
		}
		if c.typ.Kind() == reflect.Pointer {
			c.typ, c.null = c.typ.Elem(), true
		}
		list = append(list, c)
	}
	return list, nil
}

// columnName admits what needs no thought in any of the databases.
func columnName(s string) bool {
	for i, r := range s {
		if r != '_' && !(r >= 'a' && r <= 'z') && !(i > 0 && unicode.IsDigit(r)) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// oneUser runs a query for one user. A second row is an error, as in Django.
func (t *Table[T]) oneUser(ctx context.Context, op, where string, args ...any) (*T, error) {
	users, err := t.query(ctx, op, where+" LIMIT 2", args...)
	if err != nil {
		return nil, err
	}
	switch len(users) {
	case 0:
		return nil, fmt.Errorf("userdb: %s: %w", op, auth.ErrNoUser)
	case 1:
		return users[0], nil
	}
	return nil, fmt.Errorf("userdb: %s: %w", op, errSeveral)
}

var errSeveral = errors.New("several users match where one is expected")

// query returns the users that meet a condition.
func (t *Table[T]) query(ctx context.Context, op, where string, args ...any) ([]*T, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d, w := t.db.dialect, wishOf(ctx)
	columns := t.columnList("") + t.alongColumns(d.ident(t.name)+".id", w)
	rows, err := t.db.q.QueryContext(ctx, d.bind("SELECT "+columns+" FROM "+d.ident(t.name)+" WHERE "+where), args...)
	if err != nil {
		return nil, d.failed(op, err)
	}
	defer rows.Close()
	var users []*T
	r := t.reader()
	defer t.readers.Put(r)
	var came along
	dest := r.dest
	if w != plainly {
		dest = append(dest[:len(dest):len(dest)], came.dests(w)...)
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, d.failed(op, err)
		}
		brought, err := came.standing(w)
		if err != nil {
			return nil, d.failed(op, err)
		}
		if u, ok := r.user(); ok {
			t.record(u).standing = brought
			users = append(users, u)
		}
	}
	return users, d.failed(op, rows.Err())
}

func (t *Table[T]) extraColumns() []column { return t.extra }
