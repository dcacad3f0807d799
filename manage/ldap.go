package manage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/userdb"
)

// ldapSettings are those of back ends of the kind ldap, the section [ldap]: where the directory is, what is where in it, and how the
// people in it become users.
type ldapSettings struct {
	Servers           []string      `setting:"servers"`
	CAFile            string        `setting:"ca_file"`
	CertFile          string        `setting:"cert_file"`
	KeyFile           string        `setting:"key_file"`
	InsecurePlaintext bool          `setting:"insecure_plaintext"`
	BindDN            string        `setting:"bind_dn"`
	BindPassword      string        `setting:"bind_password" secret:"true"`
	Timeout           time.Duration `setting:"timeout" fallback:"4"`
	MaxLogins         int           `setting:"max_logins" fallback:"16"`
	SkipIfDown        bool          `setting:"skip_if_down"`

	UserBase          string            `setting:"user_base"`
	UserFilter        string            `setting:"user_filter"`
	LoginAttributes   []string          `setting:"login_attributes" fallback:"[\"uid\"]"`
	UserDN            string            `setting:"user_dn"`
	DecoyDN           string            `setting:"decoy_dn"`
	SearchAsUser      bool              `setting:"search_as_user"`
	Issuer            string            `setting:"issuer" fallback:"\"ldap\""`
	KeyAttribute      string            `setting:"key_attribute"`
	UsernameAttribute string            `setting:"username_attribute" fallback:"(the first of login_attributes)"`
	KeepCase          bool              `setting:"keep_case"`
	EmailAttribute    string            `setting:"email_attribute" fallback:"\"mail\""`
	EmailUnverified   bool              `setting:"email_unverified"`
	Attributes        map[string]string `setting:"attributes"`

	GroupKind          string            `setting:"group_kind"`
	GroupBase          string            `setting:"group_base"`
	GroupFilter        string            `setting:"group_filter"`
	GroupNameAttribute string            `setting:"group_name_attribute" fallback:"\"cn\""`
	GroupDepth         int               `setting:"group_depth"`
	GroupNames         map[string]string `setting:"group_names"`
	OnlyNamedGroups    bool              `setting:"only_named_groups"`
	RequireGroups      []string          `setting:"require_groups"`
	DenyGroups         []string          `setting:"deny_groups"`

	policySettings

	named bool // by one of the back ends
}

// policySettings say how people whom an outside issuer knows become users: the fields of a userdb.IdentityPolicy.
type policySettings struct {
	Create              *bool    `setting:"create" fallback:"true"`
	MatchUsername       bool     `setting:"match_username"`
	KeepAccess          bool     `setting:"keep_access"`
	MatchVerifiedEmail  bool     `setting:"match_verified_email"`
	LocalEmailsVerified bool     `setting:"local_emails_verified"`
	Update              *bool    `setting:"update" fallback:"true"`
	MirrorGroups        bool     `setting:"mirror_groups"`
	MirrorOnly          []string `setting:"mirror_only"`
	MirrorExcept        []string `setting:"mirror_except"`
	StaffGroups         []string `setting:"staff_groups"`
	SuperuserGroups     []string `setting:"superuser_groups"`
}

// policyNames are the settings that errors of userdb.IdentityPolicy are about.
var policyNames = strings.NewReplacer(
	"LocalEmailsVerified", "local_emails_verified", "MatchVerifiedEmail", "match_verified_email", "MatchUsername", "match_username", "KeepAccess", "keep_access",
	"MirrorGroups", "mirror_groups", "MirrorOnly", "mirror_only", "MirrorExcept", "mirror_except",
)

// policy is that of an issuer. People are made and follow the issuer unless the settings say otherwise.
func (p *policySettings) policy(issuer string) userdb.IdentityPolicy {
	return userdb.IdentityPolicy{
		Issuer: issuer, Create: p.Create == nil || *p.Create, MatchUsername: p.MatchUsername, KeepAccess: p.KeepAccess,
		MatchVerifiedEmail: p.MatchVerifiedEmail, LocalEmailsVerified: p.LocalEmailsVerified, Update: p.Update == nil || *p.Update,
		MirrorGroups: p.MirrorGroups, MirrorOnly: p.MirrorOnly, MirrorExcept: p.MirrorExcept,
		StaffGroups: p.StaffGroups, SuperuserGroups: p.SuperuserGroups,
	}
}

// ldapNames are the settings that errors of package ldapauth are about.
var ldapNames = strings.NewReplacer(
	"Groups.Kind", "ldap.group_kind", "Groups.Base", "ldap.group_base", "Groups.Filter", "ldap.group_filter", "Groups.Depth", "ldap.group_depth",
	"Groups.OnlyNamed", "ldap.only_named_groups", "Groups.Names", "ldap.group_names", "BindDN", "ldap.bind_dn", "BindPassword", "ldap.bind_password",
	"UserBase", "ldap.user_base", "UserFilter", "ldap.user_filter", "UserDN", "ldap.user_dn", "DecoyDN", "ldap.decoy_dn", "KeyAttribute", "ldap.key_attribute",
)

// ldapSet returns the first setting of the section that somebody has set, or "".
func (s *Settings) ldapSet() string {
	for _, f := range s.fields() {
		if strings.HasPrefix(f.name, "ldap.") && s.sources[f.name] != "" {
			return f.name
		}
	}
	return ""
}

// useLDAP lets back ends of the kind ldap be named.
func (s *Settings) useLDAP() {
	if s.ldapSet() == "" {
		s.makes(cardea.KindLDAP, func(string) (auth.Backend, error) {
			return nil, errors.New("there is no section [ldap]: say there where the directory is, or take the name out")
		})
		return
	}
	issuer := s.LDAP.Issuer
	if issuer == "" {
		issuer = cardea.KindLDAP
	}
	s.Identities = append(s.Identities, s.LDAP.policy(issuer))
	s.makes(cardea.KindLDAP, func(name string) (auth.Backend, error) {
		s.LDAP.named = true
		b, err := s.ldap(name)
		if err != nil {
			return nil, err
		}
		if s.LDAP.SkipIfDown {
			return auth.SkipIfDown(b), nil
		}
		return b, nil
	})
}

// checkLDAPNamed refuses settings of a back end that nobody has named.
func (s *Settings) checkLDAPNamed() error {
	if set := s.ldapSet(); set != "" && !s.LDAP.named {
		return s.wrong(set, fmt.Sprintf("counts only with a back end of the kind %q: name it in authentication_backends, or leave the section [ldap] out", cardea.KindLDAP))
	}
	return nil
}

// ldap makes a back end over the directory.
func (s *Settings) ldap(name string) (*ldapauth.Backend, error) {
	l := &s.LDAP
	cfg := ldapauth.Config{
		Name: name, Issuer: l.Issuer, Servers: l.Servers, InsecurePlaintext: l.InsecurePlaintext, BindDN: l.BindDN, BindPassword: l.BindPassword,
		UserBase: l.UserBase, UserFilter: l.UserFilter, LoginAttributes: l.LoginAttributes, UserDN: l.UserDN, DecoyDN: l.DecoyDN,
		SearchAsUser: l.SearchAsUser, KeyAttribute: l.KeyAttribute, UsernameAttribute: l.UsernameAttribute, KeepCase: l.KeepCase,
		EmailAttribute: l.EmailAttribute, EmailUnverified: l.EmailUnverified, Attributes: l.Attributes,
		Groups: ldapauth.Groups{
			Kind: ldapauth.GroupKind(l.GroupKind), Base: l.GroupBase, Filter: l.GroupFilter, NameAttribute: l.GroupNameAttribute, Depth: l.GroupDepth,
			Names: l.GroupNames, OnlyNamed: l.OnlyNamedGroups, Require: l.RequireGroups, Deny: l.DenyGroups,
		},
		Timeout: l.Timeout, MaxLogins: l.MaxLogins, Logger: s.Logger, Now: s.Now,
	}
	var err error
	if cfg.RootCAs, err = s.certificates("ldap.ca_file", l.CAFile); err != nil {
		return nil, err
	}
	if l.CertFile != "" || l.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(l.CertFile, l.KeyFile)
		if err != nil {
			return nil, s.wrong("ldap.cert_file", fmt.Sprintf("and ldap.key_file cannot be used: %v; they are PEM files and belong together", err))
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	b, err := ldapauth.New(cfg)
	if err != nil {
		return nil, &SettingError{Where: s.sources[s.ldapSet()], Cure: "[ldap]: " + ldapNames.Replace(strings.TrimPrefix(err.Error(), "ldapauth: "))}
	}
	return b, nil
}

// certificates reads a file of those who may sign certificates; none is nil.
func (s *Settings) certificates(setting, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, s.wrong(setting, fmt.Sprintf("cannot be read: %v", err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, s.wrong(setting, fmt.Sprintf("has no certificate in it: %s has to be a PEM file", file))
	}
	return pool, nil
}

// checkLDAP refuses a section that could not be used.
func (s *Settings) checkLDAP() error {
	if s.ldapSet() == "" {
		return nil
	}
	b, err := s.ldap(cardea.KindLDAP)
	if err != nil {
		return err
	}
	if err := s.LDAP.policy(b.Issuer()).Check(); err != nil {
		return &SettingError{Where: s.sources[s.ldapSet()], Cure: "[ldap]: " + policyNames.Replace(strings.TrimPrefix(err.Error(), "userdb: "))}
	}
	return b.Close()
}

type ldapCommand struct {
	Check ldapCheckCommand `cmd:"" help:"Try a log-in at the directory and tell step by step what is asked and found. Nothing is changed."`
}

type ldapCheckCommand struct {
	Username string `arg:"" help:"What the person types as the user name."`
}

func (c *ldapCheckCommand) run(ctx context.Context, p *Program, s *Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.ldapSet() == "" {
		return errors.New("there is no section [ldap] in the settings: say there where the directory is")
	}
	b, err := s.ldap(cardea.KindLDAP)
	if err != nil {
		return err
	}
	defer b.Close()
	password, err := p.prompt().password("Password of " + c.Username + ": ")
	if err != nil {
		return err
	}
	id, err := b.Explain(ctx, auth.Password{Username: c.Username, Password: password}, func(line string) { fmt.Fprintln(p.Stdout, cell(line)) })
	switch {
	case errors.Is(err, auth.ErrDenied):
		return errors.New("the password is right, and the groups keep this person out")
	case errors.Is(err, auth.ErrInvalid):
		return errors.New("this log-in is refused")
	case err != nil:
		return err
	}
	fmt.Fprintf(p.Stdout, "This log-in works: issuer %q, subject %q, user name %q, e-mail address %q, groups %q.\n", id.Issuer, id.Subject, id.Name, id.Email, id.Groups)
	return nil
}
