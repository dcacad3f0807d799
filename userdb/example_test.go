package userdb_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cardea-go/cardea/userdb"

	_ "github.com/ncruces/go-sqlite3/driver"
)

func Example() {
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
	report, err := db.Migrate(ctx, userdb.MigrateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Created[6], "and the other tables, made by", report.Owner)

	if _, err := db.CreateUser(ctx, userdb.NewUser{Username: "ada", Email: "Ada@EXAMPLE.com"}); err != nil {
		log.Fatal(err)
	}
	ada, err := db.UserByName(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ada.AuthID(), ada.Name(), ada.Email, ada.Active())
	// Output:
	// auth_user and the other tables, made by cardea
	// 1 ada Ada@example.com true
}
