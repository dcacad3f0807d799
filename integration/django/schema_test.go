package django_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestSchemasAreEqual: the tables that cardea makes are those that this Django makes, to the names of constraints and indexes, types,
// defaults and the order of columns; so are the rows that both put into them. What the one made the other does not change.
func TestSchemasAreEqual(t *testing.T) {
	each(t, func(t *testing.T, djangos *site) {
		cardeas := *djangos
		cardeas.db = testdb.New(t, djangos.db.Kind)
		cardeas.pool = cardeas.db.SQL(t)

		djangos.mustManage("migrate")
		harness.MustRun(t, cardeas.cardea(djangos.shared(), "migrate"))
		want, got := djangos.schema(), cardeas.schema()
		if len(want) < 40 || !slices.ContainsFunc(want, func(line string) bool {
			return strings.Contains(line, "auth_user_groups_user_id_group_id_94350c0c_uniq")
		}) {
			t.Fatalf("the control: Django's tables are told in %d lines:\n%s", len(want), strings.Join(want, "\n"))
		}
		if d := differences(want, got); d != nil {
			t.Errorf("%d differences, - is Django's, + is cardea's:\n%s", len(d), strings.Join(d, "\n"))
		}

		harness.MustRun(t, djangos.cardea(djangos.shared(), "migrate"))
		cardeas.mustManage("migrate")
		for who, s := range map[string]*site{"cardea after Django": djangos, "Django after cardea": &cardeas} {
			if d := differences(want, s.schema()); d != nil {
				t.Errorf("%s: %d differences, - is what Django made first:\n%s", who, len(d), strings.Join(d, "\n"))
			}
		}

		// The controls: each kind of difference is seen.
		for _, change := range []string{
			"CREATE INDEX control ON auth_user (email)",
			"ALTER TABLE auth_group ADD COLUMN control integer DEFAULT 7",
			"INSERT INTO django_content_type (app_label, model) VALUES ('control', 'control')",
		} {
			before := cardeas.schema()
			if cardeas.exec(change); differences(before, cardeas.schema()) == nil {
				t.Errorf("the control: nobody sees %s", change)
			}
		}
	})
}

// differences are the lines that only one of the two has.
func differences(a, b []string) (all []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			all = append(all, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			all = append(all, "+ "+line)
		}
	}
	return all
}

// facts are what a database of each kind says of its tables. Cardea's own are left out.
var facts = map[string][]string{
	"sqlite": {
		`SELECT 'made by', type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence'`,
		`SELECT 'column', m.name, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name <> 'sqlite_sequence'`,
		`SELECT 'index', m.name, l.name, l."unique", l.origin, l.partial, i.* FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_xinfo(l.name) i
			WHERE m.type = 'table'`,
		`SELECT 'foreign key', m.name, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
	},
	"postgres": {
		// The position among those that are there: Django has dropped a column, cardea never made it.
		`SELECT 'column', table_name, column_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_default, is_nullable,
			data_type, character_maximum_length, numeric_precision,
			datetime_precision, udt_name, collation_name, is_identity, identity_generation, identity_start, identity_increment, identity_maximum, identity_cycle
			FROM information_schema.columns WHERE table_schema = 'public'`,
		`SELECT 'constraint', table_name, constraint_name, constraint_type, is_deferrable, initially_deferred
			FROM information_schema.table_constraints WHERE table_schema = 'public' AND constraint_name NOT LIKE '%\_not\_null'`,
		`SELECT 'key', table_name, constraint_name, column_name, ordinal_position FROM information_schema.key_column_usage WHERE table_schema = 'public'`,
		`SELECT 'reference', constraint_name, unique_constraint_name, match_option, update_rule, delete_rule
			FROM information_schema.referential_constraints WHERE constraint_schema = 'public'`,
		`SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'`,
	},
	"mysql": {
		`SELECT 'table', table_name, engine, table_collation FROM information_schema.tables WHERE table_schema = database()`,
		`SELECT 'column', table_name, column_name, ordinal_position, column_default, is_nullable, column_type, character_set_name, collation_name, column_key, extra
			FROM information_schema.columns WHERE table_schema = database()`,
		`SELECT 'constraint', table_name, constraint_name, constraint_type FROM information_schema.table_constraints WHERE table_schema = database()`,
		`SELECT 'key', table_name, constraint_name, column_name, ordinal_position, referenced_table_name, referenced_column_name
			FROM information_schema.key_column_usage WHERE table_schema = database()`,
		`SELECT 'reference', table_name, constraint_name, unique_constraint_name, update_rule, delete_rule
			FROM information_schema.referential_constraints WHERE constraint_schema = database()`,
		`SELECT 'index', table_name, index_name, non_unique, seq_in_index, column_name, sub_part, nullable, index_type
			FROM information_schema.statistics WHERE table_schema = database()`,
	},
}

// rows are what both put into the tables. Their numbers depend on the order of a project's apps.
var rows = []string{
	`SELECT 'content type', app_label, model FROM django_content_type`,
	`SELECT 'permission', c.app_label, c.model, p.codename, p.name FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id`,
	`SELECT 'migration', app, name FROM django_migrations`,
}

// schema is all that there is to know about the tables, a line each.
func (s *site) schema() []string {
	s.t.Helper()
	var lines []string
	for _, query := range append(slices.Clone(facts[s.db.Kind]), rows...) {
		for line := range strings.SplitSeq(strings.ReplaceAll(s.query(query), "\r", ""), "\n") {
			lines = append(lines, line)
		}
	}
	if s.db.Kind == "postgres" {
		lines = append(lines, s.pgDump()...)
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" || strings.Contains(line, "cardea_") })
	slices.Sort(lines)
	return lines
}

// pgDump is what pg_dump -s says, a line for each statement.
func (s *site) pgDump() (statements []string) {
	t := s.t
	t.Helper()
	path, err := exec.LookPath("pg_dump")
	if err != nil {
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatalf("no pg_dump (scripts/install.sh installs it): %v", err)
		}
		t.Skipf("no pg_dump (scripts/install.sh installs it): %v", err)
	}
	text := harness.MustRun(t, harness.Command{Path: path, Args: []string{"--schema-only", "--no-owner", "--dbname", s.db.URL}})
	for statement := range strings.SplitSeq(text, ";\n") {
		var kept []string
		for line := range strings.Lines(statement) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, `\`) { // comments, and what only psql reads
				kept = append(kept, line)
			}
		}
		statements = append(statements, strings.Join(kept, " "))
	}
	return statements
}
