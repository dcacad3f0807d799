//go:build !ldap && !own

package main

import "github.com/cardea-go/cardea"

// stack is the default: the users of the database.
func stack(*cardea.Config) error { return nil }
