package cardea_test

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// TestPermissions: a guard, a template and the table agree, and a change is seen at the next request.
func TestPermissions(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	ada := cardeatest.User(t, db, "ada", "correct horse")
	site, err := cardea.New(db, cardeatest.Config())
	if err != nil {
		t.Fatal(err)
	}
	page := template.Must(template.New("page").Parse(`{{if .Perms.Has "auth.view_user"}}may look{{else}}may not{{end}}`))
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) { site.Render(w, r, page, "page", nil) })
	mux.Handle("GET /users", site.Auth.RequirePermission("auth.view_user")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("the users"))
	})))
	b := cardeatest.NewBrowser(t, site.Handler(mux))
	b.Visit("/users").AtPath("/accounts/login/")
	b.Fill("username", "ada").Fill("password", "correct horse").Submit().AtPath("/users").HasStatus(403).Sees("give this number")
	b.Visit("/page").Sees("may not")

	if err := db.Users().Grant(t.Context(), ada, "auth.view_user"); err != nil {
		t.Fatal(err)
	}
	b.Visit("/users").HasStatus(200).Sees("the users")
	b.Visit("/page").Sees("may look")
	if err := db.Users().Revoke(t.Context(), ada, "auth.view_user"); err != nil {
		t.Fatal(err)
	}
	b.Visit("/users").HasStatus(403)
}
