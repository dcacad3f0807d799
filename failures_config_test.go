package cardea_test

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// brokenConfigs breaks each field of Config, one at a time, in every way that can be told.
var brokenConfigs = map[string][]func(c *cardea.Config){
	"SecretKey": {
		func(c *cardea.Config) { c.SecretKey = "" },
		func(c *cardea.Config) { c.SecretKey = "too short to be a secret" },
	},
	"SecretKeyFallbacks":   {func(c *cardea.Config) { c.SecretKeyFallbacks = []string{""} }},
	"Profile":              {func(c *cardea.Config) { c.Profile = "Default" }, func(c *cardea.Config) { c.Profile = "none" }},
	"DjangoVersion":        {func(c *cardea.Config) { c.DjangoVersion = "1.4" }, func(c *cardea.Config) { c.Profile, c.DjangoVersion = cardea.Django, "six" }},
	"AllowedHosts":         {func(c *cardea.Config) { c.AllowedHosts = []string{"https://example.com"} }, func(c *cardea.Config) { c.AllowedHosts = []string{""} }},
	"TrustedProxies":       {func(c *cardea.Config) { c.TrustedProxies = []string{"proxy.example"} }, func(c *cardea.Config) { c.TrustedProxies = []string{"10.0.0.0/99"} }},
	"SecureProxySSLHeader": {func(c *cardea.Config) { c.SecureProxySSLHeader = []string{"X-Forwarded-Proto"} }, func(c *cardea.Config) { c.SecureProxySSLHeader = []string{"", "https"} }, func(c *cardea.Config) { c.SecureProxySSLHeader = []string{"X-Forwarded-Proto", ""} }},
	"Prefix":               {func(c *cardea.Config) { c.Prefix = "app" }, func(c *cardea.Config) { c.Prefix = "//evil.example" }},
	"SiteURL":              {func(c *cardea.Config) { c.SiteURL = "example.com" }, func(c *cardea.Config) { c.SiteURL = "ftp://example.com" }},
	"AccountsURL":          {func(c *cardea.Config) { c.AccountsURL = "accounts/" }, func(c *cardea.Config) { c.AccountsURL = "/accounts" }, func(c *cardea.Config) { c.AccountsURL = "//evil.example/" }},
	"LoginURL":             brokenURLs(func(c *cardea.Config) *string { return &c.LoginURL }),
	"LoginRedirectURL":     brokenURLs(func(c *cardea.Config) *string { return &c.LoginRedirectURL }),
	"HelpURL":              brokenURLs(func(c *cardea.Config) *string { return &c.HelpURL }),
	"LogoutRedirectURL":    brokenURLs(func(c *cardea.Config) *string { return &c.LogoutRedirectURL }),
	"SuccessURLAllowedHosts": {
		func(c *cardea.Config) { c.SuccessURLAllowedHosts = []string{"evil.example"} },
		func(c *cardea.Config) { c.SuccessURLAllowedHosts = []string{"http://localhost"} },
		func(c *cardea.Config) { c.SuccessURLAllowedHosts = []string{".localhost"} },
	},
	"Identifier": {func(c *cardea.Config) { c.Identifier = "phone" }},
	"AuthenticationBackends": {
		func(c *cardea.Config) {
			c.AuthenticationBackends = []string{"django.contrib.auth.backends.RemoteUserBackend"}
		},
		func(c *cardea.Config) { c.AuthenticationBackends = []string{""} },
	},
	"Debug":      {func(c *cardea.Config) { c.Debug, c.AllowedHosts = true, []string{"example.com"} }},
	"BackendMap": {func(c *cardea.Config) { c.BackendMap = map[string]string{"a.B": "none"} }},
	"BackendKinds": {func(c *cardea.Config) {
		c.AuthenticationBackends = []string{"ldap"}
		c.BackendKinds = map[string]func(string) (auth.Backend, error){"ldap": func(string) (auth.Backend, error) { return nil, errors.New("broken") }}
	}},
	"PasswordResetTimeout": {func(c *cardea.Config) { c.PasswordResetTimeout = -time.Hour }},
	"TimeZone":             {func(c *cardea.Config) { c.TimeZone = "Europe/Nowhere" }},
	"DefaultFromEmail":     {func(c *cardea.Config) { c.DefaultFromEmail = "nobody" }, func(c *cardea.Config) { c.DefaultFromEmail = "a@example.com\r\nBcc: b@example.com" }},
	"PasswordValidators":   {func(c *cardea.Config) { c.PasswordValidators = password.Validators{nil} }},
	"MailTemplates":        {func(c *cardea.Config) { c.MailTemplates = fstest.MapFS{"signup.txt": {Data: []byte("{{.Nope")}} }},
	"PasswordHasherParams": {
		func(c *cardea.Config) { c.PasswordHasherParams = map[string]string{"pbkdf2_sha256": "rounds=5"} },
		func(c *cardea.Config) { c.PasswordHasherParams = map[string]string{"rot13": "iterations=5"} },
	},
	"PasswordHashers": {
		func(c *cardea.Config) { c.PasswordHashers = []string{"django.contrib.auth.hashers.PlainHasher"} },
		func(c *cardea.Config) { c.PasswordHashers = []string{""} },
	},
	"SessionCookieName":       {func(c *cardea.Config) { c.SessionCookieName = "session id" }},
	"SessionCookieAge":        {func(c *cardea.Config) { c.SessionCookieAge = -time.Hour }},
	"SessionCookieDomain":     {func(c *cardea.Config) { c.SessionCookieDomain = "example.com; Secure" }},
	"SessionCookiePath":       {func(c *cardea.Config) { c.SessionCookiePath = "app" }},
	"SessionCookieSameSite":   {func(c *cardea.Config) { c.SessionCookieSameSite = "lax" }},
	"SessionIdle":             {func(c *cardea.Config) { c.SessionIdle = -time.Hour }},
	"SessionAbsolute":         {func(c *cardea.Config) { c.SessionAbsolute = -time.Hour }},
	"SessionStore":            {func(c *cardea.Config) { c.SessionStore = forgetful{} }},
	"MessageStorage":          {func(c *cardea.Config) { c.MessageStorage = "memory" }},
	"MessageLevel":            {func(c *cardea.Config) { c.MessageLevel = -1 }},
	"CSRFCookieName":          {func(c *cardea.Config) { c.CSRFCookieName = "csrf=token" }},
	"CSRFHeaderName":          {func(c *cardea.Config) { c.CSRFHeaderName = "X CSRF\n" }},
	"CSRFCookieAge":           {func(c *cardea.Config) { c.CSRFCookieAge = new(time.Duration); *c.CSRFCookieAge = -time.Hour }},
	"CSRFCookieDomain":        {func(c *cardea.Config) { c.CSRFCookieDomain = "exa mple" }},
	"CSRFCookiePath":          {func(c *cardea.Config) { c.CSRFCookiePath = "app" }},
	"CSRFCookieSameSite":      {func(c *cardea.Config) { c.CSRFCookieSameSite = "Always" }},
	"CSRFTrustedOrigins":      {func(c *cardea.Config) { c.CSRFTrustedOrigins = []string{"example.com"} }, func(c *cardea.Config) { c.CSRFTrustedOrigins = []string{"*"} }},
	"DataUploadMaxMemorySize": {func(c *cardea.Config) { c.DataUploadMaxMemorySize = -1 }},

	"DataUploadMaxNumberFields": {func(c *cardea.Config) { c.DataUploadMaxNumberFields = -1 }},
	"Backends":                  {func(c *cardea.Config) { c.Backends = []auth.Backend{} }, func(c *cardea.Config) { c.Backends = []auth.Backend{nil} }},
	"Identities": {
		func(c *cardea.Config) { c.Identities = []userdb.IdentityPolicy{{}} },
		func(c *cardea.Config) { c.Identities = []userdb.IdentityPolicy{{Issuer: "a"}, {Issuer: "a"}} },
	},
	"Permissions":   {func(c *cardea.Config) { c.Permissions = []perm.Source{nil} }},
	"OnLogin":       {func(c *cardea.Config) { c.OnLogin = []func(*http.Request, auth.User){nil} }},
	"OnLogout":      {func(c *cardea.Config) { c.OnLogout = []func(*http.Request, auth.User){nil} }},
	"OnLoginFailed": {func(c *cardea.Config) { c.OnLoginFailed = []func(*http.Request, map[string]string, error){nil} }},
	"Templates":     {func(c *cardea.Config) { c.Templates = fstest.MapFS{"login.html": {Data: []byte("{{.Nope")}} }},
}

// unbreakable are the fields of which every value means something: switches, and what is missing when it is not set.
var unbreakable = []string{
	"UseXForwardedHost", "UseXForwardedPort", "UseXForwardedPrefix", "InsecureHTTP", "SiteName", "RedirectAuthenticatedUser", "SessionCookieSecure", "SessionCookieHTTPOnly",
	"SessionSaveEveryRequest", "SessionExpireAtBrowserClose", "MessageTags", "CSRFCookieSecure", "CSRFCookieHTTPOnly", "CSRFUseSessions",
	"Signup", "APITokens", "Basic", "Federation", "Mail", "Describe", "Policy", "Hashers", "Funcs", "CSRFFailure", "Logger", "Now",
}

// forgetful keeps nothing.
type forgetful struct{ sessions.Store }

func (forgetful) Stateless() {}

func brokenURLs(field func(c *cardea.Config) *string) (broken []func(c *cardea.Config)) {
	for _, value := range []string{"javascript:alert(1)", "//evil.example/", "here", `/\evil.example`, "/x\r\nSet-Cookie: a=b", "https:/evil.example"} {
		broken = append(broken, func(c *cardea.Config) { *field(c) = value })
	}
	return broken
}

// TestM15BrokenConfigIsRefused: a setting that makes no sense is an error of New, never a site that runs and is open.
func TestM15BrokenConfigIsRefused(t *testing.T) {
	t.Parallel()
	db := cardeatest.DB(t)
	whole := func() cardea.Config {
		cfg := cardeatest.Config()
		cfg.Hashers = nil // so that the settings that name hashers count
		return cfg
	}
	if _, err := cardea.New(db, whole()); err != nil {
		t.Fatalf("control: the configuration that is whole: %v", err)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[cardea.Config]()) {
		broken := brokenConfigs[field.Name]
		if got := len(broken) == 0; got != slices.Contains(unbreakable, field.Name) {
			t.Errorf("Config.%s: this test has %d broken values of it", field.Name, len(broken))
		}
		for i, breakIt := range broken {
			cfg := whole()
			breakIt(&cfg)
			site, err := cardea.New(db, cfg)
			if err == nil || site != nil {
				t.Errorf("Config.%s = %v (%d): New has made a site", field.Name, reflect.ValueOf(cfg).FieldByIndex(field.Index), i)
			}
		}
	}
	if _, err := cardea.New(nil, whole()); err == nil {
		t.Error("New without a database has made a site")
	}
	if _, err := cardea.NewWith[userdb.User](nil, whole()); err == nil {
		t.Error("NewWith without users has made a site")
	}
	if _, err := cardea.Assemble(cardea.Parts[auth.User]{}, whole()); err == nil {
		t.Error("Assemble without parts has made a site")
	}
}
