package userdb_test

import (
	"fmt"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestGroupSummaries: the numbers are each group's own.
func TestGroupSummaries(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		groups := db.Users().Groups()
		for _, name := range []string{"writers", "editors", "nobody"} {
			_, err := groups.Create(t.Context(), name)
			must(t, err)
		}
		must(t, groups.Add(t.Context(), "editors", create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})))
		must(t, groups.Grant(t.Context(), "editors", "auth.view_user"))
		must(t, groups.Grant(t.Context(), "writers", "auth.view_user", "auth.add_user", "auth.change_user"))
		list, err := groups.Summaries(t.Context())
		must(t, err)
		got := ""
		for _, one := range list {
			got += fmt.Sprintf("%s %d %d; ", one.Name, one.Members, one.Permissions)
		}
		if want := "editors 2 1; nobody 0 0; writers 0 3; "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
