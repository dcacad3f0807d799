package cardea

import (
	"fmt"
	"time"

	"github.com/cardea-go/cardea/password"
	"github.com/cardea-go/cardea/throttle"
)

// A Profile settles at once the places where sharing a login with Django and following the newest standards disagree.
type Profile string

const (
	// Default follows OWASP ASVS 5.0 at level 2. It is what an unnamed profile means, except on a database that Django made.
	Default Profile = "default"
	// Django does what Django does, byte for byte, so that a running Django site can share the database and the login.
	Django Profile = "django"
)

// rules is one row of the table of profiles. What a site sets by name in its [Config] wins over its row.
type rules struct {
	hashers        func(djangoVersion string) ([]password.Hasher, error) // the first writes, all are read
	equalWork      bool                                                  // every refusal costs what the slowest hasher in use costs
	plainCookies   bool                                                  // sessionid and csrftoken as they are; else __Host- over HTTPS
	hashKeys       bool                                                  // the database holds a hash of the session key
	compress       bool                                                  // session data is compressed when that is shorter
	age            time.Duration                                         // of a session after its last save
	idle           time.Duration                                         // 0: none
	absolute       time.Duration                                         // 0: none
	resetTimeout   time.Duration                                         // of the link in a mail that sets a new password
	newPasswords   func(words ...string) password.Validators             // given what the site is called; nil: no rules
	redirectStatus int                                                   // after a form: 302 as Django, 303 as HTTP means it
	account        throttle.Limit                                        // the zero value is the default of package throttle
	address        throttle.Limit
}

var profiles = map[Profile]rules{
	Django: {
		hashers:        djangoHashers,
		plainCookies:   true,
		compress:       true,
		age:            14 * 24 * time.Hour,
		resetTimeout:   3 * 24 * time.Hour,
		redirectStatus: 302,
	},
	Default: {
		hashers:      defaultHashers,
		equalWork:    true,
		hashKeys:     true,
		age:          24 * time.Hour,
		idle:         24 * time.Hour,
		absolute:     30 * 24 * time.Hour,
		resetTimeout: time.Hour,
		newPasswords: func(words ...string) password.Validators {
			return password.DefaultValidators(password.Policy{Words: words})
		},
		redirectStatus: 303,
	},
}

// named returns the row of a profile; the empty name is Default.
func named(p Profile) (Profile, rules, error) {
	if p == "" {
		p = Default
	}
	row, ok := profiles[p]
	if !ok {
		return "", rules{}, fmt.Errorf("cardea: unknown profile %q: choose %q or %q", p, Default, Django)
	}
	return p, row, nil
}

// newestDjango is the version whose costs count where none is named.
const newestDjango = "5.2"

// djangoHashers are those of Django's default PASSWORD_HASHERS at the costs of that version.
func djangoHashers(version string) ([]password.Hasher, error) {
	return password.FromDjango(nil, version)
}

// defaultHashers write argon2id and read all that Django's defaults write, at the costs of the newest version.
func defaultHashers(string) ([]password.Hasher, error) {
	others, err := password.FromDjango(nil, newestDjango)
	if err != nil {
		return nil, err
	}
	preferred := password.Argon2(password.Argon2Params{})
	hashers := []password.Hasher{preferred}
	for _, h := range others {
		if h.Algorithm() != preferred.Algorithm() {
			hashers = append(hashers, h)
		}
	}
	return hashers, nil
}
