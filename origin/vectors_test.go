package origin_test

import (
	"testing"

	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/origin"
)

func TestDjangoSafeRedirects(t *testing.T) {
	t.Parallel()
	vectors.Run(t, "safe_redirect", vectors.Ops{
		"url_has_allowed_host_and_scheme": func(c *vectors.Case) (any, error) {
			var in struct {
				URL          string   `json:"url"` // null is the empty text
				AllowedHosts []string `json:"allowed_hosts"`
				RequireHTTPS bool     `json:"require_https"`
			}
			c.Bind(&in)
			return origin.URLHasAllowedHostAndScheme(in.URL, in.AllowedHosts, in.RequireHTTPS), nil
		},
	})
}

func TestDjangoHTTP(t *testing.T) {
	t.Parallel()
	type text struct{ Header, Value, S, Host, Pattern string }
	one := func(f func(in text) any) vectors.Op {
		return func(c *vectors.Case) (any, error) {
			var in text
			c.Bind(&in)
			return f(in), nil
		}
	}
	vectors.Run(t, "http", vectors.Ops{
		"parse_cookie_header": one(func(in text) any { return origin.ParseCookieHeader(in.Header) }),
		"cookie_value_encode": one(func(in text) any { return origin.EncodeCookieValue(in.Value) }),
		"iri_to_uri":          one(func(in text) any { return origin.IRIToURI(in.S) }),
		"escape_uri_path":     one(func(in text) any { return origin.EscapeURIPath(in.S) }),
		"is_same_domain":      one(func(in text) any { return origin.IsSameDomain(in.Host, in.Pattern) }),
		"split_domain_port": one(func(in text) any {
			domain, port := origin.SplitDomainPort(in.Host)
			return []string{domain, port}
		}),
		"host_allowed": func(c *vectors.Case) (any, error) {
			var in struct {
				Host     string   `json:"host"`
				Patterns []string `json:"ALLOWED_HOSTS"`
			}
			c.Bind(&in)
			return origin.HostAllowed(in.Host, in.Patterns), nil
		},
		"redirect_to_login": func(c *vectors.Case) (any, error) {
			var in struct {
				Next     string `json:"next"`
				LoginURL string `json:"login_url"`
				Field    string `json:"redirect_field_name"` // null is the empty text
			}
			c.Bind(&in)
			return origin.RedirectToLogin(in.Next, in.LoginURL, in.Field), nil
		},
		"login_required_redirect": func(c *vectors.Case) (any, error) {
			var in struct {
				Path     string `json:"path_and_query"`
				LoginURL string `json:"login_url"`
				Secure   bool   `json:"secure"`
				Host     string `json:"host"`
			}
			c.Bind(&in)
			info := &origin.Info{Scheme: "http", Host: in.Host, Secure: in.Secure}
			if in.Secure {
				info.Scheme = "https"
			}
			return origin.LoginRedirect(in.Path, in.LoginURL, info), nil
		},
	})
}
