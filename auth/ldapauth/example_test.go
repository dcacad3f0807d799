package ldapauth_test

import (
	"fmt"

	"github.com/cardea-go/cardea/auth/ldapauth"
)

// A directory of two servers, whose groups say who is in and who is out.
func Example() {
	ldap, err := ldapauth.New(ldapauth.Config{
		Servers:      []string{"ldaps://ldap1.example.com", "ldaps://ldap2.example.com"},
		BindDN:       "cn=site,ou=services,dc=example,dc=com",
		BindPassword: "from the environment",
		UserBase:     "ou=people,dc=example,dc=com",
		Groups: ldapauth.Groups{
			Kind: ldapauth.GroupOfNames, Base: "ou=groups,dc=example,dc=com", Depth: 3,
			Deny: []string{"left the company"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ldap.Close()
	fmt.Printf("sessions will say %q, identities %q\n", ldap.Name(), ldap.Issuer())

	_, err = ldapauth.New(ldapauth.Config{Servers: []string{"ldap.example.com"}, UserBase: "ou=people,dc=example,dc=com"})
	fmt.Println(err)
	// Output:
	// sessions will say "ldap", identities "ldap"
	// ldapauth: the server "ldap.example.com": it begins with ldaps://, ldap:// or ldapi://
}
