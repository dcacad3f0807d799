package userdb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/userdb"
)

// FuzzTime: what SQLite holds for a time is read or refused, and what was read is written and read the same.
func FuzzTime(f *testing.F) {
	for _, text := range []string{
		"2026-01-02 03:04:05", "2026-01-02 03:04:05.678901", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00", "2026-01-02", "2026-01-02 03:04",
		"2099-12-06 05:22:38 +0000 UTC", "0000-00-00", "1767323045", " ", "9999-12-31 23:59:59.999999999+23:59", "0001-01-01T00:00:00-23:59",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		at, err := userdb.ParseTime(text)
		if err != nil {
			return
		}
		if at.Year() < 1 || at.Year() > 9999 { // beyond what Django has a form for
			return
		}
		written, ok := userdb.SQLite.WriteTime(at).(string)
		if !ok || len(written) != 19 && len(written) != 26 {
			t.Fatalf("%q is written as %q", text, written)
		}
		if again, err := userdb.ParseTime(written); err != nil || !again.Equal(at.Truncate(time.Microsecond)) {
			t.Fatalf("%q is %v, written as %q, and that is %v, %v", text, at, written, again, err)
		}
	})
}

// FuzzUUID: a key in a session or a link is a UUID in one form, or nobody's, and comes back from the database as it was.
func FuzzUUID(f *testing.F) {
	for _, id := range []string{
		"550e8400-e29b-41d4-a716-446655440000", "550E8400E29B41D4A716446655440000", "{550e8400-e29b-41d4-a716-446655440000}", "1", "", "-",
		"550e8400-e29b-41d4-a716-44665544000g", "550e8400-e29b-41d4-a716-4466554400001", strings.Repeat("-", 1000),
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		testhang.Watch(t)
		form, ok := userdb.CanonicalUUID(id)
		if !ok {
			return
		}
		if again, ok := userdb.CanonicalUUID(form); !ok || again != form || len(form) != 36 || form != strings.ToLower(form) {
			t.Fatalf("%q is %q, and that is %q, %v", id, form, again, ok)
		}
		for _, d := range []*userdb.Dialect{userdb.SQLite, userdb.PostgreSQL, userdb.MySQL} {
			stored, ok := d.StoredUUID(form).(string)
			if !ok || d.ReadUUID(stored) != form {
				t.Fatalf("%s: %q is stored as %q and read as %q", d, form, stored, d.ReadUUID(stored))
			}
		}
	})
}
