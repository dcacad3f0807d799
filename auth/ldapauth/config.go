package ldapauth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// A Config says where the directory is and what is where in it. Servers and UserBase, or UserDN, are required.
type Config struct {
	// Name is what sessions record. Defaults to "ldap".
	Name string
	// Issuer stands in the identities, and in the userdb.IdentityPolicy that is about them. Two directories need two. It never
	// changes: with another one, nobody is known any more. Defaults to "ldap".
	Issuer string

	// Servers are URLs of the same directory, asked in this order: the next one when one does not answer. ldaps://HOST speaks TLS from the
	// first byte, ldap://HOST after STARTTLS, ldapi://%2Fpath is a socket on this machine.
	Servers []string
	// RootCAs are who may have signed the servers' certificates, which have to be for the hosts in Servers. Defaults to the
	// system's.
	RootCAs *x509.CertPool
	// Certificates are shown to servers that ask for one. Defaults to none.
	Certificates []tls.Certificate
	// InsecurePlaintext speaks to ldap://HOST without TLS: whoever is on the way can read the passwords, and change the answers.
	InsecurePlaintext bool

	// BindDN and BindPassword are the account of the site, which looks for entries and reads groups. Defaults to looking without one.
	BindDN, BindPassword string

	// UserBase is the name of the entry under which the people are.
	UserBase string
	// UserFilter narrows who counts, such as "(objectClass=inetOrgPerson)". Defaults to whoever has the attributes.
	UserFilter string
	// LoginAttributes are what people may type to say who they are: uid, mail, sAMAccountName. One value of them has to be what was
	// typed, but for case; what only the directory takes for equal, such as other blanks, is nobody's. Defaults to uid.
	LoginAttributes []string
	// UserDN binds at once as a name made of what was typed, such as "uid={user},ou=people,dc=example,dc=com", in which it is escaped.
	// One without "=" is a name for Active Directory, such as "{user}@example.com". Defaults to looking for the entry first.
	UserDN string
	// DecoyDN is the entry that is bound to where there is nobody of that name, with the password that was typed: one whose password
	// nobody knows makes the server work as hard as for a wrong password. Defaults to a name that does not exist.
	DecoyDN string
	// SearchAsUser reads the entry and the groups as who has just logged in, instead of with the account of the site.
	SearchAsUser bool

	// KeyAttribute is the attribute that makes a person the same person, whatever changes: entryUUID, objectGUID, ipaUniqueID,
	// nsUniqueId. "dn" is the name of the entry, which a later person may get. Defaults to the first of the four that an entry has.
	KeyAttribute string
	// UsernameAttribute is the person's name at this site. Defaults to the first of LoginAttributes.
	UsernameAttribute string
	// KeepCase leaves the name as it is in the directory, for which case means nothing. Defaults to lower case.
	KeepCase bool
	// EmailAttribute is the person's address. Defaults to mail.
	EmailAttribute string
	// EmailUnverified says that people can write their own address into the directory. It is then not stored here.
	EmailUnverified bool
	// Attributes are claims of the identity and the attributes that they come from. Defaults to given_name from givenName and
	// family_name from sn, which IdentityPolicy.Update stores.
	Attributes map[string]string

	// Groups says which groups somebody is in. Defaults to none.
	Groups Groups

	// Timeout is how long one log-in may take, whatever the servers do. Defaults to 4 seconds, less than the five after which a person
	// takes a page for dead.
	Timeout time.Duration
	// MaxLogins is how many log-ins may be at the directory at once. More wait, up to Timeout. Defaults to 16.
	MaxLogins int
	// IdleTime is how long a connection is kept for the next log-in. Defaults to one minute.
	IdleTime time.Duration
	// Logger hears of servers that do not answer and of entries that cannot be used. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// hidden stands for a Config where somebody prints it: it holds a password.
const hidden = "ldapauth.Config (redacted)"

// Format hides the Config, whatever the verb.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the Config.
func (Config) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the Config, from encoding/json and its like too.
func (Config) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// place is where what was typed goes in UserDN.
const place = "{user}"

// complete fills in the defaults and refuses what cannot work.
func (c *Config) complete() error {
	if c.Name == "" {
		c.Name = "ldap"
	}
	if c.Issuer == "" {
		c.Issuer = "ldap"
	}
	if len(c.LoginAttributes) == 0 {
		c.LoginAttributes = []string{"uid"}
	}
	if c.UsernameAttribute == "" {
		c.UsernameAttribute = c.LoginAttributes[0]
	}
	if c.EmailAttribute == "" {
		c.EmailAttribute = "mail"
	}
	if c.Attributes == nil {
		c.Attributes = map[string]string{"given_name": "givenName", "family_name": "sn"}
	}
	if c.Timeout == 0 {
		c.Timeout = 4 * time.Second
	}
	if c.MaxLogins == 0 {
		c.MaxLogins = 16
	}
	if c.IdleTime == 0 {
		c.IdleTime = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.check(); err != nil {
		return err
	}
	return c.Groups.complete()
}

func (c *Config) check() error {
	switch {
	case len(c.Servers) == 0:
		return errors.New("name a server, such as ldaps://ldap.example.com")
	case (c.BindDN == "") != (c.BindPassword == ""):
		return errors.New("BindDN and BindPassword go together: most servers take a name without a password for nobody, and say yes")
	case c.UserBase == "" && c.UserDN == "":
		return errors.New("say where the people are: UserBase, such as ou=people,dc=example,dc=com")
	case c.UserDN != "" && strings.Count(c.UserDN, place) != 1:
		return fmt.Errorf("UserDN needs %s once, where what was typed goes", place)
	case c.UserDN != "" && !strings.Contains(c.UserDN, "=") && c.UserBase == "":
		return errors.New("a UserDN without \"=\" is no entry: say under which UserBase the entry is found")
	case c.Timeout < 0 || c.MaxLogins < 0 || c.IdleTime < 0:
		return errors.New("no time, and no number of log-ins, can be less than nothing")
	}
	if c.UserFilter != "" {
		if _, err := ldap.CompileFilter(c.UserFilter); err != nil {
			return fmt.Errorf("UserFilter %q is no filter, such as (objectClass=person): %w", c.UserFilter, err)
		}
	}
	names := map[string]string{"BindDN": c.BindDN, "UserBase": c.UserBase, "DecoyDN": c.DecoyDN}
	if strings.Contains(c.UserDN, "=") {
		names["UserDN"] = strings.ReplaceAll(c.UserDN, place, "x")
	}
	for field, dn := range names {
		if strings.Contains(dn, "=") || field != "BindDN" { // Active Directory takes other names there
			if _, err := ldap.ParseDN(dn); err != nil {
				return fmt.Errorf("%s %q is no name of an entry, such as ou=people,dc=example,dc=com: %w", field, dn, err)
			}
		}
	}
	attributes := append([]string{c.KeyAttribute, c.UsernameAttribute, c.EmailAttribute}, c.LoginAttributes...)
	for _, from := range c.Attributes {
		attributes = append(attributes, from)
	}
	for _, a := range attributes {
		if a != "" && !attributeName(a) {
			return fmt.Errorf("%q is no name of an attribute", a)
		}
	}
	return nil
}

// attributeName admits letters, digits and hyphens, and the dots of an object identifier.
func attributeName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-' && i > 0, c == '.' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// parseServer reads one of Servers.
func parseServer(text string, plaintext bool) (*server, error) {
	u, err := url.Parse(strings.Replace(text, "ldapi://", "ldapi:///", 1))
	if err != nil {
		return nil, fmt.Errorf("the server %q cannot be read: %w", text, err)
	}
	s := &server{url: text, network: "tcp", host: u.Hostname()}
	port := u.Port()
	switch u.Scheme {
	case "ldaps":
		s.tls = implicitTLS
		if port == "" {
			port = "636"
		}
	case "ldap":
		s.tls = startTLS
		if plaintext {
			s.tls = noTLS
		}
		if port == "" {
			port = "389"
		}
	case "ldapi":
		s.network, s.address = "unix", strings.TrimPrefix(u.Path, "/")
		if !strings.HasPrefix(s.address, "/") || u.Host != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("the server %q: a socket is written ldapi://%%2Fvar%%2Frun%%2Fslapd%%2Fldapi", text)
		}
		return s, nil
	default:
		return nil, fmt.Errorf("the server %q: it begins with ldaps://, ldap:// or ldapi://", text)
	}
	if s.host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("the server %q is written ldaps://HOST or ldaps://HOST:PORT, and nothing else", text)
	}
	s.address = joinHostPort(s.host, port)
	return s, nil
}
