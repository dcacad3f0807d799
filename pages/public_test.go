package pages_test

import (
	"net/http/httptest"
	"testing"

	"github.com/cardea-go/cardea/pages"
)

// TestPublic: a site that is closed to strangers lets them log in, and nothing more.
func TestPublic(t *testing.T) {
	t.Parallel()
	p, err := pages.New(nobody{}, pages.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/accounts/login/": true, "/accounts/password_reset/": true, "/accounts/password_reset/done/": true, "/accounts/reset/MQ/x-y/": true,
		"/accounts/signup/": true, "/accounts/static/cardea.css": true,
		"/accounts/logout/": false, "/accounts/profile/": false, "/accounts/password_change/": false, "/accounts/email/": false,
		"/accounts/email/x/": false, "/accounts/sessions/": false, "/accounts/": false, "/": false, "/login/": false, "/x/accounts/login/": false,
	} {
		if got := p.Public(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("Public(%s) = %v, want %v", path, got, want)
		}
	}
}
