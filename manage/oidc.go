package manage

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/oidcauth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/throttle"
	"github.com/cardea-go/cardea/userdb"
)

// oidcSettings are one table [[oidc]]: a place where people have accounts, and how those who come from there become users.
type oidcSettings struct {
	Name   string `setting:"name"`
	Preset string `setting:"preset"`
	Title  string `setting:"title"`
	Issuer string `setting:"issuer"`
	Tenant string `setting:"tenant"`

	ClientID         string            `setting:"client_id"`
	ClientSecret     string            `setting:"client_secret" secret:"true"`
	ClientSecretFile string            `setting:"client_secret_file"`
	Scopes           []string          `setting:"scopes"`
	Params           map[string]string `setting:"params"`
	Require          map[string]string `setting:"require"`
	ACR              []string          `setting:"acr"`
	MaxAge           time.Duration     `setting:"max_age"`
	AuthTime         *bool             `setting:"auth_time"`
	UserInfo         bool              `setting:"user_info"`
	FormPost         *bool             `setting:"form_post"`
	Groups           string            `setting:"groups"`
	Timeout          time.Duration     `setting:"timeout"`
	Skew             time.Duration     `setting:"skew"`

	EndSession        *bool `setting:"end_session"`
	BackChannelLogout bool  `setting:"backchannel_logout"`

	AuthURL            string `setting:"auth_url"`
	TokenURL           string `setting:"token_url"`
	UserInfoURL        string `setting:"userinfo_url"`
	SubjectClaim       string `setting:"subject_claim"`
	NameClaim          string `setting:"name_claim"`
	EmailClaim         string `setting:"email_claim"`
	EmailVerifiedClaim string `setting:"email_verified_claim"`

	AppleTeam    string `setting:"apple_team"`
	AppleKeyID   string `setting:"apple_key_id"`
	AppleKeyFile string `setting:"apple_key_file"`

	policySettings

	Where string // it stands
	named bool   // by a back end
}

// attemptsPerPlace is how many logins elsewhere may be begun from one place.
var attemptsPerPlace = throttle.Limit{Tries: 100, Per: 10 * time.Minute}

// oidcNames are the settings that errors of package oidcauth are about.
var oidcNames = strings.NewReplacer(
	"ClientSecret and SecretFunc", "client_secret and apple_key_file", "ClientID", "client_id", "ClientSecret", "client_secret", "Issuer", "issuer",
	"MaxAge", "max_age", "NoAuthTime", "auth_time = false", "UserInfo.URL", "userinfo_url", "UserInfo", "user_info", "EndSession", "end_session",
	"OAuth.AuthURL", "auth_url", "OAuth.TokenURL", "token_url", "Params", "params", "Skew", "skew", "Timeout", "timeout", "ACR", "acr",
)

// wrong is an error about this table.
func (o *oidcSettings) wrong(cure string) error {
	for _, prefix := range []string{"oidcauth: ", "userdb: "} {
		cure = strings.TrimPrefix(cure, prefix)
	}
	return &SettingError{Where: o.Where, Cure: "[[oidc]]: " + oidcNames.Replace(policyNames.Replace(cure))}
}

// preset is the configuration to begin with.
func (o *oidcSettings) preset() (oidcauth.Config, error) {
	issuer := func(c oidcauth.Config) (oidcauth.Config, error) {
		if o.Issuer != "" {
			return c, fmt.Errorf("the preset %q knows its issuer: leave issuer out, or preset", o.Preset)
		}
		return c, nil
	}
	if o.Preset != "microsoft" && o.Tenant != "" {
		return oidcauth.Config{}, errors.New("tenant goes with the preset \"microsoft\" only")
	}
	switch o.Preset {
	case "":
		return oidcauth.Config{Issuer: o.Issuer}, nil
	case "google":
		return issuer(oidcauth.Google())
	case "microsoft":
		c, err := oidcauth.Microsoft(o.Tenant)
		if err != nil {
			return c, err
		}
		return issuer(c)
	case "gitlab":
		return oidcauth.GitLab(o.Issuer), nil
	case "keycloak":
		if o.Issuer == "" {
			return oidcauth.Config{}, errors.New("the preset \"keycloak\" needs issuer, the address of the realm: https://id.example.com/realms/NAME")
		}
		return oidcauth.Keycloak(o.Issuer), nil
	case "apple":
		return issuer(oidcauth.Apple())
	case "github":
		return issuer(oidcauth.GitHub())
	}
	return oidcauth.Config{}, fmt.Errorf("there is no preset %q: choose google, microsoft, github, gitlab, apple or keycloak, or leave it out and name the issuer", o.Preset)
}

// config is that of the provider.
func (o *oidcSettings) config(s *Settings) (oidcauth.Config, error) {
	c, err := o.preset()
	if err != nil {
		return c, err
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&c.Name, o.Name)
	set(&c.Title, o.Title)
	set(&c.Groups, o.Groups)
	c.ClientID, c.ClientSecret = o.ClientID, o.ClientSecret
	if o.Scopes != nil {
		c.Scopes = o.Scopes
	}
	if o.AuthTime != nil {
		c.NoAuthTime = !*o.AuthTime
	}
	if o.EndSession != nil {
		c.EndSession = *o.EndSession
	}
	if o.FormPost != nil {
		c.FormPost = *o.FormPost
	}
	c.Params, c.Require, c.ACR, c.MaxAge, c.UserInfo = o.Params, o.Require, o.ACR, o.MaxAge, o.UserInfo
	c.Timeout, c.Skew, c.BackChannel, c.Logger, c.Now = o.Timeout, o.Skew, o.BackChannelLogout, s.Logger, s.Now
	if o.ClientSecretFile != "" {
		if o.ClientSecret != "" {
			return c, errors.New("client_secret and client_secret_file are both set: one of them is enough")
		}
		text, err := os.ReadFile(o.ClientSecretFile)
		if err != nil {
			return c, fmt.Errorf("client_secret_file cannot be read: %w", err)
		}
		c.ClientSecret = strings.TrimSpace(string(text))
	}
	if o.AppleTeam+o.AppleKeyID+o.AppleKeyFile != "" {
		key, err := os.ReadFile(o.AppleKeyFile)
		if err != nil {
			return c, fmt.Errorf("apple_key_file cannot be read: %w", err)
		}
		if c.SecretFunc, err = oidcauth.AppleSecret(o.AppleTeam, o.AppleKeyID, o.ClientID, key); err != nil {
			return c, err
		}
	}
	if o.AuthURL+o.TokenURL == "" {
		return c, nil
	}
	if o.Preset != "" {
		return c, fmt.Errorf("auth_url and token_url go without the preset %q", o.Preset)
	}
	identify, err := oidcauth.UserInfo{
		URL: o.UserInfoURL, Subject: o.SubjectClaim, Name: o.NameClaim, Email: o.EmailClaim, EmailVerified: o.EmailVerifiedClaim,
	}.Identify()
	if err != nil {
		return c, err
	}
	c.OAuth = &oidcauth.OAuth{AuthURL: o.AuthURL, TokenURL: o.TokenURL, Identify: identify}
	return c, nil
}

// policyOf says how people of an issuer become users. Unlike a directory, a place that anybody can join makes none unless it is told to.
func (o *oidcSettings) policyOf(issuer string) userdb.IdentityPolicy {
	p := o.policy(issuer)
	p.Create, p.Update = o.Create != nil && *o.Create, o.Update != nil && *o.Update
	return p
}

// providers makes the providers of all tables.
func (s *Settings) providers() ([]*oidcauth.Provider, error) {
	var list []*oidcauth.Provider
	for i := range s.OIDC {
		o := &s.OIDC[i]
		c, err := o.config(s)
		var p *oidcauth.Provider
		if err == nil {
			p, err = oidcauth.New(c)
		}
		if err == nil {
			policy := o.policyOf(p.Issuer())
			err = policy.Check()
		}
		if err == nil && slices.ContainsFunc(list, func(other *oidcauth.Provider) bool { return other.Name() == p.Name() }) {
			err = fmt.Errorf("there are two of the name %q: give one of them another name", p.Name())
		}
		if err == nil && o.BackChannelLogout && s.engine() != engineDB && s.engine() != engineCachedDB {
			err = fmt.Errorf("backchannel_logout needs sessions in the database; session_engine is %q", s.engine())
		}
		if err != nil {
			return nil, o.wrong(err.Error())
		}
		list = append(list, p)
	}
	return list, nil
}

// checkOIDC refuses tables that could not be used.
func (s *Settings) checkOIDC() error {
	_, err := s.providers()
	return err
}

// oidcBackend is the name of the back end of one provider. KindOIDC is that of all of them.
func oidcBackend(provider string) string { return cardea.KindOIDC + "." + provider }

// useOIDC puts the buttons on the login page, and lets back ends of the kind oidc be named: all providers by that, and one by
// oidc.NAME.
func (s *Settings) useOIDC(db *userdb.DB) error {
	if len(s.OIDC) == 0 {
		s.makes(cardea.KindOIDC, func(string) (auth.Backend, error) {
			return nil, errors.New("there is no table [[oidc]]: say there where people have accounts, or take the name out")
		})
		return nil
	}
	providers, err := s.providers()
	if err != nil {
		return err
	}
	limiter, err := throttle.New(db.Throttle(), throttle.Config{
		Account: attemptsPerPlace, Address: attemptsPerPlace, Key: []byte("oidc " + s.SecretKey), Now: s.Now,
	})
	if err != nil {
		return err
	}
	flow, err := oidcauth.NewFlow(db.Once(), providers, oidcauth.FlowConfig{
		Path: s.accounts(), Cookie: origin.CookiePolicy{Domain: s.SessionCookieDomain}, Limiter: limiter,
		LoginTime: s.SessionAbsolute, Logger: s.Logger, Now: s.Now,
	})
	if err != nil {
		return s.OIDC[0].wrong(err.Error())
	}
	s.Federation = flow
	s.makes(cardea.KindOIDC, func(name string) (auth.Backend, error) {
		for i := range s.OIDC {
			s.OIDC[i].named = true
		}
		return oidcauth.NewBackend(name, providers...), nil
	})
	for i, p := range providers {
		s.Identities = append(s.Identities, s.OIDC[i].policyOf(p.Issuer()))
		s.makes(oidcBackend(p.Name()), func(name string) (auth.Backend, error) {
			s.OIDC[i].named = true
			return oidcauth.NewBackend(name, p), nil
		})
	}
	return nil
}

// checkOIDCNamed refuses a table whose back end nobody has named.
func (s *Settings) checkOIDCNamed() error {
	for i := range s.OIDC {
		o := &s.OIDC[i]
		if name := o.Name; !o.named {
			if name == "" {
				name = o.Preset
			}
			return o.wrong(fmt.Sprintf("counts only with a back end: name %q in authentication_backends, or %q for this one alone, or leave the table out",
				cardea.KindOIDC, oidcBackend(name)))
		}
	}
	return nil
}
