// Probe is a program built on Cardea as an application is, whose requests can be held between the moment at which their session
// is loaded and the moment at which it is changed and saved. It keeps nothing in memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/manage"
	"github.com/cardea-go/cardea/userdb"
)

func main() {
	database := flag.String("db", "", "URL of the database")
	control := flag.String("control", "", "URL that answers when a request may go on; it is asked with ?hold=")
	profile := flag.String("profile", string(cardea.Default), "profile of the site")
	secret := flag.String("secret", "", "secret key")
	file := flag.String("config", "", "configuration file of the binary, instead of the others")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	settings := &manage.Settings{Config: cardea.Config{SecretKey: *secret, Profile: cardea.Profile(*profile)}, DB: *database}
	if *file != "" {
		var err error
		if settings, err = manage.Load(*file, os.Environ()); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(ctx, settings.DB, *control, settings.Config); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, database, control string, cfg cardea.Config) error {
	db, err := userdb.OpenURL(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close()
	site, err := cardea.New(db, cfg)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("Probe answers at http://%s/\n", ln.Addr())
	p := &probe{site: site, db: db, control: control, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	return site.ServeListener(ctx, ln, site.Handler(p.routes()), nil)
}
