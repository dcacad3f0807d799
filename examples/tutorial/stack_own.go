//go:build own

package main

import (
	"os"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/examples/backend/roster"
	"github.com/cardea-go/cardea/userdb"
)

// stack asks the database, and after it the members in the file MEMBERS.
func stack(cfg *cardea.Config) error {
	hashers, err := cardea.NewHashers(*cfg)
	if err != nil {
		return err
	}
	cfg.Hashers = hashers
	cfg.AuthenticationBackends = []string{"database", "roster"}
	cfg.BackendKinds = map[string]func(string) (auth.Backend, error){
		"roster": func(string) (auth.Backend, error) { return roster.New(os.Getenv("MEMBERS"), hashers), nil },
	}
	cfg.Identities = []userdb.IdentityPolicy{{Issuer: roster.Issuer, Create: true}}
	return nil
}
