package ldapauth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
)

// keyAttributes are the attributes of which an entry usually has one that never changes and never comes again.
var keyAttributes = []string{"entryUUID", "objectGUID", "ipaUniqueID", "nsUniqueId"}

// keyDN makes the name of an entry its key.
const keyDN = "dn"

// A person is an entry as this site sees it.
type person struct {
	dn       string
	entry    *ldap.Entry
	identity *auth.Identity
}

// wanted are the attributes to ask for.
func (b *Backend) wanted() []string {
	list := append([]string{b.cfg.UsernameAttribute, b.cfg.EmailAttribute}, b.cfg.LoginAttributes...)
	switch {
	case b.cfg.KeyAttribute == "":
		list = append(list, keyAttributes...)
	case b.cfg.KeyAttribute != keyDN:
		list = append(list, b.cfg.KeyAttribute)
	}
	for _, a := range b.cfg.Attributes {
		list = append(list, a)
	}
	return append(list, b.cfg.Groups.wanted()...)
}

// find looks for the one entry that what was typed means; nil when there is none.
func (l *attempt) find(ctx context.Context, c *conn) (*ldap.Entry, error) {
	var any strings.Builder
	for _, a := range l.cfg.LoginAttributes {
		fmt.Fprintf(&any, "(%s=%s)", a, ldap.EscapeFilter(l.typed.Username))
	}
	filter := "(&" + l.cfg.UserFilter + "(|" + any.String() + "))"
	l.say("searching %q for %s", l.cfg.UserBase, filter)
	found, err := c.search(ctx, l.cfg.UserBase, ldap.ScopeWholeSubtree, 2, filter, l.wanted())
	several := ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && len(found.Entries) > 1
	if err != nil && !several {
		if !answered(err) {
			return nil, err
		}
		return nil, fmt.Errorf("search for people under %q: %s", l.cfg.UserBase, reason(err))
	}
	if len(found.Referrals) > 0 {
		l.say("the server knows more elsewhere, which is not followed: %q", found.Referrals)
		l.logger.DebugContext(ctx, "ldapauth: a referral was not followed", "server", l.server.url, "referrals", found.Referrals)
	}
	switch {
	case len(found.Entries) > 1:
		l.say("several entries are found, so it is nobody: %q and %q", found.Entries[0].DN, found.Entries[1].DN)
		l.logger.ErrorContext(ctx, "ldapauth: several entries for one name, so nobody comes in by it", "name", l.typed.Username,
			"one", found.Entries[0].DN, "another", found.Entries[1].DN)
		return nil, nil
	case len(found.Entries) == 0:
		l.say("nothing is found")
		return nil, nil
	}
	entry := found.Entries[0]
	l.say("found %q", entry.DN)
	if !l.means(entry) {
		l.say("the directory takes %q for equal to what is there, and this site does not", l.typed.Username)
		return nil, nil
	}
	return entry, nil
}

// means reports whether an entry is what was typed, but for case. The directory sees through blanks and invisible characters as well, by
// which one account would have any number of names, each with a limit of its own for guesses.
func (l *attempt) means(entry *ldap.Entry) bool {
	for _, a := range l.cfg.LoginAttributes {
		for _, value := range entry.GetEqualFoldAttributeValues(a) {
			if auth.SameIdentifier(value, l.typed.Username) {
				return true
			}
		}
	}
	return false
}

// read reads one entry by its name.
func (l *attempt) read(ctx context.Context, c *conn, dn string) (*ldap.Entry, error) {
	filter := "(objectClass=*)"
	if l.cfg.UserFilter != "" {
		filter = l.cfg.UserFilter
	}
	l.say("reading %q with %s", dn, filter)
	found, err := c.search(ctx, dn, ldap.ScopeBaseObject, 0, filter, l.wanted())
	switch {
	case err == nil && len(found.Entries) == 1:
		return found.Entries[0], nil
	case err != nil && !answered(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("read the entry of who has logged in: %s", reason(err))
	case l.cfg.UserFilter != "": // an entry that does not count
		l.say("it is not there, or not for %s", filter)
		return nil, auth.ErrNoMatch
	}
	return nil, fmt.Errorf("the entry %q of who has logged in cannot be read", dn)
}

// person makes an identity of an entry.
func (l *attempt) person(entry *ldap.Entry) (*person, error) {
	subject, err := l.key(entry)
	if err != nil {
		return nil, err
	}
	name := entry.GetEqualFoldAttributeValue(l.cfg.UsernameAttribute)
	if name == "" {
		return nil, fmt.Errorf("the entry %q has no %s, which is to be the user name", entry.DN, l.cfg.UsernameAttribute)
	}
	if !l.cfg.KeepCase {
		name = strings.ToLower(name)
	}
	id := &auth.Identity{
		Issuer: l.cfg.Issuer, Subject: subject, Name: name,
		Email: entry.GetEqualFoldAttributeValue(l.cfg.EmailAttribute), Claims: map[string]any{"dn": entry.DN}, Methods: []string{"pwd"},
	}
	id.EmailVerified = id.Email != "" && !l.cfg.EmailUnverified
	for claim, a := range l.cfg.Attributes {
		if value := entry.GetEqualFoldAttributeValue(a); value != "" && utf8.ValidString(value) {
			id.Claims[claim] = value
		}
	}
	l.say("it is %q, known as %q, with the address %q", name, subject, id.Email)
	return &person{dn: entry.DN, entry: entry, identity: id}, nil
}

// key is what makes the person the same person the next time.
func (l *attempt) key(entry *ldap.Entry) (string, error) {
	if l.cfg.KeyAttribute == keyDN {
		return normalDN(entry.DN), nil
	}
	names := keyAttributes
	if l.cfg.KeyAttribute != "" {
		names = []string{l.cfg.KeyAttribute}
	}
	for _, name := range names {
		values := entry.GetEqualFoldRawAttributeValues(name)
		switch {
		case len(values) == 0:
		case len(values) > 1:
			return "", fmt.Errorf("the entry %q has several values of %s, which cannot be its key", entry.DN, name)
		default:
			return keyText(name, values[0])
		}
	}
	return "", fmt.Errorf("the entry %q has no %s, by which this site would know it again: set KeyAttribute to an attribute that never changes, "+
		"or to \"dn\", and let the account of the site read it", entry.DN, strings.Join(names, ", "))
}

// keyText writes a key as text: UUIDs in small letters, Active Directory's as its own tools write them, and other bytes in hexadecimal.
func keyText(name string, value []byte) (string, error) {
	switch {
	case strings.EqualFold(name, "objectGUID") && len(value) == 16:
		v := value
		return fmt.Sprintf("%x-%x-%x-%x-%x", []byte{v[3], v[2], v[1], v[0]}, []byte{v[5], v[4]}, []byte{v[7], v[6]}, v[8:10], v[10:]), nil
	case len(value) == 0:
		return "", errors.New("the key of an entry is empty")
	case !utf8.Valid(value) || strings.ContainsFunc(string(value), func(r rune) bool { return r < ' ' }):
		return hex.EncodeToString(value), nil
	case strings.EqualFold(name, "entryUUID") || strings.EqualFold(name, "ipaUniqueID") || strings.EqualFold(name, "nsUniqueId"):
		return strings.ToLower(string(value)), nil
	}
	return string(value), nil
}

// normalDN is one spelling for all those that mean the same entry: types and values in small letters, escaped in one way.
func normalDN(text string) string {
	dn, err := ldap.ParseDN(text)
	if err != nil {
		return strings.ToLower(text)
	}
	return strings.ToLower(dn.String())
}
