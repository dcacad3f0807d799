package cardea

import (
	"cmp"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// fill sets what c leaves open, where a profile decides it or one setting follows from another.
func (c *Config) fill(row rules) {
	c.AccountsURL = cmp.Or(c.AccountsURL, "/accounts/")
	c.LoginURL = cmp.Or(c.LoginURL, c.AccountsURL+"login/")
	c.LoginRedirectURL = cmp.Or(c.LoginRedirectURL, c.AccountsURL+"profile/")
	c.PasswordResetTimeout = cmp.Or(c.PasswordResetTimeout, row.resetTimeout)
	c.SessionCookieAge = cmp.Or(c.SessionCookieAge, row.age)
	c.SessionIdle = cmp.Or(c.SessionIdle, row.idle)
	c.SessionAbsolute = cmp.Or(c.SessionAbsolute, row.absolute)
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
	c.SiteName = cmp.Or(c.SiteName, "Cardea")
	c.Identifier = cmp.Or(c.Identifier, "username")
	c.TimeZone = cmp.Or(c.TimeZone, "UTC")
	c.DefaultFromEmail = cmp.Or(c.DefaultFromEmail, "webmaster@localhost")
	c.SessionCookieName = cmp.Or(c.SessionCookieName, "sessionid")
	c.SessionCookiePath = cmp.Or(c.SessionCookiePath, "/")
	c.SessionCookieSameSite = cmp.Or(c.SessionCookieSameSite, "Lax")
	c.MessageStorage = cmp.Or(c.MessageStorage, "fallback")
	c.CSRFCookieName = cmp.Or(c.CSRFCookieName, "csrftoken")
	c.CSRFHeaderName = cmp.Or(c.CSRFHeaderName, "HTTP_X_CSRFTOKEN")
	c.CSRFCookiePath = cmp.Or(c.CSRFCookiePath, "/")
	c.CSRFCookieSameSite = cmp.Or(c.CSRFCookieSameSite, "Lax")
	c.SessionCookieHTTPOnly = cmp.Or(c.SessionCookieHTTPOnly, new(true))
	c.CSRFCookieAge = cmp.Or(c.CSRFCookieAge, new(52*7*24*time.Hour))
	c.CSRFCookieHTTPOnly = c.CSRFCookieHTTPOnly || !row.plainCookies
	c.MessageLevel = cmp.Or(c.MessageLevel, 20)
	c.DataUploadMaxMemorySize = cmp.Or(c.DataUploadMaxMemorySize, 2621440)
	c.DataUploadMaxNumberFields = cmp.Or(c.DataUploadMaxNumberFields, 1000)
	return c, nil
}
