package django_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/integration/harness"
)

// dump is the whole database but for Cardea's own tables, as text: how each table is made, and its rows.
func (s *site) dump() string {
	s.t.Helper()
	var b strings.Builder
	for _, query := range map[string][]string{
		"sqlite": {"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'cardea\\_%' ESCAPE '\\' ORDER BY 1, 2"},
		"postgres": {
			`SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length, is_identity, identity_generation
				FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'cardea\_%' ORDER BY 1, 3`,
			`SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
				FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'cardea\_%' ORDER BY 1, 2`,
			`SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'cardea\_%' ORDER BY 1, 2`,
			`SELECT event_object_table, trigger_name, action_statement FROM information_schema.triggers ORDER BY 1, 2`,
		},
		"mysql": {
			`SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY 1`,
		},
	}[s.db.Kind] {
		b.WriteString(s.query(query))
	}
	for _, table := range s.tables() {
		if strings.HasPrefix(table, "cardea_") {
			continue
		}
		if s.db.Kind == "mysql" {
			b.WriteString(s.query("SHOW CREATE TABLE " + table))
		}
		fmt.Fprintf(&b, "-- %s\n%s", table, s.query("SELECT * FROM "+table+" ORDER BY 1"))
	}
	return b.String()
}

// tables are the names of all tables, in order.
func (s *site) tables() []string {
	s.t.Helper()
	query := map[string]string{
		"sqlite":   "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
		"postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
		"mysql":    "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
	}[s.db.Kind]
	names := strings.Fields(s.query(query))
	slices.Sort(names)
	if len(names) == 0 {
		s.t.Fatal("the database has no tables")
	}
	return names
}

// query is the answer to a query as text, one row a line.
func (s *site) query(query string) string {
	t := s.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	answer, err := s.pool.QueryContext(ctx, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer answer.Close()
	columns, err := answer.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var b strings.Builder
	for answer.Next() {
		if err := answer.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				b.WriteByte('\t')
			}
			if b.WriteString(v.String); !v.Valid {
				b.WriteString("NULL")
			}
		}
		b.WriteByte('\n')
	}
	if err := answer.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// exec changes the database behind the back of both.
func (s *site) exec(statement string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), harness.Patience)
	defer cancel()
	if _, err := s.pool.ExecContext(ctx, statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}
