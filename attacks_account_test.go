package cardea_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/cardeatest"
)

// TestM05NothingChangesWithoutThePassword: whoever finds a session open changes nothing by which its owner is known or comes back:
// each of those forms asks for the password, also of a session that has just begun.
func TestM05NothingChangesWithoutThePassword(t *testing.T) {
	t.Parallel()
	const chosen = "purple stapler meadow"
	for _, form := range []struct {
		page, field string
		fields      url.Values
		changed     func(s *accountSite) bool
	}{
		{"/accounts/email/", "password", url.Values{"email": {"thief@example.com"}}, func(s *accountSite) bool {
			return s.waiting() > 0
		}},
		{"/accounts/password_change/", "old_password", url.Values{"new_password1": {chosen}, "new_password2": {chosen}}, func(s *accountSite) bool {
			u, err := s.db.UserByName(t.Context(), "ada")
			if err != nil {
				t.Fatal(err)
			}
			return u.Password != s.ada.Password
		}},
	} {
		for _, tried := range []struct {
			name, password string
			left, changes  bool
		}{
			{"left out", "", true, false},
			{"blank", "", false, false},
			{"wrong", "correct horses", false, false},
			{"another's", "wicked horse", false, false},
			{"control: right", "correct horse", false, true},
		} {
			s := newAccountSite(t, nil)
			cardeatest.User(t, s.db, "eve", "wicked horse")
			logInAs(s.Browser, "ada", "correct horse")
			fields := url.Values{form.field: {tried.password}}
			if tried.left {
				fields = url.Values{}
			}
			for name, values := range form.fields {
				fields[name] = values
			}
			got := postForm(t, s.Browser, form.page, fields)
			if accepted := got.status == http.StatusSeeOther; accepted != tried.changes || form.changed(s) != tried.changes {
				t.Errorf("%s, the password %s: status %d, changed: %v, want %v", form.page, tried.name, got.status, form.changed(s), tried.changes)
			}
		}
	}
}

// TestM19PathsMeetOneLimit: however the path of the log-in is spelled, tries are counted together, or the path leads to no log-in.
func TestM19PathsMeetOneLimit(t *testing.T) {
	t.Parallel()
	const limit, tries = 10, 100 // of each path at least five
	variants := []string{
		"/accounts/login/", "/accounts/login", "/accounts//login/", "//accounts/login/", "/accounts/login//", "/./accounts/login/", "/accounts/x/../login/",
		"/accounts/%6cogin/", "/accounts/%6Cogin/", "/accounts%2flogin/", "/ACCOUNTS/login/", "/accounts/LOGIN/", "/accounts/login/?x=1", "/accounts/login/;x",
		"/accounts/login/%00", "/accounts/login/%20", "/accounts/login/.", "/accounts/login/x", "/accounts\\login/",
	}
	for _, tt := range []struct {
		name    string
		paths   []string
		reached int // spellings that lead to the log-in
	}{{"control: one path", variants[:1], 1}, {"all of them in turn", variants, 4}} {
		g := newRig(t, nil)
		encoded, err := g.site.Hashers.Make(t.Context(), "right")
		if err != nil {
			t.Fatal(err)
		}
		g.makeUser("bea", encoded, false)
		p := g.person()
		checked, reached := 0, 0
		for i := range tries {
			form := url.Values{"username": {"bea"}, "password": {"wrong"}}
			p.post("/accounts/login/", url.Values{}) // for the token
			form.Set("csrfmiddlewaretoken", p.cookie("csrftoken"))
			req, err := http.NewRequest(http.MethodPost, p.base+"/", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = "//" + req.URL.Host + tt.paths[i%len(tt.paths)]
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", p.base)
			if a := p.do(req); strings.Contains(a.body, "do not match") {
				if checked++; i < len(tt.paths) {
					reached++
				}
			} else if a.redirects() && !strings.HasPrefix(a.header.Get("Location"), "/accounts/") {
				t.Errorf("%s: leads to %q", tt.paths[i%len(tt.paths)], a.header.Get("Location"))
			}
		}
		a := p.post("/accounts/login/", url.Values{"username": {"bea"}, "password": {"right"}})
		if checked != limit || reached != tt.reached || a.status != http.StatusTooManyRequests {
			t.Errorf("%s: %d of %d tries were looked at, want %d, by %d spellings, want %d; the right password afterwards: status %d",
				tt.name, checked, tries, limit, reached, tt.reached, a.status)
		}
	}
}
