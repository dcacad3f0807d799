package userdb

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// A table of Django's, with the statements that make it and its indexes.
type djangoTable struct {
	name  string
	stmts []string
}

// djangoTables reads the dialect's file, whose statements end in a semicolon at the end of a line.
func (d *Dialect) djangoTables() []djangoTable {
	raw, err := schemaFiles.ReadFile(d.schema)
	if err != nil {
		panic("userdb: " + err.Error()) // it is in the binary
	}
	var list []djangoTable
	for _, stmt := range strings.SplitAfter(string(raw), ";\n") {
		var lines []string
		for _, l := range strings.Split(stmt, "\n") {
			if l != "" && !strings.HasPrefix(l, "--") {
				lines = append(lines, l)
			}
		}
		text := strings.TrimSuffix(strings.Join(lines, "\n"), ";")
		if text == "" {
			continue
		}
		if name, ok := strings.CutPrefix(text, "CREATE TABLE "); ok {
			name, _, _ = strings.Cut(name, " ")
			list = append(list, djangoTable{name: strings.Trim(name, `"`)})
		}
		t := &list[len(list)-1]
		t.stmts = append(t.stmts, text)
	}
	return list
}

// djangoMigrations are those that make the tables, in the order in which Django applies them.
var djangoMigrations = [...][2]string{
	{"contenttypes", "0001_initial"},
	{"contenttypes", "0002_remove_content_type_name"},
	{"auth", "0001_initial"},
	{"auth", "0002_alter_permission_name_max_length"},
	{"auth", "0003_alter_user_email_max_length"},
	{"auth", "0004_alter_user_username_opts"},
	{"auth", "0005_alter_user_last_login_null"},
	{"auth", "0006_require_contenttypes_0002"},
	{"auth", "0007_alter_validators_add_error_messages"},
	{"auth", "0008_alter_user_username_max_length"},
	{"auth", "0009_alter_user_last_name_max_length"},
	{"auth", "0010_alter_group_name_max_length"},
	{"auth", "0011_update_proxy_permissions"},
	{"auth", "0012_alter_user_first_name_max_length"},
	{"sessions", "0001_initial"},
}

// djangoModels are the rows of django_content_type, with the name of the model in permissions.
var djangoModels = [...]struct{ app, model, verbose string }{
	{"auth", "permission", "permission"},
	{"auth", "group", "group"},
	{"auth", "user", "user"},
	{"contenttypes", "contenttype", "content type"},
	{"sessions", "session", "session"},
}

// django makes Django's tables and the rows that Django's migrate leaves in them.
func (m *migration) django() error {
	for _, t := range m.db.dialect.djangoTables() {
		if m.report.Owner == OwnedByDjango && t.name != "django_session" {
			continue
		}
		if err := m.create(t.name, t.stmts...); err != nil {
			return err
		}
	}
	for _, row := range djangoMigrations {
		if m.report.Owner == OwnedByDjango && (row[0] != "sessions" || !m.tables["django_migrations"]) {
			continue
		}
		err := m.insert("django_migrations", fmt.Sprintf("app = '%s' AND name = '%s'", row[0], row[1]),
			fmt.Sprintf("(app, name, applied) VALUES ('%s', '%s', '%s')", row[0], row[1], m.stampLiteral()))
		if err != nil {
			return err
		}
	}
	if m.report.Owner == OwnedByDjango {
		return nil
	}
	for _, c := range djangoModels {
		err := m.insert("django_content_type", fmt.Sprintf("app_label = '%s' AND model = '%s'", c.app, c.model),
			fmt.Sprintf("(app_label, model) VALUES ('%s', '%s')", c.app, c.model))
		if err != nil {
			return err
		}
	}
	for _, c := range djangoModels {
		for _, action := range [...]string{"add", "change", "delete", "view"} {
			of := fmt.Sprintf("FROM django_content_type WHERE app_label = '%s' AND model = '%s'", c.app, c.model)
			err := m.insert("auth_permission", fmt.Sprintf("codename = '%s_%s' AND content_type_id IN (SELECT id %s)", action, c.model, of),
				fmt.Sprintf("(name, content_type_id, codename) SELECT 'Can %s %s', id, '%s_%s' %s", action, c.verbose, action, c.model, of))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// stampLiteral is the time of this run as SQL text.
func (m *migration) stampLiteral() string {
	text := m.now.UTC().Format(timeTextMicro)
	if m.db.dialect == PostgreSQL {
		return text + "+00"
	}
	return text
}

// insert adds a row unless one that meets the condition is there.
func (m *migration) insert(table, condition, rest string) error {
	if m.dry == nil || !m.planned(table) {
		var n int
		if err := m.db.q.QueryRowContext(m.ctx, "SELECT COUNT(*) FROM "+table+" WHERE "+condition).Scan(&n); err != nil {
			return fmt.Errorf("look into %s: %w", table, err)
		}
		if n > 0 {
			return nil
		}
	}
	return m.do("INSERT INTO " + table + " " + rest)
}
