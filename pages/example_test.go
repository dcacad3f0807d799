package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing/fstest"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/pages"
)

// A page of the site's own in the place of a built-in one.
func ExampleNew() {
	p, err := pages.New(nobody{}, pages.Config{
		Site:      "Tea house",
		Templates: fstest.MapFS{"error.html": {Data: []byte(`{{define "content"}}{{.Site}}: {{.Title}}{{end}}`)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	respond.Handler(http.HandlerFunc(p.NotFound), respond.Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/lost", nil))
	_, rest, _ := strings.Cut(w.Body.String(), `<main id="main" tabindex="-1">`)
	text, _, _ := strings.Cut(rest, "</main>")
	fmt.Println(w.Code, strings.TrimSpace(text))
	// Output: 404 Tea house: There is no such page
}

// nobody is the gate of a site without users.
type nobody struct{}

func (nobody) Who(*http.Request) (auth.User, error)    { return nil, auth.ErrAnonymous }
func (nobody) SignIn(*http.Request, any) error         { return auth.ErrInvalid }
func (nobody) Logout(*http.Request) error              { return nil }
func (nobody) Required(next http.Handler) http.Handler { return next }
