package cardea

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/cardea-go/cardea/password"
)

// check refuses settings that make no sense and that no package below would refuse.
func (c *Config) check() error {
	if _, err := password.FromDjango(nil, c.djangoVersion()); err != nil {
		return fmt.Errorf("django_version: %w", err)
	}
	for name, target := range map[string]string{"logout_redirect_url": c.LogoutRedirectURL, "help_url": c.HelpURL} {
		if target != "" && !isTarget(target) {
			return fmt.Errorf("%s: %q is neither a path that starts with one slash nor a URL of http or https", name, target)
		}
	}
	switch {
	case c.MessageLevel < 0:
		return fmt.Errorf("message_level: %d is less than nothing", c.MessageLevel)
	case c.DataUploadMaxMemorySize < 0:
		return fmt.Errorf("data_upload_max_memory_size: %d bytes are less than nothing", c.DataUploadMaxMemorySize)
	case c.DataUploadMaxNumberFields < 0:
		return fmt.Errorf("data_upload_max_number_fields: %d is less than nothing", c.DataUploadMaxNumberFields)
	case c.CSRFCookieAge != nil && *c.CSRFCookieAge < 0:
		return errors.New("csrf_cookie_age: less than nothing; 0 keeps the cookie until the browser closes")
	case strings.ContainsFunc(c.CSRFHeaderName, notInHeaderName):
		return fmt.Errorf("csrf_header_name: %q cannot be the name of a header", c.CSRFHeaderName)
	}
	return nil
}

// isTarget tells whether a redirect of the site's own choice may lead there.
func isTarget(u string) bool {
	path := strings.HasPrefix(u, "/") && !strings.HasPrefix(u, "//")
	absolute := strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://")
	return (path || absolute) && !strings.ContainsFunc(u, unicode.IsControl) && !strings.Contains(u, `\`)
}

func notInHeaderName(r rune) bool {
	return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// djangoVersion is the version whose costs count.
func (c *Config) djangoVersion() string {
	if c.DjangoVersion == "" {
		return newestDjango
	}
	return c.DjangoVersion
}
