package cardea

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/userdb"
)

// The kinds of back ends that names in [Config.AuthenticationBackends] stand for. Those of KindLDAP, KindOIDC and KindRemoteUser are
// made by [Config.BackendKinds].
const (
	// KindDatabase is the password in the table of users.
	KindDatabase = "database"
	// KindSession accepts the sessions that another program wrote under the name, and logs nobody in.
	KindSession    = "session"
	KindLDAP       = "ldap"
	KindOIDC       = "oidc"
	KindRemoteUser = "remote_user"

	kindAllUsers = "database, inactive users too"
)

// allUsersBackend is ModelBackend without the look at is_active.
const allUsersBackend = "django.contrib.auth.backends.AllowAllUsersModelBackend"

// knownBackends are the names that need no [Config.BackendMap]. A kind's own name is one, but for session's, which says nothing about
// whose sessions they are.
var knownBackends = map[string]string{
	KindDatabase:   KindDatabase,
	KindLDAP:       KindLDAP,
	KindOIDC:       KindOIDC,
	KindRemoteUser: KindRemoteUser,

	userdb.ModelBackend: KindDatabase,
	allUsersBackend:     kindAllUsers,
	"django.contrib.auth.backends.RemoteUserBackend":              KindRemoteUser,
	"django.contrib.auth.backends.AllowAllUsersRemoteUserBackend": KindRemoteUser,
	"django_auth_ldap.backend.LDAPBackend":                        KindLDAP,
	"mozilla_django_oidc.auth.OIDCAuthenticationBackend":          KindOIDC,
}

// namedBackends makes the back ends of AuthenticationBackends, in their order. makers are those of the kinds that the caller can make;
// BackendKinds is laid over them.
func (c *Config) namedBackends(makers map[string]func(name string) (auth.Backend, error)) ([]auth.Backend, error) {
	makers = maps.Clone(makers)
	if makers == nil {
		makers = map[string]func(string) (auth.Backend, error){}
	}
	makers[KindSession] = func(name string) (auth.Backend, error) { return sessionsOnly(name), nil }
	maps.Copy(makers, c.BackendKinds)
	if err := c.checkBackendMap(makers); err != nil {
		return nil, err
	}
	names := c.AuthenticationBackends
	switch {
	case names != nil && len(names) == 0:
		return nil, errors.New("authentication_backends is empty: nobody could log in; leave it out, or name one")
	case len(names) == 0:
		names = []string{userdb.ModelBackend}
	}
	var list []auth.Backend
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("authentication_backends: %q stands there twice", name)
		}
		kind, ok := c.BackendMap[name]
		if !ok {
			kind = name
		}
		if known, ok := knownBackends[kind]; ok {
			kind = known
		} else if kind == name && (kind == KindSession || makers[kind] == nil) {
			return nil, fmt.Errorf("authentication_backends: nothing says what kind of back end %q is: set it in backend_map to one of %s; "+
				"%q accepts the sessions that Django makes with it and lets nobody log in with it here", name, kinds(makers), KindSession)
		}
		maker := makers[kind]
		if maker == nil {
			return nil, fmt.Errorf("authentication_backends: %q is a back end of the kind %q, which this program cannot make: take it out, "+
				"or give Config.BackendKinds a maker; or set it in backend_map to one of %s", name, kind, kinds(makers))
		}
		b, err := maker(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("authentication_backends: %q: %w", name, err)
		case b == nil:
			return nil, fmt.Errorf("authentication_backends: %q: the maker of the kind %q made none", name, kind)
		case b.Name() != name:
			return nil, fmt.Errorf("authentication_backends: %q: the maker of the kind %q made one with the name %q, which sessions would record", name, kind, b.Name())
		}
		list = append(list, b)
	}
	return list, nil
}

// checkBackendMap refuses what no name could stand for, also where the name is not used.
func (c *Config) checkBackendMap(makers map[string]func(name string) (auth.Backend, error)) error {
	for _, name := range slices.Sorted(maps.Keys(c.BackendMap)) {
		kind := c.BackendMap[name]
		if _, ok := knownBackends[kind]; !ok && makers[kind] == nil {
			return fmt.Errorf("backend_map: %q is set to %q, which is no kind of back end: choose one of %s", name, kind, kinds(makers))
		}
	}
	return nil
}

// kinds lists what can be chosen.
func kinds(makers map[string]func(name string) (auth.Backend, error)) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(makers)) {
		if kind != kindAllUsers {
			list = append(list, fmt.Sprintf("%q", kind))
		}
	}
	return strings.Join(list, ", ")
}

// databaseKinds makes the back ends over a table of users; make is given whether users who are not active may log in.
func databaseKinds(make func(name string, inactive bool) auth.Backend) map[string]func(name string) (auth.Backend, error) {
	return map[string]func(string) (auth.Backend, error){
		KindDatabase: func(name string) (auth.Backend, error) { return make(name, false), nil },
		kindAllUsers: func(name string) (auth.Backend, error) { return make(name, true), nil },
	}
}

// sessionsOnly is a back end whose sessions count and that knows nobody's credentials.
type sessionsOnly string

func (s sessionsOnly) Name() string { return string(s) }

func (sessionsOnly) Authenticate(*http.Request, any) (*auth.Identity, error) {
	return nil, auth.ErrNoMatch
}
