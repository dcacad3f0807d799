package userdb_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

// An app's models get Django's permissions, a group gets some of them, and its members have them.
func ExampleGroups() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	db, err := userdb.Open(ctx, "sqlite", filepath.Join(folder, "site.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx, userdb.MigrateOptions{}); err != nil {
		log.Fatal(err)
	}
	users := db.Users()
	ada, err := db.CreateUser(ctx, userdb.NewUser{Username: "ada"})
	if err != nil {
		log.Fatal(err)
	}

	if err := db.EnsurePermissions(ctx, "blog", userdb.Model{Name: "post"}); err != nil {
		log.Fatal(err)
	}
	groups := users.Groups()
	if _, err := groups.Create(ctx, "editors"); err != nil {
		log.Fatal(err)
	}
	if err := groups.Grant(ctx, "editors", "blog.add_post", "blog.change_post"); err != nil {
		log.Fatal(err)
	}
	if err := groups.Add(ctx, "editors", ada); err != nil {
		log.Fatal(err)
	}

	// A handler asks auth.Auth.Permissions instead, which knows the request's user.
	perms := perm.For(ctx, perm.Subject{ID: ada.AuthID(), Active: true}, users)
	for _, name := range []string{"blog.add_post", "blog.delete_post"} {
		ok, err := perms.Has(name)
		fmt.Println(name, ok, err)
	}
	editors, err := users.WithPermission(ctx, "blog.change_post", userdb.PermissionFilter{})
	fmt.Println(len(editors), editors[0].Username, err)
	// Output:
	// blog.add_post true <nil>
	// blog.delete_post false <nil>
	// 1 ada <nil>
}
