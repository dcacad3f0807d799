package beside_test

import (
	"fmt"
	"testing"

	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// A pair is a Django and a Cardea with the configuration that cardea itself has written for it.
type pair struct {
	config string
	django *beside.Django
	cardea *harness.Server
}

func (p *pair) address(at side) string {
	if at == djangoSide {
		return p.django.URL
	}
	return p.cardea.URL
}

// A stage is a site with all the processes that the stories need.
type stage struct {
	*beside.Site
	pair                   // with passwords that cost little
	rotated, costlier pair // the same after the secret key was changed, and with passwords that cost what Django's do by default
	probe             *harness.Server
	secret, zone      string // Cardea's
}

// newSecret is the secret key after the change.
const newSecret = "beside: the secret key that comes after that one"

// open makes a site and starts all there is to it.
func open(t *testing.T, version, kind string) *stage {
	t.Helper()
	s := &stage{Site: beside.Open(t, version, kind), secret: beside.SecretKey, zone: beside.TimeZone}
	config := s.Config(t, nil)
	harness.MustRun(t, s.Cardea(t, config, nil, "migrate"))
	s.pair = s.start(t, nil)
	s.rotated = s.start(t, beside.Change{"SECRET_KEY": newSecret, "SECRET_KEY_FALLBACKS": []string{beside.SecretKey}})
	s.costlier = s.start(t, beside.Change{"PASSWORD_HASHERS": []string{"django.contrib.auth.hashers.PBKDF2PasswordHasher"}})
	s.probe = s.Probe(t, s.config)
	return s
}

func (s *stage) start(t *testing.T, change beside.Change) pair {
	t.Helper()
	config := s.Config(t, change)
	return pair{config: config, django: s.Django(t, change), cardea: s.Serve(t, config)}
}

// A side is one of the two that answer.
type side struct {
	name   string
	here   string // %s: how the page at / says who is logged in
	nobody string // and that it is nobody
}

var (
	djangoSide = side{"Django", "Django sees %s.", "Django sees nobody."}
	cardeaSide = side{"Cardea", "Hello, %s", "people log in here"}
)

func (s side) sees(name string) string {
	if name == "" {
		return s.nobody
	}
	return fmt.Sprintf(s.here, name)
}
