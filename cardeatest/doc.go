// Package cardeatest is for the tests of programs that use Cardea: a database of the test's own, cheap hashing, users, and a
// browser that reads as a person's story:
//
//	db := cardeatest.DB(t)
//	cardeatest.User(t, db, "ada", "correct horse")
//	site, err := cardea.New(db, cardeatest.Config())
//	…
//	b := cardeatest.NewBrowser(t, site.Handler(mux))
//	b.Visit("/").AtPath("/accounts/login/")
//	b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/").Sees("Hello, ada")
//
// The test program imports a driver for SQLite, as the program itself does.
package cardeatest
