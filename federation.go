package cardea

import (
	"net/http"
	"strings"
)

// fromProviders says which requests providers send themselves, or have browsers send from their pages: they cannot carry a token of
// ours, and prove themselves otherwise or change nothing.
func (c *Config) fromProviders() func(r *http.Request) bool {
	if c.Federation == nil {
		return nil
	}
	begin := c.AccountsURL + "oidc/"
	return func(r *http.Request) bool {
		rest, ok := strings.CutPrefix(r.URL.Path, begin)
		if !ok || r.Method != http.MethodPost {
			return false
		}
		_, what, _ := strings.Cut(rest, "/")
		return what == "callback/" || what == "backchannel/"
	}
}

// takesPasswords reports whether a password of the table of users may be a way to log in.
func (c *Config) takesPasswords() bool {
	if c.Backends != nil || len(c.AuthenticationBackends) == 0 {
		return true
	}
	for _, name := range c.AuthenticationBackends {
		kind, ok := c.BackendMap[name]
		if !ok {
			kind = name
		}
		if known, ok := knownBackends[kind]; ok {
			kind = known
		}
		if kind == KindDatabase || kind == kindAllUsers {
			return true
		}
	}
	return false
}

// issuers are those that policies name, as a way to log in.
func (c *Config) issuers() []string {
	var list []string
	for _, p := range c.Identities {
		list = append(list, p.Issuer)
	}
	return list
}
