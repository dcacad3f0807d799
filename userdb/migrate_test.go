package userdb_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// record a real Django's database: go test -run TestSchema -django sqlite:/path/of/a/database ./userdb
var django = flag.String("django", "", "URL of a database that Django's migrate made, to be recorded in testdata")

// schemaQueries ask a database for all that Django's migrate leaves in it, in an order that does not depend on how it was made.
var schemaQueries = map[string][]string{
	"sqlite": {
		"SELECT type || ' ' || name || ' ' || sql FROM sqlite_master WHERE tbl_name NOT LIKE 'cardea%' AND sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type, name",
	},
	"postgres": {
		`SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' null=' || (NOT a.attnotnull) ||
			' identity=' || a.attidentity::text || ' at ' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname NOT LIKE 'cardea%' ORDER BY 1`,
		`SELECT 'constraint ' || c.relname || ' ' || o.conname || ' ' || pg_get_constraintdef(o.oid)
			FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'public' AND c.relname NOT LIKE 'cardea%' ORDER BY 1`,
		"SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'cardea%' ORDER BY 1",
	},
	"mysql": {
		`SELECT CONCAT_WS(' ', 'column', table_name, column_name, REGEXP_REPLACE(column_type, 'int\\([0-9]{2}\\)', 'int'), is_nullable, extra, 'at', ordinal_position)
			FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name NOT LIKE 'cardea%' ORDER BY 1`,
		`SELECT CONCAT_WS(' ', 'index', table_name, index_name, IF(non_unique, 'plain', 'unique'), seq_in_index, column_name)
			FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name NOT LIKE 'cardea%' ORDER BY 1`,
		`SELECT CONCAT_WS(' ', 'key', table_name, constraint_name, column_name, referenced_table_name, referenced_column_name)
			FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name NOT LIKE 'cardea%' ORDER BY 1`,
		`SELECT CONCAT_WS(' ', 'rule', table_name, constraint_name, update_rule, delete_rule)
			FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() AND table_name NOT LIKE 'cardea%' ORDER BY 1`,
	},
}

// rowQueries are the rows that Django's migrate leaves in the tables.
var rowQueries = []string{
	"SELECT %s FROM django_migrations ORDER BY id|app|name",
	"SELECT %s FROM django_content_type ORDER BY id|id|app_label|model",
	"SELECT %s FROM auth_permission ORDER BY id|id|content_type_id|codename|name",
}

// schema describes the database.
func schema(t testing.TB, db *userdb.DB) string {
	t.Helper()
	kind := db.Dialect().String()
	queries := slices.Clone(schemaQueries[kind])
	for _, q := range rowQueries {
		parts := strings.Split(q, "|")
		columns := "CONCAT_WS(' ', " + strings.Join(parts[1:], ", ") + ")"
		if kind == "sqlite" {
			columns = strings.Join(parts[1:], " || ' ' || ")
		}
		queries = append(queries, fmt.Sprintf(parts[0], columns))
	}
	var b strings.Builder
	for _, q := range queries {
		rows, err := db.Pool().QueryContext(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			b.WriteString(line + "\n")
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestSchemaRecord records a real Django's database in testdata, when it is told which.
func TestSchemaRecord(t *testing.T) {
	if *django == "" {
		return // it is for recording anew
	}
	db, err := userdb.OpenURL(t.Context(), *django)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := os.WriteFile(golden(db), []byte(schema(t, db)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func golden(db *userdb.DB) string {
	return filepath.Join("testdata", "django-"+db.Dialect().String()+".txt")
}

func recorded(t testing.TB, db *userdb.DB) string {
	t.Helper()
	raw, err := os.ReadFile(golden(db))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// wantLines compares two descriptions line by line.
func wantLines(t testing.TB, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range g {
		if !slices.Contains(w, line) {
			t.Errorf("+ %s", line)
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			t.Errorf("- %s", line)
		}
	}
	if got != want && !t.Failed() {
		t.Error("the order differs")
	}
}

// TestSchema: Migrate makes what a real Django made when it was recorded, and a second one has nothing to do.
func TestSchema(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		for i, want := range []int{9 + userdb.OwnTables(), 0} { // nine are Django's
			report, err := db.Migrate(t.Context(), userdb.MigrateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Created) != want || report.Owner != userdb.OwnedByCardea {
				t.Errorf("run %d: got %+v, want %d tables", i, report, want)
			}
			wantLines(t, schema(t, db), recorded(t, db))
		}
		if ok, err := db.Migrated(t.Context()); !ok || err != nil {
			t.Errorf("Migrated: got %v and %v", ok, err)
		}
	})
}

// TestDryRun: what a dry run prints makes the same database, and a dry run itself changes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		var b bytes.Buffer
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{DryRun: &b}); err != nil {
			t.Fatal(err)
		}
		if owner, err := db.Owner(t.Context()); owner != userdb.Empty || err != nil {
			t.Fatalf("after a dry run: owner %v and %v", owner, err)
		}
		for _, stmt := range strings.SplitAfter(b.String(), ";\n") {
			if stmt != "" {
				exec(t, db, stmt)
			}
		}
		wantLines(t, schema(t, db), recorded(t, db))
		if report, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil || len(report.Created) != 0 {
			t.Errorf("after the printed SQL was run: %+v and %v", report, err)
		}
	})
}

// TestMigrateTogether: of processes that migrate at once one makes the tables, and all are content.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		alone, err := openEmpty(t, testdb.New(t, empty.Kind)).Migrate(t.Context(), userdb.MigrateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		created := 0
		for range 4 {
			db := openEmpty(t, empty)
			wg.Go(func() {
				report, err := db.Migrate(t.Context(), userdb.MigrateOptions{})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("Migrate: %v", err)
				}
				created += len(report.Created)
			})
		}
		wg.Wait()
		if created != len(alone.Created) {
			t.Errorf("%d tables were created, want %d", created, len(alone.Created))
		}
		db := openEmpty(t, empty)
		wantLines(t, schema(t, db), recorded(t, db))
	})
}

// TestDjangosDatabase: a database without Cardea's mark is Django's. Migrate adds Cardea's tables, leaves the rest as it is, and
// refuses what it would have to alter.
func TestDjangosDatabase(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		wantOwner := func(want userdb.Owner) {
			t.Helper()
			if got, err := db.Owner(t.Context()); got != want || err != nil {
				t.Errorf("got the owner %v and %v, want %v", got, err, want)
			}
		}
		wantOwner(userdb.Empty)
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
			t.Fatal(err)
		}
		wantOwner(userdb.OwnedByCardea)
		for _, table := range []string{"cardea_session", "cardea_rotated", "cardea_throttle", "cardea_setup", "cardea_meta"} {
			exec(t, db, "DROP TABLE "+table)
		}
		wantOwner(userdb.OwnedByDjango)
		// A Django that stands at an older migration, and has a permission of its own language.
		exec(t, db, "DELETE FROM django_migrations WHERE name = '0012_alter_user_first_name_max_length'")
		exec(t, db, "UPDATE auth_permission SET name = 'Kann hinzufügen' WHERE codename = 'add_user'")
		exec(t, db, "DELETE FROM auth_permission WHERE codename = 'view_user'")
		before := schema(t, db)
		report, err := db.Migrate(t.Context(), userdb.MigrateOptions{})
		if err != nil || report.Owner != userdb.OwnedByDjango || len(report.Created) != 5 {
			t.Fatalf("got %+v and %v, want Cardea's 5 tables", report, err)
		}
		wantLines(t, schema(t, db), before)
		wantOwner(userdb.OwnedByDjango)

		users, err := userdb.NewTable(db, userdb.TableConfig[customer]{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{Users: users}); err == nil || !strings.Contains(err.Error(), "company") {
			t.Errorf("columns that are missing in Django's table: got %v", err)
		}
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{Users: userdb.UsersOf("shop_person")}); err == nil {
			t.Error("a table of users that is missing was made")
		}
		wantLines(t, schema(t, db), before)

		// A site without sessions in the database gets the table.
		exec(t, db, "DROP TABLE cardea_session")
		exec(t, db, "DROP TABLE django_session")
		exec(t, db, "DELETE FROM django_migrations WHERE app = 'sessions'")
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
			t.Fatal(err)
		}
		wantLines(t, schema(t, db), before)
	})
}

// TestUnfinished: what was cut off is finished by the next Migrate, and known as Cardea's own.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		for _, stmt := range []string{
			"DROP TABLE cardea_setup", "DROP TABLE cardea_session", "DROP TABLE django_session",
			"DELETE FROM django_migrations WHERE app = 'sessions'", "DROP TABLE auth_user_user_permissions",
		} {
			exec(t, db, stmt)
		}
		report, err := db.Migrate(t.Context(), userdb.MigrateOptions{})
		if err != nil || len(report.Created) != 4 || report.Owner != userdb.OwnedByCardea {
			t.Errorf("got %+v and %v", report, err)
		}
		wantLines(t, schema(t, db), recorded(t, db))
	})
}

// TestNewerCardea: tables of a version to come are left alone.
func TestNewerCardea(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		exec(t, db, "UPDATE cardea_meta SET value = '999' WHERE name = 'version'")
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err == nil || !strings.Contains(err.Error(), "newer Cardea") {
			t.Errorf("got %v", err)
		}
	})
}

// TestNoTables: a database that was never migrated says the cure.
func TestNoTables(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		_, byName := db.UserByName(t.Context(), "ada")
		_, created := db.CreateUser(t.Context(), userdb.NewUser{Username: "ada"})
		_, loaded := db.Sessions(codec(t), userdb.SessionsConfig{}).Load(t.Context(), "abcdefgh")
		_, linked := db.CreateSetupLink(t.Context(), time.Now(), time.Hour)
		for op, err := range map[string]error{"UserByName": byName, "CreateUser": created, "Load": loaded, "CreateSetupLink": linked} {
			if !errors.Is(err, userdb.ErrNoTables) {
				t.Errorf("%s: got %v, want ErrNoTables", op, err)
			}
		}
		if ok, err := db.Migrated(t.Context()); ok || err != nil {
			t.Errorf("Migrated: got %v and %v", ok, err)
		}
	})
}
