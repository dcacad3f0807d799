package cardeatest_test

import (
	"net/http"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// TestProgram is how a program tests its pages.
func TestProgram(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	cardeatest.User(t, db, "ada", "correct horse")
	site, err := cardea.New(db, cardeatest.Config())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("/", http.HandlerFunc(site.Pages.Home))
	b := cardeatest.NewBrowser(t, site.Handler(mux))
	b.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/accounts/profile/")
	b.Visit("/").Sees("Hello, ada").Press("Log out").Sees("Logged out")
	b.Another().Visit("/").SeesNot("ada").Sees("Log in")
}
