//go:build ldap

package main

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/userdb"
)

// stack asks the database, and after it the directory at LDAP_URL, such as ldaps://ldap.example.com, for the people below LDAP_PEOPLE. Where
// the directory is read with an account, that is LDAP_BIND_DN and LDAP_BIND_PASSWORD; LDAP_CA names a file with its own CA.
func stack(cfg *cardea.Config) error {
	var roots *x509.CertPool // the system's
	if file := os.Getenv("LDAP_CA"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s holds no certificate", file)
		}
	}
	cfg.AuthenticationBackends = []string{"database", "ldap"}
	cfg.BackendKinds = map[string]func(string) (auth.Backend, error){"ldap": func(name string) (auth.Backend, error) {
		return ldapauth.New(ldapauth.Config{
			Name: name, Servers: []string{os.Getenv("LDAP_URL")}, RootCAs: roots,
			BindDN: os.Getenv("LDAP_BIND_DN"), BindPassword: os.Getenv("LDAP_BIND_PASSWORD"), UserBase: os.Getenv("LDAP_PEOPLE"),
		})
	}}
	cfg.Identities = []userdb.IdentityPolicy{{Issuer: "ldap", Create: true, Update: true}}
	return nil
}
