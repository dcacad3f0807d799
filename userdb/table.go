package userdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/cardea-go/cardea/auth"
)

// A Table is a table of users of type T: Django's auth_user with T = [User], or one with more columns, or that of a user model of
// the site's own. *T is an auth.User, and a *Table[T] is an auth.Users[*T] and an auth.LoginRecorder[*T].
type Table[T any] struct {
	db                  *DB
	name                string
	columns             [numColumns]string // those of User; "" for one that the model lacks
	keyType             KeyType
	groups, permissions joinTable

	sizes     map[int]int // of columns, in characters, where they are known
	nullEmail bool        // no address is NULL
	missing   []string    // columns that nothing here can fill
	defaults  map[string]string

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
	// Columns are those of User where the model has other names for them, or lacks them. Defaults to Django's.
	Columns Columns
	// Key is what the primary keys are. Defaults to NumberKey.
	Key KeyType
	// Groups and Permissions are the tables of whom users share permissions with, and of what they have themselves; [Absent] for a model
	// without Django's PermissionsMixin. Defaults to Name with _groups and _user_permissions behind it.
	Groups, Permissions string
	// Defaults are the values, as text, of columns that a new user needs and that nothing here knows. Defaults to none.
	Defaults map[string]string
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
	return newTable(db, cfg, extra)
}

// Users returns Django's table of users, or the one that [DB.WithUsers] was given.
func (db *DB) Users() *Table[User] {
	if db.users != nil {
		return db.users.in(db)
	}
	t, err := newTable(db, TableConfig[User]{}, nil)
	if err != nil {
		panic(err) // no default is wrong
	}
	return t
}

func newTable[T any](db *DB, cfg TableConfig[T], extra []column) (*Table[T], error) {
	t := &Table[T]{db: db, name: cfg.Name, keyType: cfg.Key, defaults: cfg.Defaults, extra: extra, byIdentity: cfg.ByIdentity, readers: &sync.Pool{}}
	if t.name == "" {
		t.name = "auth_user"
	}
	var err error
	if t.columns, err = cfg.Columns.resolve(); err != nil {
		return nil, err
	}
	t.groups = t.joinTable(cfg.Model, cfg.Groups, "groups", "group_id", "auth_group")
	t.permissions = t.joinTable(cfg.Model, cfg.Permissions, "user_permissions", "permission_id", "auth_permission")
	for name := range cfg.Defaults {
		if slices.Contains(t.columns[:], name) {
			return nil, fmt.Errorf("userdb: a default for the column %q, which every new user has a value for", name)
		}
	}
	t.list = append(t.list, t.columns[:]...)
	for _, c := range extra {
		if slices.Contains(t.columns[:], c.name) {
			return nil, fmt.Errorf("userdb: the type %s has a column %q, which is there already", reflect.TypeFor[T](), c.name)
		}
		t.list = append(t.list, c.name)
	}
	return t, nil
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

// columnList is the list of columns for a SELECT, each behind the prefix.
func (t *Table[T]) columnList(prefix string) string {
	var b strings.Builder
	for i, name := range t.list {
		if i > 0 {
			b.WriteString(", ")
		}
		if name == "" {
			b.WriteString("NULL")
			continue
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
	if i < numColumns {
		return i == colLastLogin || i == colJoined
	}
	return t.extra[i-numColumns].typ == timeType
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
	columns := t.columnList("") + t.alongColumns(d.ident(t.name)+"."+t.column(colID), w)
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

func (t *Table[T]) keyColumn() string { return t.columns[colID] }

func (t *Table[T]) plain() bool { return t.columns == baseColumns && t.keyType == NumberKey }
