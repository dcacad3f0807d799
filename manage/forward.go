package manage

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/forwardauth"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/userdb"
)

// verifyPath is where proxies ask.
const verifyPath = "/auth/verify"

// A ForwardRule is one table [[forward]] of the file: who may reach part of a program behind the proxy. See forwardauth.Rule.
type ForwardRule struct {
	Host        string   `toml:"host"`
	Path        string   `toml:"path"`
	Public      bool     `toml:"public"`
	Groups      []string `toml:"groups"`
	Permissions []string `toml:"permissions"`
}

type forwardSettings struct {
	Forward []ForwardRule `setting:"forward"`
}

func (s *Settings) forwardRules() []forwardauth.Rule {
	var rules []forwardauth.Rule
	for _, r := range s.Forward {
		rules = append(rules, forwardauth.Rule(r))
	}
	return rules
}

// prepareForward checks the rules, and lets a log-in lead back to their hosts. The allowed hosts have to be known.
func (s *Settings) prepareForward() error {
	if len(s.Forward) == 0 {
		return nil
	}
	if len(s.TrustedProxies) == 0 {
		return s.wrong("forward", "answers proxies only: name yours in trusted_proxies")
	}
	hosts, err := forwardauth.Hosts(s.forwardRules())
	if err != nil {
		return s.wrong("forward", "cannot be used: "+strings.TrimPrefix(err.Error(), "forwardauth: "))
	}
	login := "" // on each host itself
	if u, err := url.Parse(s.forwardLogin()); err == nil && u.Host != "" {
		login, _ = origin.SplitDomainPort(u.Host)
		if !origin.HostAllowed(u.Host, s.AllowedHosts) {
			return s.wrong("forward", fmt.Sprintf("sends people to log in at %q, which is not in allowed_hosts: see site_url", u.Host))
		}
	}
	for _, host := range hosts {
		domain, _ := origin.SplitDomainPort(host)
		switch {
		case !origin.HostAllowed(host, s.AllowedHosts):
			return s.wrong("forward", fmt.Sprintf("names the host %q, which is not in allowed_hosts: add it there", host))
		case login != "" && domain != login && !(s.cookieReaches(domain) && s.cookieReaches(login)):
			return s.wrong("forward", fmt.Sprintf("names the host %q, which would never see the log-in at %q: set session_cookie_domain to the domain that both are in", host, login))
		}
	}
	s.SuccessURLAllowedHosts = append(s.SuccessURLAllowedHosts, hosts...)
	return nil
}

// cookieReaches tells whether browsers send the session's cookie to a host.
func (s *Settings) cookieReaches(domain string) bool {
	of := strings.TrimPrefix(s.SessionCookieDomain, ".")
	return of != "" && origin.IsSameDomain(domain, "."+of)
}

// forwardLogin is where people log in: at site_url, or, where that is not set, at each host itself.
func (s *Settings) forwardLogin() string {
	login := s.LoginURL
	if login == "" {
		login = s.accounts() + "login/"
	}
	if s.SiteURL != "" && strings.HasPrefix(login, "/") {
		login = strings.TrimSuffix(s.SiteURL, "/") + login
	}
	return login
}

// verify mounts what answers proxies, beside what the proxy itself may log people in for.
func (s *Settings) verify(mux *http.ServeMux, site *cardea.Site[*userdb.User], db *userdb.DB) error {
	if len(s.Forward) == 0 {
		return nil
	}
	groups := db.Users().Groups()
	h, err := forwardauth.New(site.Auth, forwardauth.Config{
		Rules:    s.forwardRules(),
		LoginURL: s.forwardLogin(),
		Describe: func(ctx context.Context, user auth.User) (p forwardauth.Person, err error) {
			u := user.(*userdb.User)
			p = forwardauth.Person{Username: u.Username, Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Email: u.Email}
			p.Groups, err = groups.Names(ctx, u)
			return p, err
		},
		Error:  site.Error,
		Logger: s.Logger,
	})
	if err != nil {
		return err
	}
	mux.Handle(verifyPath, h)
	return nil
}
