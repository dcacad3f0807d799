package userdb

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// cardeaTables are Cardea's own, beside cardea_meta.
var cardeaTables = []string{"cardea_session", "cardea_rotated", "cardea_throttle", "cardea_setup", "cardea_outbox", "cardea_link", "cardea_identity", "cardea_token", "cardea_once"}

// mark makes cardea_meta and notes in it who made the database.
func (m *migration) mark() error {
	err := m.create("cardea_meta", "CREATE TABLE cardea_meta (name varchar(40) NOT NULL PRIMARY KEY, value varchar(255) NOT NULL)"+m.engine())
	if err != nil {
		return err
	}
	err = m.insert("cardea_meta", "name = 'made_by'", fmt.Sprintf("(name, value) VALUES ('made_by', '%s')", m.report.Owner))
	if err != nil {
		return err
	}
	return m.insert("cardea_meta", "name = 'version'", fmt.Sprintf("(name, value) VALUES ('version', '%d')", schemaVersion))
}

// engine ends a CREATE TABLE of ours. On MySQL text then differs when its bytes do.
func (m *migration) engine() string {
	if m.db.dialect == MySQL {
		return " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	}
	return ""
}

// cardea makes Cardea's own tables.
func (m *migration) cardea() error {
	moment := m.db.dialect.moment()
	key, err := m.columnType("django_session", "session_key", "varchar(40)")
	if err != nil {
		return err
	}
	users := m.userTableName()
	id, err := m.userKeyType()
	if err != nil {
		return err
	}
	for _, t := range [...]djangoTable{
		{"cardea_session", []string{
			"CREATE TABLE cardea_session (" +
				"session_key " + key + " NOT NULL PRIMARY KEY" + m.references("", "django_session", "session_key") + ", " +
				"user_id " + id + " NULL" + m.references("", users, m.userKey()) + ", " +
				"created_at " + moment + " NOT NULL, " +
				"last_seen " + moment + " NOT NULL, " +
				"address varchar(45) NOT NULL, " +
				"user_agent varchar(255) NOT NULL" +
				m.references("session_key", "django_session", "session_key") + m.references("user_id", users, m.userKey()) + ")" + m.engine(),
			"CREATE INDEX cardea_session_user_id ON cardea_session (user_id)",
		}},
		{"cardea_rotated", []string{
			"CREATE TABLE cardea_rotated (old_key varchar(40) NOT NULL PRIMARY KEY, new_key varchar(40) NOT NULL, " +
				"rotated_at " + moment + " NOT NULL)" + m.engine(),
			"CREATE INDEX cardea_rotated_at ON cardea_rotated (rotated_at)",
		}},
		{"cardea_throttle", []string{
			"CREATE TABLE cardea_throttle (name varchar(64) NOT NULL PRIMARY KEY, full_at bigint NOT NULL)" + m.engine(),
			"CREATE INDEX cardea_throttle_full_at ON cardea_throttle (full_at)",
		}},
		{"cardea_setup", []string{
			"CREATE TABLE cardea_setup (token_hash varchar(40) NOT NULL PRIMARY KEY, created_at " + moment + " NOT NULL, " +
				"expires_at " + moment + " NOT NULL, used_at " + moment + " NULL)" + m.engine(),
		}},
		m.outboxTable(),
		m.linkTable(users, id),
		m.identityTable(users, id),
		m.tokenTable(users, id),
		m.onceTable(),
	} {
		if err := m.create(t.name, t.stmts...); err != nil {
			return err
		}
	}
	return nil
}

// moment is the type of a time.
func (d *Dialect) moment() string {
	switch d {
	case PostgreSQL:
		return "timestamp with time zone"
	case MySQL:
		return "datetime(6)"
	}
	return "datetime"
}

// references makes a foreign key that lets Django delete what it refers to: behind the column, or, on MySQL, where that form
// is read and forgotten, at the end of the table with the column named.
func (m *migration) references(column, table, target string) string {
	to := " REFERENCES " + m.db.dialect.ident(table) + " (" + target + ") ON DELETE CASCADE"
	switch {
	case m.db.dialect == MySQL && column != "":
		return ", CONSTRAINT cardea_session_" + column + "_fk FOREIGN KEY (" + column + ")" + to
	case m.db.dialect != MySQL && column == "":
		return to + " DEFERRABLE INITIALLY DEFERRED"
	}
	return ""
}

// columnType returns the type of a column as it is in the database, so that a foreign key to it fits: a site's own user
// table may have a UUID for its key, and a database may have changed its collation since.
func (m *migration) columnType(table, column, otherwise string) (string, error) {
	var (
		typ, collation   string
		charset, collate sql.NullString
		err              error
	)
	if m.dry != nil && m.planned(table) {
		if m.db.dialect == MySQL && column != "id" { // the text that Django's tables get
			err := m.db.q.QueryRowContext(m.ctx, "SELECT CONCAT(' CHARACTER SET ', @@character_set_database, ' COLLATE ', @@collation_database)").Scan(&collation)
			return otherwise + collation, err
		}
		return otherwise, nil
	}
	switch m.db.dialect {
	case PostgreSQL:
		err = m.db.row(m.ctx, "SELECT format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = "+
			"to_regclass(quote_ident(?)) AND attname = ? AND NOT attisdropped", table, column).Scan(&typ)
	case MySQL:
		err = m.db.row(m.ctx, "SELECT column_type, character_set_name, collation_name FROM information_schema.columns "+
			"WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?", table, column).Scan(&typ, &charset, &collate)
		if charset.Valid {
			typ += " CHARACTER SET " + charset.String + " COLLATE " + collate.String
		}
	default:
		err = m.db.row(m.ctx, "SELECT type FROM pragma_table_info(?) WHERE name = ?", table, column).Scan(&typ)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("the table %s has no column %s", table, column)
	}
	return typ, err
}

func (m *migration) userTableName() string {
	if m.users == nil {
		return "auth_user"
	}
	return m.users.Name()
}

// userKey is the primary key of the table of users, as it stands in a statement.
func (m *migration) userKey() string {
	if name := m.userKeyName(); name != "id" {
		return m.db.dialect.ident(name)
	}
	return "id"
}

func (m *migration) userKeyName() string {
	if m.users == nil {
		return "id"
	}
	return m.users.keyColumn()
}

// userKeyType is the type of what refers to a user.
func (m *migration) userKeyType() (string, error) {
	return m.columnType(m.userTableName(), m.userKeyName(), "integer")
}

// userTable sees to it that the table of users has the columns of the site's user type.
func (m *migration) userTable() error {
	name := m.userTableName()
	if !m.tables[name] {
		if m.report.Owner == OwnedByDjango {
			return fmt.Errorf("there is no table %s: name the site's AUTH_USER_MODEL, in the setting auth_user_model or in userdb.TableConfig", name)
		}
		if !m.users.plain() {
			return fmt.Errorf("there is no table %s, and only one with the columns of auth_user can be made", name)
		}
		if err := m.create(name, m.copyOfUsers(name)); err != nil {
			return err
		}
	}
	if m.users == nil {
		return nil
	}
	var missing []string
	for _, c := range m.users.extraColumns() {
		if m.dry == nil || !m.planned(name) {
			if _, err := m.columnType(name, c.name, ""); err == nil {
				continue
			}
		}
		missing = append(missing, c.name)
		if m.report.Owner == OwnedByDjango {
			continue
		}
		def, err := m.db.dialect.definition(c)
		if err != nil {
			return err
		}
		d := m.db.dialect
		if err := m.do("ALTER TABLE " + d.ident(name) + " ADD COLUMN " + d.ident(c.name) + " " + def); err != nil {
			return err
		}
		m.report.Added = append(m.report.Added, name+"."+c.name)
	}
	if m.report.Owner == OwnedByDjango && len(missing) > 0 {
		return fmt.Errorf("the table %s has no column %s, and tables of Django are altered by Django's migrations only",
			name, strings.Join(missing, ", "))
	}
	return nil
}

// copyOfUsers makes a table like auth_user under another name.
func (m *migration) copyOfUsers(name string) string {
	for _, t := range m.db.dialect.djangoTables() {
		if t.name == "auth_user" {
			d := m.db.dialect
			stmt := t.stmts[0]
			i := strings.Index(stmt, "(")
			return "CREATE TABLE " + d.ident(name) + " " + stmt[i:]
		}
	}
	panic("userdb: the schema has no auth_user")
}

// definition is the type of a column of a user type. Its default lets a program that does not know the column add rows.
func (d *Dialect) definition(c column) (string, error) {
	typ, zero := "", "0"
	switch {
	case c.typ == timeType:
		typ, zero = d.moment(), "'1970-01-01 00:00:00'"
	case c.typ.Kind() == reflect.String && c.text:
		typ, zero = map[*Dialect]string{SQLite: "text", PostgreSQL: "text", MySQL: "longtext"}[d], "('')"
	case c.typ.Kind() == reflect.String:
		size := c.size
		if size == 0 {
			size = 255
		}
		typ, zero = fmt.Sprintf("varchar(%d)", size), "''"
	case c.typ.Kind() == reflect.Bool:
		typ, zero = map[*Dialect]string{SQLite: "bool", PostgreSQL: "boolean", MySQL: "bool"}[d], "false"
	case c.typ.Kind() >= reflect.Int && c.typ.Kind() <= reflect.Uint64:
		typ = "bigint"
	case c.typ.Kind() == reflect.Float32 || c.typ.Kind() == reflect.Float64:
		typ = map[*Dialect]string{SQLite: "real", PostgreSQL: "double precision", MySQL: "double precision"}[d]
	case c.typ == reflect.TypeFor[[]byte]():
		typ, zero = map[*Dialect]string{SQLite: "BLOB", PostgreSQL: "bytea", MySQL: "longblob"}[d], "('')"
	default:
		return "", fmt.Errorf("no type is known for the column %s (%s): add it to the table yourself", c.name, c.typ)
	}
	if c.null {
		return typ + " NULL", nil
	}
	return typ + " NOT NULL DEFAULT " + zero, nil
}
