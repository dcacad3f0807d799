package cardea

import (
	"fmt"
	"time"

	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// fill sets what c leaves open, where a profile decides it or one setting follows from another.
func (c *Config) fill(row rules) {
	setDefault(&c.AccountsURL, "/accounts/")
	setDefault(&c.LoginURL, c.AccountsURL+"login/")
	setDefault(&c.LoginRedirectURL, c.AccountsURL+"profile/")
	setDefault(&c.PasswordResetTimeout, row.resetTimeout)
	setDefault(&c.SessionCookieAge, row.age)
	setDefault(&c.SessionIdle, row.idle)
	setDefault(&c.SessionAbsolute, row.absolute)
}

// WithDefaults returns c with everything filled in that it leaves open and that has a setting: what a site made of it does. It is
// for showing; [New] does the same by itself. What makes no sense is an error, as it is there.
func (c Config) WithDefaults() (Config, error) {
	profile, row, err := named(c.Profile)
	if err != nil {
		return c, err
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("cardea: %w", err)
	}
	hashers, err := row.hashers(c.djangoVersion())
	if err != nil {
		return c, err
	}
	c.fill(row)
	c.Profile, c.DjangoVersion = profile, c.djangoVersion()
	if c.AllowedHosts == nil {
		c.AllowedHosts = []string{".localhost", "127.0.0.1", "[::1]"}
	}
	if c.SecureProxySSLHeader == nil && c.TrustedProxies != nil {
		c.SecureProxySSLHeader = []string{"X-Forwarded-Proto", "https"}
	}
	if c.AuthenticationBackends == nil && c.Backends == nil {
		c.AuthenticationBackends = []string{userdb.ModelBackend}
	}
	if c.PasswordHashers == nil {
		for _, h := range hashers {
			c.PasswordHashers = append(c.PasswordHashers, password.DjangoName(h.Algorithm()))
		}
	}
	for _, one := range [...]struct {
		setting  *string
		fallback string
	}{
		{&c.SiteName, "Cardea"},
		{&c.Identifier, "username"},
		{&c.TimeZone, "UTC"},
		{&c.DefaultFromEmail, "webmaster@localhost"},
		{&c.SessionCookieName, "sessionid"},
		{&c.SessionCookiePath, "/"},
		{&c.SessionCookieSameSite, "Lax"},
		{&c.MessageStorage, "fallback"},
		{&c.CSRFCookieName, "csrftoken"},
		{&c.CSRFHeaderName, "HTTP_X_CSRFTOKEN"},
		{&c.CSRFCookiePath, "/"},
		{&c.CSRFCookieSameSite, "Lax"},
	} {
		setDefault(one.setting, one.fallback)
	}
	setDefault(&c.SessionCookieHTTPOnly, new(true))
	setDefault(&c.CSRFCookieAge, new(52*7*24*time.Hour))
	c.CSRFCookieHTTPOnly = c.CSRFCookieHTTPOnly || !row.plainCookies
	setDefault(&c.MessageLevel, 20)
	setDefault(&c.DataUploadMaxMemorySize, 2621440)
	setDefault(&c.DataUploadMaxNumberFields, 1000)
	return c, nil
}

func setDefault[T comparable](setting *T, fallback T) {
	var zero T
	if *setting == zero {
		*setting = fallback
	}
}
