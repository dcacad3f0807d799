package forwardauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth/forwardauth"
)

// TestPathTricks (M19): a path that the program behind could take for one of a closed rule does not get by as one of an open rule, however it
// is spelled. Each row has the plain path beside it, which the same visitor reaches or not by the rule's word.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	s := open(t, []forwardauth.Rule{
		{Host: "app.example.com", Path: "/static", Public: true},
		{Host: "app.example.com", Path: "/admin", Groups: []string{"admins"}},
		{Host: "app.example.com"},
		{Host: "whole.example.com", Groups: []string{"admins"}},
		{Host: "free.example.com", Groups: []string{"staff"}},
	})
	ada := s.login("ada") // who is in staff
	for path, want := range map[string]int{
		"/":                    200,
		"/page":                200,
		"/page?x=/admin/../..": 200,
		"/page?next=//evil":    200,
		"/p%C3%A4ge/%20x":      403, // a blank at the edge of a segment
		"/p%C3%A4ge":           200,
		"/päge":                200,
		"/administration":      200,
		"/static":              200,
		"/static/":             200,
		"/static/a.css?v=1":    200,
		"/admin":               403,
		"/admin/":              403,
		"/admin/users?x=1":     403,
		"/admin?x=1":           403,
	} {
		if got := ada.ask("app.example.com", path).StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{
		"//admin", "/static//admin", "/static/../admin", "/static/..", "/static/.", "/./admin", "/static/./x", "/x/../admin/users",
		"/%2e%2e/admin", "/static/%2e%2e/admin", "/static/%2E%2E/admin", "/static/.%2e/admin", "/static/..%2fadmin", "/static%2f..%2fadmin", "/static%2fpage", "/static%EF%BC%8Fpage",
		"/static/%252e%252e/admin", "/%61dmin%2fusers", "/%2561dmin", "/static/..;/admin", "/admin;x=1", "/;/admin", "/static;/../admin",
		`/static/..\admin`, "/static/..%5cadmin", "/admin%00", "/admin%0a", "/admin%20", "/admin.", "/admin./users", "/%20admin",
		"/ADMIN", "/Admin/users", "/%41dmin", "/admin%ff", "/%c0%ae%c0%ae/admin", "/ａdmin", "/adm%C4%B1n", "/static/%ef%bc%8e%ef%bc%8e/admin",
		"/x%ef%bc%8f..%ef%bc%8fadmin", "/admin%", "/admin%2", "/%zz", "/STATIC/x", "/static/x#/../admin",
	} {
		res := ada.ask("app.example.com", path)
		if res.StatusCode != http.StatusForbidden || res.Header.Get("Remote-User") != "" {
			t.Errorf("%s: status %d, %q", path, res.StatusCode, res.Header.Get("Remote-User"))
		}
		// Where one rule is for all of a host, the path decides nothing.
		if got := ada.ask("whole.example.com", path).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s on a closed host: status %d", path, got)
		}
		if got := ada.ask("free.example.com", path).StatusCode; got != http.StatusOK {
			t.Errorf("%s on an open host: status %d", path, got)
		}
	}
}

func TestRulesRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules []forwardauth.Rule
		want  string // "": accepted
	}{
		{"none", nil, "nobody could pass"},
		{"one", []forwardauth.Rule{{Host: "Example.COM:8443", Path: "/a/b/"}}, ""},
		{"no host", []forwardauth.Rule{{Path: "/"}}, "the host"},
		{"a URL", []forwardauth.Rule{{Host: "https://example.com"}}, "the host"},
		{"a pattern", []forwardauth.Rule{{Host: "*.example.com"}}, "the host"},
		{"a path without a slash", []forwardauth.Rule{{Host: "example.com", Path: "admin"}}, "the path"},
		{"a path with dots", []forwardauth.Rule{{Host: "example.com", Path: "/a/../b"}}, "the path"},
		{"a path with a query", []forwardauth.Rule{{Host: "example.com", Path: "/a?b"}}, "the path"},
		{"a path with an escape", []forwardauth.Rule{{Host: "example.com", Path: "/a%20b"}}, "the path"},
		{"a path with a pattern", []forwardauth.Rule{{Host: "example.com", Path: "/a/*"}}, "the path"},
		{"public for some", []forwardauth.Rule{{Host: "example.com", Public: true, Groups: []string{"a"}}}, "public"},
		{"a group without a name", []forwardauth.Rule{{Host: "example.com", Groups: []string{""}}}, "no name"},
		{"no permission", []forwardauth.Rule{{Host: "example.com", Permissions: []string{"view_page"}}}, "app_label.codename"},
		{"the wider one first", []forwardauth.Rule{{Host: "example.com"}, {Host: "example.com", Path: "/admin", Groups: []string{"a"}}}, "never reached"},
		{"the same twice", []forwardauth.Rule{{Host: "example.com", Path: "/a"}, {Host: "EXAMPLE.com.", Path: "/A/"}}, "never reached"},
		{"another host", []forwardauth.Rule{{Host: "example.com"}, {Host: "example.com:8443", Path: "/admin"}}, ""},
		{"neighbours", []forwardauth.Rule{{Host: "example.com", Path: "/a"}, {Host: "example.com", Path: "/ab"}}, ""},
	} {
		_, err := newHandler(c.rules)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if len(c.rules) > 0 {
			if _, again := forwardauth.Hosts(c.rules); (again == nil) != (err == nil) {
				t.Errorf("%s: Hosts says %v, New %v", c.name, again, err)
			}
		}
	}
	hosts, err := forwardauth.Hosts([]forwardauth.Rule{{Host: "B.example.com", Path: "/x"}, {Host: "a.example.com."}, {Host: "b.example.com"}, {Host: "b.example.com:8443"}})
	if got := strings.Join(hosts, " "); got != "a.example.com b.example.com b.example.com:8443" || err != nil {
		t.Errorf("hosts %q, %v", got, err)
	}
}
