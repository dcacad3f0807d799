package beside_test

import (
	"fmt"
	"testing"

	"github.com/cardea-go/cardea/integration/beside"
	"github.com/cardea-go/cardea/integration/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// A stage is a site with all the processes that the stories need.
type stage struct {
	*beside.Site
	config string // of Cardea
	django *beside.Django
	cardea *harness.Server
	probe  *harness.Server

	secret, zone string // Cardea's

	// The same, after the secret key was changed, and after passwords were made to cost more.
	rotated, costlier struct {
		django *beside.Django
		cardea *harness.Server
	}
}

// newSecret is the secret key after the change.
const newSecret = "beside: the secret key that comes after that one"

// open makes a site and starts all there is to it, with Cardea's settings changed as some tests want it.
func open(t *testing.T, version, kind string, change ...string) *stage {
	t.Helper()
	s := &stage{Site: beside.Open(t, version, kind), secret: beside.SecretKey, zone: beside.TimeZone}
	s.config = s.Config(t)
	s.django = s.Django(t, nil)
	t.Logf("%s; %s", s.django.Do(t, "version"), harness.Version(t, s.DB))
	harness.MustRun(t, s.Cardea(t, s.config, change, "migrate"))
	s.cardea = s.Serve(t, s.config, change...)
	s.probe = s.Probe(t, s.config, change...)
	return s
}

// startOthers starts the processes that some stories need beside those that are always there.
func (s *stage) startOthers(t *testing.T, change ...string) {
	t.Helper()
	s.rotated.django = s.Django(t, beside.Change{"SECRET_KEY": newSecret, "SECRET_KEY_FALLBACKS": []string{beside.SecretKey}})
	s.rotated.cardea = s.Serve(t, s.config, append(change, "CARDEA_SECRET_KEY="+newSecret, "CARDEA_SECRET_KEY_FALLBACKS="+beside.SecretKey)...)
	s.costlier.django = s.Django(t, beside.Change{"PASSWORD_HASHERS": []string{"shared.hashers.Costlier"}})
	s.costlier.cardea = s.Serve(t, s.config, append(change, "CARDEA_DJANGO_VERSION="+map[string]string{"4.2": "5.0", "5.2": "5.1"}[s.Version])...)
}

// A side is one of the two that answer.
type side struct {
	name     string
	accounts string // where its pages for accounts are
	home     string // the page that says who is logged in
	here     string // %s: how that page says it
	nobody   string // and that it is nobody
}

var (
	djangoSide = side{"Django", "/dj/accounts/", "/dj/", "Django sees %s.", "Django sees nobody."}
	cardeaSide = side{"Cardea", "/accounts/", "/", "Hello, %s", "people log in here"}
)

func (s side) sees(name string) string {
	if name == "" {
		return s.nobody
	}
	return fmt.Sprintf(s.here, name)
}
