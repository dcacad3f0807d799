package sessions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
)

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	store := memstore.New(memstore.Config{})
	for name, test := range map[string]struct {
		store sessions.Store
		cfg   sessions.Config
		want  string
	}{
		"no store":          {nil, sessions.Config{}, "Store"},
		"a negative age":    {store, sessions.Config{Age: -1}, "Age"},
		"a negative idle":   {store, sessions.Config{Idle: -time.Hour}, "Idle"},
		"a bad cookie name": {store, sessions.Config{Cookie: origin.CookiePolicy{Name: "a b"}}, "name"},
		"a bad SameSite":    {store, sessions.Config{Cookie: origin.CookiePolicy{SameSite: "lax"}}, "SameSite"},
	} {
		if m, err := sessions.New(test.store, test.cfg); err == nil || m != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error about %s", name, err, test.want)
		}
	}
	m, err := sessions.New(store, sessions.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Store() != store {
		t.Error("Store is not the store")
	}
}
