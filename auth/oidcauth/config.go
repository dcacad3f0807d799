package oidcauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea/auth"
)

// A Config says where a provider is and how this site is known there. Name, ClientID, and Issuer or OAuth are required. The presets,
// such as [Google], fill one in.
type Config struct {
	// Name stands in addresses, such as /accounts/oidc/NAME/callback/: small letters, digits and hyphens.
	Name string
	// Title is what people call it. Defaults to Name.
	Title string

	// Issuer is the issuer identifier, an https URL below which the provider describes itself (OpenID Connect Discovery). With
	// OAuth it is only the name under which this site keeps the provider's users.
	Issuer string
	// OAuth is set for a provider that has no ID tokens. Defaults to none.
	OAuth *OAuth

	// ClientID and ClientSecret are what the provider gave to this site. Without a secret the site is a public client.
	ClientID     string
	ClientSecret string
	// SecretFunc makes the secret where it has to be made anew, as for Apple. Defaults to ClientSecret.
	SecretFunc func(now time.Time) (string, error)

	// Scopes are asked for. Defaults to openid, profile and email; with OAuth to none.
	Scopes []string
	// Params are added to the request of an authorization, such as "hd". Those of the protocol cannot be replaced.
	Params map[string]string
	// FormPost has the answer sent as a form (OAuth 2.0 Form Post Response Mode). Defaults to a redirect.
	FormPost bool

	// MaxAge is how long ago somebody may have logged in there. Defaults to any time.
	MaxAge time.Duration
	// NoAuthTime is for a provider that does not say when somebody logged in there, or does not let itself be asked to log somebody in
	// again. A login then counts as fresh from when the person came back. Defaults to insisting.
	NoAuthTime bool
	// ACR are authentication context classes of which the login has to have one. Defaults to any.
	ACR []string
	// Require are claims with the values that they must have, such as "hd". Defaults to none.
	Require map[string]string

	// UserInfo asks the provider's user-info endpoint for what the ID token does not hold. Defaults to false.
	UserInfo bool
	// Groups is the claim that lists groups; dots lead into objects, as in "realm_access.roles". Defaults to none.
	Groups string

	// EndSession logs people out at the provider too when they log out here. The session then holds the ID token. Defaults to false.
	EndSession bool

	// BackChannel ends sessions here when the provider says that the login there is over (OpenID Connect Back-Channel Logout), at the
	// address oidc/NAME/backchannel/. Defaults to false.
	BackChannel bool

	// Skew is how far the provider's clock may be off. Defaults to one minute.
	Skew time.Duration
	// Timeout bounds each call to the provider. Defaults to 10 seconds.
	Timeout time.Duration
	// Transport makes the calls. Defaults to one that follows the proxy settings of the environment.
	Transport http.RoundTripper
	// Logger hears why somebody was refused. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// An OAuth describes a provider without ID tokens.
type OAuth struct {
	AuthURL, TokenURL string
	// Identify asks the provider who it is, by calls that carry the access token. The subject has to be what never changes and is never
	// given to somebody else: a number, not a name.
	Identify func(ctx context.Context, get Get) (*auth.Identity, error)
}

// Get fetches JSON from an address with the access token, and decodes it; numbers decode into any as json.Number.
type Get func(ctx context.Context, address string, into any) error

const (
	maxBody     = 1 << 20          // of an answer
	attemptTime = 10 * time.Minute // from the button to the answer
)

var (
	nameRule = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

	// reserved are the parameters that the protocol sets itself.
	reserved = []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"response_mode", "max_age", "prompt", "acr_values", "request", "request_uri",
	}
)

// complete checks a configuration and fills in the defaults.
func (c *Config) complete() error {
	switch {
	case !nameRule.MatchString(c.Name):
		return fmt.Errorf("the name %q has to be of small letters, digits and hyphens, for it stands in addresses", c.Name)
	case c.ClientID == "":
		return errors.New("ClientID is missing: the provider gives it to you when you register this site there")
	case c.Issuer == "":
		return errors.New("Issuer is missing: it is the URL by which the provider names itself")
	case c.ClientSecret != "" && c.SecretFunc != nil:
		return errors.New("ClientSecret and SecretFunc are both set: one of them is enough")
	}
	if c.OAuth == nil {
		if err := safeURL("Issuer", c.Issuer); err != nil {
			return err
		}
		if strings.Contains(c.Issuer, "?") || strings.Contains(c.Issuer, "#") {
			return fmt.Errorf("the issuer %q has a query or a fragment, which no issuer has", c.Issuer)
		}
		if c.Scopes == nil {
			c.Scopes = []string{"openid", "profile", "email"}
		}
		if !slices.Contains(c.Scopes, "openid") {
			return errors.New(`the scope "openid" is missing: without it there is no ID token`)
		}
	} else {
		if c.OAuth.Identify == nil {
			return errors.New("OAuth.Identify is missing: somebody has to say who it is")
		}
		if c.ACR != nil || c.MaxAge != 0 || c.UserInfo || c.EndSession || c.BackChannel {
			return errors.New("ACR, MaxAge, UserInfo, EndSession and BackChannel need a provider that speaks OpenID Connect")
		}
		if err := errors.Join(safeURL("OAuth.AuthURL", c.OAuth.AuthURL), safeURL("OAuth.TokenURL", c.OAuth.TokenURL)); err != nil {
			return err
		}
		c.NoAuthTime = true
	}
	for name := range c.Params {
		if slices.Contains(reserved, name) {
			return fmt.Errorf("the parameter %q in Params is set by the protocol itself", name)
		}
	}
	if c.MaxAge < 0 || c.Skew < 0 || c.Timeout < 0 {
		return errors.New("MaxAge, Skew and Timeout are not below zero")
	}
	if c.MaxAge > 0 && c.NoAuthTime {
		return errors.New("MaxAge needs a provider that says when somebody logged in: NoAuthTime contradicts it")
	}
	if c.Title == "" {
		c.Title = c.Name
	}
	if c.Skew == 0 {
		c.Skew = time.Minute
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// safeURL admits https, and http to this machine.
func safeURL(what, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("%s %q is not a URL such as https://id.example.com", what, text)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%s %q has to begin with https://: secrets and tokens go there", what, text)
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
