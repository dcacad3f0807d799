package userdb_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

// TestPrefetch: what comes along with a user, by the session and by the key, is what asking for it gives, and whoever has none has none.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ctx := t.Context()
		users, groups := db.Users(), db.Users().Groups()
		if err := db.EnsurePermissions(ctx, "blog", userdb.Model{Name: "post"}, userdb.Model{Name: "comment"}); err != nil {
			t.Fatal(err)
		}
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		names := []string{`quo"ted`, "a, b", "Zoë 😀", `back\slash`, "plain"}
		for i := range 60 {
			names = append(names, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 120)))
		}
		for _, name := range names {
			if _, err := groups.Create(ctx, name); err != nil {
				t.Fatal(err)
			}
			if err := groups.Add(ctx, name, ada); err != nil {
				t.Fatal(err)
			}
		}
		if err := groups.Grant(ctx, "plain", "blog.add_post", "blog.view_post"); err != nil {
			t.Fatal(err)
		}
		if err := users.Grant(ctx, ada, "blog.add_comment", "blog.add_post"); err != nil {
			t.Fatal(err)
		}
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: users})
		for _, u := range []*userdb.User{ada, bob} {
			rec := record(t, `{"a":1}`)
			rec.Owner = u.AuthID()
			key := save(t, store, "", rec)
			subject := perm.Subject{ID: u.AuthID(), Active: true}
			wantNames, err := groups.Names(ctx, u)
			if err != nil {
				t.Fatal(err)
			}
			wantGrants, err := users.Permissions(ctx, subject)
			if err != nil {
				t.Fatal(err)
			}
			if u == ada && (len(wantNames) != len(names) || wantGrants.Direct.Len() != 2 || wantGrants.Group.Len() != 2) {
				t.Fatalf("control: %d groups, %v", len(wantNames), wantGrants)
			}
			for _, permissions := range []bool{false, true} {
				along := perm.Prefetch(ctx, permissions)
				session, err := store.Load(along, key)
				if err != nil {
					t.Fatal(err)
				}
				direct, err := users.ByID(along, u.AuthID())
				if err != nil {
					t.Fatal(err)
				}
				for how, got := range map[string]*userdb.User{"session": session.Attached.(*userdb.User), "key": direct} {
					// With a context that has ended, nothing can be asked any more.
					over, cancel := context.WithCancel(ctx)
					cancel()
					gotNames, err := groups.Names(over, got)
					if err != nil || !slices.Equal(gotNames, wantNames) {
						t.Errorf("%s by %s: groups %q, %v, want %q", u.Username, how, gotNames, err, wantNames)
					}
					subject.User = got
					gotGrants, err := users.Permissions(over, subject)
					if !permissions {
						if err == nil {
							t.Errorf("%s by %s: permissions came along uncalled", u.Username, how)
						}
						continue
					}
					if err != nil || !slices.Equal(gotGrants.Direct.Names(), wantGrants.Direct.Names()) || !slices.Equal(gotGrants.Group.Names(), wantGrants.Group.Names()) {
						t.Errorf("%s by %s: %v, %v, want %v", u.Username, how, gotGrants, err, wantGrants)
					}
				}
			}
		}
	})
}
