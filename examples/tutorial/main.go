// Tutorial is Django's log-in tutorial in Go, line beside line: a log-in view, a log-out view, messages, a redirect and a
// page that only people who are logged in may see.
//
//	go run ./examples/tutorial --db sqlite:tutorial.db --addr 127.0.0.1:8000
//	go run ./cmd/cardea createsuperuser --db sqlite:tutorial.db
//
// The view file knows nothing of where people come from. With -tags ldap a directory is asked after the database, and with -tags own a back
// end of one's own, see ../backend; the stack_….go files are all that differs.
package main

import (
	"context"
	"embed"
	"flag"
	"html/template"
	"log"
	"net/http"
	"os"
	"os/signal"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/userdb"
)

//go:embed templates/*.html
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8000", "the address to listen on")
	url := flag.String("db", "sqlite:tutorial.db", "the database: sqlite:PATH, postgres://… or mysql://…")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := userdb.OpenURL(ctx, *url)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	secret := os.Getenv("SECRET_KEY")
	if secret == "" {
		secret = "only for trying out; a real site has a key of its own"
	}
	cfg := cardea.Config{SecretKey: secret, LoginURL: "/login"}
	if err := stack(&cfg); err != nil { // who is asked for the password; the views stay as they are
		log.Fatal(err)
	}
	site, err := cardea.New(db, cfg)
	if err != nil {
		log.Fatal(err)
	}
	a := &app{site: site, templates: template.Must(template.ParseFS(files, "templates/*.html"))}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(a.home)))
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	log.Printf("http://%s/", *addr)
	if err := site.Serve(ctx, *addr, mux); err != nil {
		log.Fatal(err)
	}
}
