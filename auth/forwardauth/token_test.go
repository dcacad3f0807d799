package forwardauth_test

import (
	"net/http"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth/forwardauth"
	"github.com/cardea-go/cardea/cardeatest"
)

// TestTokens: a token passes as its owner, no further than its scopes, and whatever cookie comes with it.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := open(t, twoHosts, func(_ *forwardauth.Config, cfg *cardea.Config) { cfg.APITokens = true })
	s.grant()
	ada, err := s.db.UserByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	all := "Authorization: Bearer " + cardeatest.Token(t, s.db, ada)
	view := "Authorization: Bearer " + cardeatest.Token(t, s.db, ada, "wiki.view_page")
	other := "Authorization: Bearer " + cardeatest.Token(t, s.db, ada, "auth.view_user")
	bad := "Authorization: Bearer cardea_000000000000000000000000000000000000"
	in := s.login("ada")
	for _, v := range []*visitor{s.visitor(), in} {
		for _, c := range []struct {
			host, line string
			status     int
			groups     string
		}{
			{"wiki.example.com", all, 200, "Zo%C3%AB%2C & co,staff"},
			{"wiki.example.com", view, 200, ""},
			{"wiki.example.com", bad, 401, ""},
			{"staff.example.com", all, 200, "Zo%C3%AB%2C & co,staff"},
			{"staff.example.com", view, 403, ""},
			{"perm.example.com", all, 200, "Zo%C3%AB%2C & co,staff"},
			{"perm.example.com", view, 200, ""},
			{"perm.example.com", other, 403, ""},
			{"perms.example.com", all, 403, ""},
			{"other.example.com", all, 403, ""},
		} {
			res := v.ask(c.host, "/", c.line)
			if res.StatusCode != c.status || res.Header.Get("Remote-Groups") != c.groups || (c.status == 200) != (res.Header.Get("Remote-User") == "ada") {
				t.Errorf("%s with %.40s: status %d, user %q, groups %q, want %d, %q", c.host, c.line, res.StatusCode,
					res.Header.Get("Remote-User"), res.Header.Get("Remote-Groups"), c.status, c.groups)
			}
			if res.Header["Set-Cookie"] != nil || c.status == 401 && res.Header.Get("Location") != "" {
				t.Errorf("%s: %v", c.host, res.Header)
			}
		}
	}
	if res := in.ask("wiki.example.com", "/"); res.StatusCode != http.StatusOK {
		t.Errorf("control: the cookie alone: %d", res.StatusCode)
	}
}
