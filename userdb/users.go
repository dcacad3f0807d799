package userdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/password"
)

// ByID returns the user with this primary key, active or not, or auth.ErrNoUser, also for an id that
// no key of the table could be.
func (t *Table[T]) ByID(ctx context.Context, id string) (*T, error) {
	key, ok := t.parseKey(id)
	if !ok {
		return nil, fmt.Errorf("userdb: user by id: %w", auth.ErrNoUser)
	}
	return t.oneUser(ctx, "user by id", t.byKey(), key)
}

// ByIdentity returns the local user whom an outside issuer knows: by TableConfig.ByIdentity, or else by what is linked and by the
// policies of [Table.WithIdentities].
func (t *Table[T]) ByIdentity(ctx context.Context, id *auth.Identity) (*T, error) {
	if t.byIdentity == nil {
		return t.provision(ctx, id)
	}
	return t.byIdentity(ctx, t, id)
}

// ByName returns the user of this name, active or not, or auth.ErrNoUser. As in Django, the name is compared as the database
// compares: MySQL takes joe, JOE and "joe " for one, the others do not.
func (t *Table[T]) ByName(ctx context.Context, username string) (*T, error) {
	if !storable(username) {
		return nil, fmt.Errorf("userdb: user by name: %w", auth.ErrNoUser)
	}
	return t.oneUser(ctx, "user by name", t.column(colUsername)+" = ?", username)
}

// ByEmail returns the users with this address, whatever its case, oldest first, active or not. Addresses that only the
// database takes for equal, such as mıke@ and mike@, are not.
func (t *Table[T]) ByEmail(ctx context.Context, address string) ([]*T, error) {
	if address == "" || !storable(address) || !t.HasEmail() {
		return nil, nil
	}
	where, arg := t.sameText(colEmail, address)
	found, err := t.query(ctx, "users by e-mail", where+" ORDER BY "+t.column(colID), arg)
	if err != nil {
		return nil, err
	}
	want := fold(address)
	kept := found[:0]
	for _, u := range found {
		if fold(t.record(u).Email) == want {
			kept = append(kept, u)
		}
	}
	return kept, nil
}

// sameText is the condition that a column holds a text, whatever its case, and its argument. The column is there.
func (t *Table[T]) sameText(column int, text string) (where string, arg any) {
	name := t.column(column)
	switch t.db.dialect {
	case PostgreSQL:
		return "UPPER(" + name + ") = UPPER(?)", text
	case MySQL: // \ escapes unless it is told otherwise
		return name + " LIKE ?", escapeLike(text)
	}
	return name + " LIKE ? ESCAPE '\\'", escapeLike(text)
}

// fold is the form in which Django compares addresses: NFKC and case folding.
func fold(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(s string) string { return likeEscapes.Replace(s) }

// storable is false for text that PostgreSQL cannot hold, and that therefore is nobody's.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// record returns the User inside u.
func (t *Table[T]) record(u *T) *User { return any(u).(interface{ Base() *User }).Base() }

// Count returns the number of users.
func (t *Table[T]) Count(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var n int
	err := t.db.row(ctx, "SELECT COUNT(*) FROM "+t.db.dialect.ident(t.name)).Scan(&n)
	return n, t.db.dialect.failed("count the users", err)
}

// A FieldError says what is wrong with a value that was to be stored.
type FieldError struct {
	Column string // for example "username"
	Reason string // for example "is empty"
}

func (e *FieldError) Error() string { return e.Column + " " + e.Reason }

// Create stores a new user and sets its ID. User name and e-mail address are normalised, an empty Password becomes an
// unusable one, and a zero DateJoined becomes now. IsActive is taken as it is: set it. A taken user name is an [ErrDuplicate]; on MySQL
// that is any name that differs only by case, accents or trailing blanks.
func (t *Table[T]) Create(ctx context.Context, u *T) error {
	rec := t.record(u)
	t.normalize(rec)
	if rec.Password == "" {
		rec.Password = password.Unusable()
	}
	return t.insert(ctx, u)
}

// insert stores a new user as it is.
func (t *Table[T]) insert(ctx context.Context, u *T) error {
	rec, d := t.record(u), t.db.dialect
	if rec.DateJoined.IsZero() {
		rec.DateJoined = time.Now()
	}
	rec.DateJoined = rec.DateJoined.UTC().Truncate(time.Microsecond)
	if err := t.check(rec); err != nil {
		return fmt.Errorf("userdb: create a user: %w", err)
	}
	if len(t.missing) > 0 {
		return fmt.Errorf("userdb: create a user: %w: %s.%s; make the user with the program whose table it is", ErrMissing, t.name, strings.Join(t.missing, ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	names, args := t.writable(u)
	names, args = append(names, t.columns[colPassword]), append(args, rec.Password)
	if name := t.columns[colLastLogin]; name != "" {
		names, args = append(names, name), append(args, d.nullTime(rec.LastLogin))
	}
	for _, name := range slices.Sorted(maps.Keys(t.defaults)) {
		names, args = append(names, name), append(args, t.defaults[name])
	}
	if t.keyType == UUIDKey {
		if rec.Key == "" {
			rec.Key = newUUID()
		}
		names, args = append(names, t.columns[colID]), append(args, t.key(rec))
	}
	query := "INSERT INTO " + d.ident(t.name) + " (" + d.idents(names) + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) + ")"
	var err error
	switch {
	case t.keyType == UUIDKey:
		_, err = t.db.exec(ctx, query, args...)
	case d.returning:
		err = t.db.row(ctx, query+" RETURNING "+t.column(colID), args...).Scan(&rec.ID)
	default:
		rec.ID, err = t.db.insertID(ctx, query, args...)
	}
	if dup, ok := d.duplicate(err, names...); ok {
		return fmt.Errorf("userdb: create a user: %w", dup)
	}
	return d.failed("create a user", err)
}

// Update stores all fields of a user except the password and the time of the last login, which have methods of their own. A
// user who is gone is auth.ErrNoUser, and a taken user name an [ErrDuplicate].
func (t *Table[T]) Update(ctx context.Context, u *T) error {
	rec, d := t.record(u), t.db.dialect
	if err := t.check(rec); err != nil {
		return fmt.Errorf("userdb: update a user: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	names, args := t.writable(u)
	args = append(args, t.key(rec))
	var set []string
	for _, n := range names {
		set = append(set, d.ident(n)+" = ?")
	}
	n, err := t.db.exec(ctx, "UPDATE "+d.ident(t.name)+" SET "+strings.Join(set, ", ")+" WHERE "+t.byKey(), args...)
	if dup, ok := d.duplicate(err, names...); ok {
		return fmt.Errorf("userdb: update a user: %w", dup)
	}
	return t.found("update a user", n, err)
}

// writable returns the columns that Update writes, and their values.
func (t *Table[T]) writable(u *T) (names []string, values []any) {
	names, values = t.writes(t.record(u))
	for _, c := range t.extra {
		names = append(names, c.name)
	}
	return names, append(values, t.values(u)...)
}

// SetPassword stores an encoded password, in the table and in u. It ends the user's other sessions. A user who is gone is auth.ErrNoUser.
func (t *Table[T]) SetPassword(ctx context.Context, u *T, encoded string) error {
	return t.setPassword(ctx, t.record(u), encoded)
}

func (t *Table[T]) setPassword(ctx context.Context, rec *User, encoded string) error {
	if n := t.size(colPassword); utf8.RuneCountInString(encoded) > n {
		return fmt.Errorf("userdb: set a password: %w", &FieldError{"password", fmt.Sprintf("is longer than %d characters", n)})
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := t.db.dialect
	n, err := t.db.exec(ctx, "UPDATE "+d.ident(t.name)+" SET "+t.column(colPassword)+" = ? WHERE "+t.byKey(), encoded, t.key(rec))
	if err := t.found("set a password", n, err); err != nil {
		return err
	}
	rec.Password = encoded
	return nil
}

// upgradePassword replaces an encoded password by a newer form of the same one, unless it was changed meanwhile: a slow
// re-hash must never undo a change of the password. It reports whether it did.
func (t *Table[T]) upgradePassword(ctx context.Context, rec *User, encoded string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	d := t.db.dialect
	args := d.same([]any{encoded, t.key(rec)}, rec.Password)
	n, err := t.db.exec(ctx, "UPDATE "+d.ident(t.name)+" SET "+t.column(colPassword)+" = ? WHERE "+t.byKey()+" AND "+d.is(t.column(colPassword)), args...)
	if err != nil {
		return false, d.failed("upgrade a password", err)
	}
	if n == 1 {
		rec.Password = encoded
	}
	return n == 1, nil
}

// RecordLogin stores the time of the last login, in the table and in u, and nothing else; where the model has no place for it, nothing.
func (t *Table[T]) RecordLogin(ctx context.Context, u *T, at time.Time) error {
	rec, d := t.record(u), t.db.dialect
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if t.columns[colLastLogin] == "" {
		return nil
	}
	n, err := t.db.exec(ctx, "UPDATE "+d.ident(t.name)+" SET "+t.column(colLastLogin)+" = ? WHERE "+t.byKey(), d.time(at), t.key(rec))
	if err := t.found("record a login", n, err); err != nil {
		return err
	}
	at = at.UTC().Truncate(time.Microsecond)
	rec.LastLogin = &at
	return nil
}

// found turns the answer to an UPDATE of one user into an error.
func (t *Table[T]) found(op string, n int64, err error) error {
	if err == nil && n == 0 {
		return fmt.Errorf("userdb: %s: %w", op, auth.ErrNoUser)
	}
	return t.db.dialect.failed(op, err)
}

// CreateUser stores a new user in Django's table; see [Table.Create].
func (db *DB) CreateUser(ctx context.Context, n NewUser) (*User, error) {
	u := &User{
		Password: n.PasswordHash, Username: n.Username, FirstName: n.FirstName, LastName: n.LastName, Email: n.Email,
		IsStaff: n.IsStaff, IsSuperuser: n.IsSuperuser, IsActive: !n.Inactive, DateJoined: n.Joined,
	}
	if err := db.Users().Create(ctx, u); err != nil {
		return nil, err
	}
	return u, nil
}

// CreateSuperuser is CreateUser with IsStaff and IsSuperuser set, or the one of them that the model has.
func (db *DB) CreateSuperuser(ctx context.Context, n NewUser) (*User, error) {
	users := db.Users()
	n.IsStaff, n.IsSuperuser = users.columns[colStaff] != "", users.columns[colSuperuser] != ""
	if !n.IsStaff && !n.IsSuperuser {
		return nil, fmt.Errorf("userdb: create a superuser: %w", &FieldError{"is_superuser", "is not in the table " + users.name})
	}
	return db.CreateUser(ctx, n)
}

// UserByID returns a user of Django's table by primary key, or auth.ErrNoUser.
func (db *DB) UserByID(ctx context.Context, id string) (*User, error) {
	return db.Users().ByID(ctx, id)
}

// UserByName returns a user of Django's table by name, or auth.ErrNoUser; see [Table.ByName].
func (db *DB) UserByName(ctx context.Context, username string) (*User, error) {
	return db.Users().ByName(ctx, username)
}

// UsersByEmail returns the users of Django's table with this address; see [Table.ByEmail].
func (db *DB) UsersByEmail(ctx context.Context, address string) ([]*User, error) {
	return db.Users().ByEmail(ctx, address)
}

// SetPassword stores an encoded password, in Django's table and in u.
func (db *DB) SetPassword(ctx context.Context, u *User, encoded string) error {
	return db.Users().SetPassword(ctx, u, encoded)
}

// RecordLogin stores the time of the last login, in Django's table and in u.
func (db *DB) RecordLogin(ctx context.Context, u *User, at time.Time) error {
	return db.Users().RecordLogin(ctx, u, at)
}

// CountUsers returns the number of users in Django's table.
func (db *DB) CountUsers(ctx context.Context) (int, error) { return db.Users().Count(ctx) }

// insertID runs an INSERT on a database without RETURNING and gives the new key.
func (db *DB) insertID(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := db.q.ExecContext(ctx, db.dialect.bind(query), args...)
	if err != nil {
		return 0, err
	}
	id, err := res.LastInsertId()
	if err == nil && id == 0 {
		err = errors.New("the driver gave no key for the new row")
	}
	return id, err
}
