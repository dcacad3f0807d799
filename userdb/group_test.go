package userdb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestGroups: groups are made, listed, renamed and deleted; members and permissions follow.
func TestGroups(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ctx, groups := t.Context(), db.Users().Groups()
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob", Inactive: true})
		names := func(list []userdb.Group, err error) string {
			t.Helper()
			must(t, err)
			var out []string
			for _, g := range list {
				if g.ID == 0 {
					t.Errorf("%q has no id", g.Name)
				}
				out = append(out, g.Name)
			}
			return strings.Join(out, ", ")
		}
		for _, name := range []string{"writers", "editors"} {
			made, err := groups.Create(ctx, name)
			if err != nil || made.ID == 0 || made.Name != name {
				t.Fatalf("got %+v, %v", made, err)
			}
		}
		must(t, groups.Grant(ctx, "editors", "auth.view_user"))
		must(t, groups.Add(ctx, "editors", ada, bob))
		must(t, groups.Add(ctx, "writers", ada))
		must(t, groups.Rename(ctx, "editors", "chief editors"))
		must(t, groups.Rename(ctx, "writers", "writers")) // which changes nothing

		if got := names(groups.List(ctx)); got != "chief editors, writers" {
			t.Errorf("List: %s", got)
		}
		if a, b := names(groups.Of(ctx, ada)), names(groups.Of(ctx, bob)); a != "chief editors, writers" || b != "chief editors" {
			t.Errorf("Of: %s; %s", a, b)
		}
		members, err := groups.Members(ctx, "chief editors")
		if err != nil || len(members) != 2 || members[0].Username != "ada" || members[1].Username != "bob" {
			t.Errorf("Members: %v, %v", members, err)
		}
		if set, err := groups.Permissions(ctx, "chief editors"); fmt.Sprint(set.Names()) != "[auth.view_user]" || err != nil {
			t.Errorf("Permissions: %v, %v", set.Names(), err)
		}
		must(t, groups.Delete(ctx, "chief editors"))
		if got := names(groups.Of(ctx, bob)); got != "" {
			t.Errorf("after Delete: %s", got)
		}
		if got := text(t, db, "SELECT COUNT(*) FROM auth_group_permissions"); got != "0" {
			t.Errorf("%s permissions of a group that is gone", got)
		}
		if got := names(groups.List(ctx)); got != "writers" {
			t.Errorf("List: %s", got)
		}
	})
}

// TestGroupErrors: a group that is not there, a name that is taken, and one that does not fit.
func TestGroupErrors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ctx, groups := t.Context(), db.Users().Groups()
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		for _, name := range []string{"editors", "writers"} {
			_, err := groups.Create(ctx, name)
			must(t, err)
		}
		for _, name := range []string{"", "nobody", "Editors", "editors ", "%", "nul\x00", "\xff"} {
			_, members := groups.Members(ctx, name)
			_, permissions := groups.Permissions(ctx, name)
			for what, err := range map[string]error{
				"Members": members, "Permissions": permissions, "Rename": groups.Rename(ctx, name, "other"), "Delete": groups.Delete(ctx, name),
				"Add": groups.Add(ctx, name, ada), "Remove": groups.Remove(ctx, name, ada),
				"Grant": groups.Grant(ctx, name, "auth.view_user"), "Revoke": groups.Revoke(ctx, name, "auth.view_user"),
			} {
				if !errors.Is(err, userdb.ErrNoGroup) {
					t.Errorf("%s(%q): got %v, want ErrNoGroup", what, name, err)
				}
			}
		}
		_, again := groups.Create(ctx, "editors")
		for what, err := range map[string]error{"Create": again, "Rename": groups.Rename(ctx, "writers", "editors")} {
			var dup *userdb.DuplicateError
			if !errors.As(err, &dup) || dup.Column != "name" {
				t.Errorf("%s: got %v, want a DuplicateError", what, err)
			}
		}
		for _, name := range []string{"", strings.Repeat("é", 151), "nul\x00", "\xff"} {
			_, created := groups.Create(ctx, name)
			for what, err := range map[string]error{"Create": created, "Rename": groups.Rename(ctx, "writers", name)} {
				var field *userdb.FieldError
				if !errors.As(err, &field) {
					t.Errorf("%s(%.10q): got %v, want a FieldError", what, name, err)
				}
			}
		}
		if _, err := groups.Create(ctx, strings.Repeat("é", 150)); err != nil {
			t.Error(err)
		}
	})
}

// TestGroupsTx: what is done inside the application's transaction is undone with it.
func TestGroupsTx(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		tx, err := db.Pool().BeginTx(t.Context(), nil)
		must(t, err)
		groups := db.Users().Groups().Tx(tx)
		_, err = groups.Create(t.Context(), "editors")
		must(t, err)
		must(t, groups.Grant(t.Context(), "editors", "auth.view_user"))
		must(t, groups.Add(t.Context(), "editors", ada))
		if got := list(t, db.Users().Tx(tx), subject(ada)); got != " | auth.view_user" {
			t.Errorf("inside: %q", got)
		}
		must(t, tx.Rollback())
		if got := list(t, db.Users(), subject(ada)); got != " | " {
			t.Errorf("after a rollback: %q", got)
		}
	})
}
