// Backend is a site whose users log in with a password of the database, or as a member of a club whose list another program keeps: a back
// end of one's own, in package roster.
//
//	go run ./examples/backend --members examples/backend/members.txt
//
// Grace's password in that file is "correct horse battery".
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/examples/backend/roster"
	"github.com/cardea-go/cardea/userdb"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8000", "the address to listen on")
	file := flag.String("db", "club.db", "the file of the database")
	members := flag.String("members", "members.txt", "the file of the members")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := userdb.Open(ctx, "sqlite", *file)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	cfg := cardea.Config{SecretKey: os.Getenv("SECRET_KEY")}
	if cfg.SecretKey == "" {
		cfg.SecretKey = "only for trying out; a real site has a key of its own"
	}
	hashers, err := cardea.NewHashers(cfg)
	if err != nil {
		log.Fatal(err)
	}
	cfg.Hashers = hashers

	// Who is asked for a password, in this order. Names are what sessions record.
	cfg.AuthenticationBackends = []string{"database", "roster"}
	cfg.BackendKinds = map[string]func(string) (auth.Backend, error){
		"roster": func(string) (auth.Backend, error) { return roster.New(*members, hashers), nil },
	}
	// A member becomes a user at the first log-in, and stays the same one, by number, under whatever name.
	cfg.Identities = []userdb.IdentityPolicy{{Issuer: roster.Issuer, Create: true}}

	site, err := cardea.New(db, cfg)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/accounts/", site.Pages)
	mux.Handle("GET /{$}", site.Auth.Required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := site.Auth.User(r)
		fmt.Fprintf(w, "Hello, %s", user.Username)
	})))
	log.Printf("http://%s/", *addr)
	if err := site.Serve(ctx, *addr, mux); err != nil {
		log.Fatal(err)
	}
}
