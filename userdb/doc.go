// Package userdb keeps users, sessions and what Cardea counts in SQLite, PostgreSQL, or MySQL and MariaDB.
//
// It is the only package of Cardea that contains SQL. The tables of users and sessions are Django's own: names, types,
// constraints and values as Django 4.2 and 5.2 make and write them, so that a Django site can share the database. Tables of
// Cardea's own begin with cardea_. [DB.Migrate] creates what is missing and never alters a table that Django owns.
//
//	db, err := userdb.Open(ctx, "sqlite", "site.db") // or userdb.New(yourDB, userdb.PostgreSQL)
//	report, err := db.Migrate(ctx, userdb.MigrateOptions{})
//	ada, err := db.CreateUser(ctx, userdb.NewUser{Username: "ada", PasswordHash: encoded})
//
// The package imports no driver. [Open] finds the one that the program imports; [New] takes the application's own pool, and
// [DB.Tx] gives the same methods inside the application's own transaction.
//
// Every statement ends after [Timeout], so that a database that hangs makes a request fail in time instead of holding it.
package userdb
