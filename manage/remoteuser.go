package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/remoteuser"
	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/userdb"
)

// remoteUserSettings are about back ends of the kind remote_user: a proxy in front says who somebody is.
type remoteUserSettings struct {
	RemoteUserHeader     string   `setting:"remote_user_header"`
	RemoteUserProxies    []string `setting:"remote_user_proxies"`
	RemoteUserCreate     *bool    `setting:"remote_user_create" fallback:"true"`
	RemoteUserPersistent bool     `setting:"remote_user_persistent"`
	RemoteUserEmail      string   `setting:"remote_user_email_header"`
	RemoteUserGroups     string   `setting:"remote_user_groups_header"`

	remoteUser *remoteuser.Backend // once it was made
	siteError  func(w http.ResponseWriter, r *http.Request, err error)
}

// allUsersRemote is Django's back end of this kind that does not look at is_active.
const allUsersRemote = "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend"

// remoteUsers makes back ends of the kind remote_user over the users of db.
func (s *Settings) remoteUsers(db *userdb.DB) func(name string) (auth.Backend, error) {
	return func(name string) (auth.Backend, error) {
		if s.remoteUser != nil {
			return nil, fmt.Errorf("there is a back end of the kind %q already: %q", cardea.KindRemoteUser, s.remoteUser.Name())
		}
		if len(s.RemoteUserProxies) == 0 && len(s.TrustedProxies) == 0 {
			return nil, errors.New("name the proxy that says who somebody is in remote_user_proxies, or in trusted_proxies: from anybody else the header means nothing")
		}
		proxies, err := prefixes(s.RemoteUserProxies)
		if err != nil {
			return nil, s.wrong("remote_user_proxies", err.Error())
		}
		users := db.Users()
		cfg := remoteuser.Config{
			Name: name, Header: s.RemoteUserHeader, EmailHeader: s.RemoteUserEmail, GroupsHeader: s.RemoteUserGroups, Proxies: proxies, Persistent: s.RemoteUserPersistent, Inactive: s.isLike(name, allUsersRemote),
			Find:     func(ctx context.Context, name string) (auth.User, error) { return users.ByName(ctx, name) },
			Username: func(u auth.User) string { return u.(*userdb.User).Username },
			Error:    func(w http.ResponseWriter, r *http.Request, err error) { s.siteError(w, r, err) },
			Logger:   s.Logger,
		}
		if s.RemoteUserCreate == nil || *s.RemoteUserCreate {
			cfg.Create = func(ctx context.Context, name string) (auth.User, bool, error) {
				encoded := "" // as Django
				if s.Profile != cardea.Django {
					encoded = password.Unusable()
				}
				return users.ByNameOrCreate(ctx, name, encoded)
			}
		}
		if policy := (userdb.IdentityPolicy{Update: s.RemoteUserEmail != "", MirrorGroups: s.RemoteUserGroups != ""}); policy.Update || policy.MirrorGroups {
			cfg.Configure = func(ctx context.Context, user auth.User, _ bool, said remoteuser.Said) error {
				return users.Follow(ctx, user.(*userdb.User), policy, &auth.Identity{Email: said.Email, EmailVerified: true, Groups: said.Groups})
			}
		}
		if s.remoteUser, err = remoteuser.New(cfg); err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "remoteuser: "))
		}
		return s.remoteUser, nil
	}
}

// isLike tells whether the name of a back end is, or is said to be like, one of Django's.
func (s *Settings) isLike(name, django string) bool {
	return name == django || s.BackendMap[name] == django
}

// checkRemoteUser refuses settings of a back end that nobody has named.
func (s *Settings) checkRemoteUser() error {
	for _, name := range []string{"remote_user_header", "remote_user_proxies", "remote_user_create", "remote_user_persistent", "remote_user_email_header", "remote_user_groups_header"} {
		if s.sources[name] != "" && s.remoteUser == nil {
			return s.wrong(name, fmt.Sprintf("counts only with a back end of the kind %q: name it in authentication_backends, or leave this out", cardea.KindRemoteUser))
		}
	}
	return nil
}

// proxied lets the proxy say who the user of each request to next is, where a back end of the kind remote_user is named.
func (s *Settings) proxied(site *cardea.Site[*userdb.User], next http.Handler) http.Handler {
	if s.remoteUser == nil {
		return next
	}
	s.siteError = site.Error
	return s.remoteUser.Handler(site.Auth, next)
}

// prefixes reads addresses and networks.
func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range list {
		if addr, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("must hold addresses or networks, such as 10.0.0.5 or 10.0.0.0/24, not %q", text)
		}
		out = append(out, p)
	}
	return out, nil
}

// makes adds a maker of a kind of back ends.
func (s *Settings) makes(kind string, maker func(name string) (auth.Backend, error)) {
	if s.BackendKinds == nil {
		s.BackendKinds = map[string]func(string) (auth.Backend, error){}
	}
	s.BackendKinds[kind] = maker
}
