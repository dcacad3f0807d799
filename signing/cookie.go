package signing

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf8"
)

// CookieConfig holds what a cookie signer may be told.
type CookieConfig struct {
	// Salt is the salt argument of Django's set_signed_cookie and get_signed_cookie. Defaults to none.
	Salt string
	// Legacy also reads cookies that Django before 5.2.15 signed, whose derivation lets pairs of name and salt collide
	// (CVE-2026-6873). It is Django's SIGNED_COOKIE_LEGACY_SALT_FALLBACK. Defaults to false; Django's default is true.
	Legacy bool
}

// A CookieSigner signs and reads the value of one cookie, as Django's set_signed_cookie and get_signed_cookie.
type CookieSigner struct {
	current *TimestampSigner
	legacy  *TimestampSigner // nil unless asked for
}

// NewCookieSigner returns the signer of the cookie with that name. The keys are the site's, as they are.
func NewCookieSigner(keys Keys, name string, cfg CookieConfig) (*CookieSigner, error) {
	keys = keys.ForCookies()
	salt := "django.http.cookies.v2:" + strconv.Itoa(utf8.RuneCountInString(cfg.Salt)) + ":" + cfg.Salt + name
	current, err := NewTimestampSigner(keys, SignerConfig{Salt: salt})
	if err != nil {
		return nil, err
	}
	c := &CookieSigner{current: current}
	if cfg.Legacy {
		if c.legacy, err = NewTimestampSigner(keys, SignerConfig{Salt: name + cfg.Salt}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Sign returns the signed value.
func (c *CookieSigner) Sign(value string, at time.Time) string { return c.current.Sign(value, at) }

// Unsign returns the value of a signed cookie. It fails as [TimestampSigner.Unsign] does. The older derivation is not asked when
// the signature is good and only too old.
func (c *CookieSigner) Unsign(signed string, maxAge time.Duration, now time.Time) (string, error) {
	value, err := c.current.Unsign(signed, maxAge, now)
	var expired *ExpiredError
	if err == nil || c.legacy == nil || !errors.Is(err, ErrBadSignature) || errors.As(err, &expired) {
		return value, err
	}
	return c.legacy.Unsign(signed, maxAge, now)
}

// SignCookie signs the value of a cookie once. Make a [CookieSigner] for a cookie that is signed again and again.
func SignCookie(keys Keys, name, salt, value string, at time.Time) (string, error) {
	c, err := NewCookieSigner(keys, name, CookieConfig{Salt: salt})
	if err != nil {
		return "", err
	}
	return c.Sign(value, at), nil
}

// UnsignCookie reads the value of a signed cookie once. Make a [CookieSigner] for a cookie that is read again and again.
func UnsignCookie(keys Keys, name, salt, signed string, maxAge time.Duration, now time.Time, legacy bool) (string, error) {
	c, err := NewCookieSigner(keys, name, CookieConfig{Salt: salt, Legacy: legacy})
	if err != nil {
		return "", err
	}
	return c.Unsign(signed, maxAge, now)
}
