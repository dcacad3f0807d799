package userdb

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cardea-go/cardea/perm"
)

// A Model is one of an app's models, as Django's content types and permissions know it.
type Model struct {
	Name    string            // in lower case and without blanks, "blogpost"
	Verbose string            // what people call it, "blog post". Defaults to Name
	Actions []string          // Meta.default_permissions; nil means add, change, delete and view, an empty slice none
	More    []perm.Permission // Meta.permissions, for example {"publish_blogpost", "Can publish blog post"}
}

func (m *Model) permissions() []perm.Permission {
	verbose := m.Verbose
	if verbose == "" {
		verbose = m.Name
	}
	if m.Actions == nil {
		return append(perm.Defaults(m.Name, verbose), m.More...)
	}
	return append(perm.ForActions(m.Name, verbose, m.Actions...), m.More...)
}

// EnsurePermissions makes the content types and permissions of an app's models that are not there yet, as Django's migrate
// does after the app's migrations. What is there stays as it is, also permissions that the models no longer name. It can be
// called at each start; two processes that do so at once do not disturb each other. A name that does not fit is a [FieldError].
func (db *DB) EnsurePermissions(ctx context.Context, app string, models ...Model) error {
	const op = "make permissions"
	if err := checkModels(app, models); err != nil {
		return fmt.Errorf("userdb: %s: %w", op, err)
	}
	err := db.atomically(ctx, func(ctx context.Context, tx *DB) error {
		types, err := tx.contentTypes(ctx, app, models)
		if err != nil {
			return err
		}
		return tx.addPermissions(ctx, app, types, models)
	})
	return db.dialect.failed(op, err)
}

// contentTypes returns the ids of an app's models, and makes those that are missing.
func (db *DB) contentTypes(ctx context.Context, app string, models []Model) (map[string]int64, error) {
	d := db.dialect
	types := map[string]int64{}
	read := func() error {
		return db.each(ctx, "SELECT id, model FROM django_content_type WHERE "+d.is("app_label"), d.same(nil, app), func(scan func(...any) error) error {
			var id int64
			var model string
			err := scan(&id, &model)
			types[model] = id
			return err
		})
	}
	if err := read(); err != nil {
		return nil, err
	}
	var missing []any
	for _, m := range models {
		if types[m.Name] == 0 {
			missing = append(missing, app, m.Name)
		}
	}
	if len(missing) == 0 {
		return types, nil
	}
	if err := db.insertMissing(ctx, "django_content_type", []string{"app_label", "model"}, missing); err != nil {
		return nil, err
	}
	if err := read(); err != nil { // another process may have made them
		return nil, err
	}
	for _, m := range models {
		if types[m.Name] == 0 { // MySQL: one that differs by case or accents only
			return nil, fmt.Errorf("the content type %s.%s is taken by one that the database takes for equal", app, m.Name)
		}
	}
	return types, nil
}

func (db *DB) addPermissions(ctx context.Context, app string, types map[string]int64, models []Model) error {
	type key struct {
		model    int64
		codename string
	}
	d := db.dialect
	have := map[key]bool{}
	err := db.each(ctx, "SELECT p.content_type_id, p.codename FROM auth_permission p "+ofType+" WHERE "+d.is("ct.app_label"), d.same(nil, app),
		func(scan func(...any) error) error {
			var k key
			err := scan(&k.model, &k.codename)
			have[k] = true
			return err
		})
	if err != nil {
		return err
	}
	var missing []any
	for _, m := range models {
		for _, p := range m.permissions() {
			if k := (key{types[m.Name], p.Codename}); !have[k] {
				have[k] = true
				missing = append(missing, p.Text, k.model, p.Codename)
			}
		}
	}
	return db.insertMissing(ctx, "auth_permission", []string{"name", "content_type_id", "codename"}, missing)
}

// insertMissing adds rows, a row for each len(columns) values, and passes over those that are there by now.
func (db *DB) insertMissing(ctx context.Context, table string, columns []string, values []any) error {
	d, n := db.dialect, len(columns)
	for len(values) > 0 {
		part := values[:min(batch*n, len(values))]
		values = values[len(part):]
		row := "(" + marks(n) + ")"
		query := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
			strings.TrimSuffix(strings.Repeat(row+", ", len(part)/n), ", ")
		if d == MySQL {
			query += " ON DUPLICATE KEY UPDATE " + columns[0] + " = " + columns[0]
		} else {
			query += d.nothing
		}
		if _, err := db.exec(ctx, query, part...); err != nil {
			return err
		}
	}
	return nil
}

func checkModels(app string, models []Model) error {
	check := func(column, value string, longest int) error {
		switch {
		case value == "":
			return &FieldError{column, "is empty"}
		case !storable(value):
			return &FieldError{column, "contains a NUL or is not UTF-8"}
		case utf8.RuneCountInString(value) > longest:
			return &FieldError{column, fmt.Sprintf("is longer than %d characters: %.60q", longest, value)}
		}
		return nil
	}
	if err := check("app_label", app, 100); err != nil {
		return err
	}
	if strings.Contains(app, ".") {
		return &FieldError{"app_label", "contains a dot, behind which the name of a permission begins"}
	}
	for _, m := range models {
		if err := check("model", m.Name, 100); err != nil {
			return err
		}
		if m.Name != strings.ToLower(m.Name) {
			return &FieldError{"model", fmt.Sprintf("is not in lower case: %q", m.Name)}
		}
		for _, p := range m.permissions() {
			if err := check("codename", p.Codename, 100); err != nil {
				return err
			}
			if err := check("name", p.Text, 255); err != nil {
				return err
			}
		}
	}
	return nil
}

// A Permission is one that exists.
type Permission struct {
	Name  string // "blog.add_post", what perm.Perms.Has takes
	Text  string // "Can add post"
	App   string // "blog"
	Model string // "post"
}

// Permissions returns all permissions that there are, by app, model and codename.
func (db *DB) Permissions(ctx context.Context) ([]Permission, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var list []Permission
	err := db.each(ctx, "SELECT ct.app_label, ct.model, p.codename, p.name FROM auth_permission p "+ofType+
		" ORDER BY ct.app_label, ct.model, p.codename", nil, func(scan func(...any) error) error {
		var p Permission
		err := scan(&p.App, &p.Model, &p.Name, &p.Text)
		p.Name = p.App + "." + p.Name
		list = append(list, p)
		return err
	})
	return list, db.dialect.failed("list the permissions", err)
}
