package ldapauth

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
)

// A Backend is an auth.Backend over an LDAP directory. It takes [auth.Password] and nothing else. Make one with [New].
type Backend struct {
	cfg     Config
	servers *servers
	places  chan struct{} // of MaxLogins
}

var _ auth.Backend = (*Backend)(nil)

// New makes a back end. It does not talk to the servers yet. What is missing or contradicts itself in cfg is an error.
func New(cfg Config) (*Backend, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("ldapauth: %w", err)
	}
	s := &servers{
		tls:  &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, Certificates: cfg.Certificates},
		idle: cfg.IdleTime, now: cfg.Now, logger: cfg.Logger,
	}
	for _, text := range cfg.Servers {
		one, err := parseServer(text, cfg.InsecurePlaintext)
		if err != nil {
			return nil, fmt.Errorf("ldapauth: %w", err)
		}
		s.list = append(s.list, one)
	}
	return &Backend{cfg: cfg, servers: s, places: make(chan struct{}, cfg.MaxLogins)}, nil
}

// Name implements auth.Backend.
func (b *Backend) Name() string { return b.cfg.Name }

// Issuer is that of the identities, for a userdb.IdentityPolicy.
func (b *Backend) Issuer() string { return b.cfg.Issuer }

// Close closes the connections that are kept. Later log-ins open their own.
func (b *Backend) Close() error {
	b.servers.close()
	return nil
}

// Authenticate implements auth.Backend.
func (b *Backend) Authenticate(r *http.Request, creds any) (*auth.Identity, error) {
	var typed auth.Password
	switch c := creds.(type) {
	case auth.Password:
		typed = c
	case *auth.Password:
		if c == nil {
			return nil, auth.ErrNoMatch
		}
		typed = *c
	default:
		return nil, auth.ErrNoMatch
	}
	return b.login(r.Context(), typed, nil)
}

// Explain is Authenticate for a person who sets the directory up: it tells step by step, in lines, what is asked and what is found. Not
// for visitors: it says whether a name is known.
func (b *Backend) Explain(ctx context.Context, typed auth.Password, tell func(line string)) (*auth.Identity, error) {
	return b.login(ctx, typed, tell)
}

// login asks the directory.
func (b *Backend) login(ctx context.Context, typed auth.Password, tell func(string)) (*auth.Identity, error) {
	typed.Username = strings.TrimSpace(typed.Username)
	if !acceptable(typed) {
		if tell != nil {
			tell("the name or the password is empty, too long, or has characters that are never sent to the directory")
		}
		return nil, auth.ErrNoMatch
	}
	visitor := ctx
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	select {
	case b.places <- struct{}{}:
		defer func() { <-b.places }()
	case <-ctx.Done():
		if err := visitor.Err(); err != nil {
			return nil, fmt.Errorf("ldapauth: %w", err)
		}
		return nil, &auth.BusyError{RetryAfter: time.Second, Err: errors.New("ldapauth: as many log-ins as there may be are at the directory")}
	}
	var id *auth.Identity
	err := b.servers.ask(ctx, func(ctx context.Context, v *visit) (err error) {
		l := &attempt{Backend: b, visit: v, typed: typed, tell: tell}
		l.say("asking %s", v.server.url)
		id, err = l.run(ctx)
		return err
	})
	switch {
	case err == nil:
		return id, nil
	case errors.Is(err, auth.ErrInvalid):
		return nil, err
	case visitor.Err() != nil && !errors.Is(err, visitor.Err()):
		return nil, fmt.Errorf("ldapauth: %w (%w)", visitor.Err(), err)
	}
	return nil, fmt.Errorf("ldapauth: %w", err)
}

// acceptable admits what may be sent. An empty password would be a bind as nobody, to which servers say yes.
func acceptable(p auth.Password) bool {
	const longest = 1024
	return p.Username != "" && len(p.Username) <= longest && utf8.ValidString(p.Username) &&
		!strings.ContainsFunc(p.Username, unicode.IsControl) &&
		p.Password != "" && len(p.Password) <= longest && strings.IndexByte(p.Password, 0) < 0
}

// An attempt is one log-in at one server.
type attempt struct {
	*Backend
	*visit
	typed auth.Password
	tell  func(string)
}

func (l *attempt) say(format string, args ...any) {
	if l.tell != nil {
		l.tell(fmt.Sprintf(format, args...))
	}
}

// run asks one server: who is it, is the password right, may they come in.
func (l *attempt) run(ctx context.Context) (*auth.Identity, error) {
	var found *person
	var err error
	if l.cfg.UserDN != "" {
		found, err = l.bindFirst(ctx)
	} else {
		found, err = l.searchFirst(ctx)
	}
	if err != nil {
		return nil, err
	}
	groups, err := l.groups(ctx, found)
	if err != nil {
		return nil, err
	}
	if err := l.cfg.Groups.admit(groups); err != nil {
		l.say("%v", err)
		return nil, fmt.Errorf("ldapauth: %q: %w: %w", found.dn, err, auth.ErrDenied)
	}
	found.identity.Groups = groups.names()
	found.identity.At = l.cfg.Now()
	return found.identity, nil
}

// searchFirst looks for the entry and binds with its name. Where there is none, it binds with another name, so that it costs the same.
func (l *attempt) searchFirst(ctx context.Context) (*person, error) {
	reader, err := l.forReading(ctx, l.cfg.BindDN, l.cfg.BindPassword)
	if err != nil {
		return nil, err
	}
	entry, err := l.find(ctx, reader)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, l.decoy(ctx)
	}
	if err := l.check(ctx, entry.DN); err != nil {
		return nil, err
	}
	first, err := l.person(entry)
	if err != nil || !l.cfg.SearchAsUser {
		return first, err
	}
	again, err := l.read(ctx, l.password, entry.DN)
	if err != nil {
		return nil, err
	}
	second, err := l.person(again)
	if err == nil && second.identity.Subject != first.identity.Subject {
		err = fmt.Errorf("the entry %q became another one while somebody logged in", entry.DN)
	}
	return second, err
}

// bindFirst binds with a name made of what was typed, and reads the entry then.
func (l *attempt) bindFirst(ctx context.Context) (*person, error) {
	dn := l.typed.Username
	entered := strings.Contains(l.cfg.UserDN, "=")
	if entered {
		dn = ldap.EscapeDN(dn)
	} else if !plain(dn) {
		l.say("the name %q has characters that cannot stand in %s", dn, l.cfg.UserDN)
		return nil, l.decoy(ctx)
	}
	dn = strings.Replace(l.cfg.UserDN, place, dn, 1)
	if err := l.check(ctx, dn); err != nil {
		return nil, err
	}
	reader, err := l.afterwards(ctx)
	if err != nil {
		return nil, err
	}
	var entry *ldap.Entry
	if entered {
		if entry, err = l.read(ctx, reader, dn); err == nil && !l.means(entry) {
			entry = nil
		}
	} else {
		entry, err = l.find(ctx, reader)
	}
	if err != nil {
		return nil, err
	}
	if entry == nil {
		l.say("no entry is called %q in one of %q", l.typed.Username, l.cfg.LoginAttributes)
		return nil, auth.ErrNoMatch
	}
	return l.person(entry)
}

// plain admits what cannot mean anything else in a name such as user@example.com.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-'", r)
	})
}

// afterwards is the connection that reads once the password is right.
func (l *attempt) afterwards(ctx context.Context) (*conn, error) {
	if l.cfg.SearchAsUser || l.cfg.UserDN != "" && l.cfg.BindDN == "" {
		return l.password, nil
	}
	return l.forReading(ctx, l.cfg.BindDN, l.cfg.BindPassword)
}

// check binds with a name and the password that was typed.
func (l *attempt) check(ctx context.Context, dn string) error {
	c, err := l.forPasswords(ctx)
	if err != nil {
		return err
	}
	l.say("binding as %q", dn)
	err = c.bind(ctx, dn, l.typed.Password)
	switch {
	case err == nil:
		return nil
	case !answered(err):
		return err
	case wrongPassword(err):
		l.say("the password is not right, or the entry is locked: %s", reason(err))
		return auth.ErrNoMatch
	case ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform): // to this entry, or to anybody?
		if other := c.bind(ctx, l.nobody(), l.typed.Password); other != nil && answered(other) && wrongPassword(other) {
			l.say("the server is unwilling to let this entry in: %s", reason(err))
			return auth.ErrNoMatch
		}
	}
	return fmt.Errorf("bind as the person: %s", reason(err))
}

// decoy does for nobody what check does for somebody.
func (l *attempt) decoy(ctx context.Context) error {
	dn := l.cfg.DecoyDN
	if dn == "" {
		dn = l.nobody()
	}
	err := l.check(ctx, dn)
	if err == nil {
		l.logger.ErrorContext(ctx, "ldapauth: a bind that had to fail succeeded: nobody may know the password of the decoy, and no server may let everybody in", "dn", dn)
		return auth.ErrNoMatch
	}
	return err
}

// nobody is the name of an entry that does not exist, among the people.
func (l *attempt) nobody() string {
	base := l.cfg.UserBase
	if base == "" {
		_, base, _ = strings.Cut(l.cfg.UserDN, ",")
	}
	return "cn=" + strings.ToLower(rand.Text()) + "," + base
}

// wrongPassword are the answers of a server to whoever may not come in.
func wrongPassword(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation)
}

// reason is a server's answer as text, without what else the library says.
func reason(err error) string {
	var e *ldap.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := fmt.Sprintf("%s (%d)", ldap.LDAPResultCodeMap[e.ResultCode], e.ResultCode)
	if e.Err != nil && e.Err.Error() != "" {
		text += fmt.Sprintf(": %.200q", e.Err.Error())
	}
	return text
}
