package cardea_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

// A site with the built-in pages and one page that only people who are logged in may see.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := userdb.Open(context.Background(), "sqlite", filepath.Join(dir, "site.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	site, err := cardea.New(db, cardea.Config{SecretKey: "a secret that this site alone knows, and long"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		_, _ = io.WriteString(w, "Hello, "+user.Username)
	})))
	server := httptest.NewServer(site.Handler(mux))
	defer server.Close()

	resp, err := http.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Request.URL.RequestURI())

	// Output: 200 /accounts/login/?next=/
}
