// Package ldap holds the stories of people who log in with the password of a directory: OpenLDAP's slapd, from Debian's packages slapd and
// ldap-utils, each test with a server of its own on free ports, with its own certificates, in a folder that goes with the test.
package ldap
