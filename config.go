package cardea

import (
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// Config says how a site differs from the defaults of its profile. Only SecretKey is required.
//
// A field with a "setting" tag can also be set in the binary's configuration file under that name, which is Django's in lower
// case, and in the environment as CARDEA_ and the name in upper case. Times are durations here and whole seconds there.
// The contract of each setting is Django's documentation of it.
type Config struct {
	// SecretKey signs sessions, cookies and links. At least 32 characters; a leak lets anybody log in as anybody.
	SecretKey string `setting:"secret_key" secret:"true" fallback:"(in secret_key_file)"`
	// SecretKeyFallbacks are older keys that are still accepted, in order, while people's sessions move to SecretKey.
	SecretKeyFallbacks []string `setting:"secret_key_fallbacks" secret:"true"`

	// Profile chooses between following the newest standards and sharing with Django. Defaults to [Default]; a database that
	// Django made needs it by name.
	Profile Profile `setting:"profile"`
	// DjangoVersion is the version whose hashing costs the Django profile uses: "4.2", "5.0", "5.1" or "5.2". Defaults to "5.2".
	DjangoVersion string `setting:"django_version"`

	// AllowedHosts are the names that this site answers to, as in Django: "example.com", ".example.com" with all
	// subdomains, "*". Defaults to loopback names only.
	AllowedHosts []string `setting:"allowed_hosts"`
	// TrustedProxies are the addresses or networks ("10.0.0.0/8") whose forwarded headers count. Defaults to none.
	TrustedProxies []string `setting:"trusted_proxies"`
	// SecureProxySSLHeader is the header and the value by which a trusted proxy says that the visitor came by HTTPS.
	// Defaults to X-Forwarded-Proto and https.
	SecureProxySSLHeader []string `setting:"secure_proxy_ssl_header"`
	// UseXForwardedHost and UseXForwardedPort believe a trusted proxy about the host and the port. Default to false.
	UseXForwardedHost bool `setting:"use_x_forwarded_host"`
	UseXForwardedPort bool `setting:"use_x_forwarded_port"`
	// SiteURL is the address of the site in links that are mailed, such as "https://example.com".
	SiteURL string `setting:"site_url"`
	// Prefix is the path under which visitors see the site, such as "/app", whether a proxy or http.StripPrefix takes it away.
	// Defaults to none. UseXForwardedPrefix takes it from a trusted proxy's X-Forwarded-Prefix instead.
	Prefix              string `setting:"force_script_name"`
	UseXForwardedPrefix bool   `setting:"use_x_forwarded_prefix"`
	// InsecureHTTP serves plain HTTP beyond loopback. Passwords and cookies then cross the network in the clear.
	InsecureHTTP bool `setting:"insecure_http"`

	// Debug says on the page why a form was refused, as Django's DEBUG does. It is for a site of this machine alone: with another name in
	// AllowedHosts it is an error.
	Debug bool `setting:"debug"`

	// SiteName stands at the top of the built-in pages. Defaults to "Cardea".
	SiteName string `setting:"site_name"`
	// HelpURL is where people find help: a link at the same place of every built-in page leads there. Defaults to no such link.
	HelpURL string `setting:"help_url"`
	// AccountsURL is the path under which the built-in pages live. Defaults to "/accounts/".
	AccountsURL string `setting:"accounts_url"`
	// LoginURL is where a person is sent who has to log in. Defaults to AccountsURL + "login/".
	LoginURL string `setting:"login_url"`
	// LoginRedirectURL is where a login leads when no page asked for it. Defaults to AccountsURL + "profile/".
	LoginRedirectURL string `setting:"login_redirect_url"`
	// SuccessURLAllowedHosts are other hosts to which a log-in may lead when its "next" says so, with the port if that is not the usual
	// one, all among AllowedHosts: Django's LoginView.success_url_allowed_hosts. Defaults to none.
	SuccessURLAllowedHosts []string `setting:"success_url_allowed_hosts"`
	// LogoutRedirectURL is where a logout leads. Defaults to a page that says so.
	LogoutRedirectURL string `setting:"logout_redirect_url"`
	// RedirectAuthenticatedUser sends people who are logged in away from the login page. Defaults to false.
	RedirectAuthenticatedUser bool `setting:"redirect_authenticated_user"`
	// Identifier is what people type to log in: "username", "email" or "either". Defaults to "username".
	Identifier string `setting:"identifier"`

	// AuthenticationBackends are the names under which sessions record the back ends, Django's dotted paths, in the order in which
	// they are asked. Defaults to Django's ModelBackend, the users of the database.
	AuthenticationBackends []string `setting:"authentication_backends"`
	// BackendMap says which kind of back end a name stands for, such as [KindDatabase], or which of Django's it is like. Django's own
	// need no mention.
	BackendMap map[string]string `setting:"backend_map"`
	// APITokens lets people make tokens for their programs, which these send as "Authorization: Bearer cardea_…". Defaults to false.
	APITokens bool `setting:"api_tokens"`
	// Basic lets programs send a user name and a password with each request, by HTTP Basic. Defaults to false.
	Basic bool `setting:"basic"`
	// PasswordHashers are Django's dotted paths of hashers; the first writes, all are read. Defaults to those of the profile.
	PasswordHashers []string `setting:"password_hashers"`
	// PasswordHasherParams are the costs of hashers by algorithm, where a Django project has others than its version, in the form of
	// [password.Params]: "pbkdf2_sha256" and "iterations=320000".
	PasswordHasherParams map[string]string `setting:"password_hasher_params"`

	// PasswordResetTimeout is how old the link in a mail may be by which somebody sets a new password. Defaults to one hour, and to
	// Django's three days in its profile.
	PasswordResetTimeout time.Duration `setting:"password_reset_timeout"`
	// TimeZone is Django's TIME_ZONE, such as "Europe/Berlin": that of times on pages and in mail, and of the clock in reset links,
	// which have to agree with those of a Django site that shares the login. Defaults to UTC.
	TimeZone string `setting:"time_zone"`
	// DefaultFromEmail is the sender of all mail. Defaults to webmaster@localhost.
	DefaultFromEmail string `setting:"default_from_email"`
	// Signup lets people make accounts for themselves, behind a link that is mailed to them. Defaults to false.
	Signup bool `setting:"signup"`

	// SessionCookieName, Age, Domain, Path, Secure, SameSite, HTTPOnly are Django's. Secure and the plain name count in the
	// Django profile only: elsewhere cookies are Secure and have the prefix __Host- wherever the site is reached by HTTPS.
	SessionCookieName     string        `setting:"session_cookie_name"`
	SessionCookieAge      time.Duration `setting:"session_cookie_age"`
	SessionCookieDomain   string        `setting:"session_cookie_domain"`
	SessionCookiePath     string        `setting:"session_cookie_path"`
	SessionCookieSecure   bool          `setting:"session_cookie_secure"`
	SessionCookieHTTPOnly *bool         `setting:"session_cookie_httponly"`
	SessionCookieSameSite string        `setting:"session_cookie_samesite"`
	// SessionSaveEveryRequest and SessionExpireAtBrowserClose are Django's. Default to false.
	SessionSaveEveryRequest     bool `setting:"session_save_every_request"`
	SessionExpireAtBrowserClose bool `setting:"session_expire_at_browser_close"`
	// SessionIdle ends a session that was not used for so long, SessionAbsolute one that is older. 0 means the profile's.
	SessionIdle     time.Duration `setting:"session_idle"`
	SessionAbsolute time.Duration `setting:"session_absolute"`

	// SessionStore keeps the sessions in place of the database, such as one of package sessions/redisstore. A store that keeps nothing,
	// see [sessions.Stateless], goes with a profile that sets no limits which such a store cannot hold: Django's.
	SessionStore sessions.Store

	// MessageStorage is "fallback", "cookie" or "session", or Django's dotted path of one of them. Defaults to "fallback".
	MessageStorage string `setting:"message_storage"`
	// MessageLevel is the least level that is recorded. Defaults to 20, INFO.
	MessageLevel int `setting:"message_level"`
	// MessageTags lay other CSS classes over those of the levels.
	MessageTags map[int]string `setting:"message_tags"`

	// CSRFCookieName and the other CSRF settings are Django's.
	CSRFCookieName     string         `setting:"csrf_cookie_name"`
	CSRFHeaderName     string         `setting:"csrf_header_name"`
	CSRFCookieAge      *time.Duration `setting:"csrf_cookie_age"`
	CSRFCookieDomain   string         `setting:"csrf_cookie_domain"`
	CSRFCookiePath     string         `setting:"csrf_cookie_path"`
	CSRFCookieSecure   bool           `setting:"csrf_cookie_secure"`
	CSRFCookieHTTPOnly bool           `setting:"csrf_cookie_httponly"`
	CSRFCookieSameSite string         `setting:"csrf_cookie_samesite"`
	CSRFTrustedOrigins []string       `setting:"csrf_trusted_origins"`
	CSRFUseSessions    bool           `setting:"csrf_use_sessions"`
	// DataUploadMaxMemorySize bounds a form's body in bytes, DataUploadMaxNumberFields its fields. Default to 2621440 and 1000.
	DataUploadMaxMemorySize   int64 `setting:"data_upload_max_memory_size"`
	DataUploadMaxNumberFields int   `setting:"data_upload_max_number_fields"`

	// Backends are asked in order who a person is, in place of those that AuthenticationBackends names.
	Backends []auth.Backend
	// BackendKinds make the back ends of a kind, each under the name that it is given and has to have.
	BackendKinds map[string]func(name string) (auth.Backend, error)
	// Identities say, for each outside issuer, how somebody whom it has proven becomes a user. Defaults to none: only those come in who
	// have linked an identity to their account.
	Identities []userdb.IdentityPolicy
	// Federation takes people to places where they have accounts elsewhere, and puts buttons for that on the login page: one of package
	// auth/oidcauth. A back end has to take what it brings, too. Defaults to none.
	Federation auth.Federation
	// Describe says who a user is, on the pages. Defaults to what userdb.User holds.
	Describe func(user auth.User) pages.Description
	// Permissions are asked in order what a user may do. Defaults to the users of the database.
	Permissions []perm.Source
	// Policy is asked at each login and at each request whether what was proven is enough. Defaults to yes.
	Policy auth.Policy
	// OnLogin, OnLogout and OnLoginFailed are told what happened, after it did. The credentials of a failure are masked.
	OnLogin       []func(r *http.Request, user auth.User)
	OnLogout      []func(r *http.Request, user auth.User)
	OnLoginFailed []func(r *http.Request, credentials map[string]string, err error)
	// Hashers replace those that the settings name, for tests that are not about hashing.
	Hashers *password.Hashers
	// PasswordValidators are the rules of new passwords. Defaults to those of the profile; Django's has none.
	PasswordValidators password.Validators
	// Mail sends the mail. Defaults to standard error on a site that answers to loopback names only, and elsewhere to no mail: the
	// pages that need some are then not there.
	Mail mail.Sender
	// MailTemplates overlay those of mail: a file of the same name replaces ours.
	MailTemplates fs.FS
	// Templates overlay the built-in pages: a file of the same name replaces ours. Funcs are added to them.
	Templates fs.FS
	Funcs     template.FuncMap
	// CSRFFailure answers a form that was refused, as a view that Django's CSRF_FAILURE_VIEW names. Defaults to a page that shows the form
	// again, where it is safe to.
	CSRFFailure func(w http.ResponseWriter, r *http.Request, f *csrf.Failure)
	// Logger hears of refusals and failures. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}
