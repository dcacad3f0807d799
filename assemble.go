package cardea

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/pages"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/throttle"
)

// Parts are what [Assemble] puts together.
type Parts[U auth.User] struct {
	// Users finds the user of a session or of an identity.
	Users auth.Users[U]
	// Backends are asked in order who a person is, unless the Config names some.
	Backends []auth.Backend
	// Sessions keeps the sessions.
	Sessions sessions.Store
	// Throttle counts the tries to log in. Defaults to the memory of this process.
	Throttle throttle.Store
	// Hashers are the password hashers in use, kept in [Site.Hashers]. Defaults to those of the Config.
	Hashers *password.Hashers
	// Accounts are the tables that the pages for passwords, addresses and new accounts work on. Defaults to none: those pages
	// are then not there.
	Accounts account.Tables
	// Tokens keep the tokens of programs, for Config.APITokens. Defaults to none.
	Tokens Tokens
	// Outbox keeps mail until it is sent; the one in Accounts puts mail into it. It is needed with Accounts.
	Outbox mail.Outbox
	// Describe says who a user is, on the pages. Defaults to the user's id.
	Describe func(U) pages.Description
}

func assemble[U auth.User](parts Parts[U], cfg Config) (*Site[U], error) {
	profile, row, err := named(cfg.Profile)
	if err != nil {
		return nil, err
	}
	if err := cfg.complete(row); err != nil {
		return nil, err
	}
	if _, none := parts.Sessions.(sessions.Stateless); none && (cfg.SessionIdle > 0 || cfg.SessionAbsolute > 0) {
		return nil, fmt.Errorf("SessionStore keeps nothing, so it cannot hold SessionIdle (%v) and SessionAbsolute (%v): choose another store, or the profile %q, which sets neither", cfg.SessionIdle, cfg.SessionAbsolute, Django)
	}
	keys := signing.Keys{Current: cfg.SecretKey, Fallbacks: cfg.SecretKeyFallbacks}
	s := &Site[U]{logger: cfg.Logger, now: cfg.Now, Hashers: parts.Hashers}
	if s.Hashers == nil {
		if s.Hashers, err = NewHashers(cfg); err != nil {
			return nil, err
		}
	}
	if s.origin, err = newOrigin(cfg, s.Error); err != nil {
		return nil, err
	}
	s.contentPolicy = contentPolicy(cfg.SuccessURLAllowedHosts)
	s.Sessions, err = sessions.New(parts.Sessions, sessions.Config{
		Cookie:               cfg.sessionCookie("sessionid", row),
		Age:                  cfg.SessionCookieAge,
		Idle:                 cfg.SessionIdle,
		Absolute:             cfg.SessionAbsolute,
		ExpireAtBrowserClose: cfg.SessionExpireAtBrowserClose,
		SaveEveryRequest:     cfg.SessionSaveEveryRequest,
		Now:                  cfg.Now,
		Logger:               cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	if s.messages, err = newMessages(cfg, row, keys, s.Sessions); err != nil {
		return nil, err
	}
	if s.csrf, err = newCSRF(cfg, row, s.Sessions, func() *pages.Pages { return s.Pages }); err != nil {
		return nil, err
	}
	counters := parts.Throttle
	if counters == nil {
		counters = throttle.NewMemory()
	}
	limiter, err := throttle.New(counters, throttle.Config{Account: row.account, Address: row.address, Key: []byte(cfg.SecretKey), Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	backends := cfg.Backends
	switch {
	case backends == nil:
		backends = parts.Backends
	case len(cfg.AuthenticationBackends) > 0:
		return nil, errors.New("Config.Backends and authentication_backends are both set: leave one out, or make yours by Config.BackendKinds")
	}
	if backends, err = s.tokens(parts.Tokens, cfg, backends); err != nil {
		return nil, err
	}
	s.Auth, err = auth.New(parts.Users, s.Sessions, auth.Config{
		Backends:    backends,
		BasicRealm:  cfg.basicRealm(),
		Keys:        keys,
		Limiter:     limiter,
		Policy:      cfg.Policy,
		Permissions: cfg.Permissions,
		Notice:      func(r *http.Request, text string) { _ = messages.Info(r, text) },
		LoginURL:    cfg.LoginURL,
		Stale: func(w http.ResponseWriter, r *http.Request) {
			if cfg.LoginURL != cfg.AccountsURL+"login/" || !s.Pages.Stale(w, r) { // a log-in page of the site's own keeps nothing
				s.Auth.Reenter(w, r)
			}
		},
		LoginRedirectURL: cfg.LoginRedirectURL,
		OnLogin:          cfg.OnLogin,
		OnLogout:         cfg.OnLogout,
		OnFailure:        cfg.OnLoginFailed,
		Error:            s.Error,
		Logger:           cfg.Logger,
		Now:              cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	if err := s.accounts(parts, cfg, row, keys, counters, limiter); err != nil {
		return nil, err
	}
	describe := cfg.Describe
	if describe == nil {
		describe = describer(parts.Describe)
	}
	lister, _ := parts.Sessions.(sessions.Lister)
	minimum, _ := cfg.PasswordValidators.Lengths()
	location, err := cfg.location()
	if err != nil {
		return nil, err
	}
	s.Pages, err = pages.New(s.Auth, pages.Config{
		Prefix:                    cfg.AccountsURL,
		Site:                      cfg.SiteName,
		Help:                      cfg.HelpURL,
		LoginRedirectURL:          cfg.LoginRedirectURL,
		LogoutRedirectURL:         cfg.LogoutRedirectURL,
		RedirectAuthenticatedUser: cfg.RedirectAuthenticatedUser,
		RedirectStatus:            row.redirectStatus,
		Identifier:                cfg.Identifier,
		Accounts:                  s.Accounts,
		WithoutMail:               s.courier == nil || parts.Accounts.Shape.WithoutEmail,
		Signup:                    cfg.Signup,
		Federation:                cfg.Federation,
		WithoutPasswords:          !cfg.takesPasswords(),
		Issuers:                   cfg.issuers(),
		Sessions:                  lister,
		Tokens:                    s.Tokens,
		MinimumPassword:           minimum,
		PasswordHelp:              cfg.PasswordValidators.Help(),
		Location:                  location,
		Debug:                     cfg.Debug,
		Describe:                  describe,
		Templates:                 cfg.Templates,
		Funcs:                     cfg.Funcs,
		Logger:                    cfg.Logger,
		Now:                       cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	for _, part := range []any{parts.Sessions, counters, parts.Accounts.Links, cfg.Federation} {
		if sw, ok := part.(sweeper); ok {
			s.sweepers = append(s.sweepers, sw)
		}
	}
	s.Profile = profile
	return s, nil
}

// complete fills in what a profile or a default decides, and refuses what cannot work.
func (c *Config) complete(row rules) error {
	if len(c.SecretKey) < 32 {
		return errors.New("SecretKey must have at least 32 characters: it signs every session; make one with \"openssl rand -base64 48\" and keep it")
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.Debug && !loopbackOnly(c.AllowedHosts) {
		return errors.New("debug is for a site of this machine alone, and allowed_hosts has other names: leave one of them out")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.fill(row)
	if err := c.checkAccounts(row); err != nil {
		return err
	}
	switch c.Identifier {
	case "", "username", "email", "either":
	default:
		return fmt.Errorf("identifier %q: choose \"username\", \"email\" or \"either\"", c.Identifier)
	}
	return nil
}

func newOrigin(cfg Config, reject func(http.ResponseWriter, *http.Request, error)) (*origin.Origin, error) {
	proxies, err := parseProxies(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	o := origin.Config{
		AllowedHosts:     cfg.AllowedHosts,
		TrustedProxies:   proxies,
		UseForwardedHost: cfg.UseXForwardedHost,
		UseForwardedPort: cfg.UseXForwardedPort,
		SiteURL:          cfg.SiteURL,
		Prefix:           cfg.Prefix,
		InsecureHTTP:     cfg.InsecureHTTP,
		NextHosts:        cfg.SuccessURLAllowedHosts,
		Reject:           reject,

		UseForwardedPrefix: cfg.UseXForwardedPrefix,
	}
	switch len(cfg.SecureProxySSLHeader) {
	case 0:
	case 2:
		o.SecureProxyHeader, o.SecureProxyValue = cfg.SecureProxySSLHeader[0], cfg.SecureProxySSLHeader[1]
	default:
		return nil, errors.New("secure_proxy_ssl_header takes two texts: the header and the value that means HTTPS")
	}
	return origin.New(o)
}

// parseProxies reads addresses and networks.
func parseProxies(names []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, name := range names {
		if addr, err := netip.ParseAddr(name); err == nil {
			all = append(all, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(name)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", name)
		}
		all = append(all, network)
	}
	return all, nil
}

// sessionCookie is the policy that the cookies of the session and of messages share.
func (c *Config) sessionCookie(name string, row rules) origin.CookiePolicy {
	if name == "sessionid" && c.SessionCookieName != "" {
		name = c.SessionCookieName
	}
	p := origin.CookiePolicy{
		Name:           name,
		Plain:          row.plainCookies,
		Domain:         c.SessionCookieDomain,
		Secure:         c.SessionCookieSecure,
		ScriptReadable: c.SessionCookieHTTPOnly != nil && !*c.SessionCookieHTTPOnly,
		SameSite:       c.SessionCookieSameSite,
	}
	if name != "messages" {
		p.Path = c.SessionCookiePath
	}
	return p
}

func newMessages(cfg Config, row rules, keys signing.Keys, sm *sessions.Manager) (*messages.Layer, error) {
	storages := map[string]messages.Storage{"": messages.Fallback, "fallback": messages.Fallback, "cookie": messages.Cookie, "session": messages.Session}
	name := strings.ToLower(cfg.MessageStorage)
	name = strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "storage")
	storage, ok := storages[name]
	if !ok {
		return nil, fmt.Errorf("message_storage %q: choose \"fallback\", \"cookie\" or \"session\"", cfg.MessageStorage)
	}
	tags := map[messages.Level]string{}
	for level, tag := range cfg.MessageTags {
		tags[messages.Level(level)] = tag
	}
	return messages.New(messages.Config{
		Storage:  storage,
		Keys:     keys,
		Cookie:   cfg.sessionCookie("messages", row),
		Level:    messages.Level(cfg.MessageLevel),
		Tags:     tags,
		Sessions: sm,
		Now:      cfg.Now,
	})
}

func newCSRF(cfg Config, row rules, sm *sessions.Manager, page func() *pages.Pages) (*csrf.Layer, error) {
	failure := cfg.CSRFFailure
	if failure == nil {
		failure = func(w http.ResponseWriter, r *http.Request, f *csrf.Failure) { page().CSRFFailure(w, r, f) }
	}
	name := cfg.CSRFCookieName
	if name == "" {
		name = "csrftoken"
	}
	var age time.Duration
	if cfg.CSRFCookieAge != nil {
		if age = *cfg.CSRFCookieAge; age == 0 {
			age = -1
		}
	}
	return csrf.New(csrf.Config{
		Cookie: origin.CookiePolicy{
			Name:           name,
			Plain:          row.plainCookies,
			Domain:         cfg.CSRFCookieDomain,
			Path:           cfg.CSRFCookiePath,
			Secure:         cfg.CSRFCookieSecure,
			ScriptReadable: row.plainCookies && !cfg.CSRFCookieHTTPOnly,
			SameSite:       cfg.CSRFCookieSameSite,
		},
		CookieAge:      age,
		UseSessions:    cfg.CSRFUseSessions,
		Sessions:       sm,
		TrustedOrigins: cfg.CSRFTrustedOrigins,
		HeaderName:     cfg.CSRFHeaderName,
		MaxBody:        cfg.DataUploadMaxMemorySize,
		MaxFields:      cfg.DataUploadMaxNumberFields,
		Exempt:         cfg.fromProviders(),
		Failure:        failure,
		Now:            cfg.Now,
		Logger:         cfg.Logger,
	})
}

// NewHashers returns the password hashers that cfg and its profile name.
func NewHashers(cfg Config) (*password.Hashers, error) {
	if cfg.Hashers != nil {
		return cfg.Hashers, nil
	}
	_, row, err := named(cfg.Profile)
	if err != nil {
		return nil, err
	}
	version := cfg.djangoVersion()
	var hashers []password.Hasher
	if len(cfg.PasswordHashers) > 0 {
		hashers, err = password.FromDjango(cfg.PasswordHashers, version)
	} else {
		hashers, err = row.hashers(version)
	}
	if err == nil {
		err = cfg.tune(hashers)
	}
	if err != nil {
		return nil, err
	}
	return password.New(password.Config{Hashers: hashers, EqualWork: row.equalWork, Logger: cfg.Logger})
}

// tune gives hashers the costs of PasswordHasherParams.
func (c *Config) tune(hashers []password.Hasher) error {
	for _, algorithm := range slices.Sorted(maps.Keys(c.PasswordHasherParams)) {
		i := slices.IndexFunc(hashers, func(h password.Hasher) bool { return h.Algorithm() == algorithm })
		if i < 0 {
			return fmt.Errorf("password_hasher_params: no hasher in use has the algorithm %q", algorithm)
		}
		h, err := password.WithParams(hashers[i], c.PasswordHasherParams[algorithm])
		if err != nil {
			return fmt.Errorf("password_hasher_params: %w", err)
		}
		hashers[i] = h
	}
	return nil
}

// describer lets the pages ask about the plain interface of a user.
func describer[U auth.User](describe func(U) pages.Description) func(auth.User) pages.Description {
	if describe == nil {
		return nil
	}
	return func(u auth.User) pages.Description {
		own, ok := u.(U)
		if !ok {
			return pages.Description{Name: u.AuthID()}
		}
		return describe(own)
	}
}
