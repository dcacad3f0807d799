package remoteuser_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/auth/remoteuser"
	"github.com/cardea-go/cardea/cardeatest"
	"github.com/cardea-go/cardea/userdb"
)

// TestDirectClients (M22): a header from a peer that is not on the list of proxies is ignored and logged, whatever else the request says
// about where it comes from, and the environment says nothing. With the peer on the list the same request logs in.
func TestDirectClients(t *testing.T) {
	t.Setenv("REMOTE_USER", "ada")
	far := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
	for _, c := range []struct {
		name    string
		proxies []netip.Prefix // of remoteuser
		trusted []string       // of origin
		want    string
	}{
		{"on remoteuser's list", loopback, nil, "ada"},
		{"on origin's list, there being no other", nil, []string{"127.0.0.1"}, "ada"},
		{"on no list", nil, nil, ""},
		{"on origin's list only", far, []string{"127.0.0.1"}, ""},
		{"another one on the list", far, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, func(r *remoteuser.Config, whole *cardea.Config) {
				r.Proxies, whole.TrustedProxies, whole.InsecureHTTP = c.proxies, c.trusted, true
			})
			lines := []string{"Remote-User: ada"}
			if c.want == "" || c.trusted != nil {
				lines = append(lines, "X-Forwarded-For: 10.0.0.1", "X-Real-Ip: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Forwarded-Proto: https")
			}
			v := s.visitor()
			v.is("") // without the header: the environment is not asked
			v.is(c.want, lines...)
			if ignored := strings.Contains(s.log.String(), "no trusted proxy"); ignored != (c.want == "") {
				t.Errorf("the log says:\n%s", s.log)
			}
			if c.want == "" && s.count() != 0 {
				t.Error("a user was made")
			}
		})
	}
}

// TestUnderscores (CVE-2026-3902): a name with underscores, which WSGI and ASGI take for one with hyphens, is ignored and logged, beside the
// proxy's own header too, and so is a header that is there twice. The case of the letters of a header means nothing.
func TestUnderscores(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		lines  []string
		want   string
		logged string
	}{
		{"the header", []string{"Remote-User: ada"}, "ada", ""},
		{"in lower case", []string{"remote-user: ada"}, "ada", ""},
		{"in upper case", []string{"REMOTE-USER: ada"}, "ada", ""},
		{"with an underscore", []string{"Remote_User: eve"}, "", "Remote_user"},
		{"as CGI names it", []string{"REMOTE_USER: eve"}, "", "Remote_user"},
		{"as WSGI names it", []string{"HTTP_REMOTE_USER: eve"}, "", ""},
		{"with an underscore, beside the header", []string{"Remote-User: ada", "Remote_User: eve"}, "ada", "Remote_user"},
		{"twice", []string{"Remote-User: ada", "Remote-User: eve"}, "", "more than once"},
		{"twice the same", []string{"Remote-User: ada", "Remote-User: ada"}, "", "more than once"},
		{"twice, in two cases", []string{"Remote-User: ada", "remote-USER: eve"}, "", "more than once"},
		{"twice, one of them empty", []string{"Remote-User: ", "Remote-User: eve"}, "", "more than once"},
		{"another one", []string{"X-Remote-User: eve"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, nil)
			s.visitor().is(c.want, c.lines...)
			said := s.log.String()
			if ignored := strings.Contains(said, "header ignored"); ignored != (c.logged != "") || !strings.Contains(said, c.logged) {
				t.Errorf("want %q in the log:\n%s", c.logged, said)
			}
			if c.want == "" && s.count() != 0 {
				t.Error("a user was made")
			}

			// Nor does what is ignored keep somebody logged in, or log in another one.
			v := s.visitor()
			v.is("ada", "Remote-User: ada")
			v.is(c.want, c.lines...)
		})
	}
}

// TestNothingElseIsRead: headers for groups and addresses come from the proxies too, or not at all.
func TestNothingElseIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		want  remoteuser.Said
	}{
		{
			"all of them",
			[]string{"Remote-Groups: a, b c,,d ", "Remote-Email: ada@example.com", "Remote-Name: Ada L."},
			remoteuser.Said{Name: "ada", Groups: []string{"a", "b c", "d"}, Email: "ada@example.com", FullName: "Ada L."},
		},
		{"twice", []string{"Remote-Groups: a", "Remote-Groups: b", "Remote-Email: x@example.com", "Remote-Email: y@example.com"}, remoteuser.Said{Name: "ada"}},
		{"underscores", []string{"Remote_Groups: a", "Remote_Email: x@example.com", "Remote_Name: x"}, remoteuser.Said{Name: "ada"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got *remoteuser.Said
			s := open(t, func(r *remoteuser.Config, _ *cardea.Config) {
				r.GroupsHeader, r.EmailHeader, r.FullNameHeader = "Remote-Groups", "Remote-Email", "Remote-Name"
				r.Configure = func(_ context.Context, _ auth.User, _ bool, said remoteuser.Said) error {
					got = &said
					return nil
				}
			})
			s.visitor().is("ada", append(c.lines, "Remote-User: ada")...)
			if got == nil || got.Name != c.want.Name || strings.Join(got.Groups, "|") != strings.Join(c.want.Groups, "|") ||
				got.Email != c.want.Email || got.FullName != c.want.FullName {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestTriesAreNotCounted: what a proxy vouches for is no guess. The same number of wrong passwords is limited.
func TestTriesAreNotCounted(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	cardeatest.User(t, s.db, "ada", password)
	const tries = 120
	for range tries { // each without a cookie: a login each
		if status, _ := s.visitor().ask("/who", "Remote-User: ada"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	limited := false
	for range tries {
		b := s.visitor().browser
		b.Visit("/accounts/login/").Fill("username", "ada").Fill("password", "wrong").Submit()
		if limited = b.Status == http.StatusTooManyRequests; limited {
			break
		}
	}
	if !limited {
		t.Error("control: wrong passwords are not limited")
	}
	s.visitor().is("ada", "Remote-User: ada")
}

// TestOutage: a user who cannot be looked up is a 503, never nobody.
func TestOutage(t *testing.T) {
	t.Parallel()
	var down error
	s := open(t, func(r *remoteuser.Config, _ *cardea.Config) {
		create := r.Create
		r.Create = func(ctx context.Context, name string) (auth.User, bool, error) {
			if down != nil {
				return nil, false, down
			}
			return create(ctx, name)
		}
	})
	down = errors.New("down")
	if status, body := s.visitor().ask("/who", "Remote-User: ada"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d: %s", status, body)
	}
	down = nil
	s.visitor().is("ada", "Remote-User: ada")
}

// TestHalfLogin: where the policy asks for more, the proxy's word is half a login, and is not given anew at each request.
func TestHalfLogin(t *testing.T) {
	t.Parallel()
	s := open(t, func(_ *remoteuser.Config, whole *cardea.Config) {
		whole.Policy = func(_ *http.Request, _ auth.User, proofs []auth.Proof) error {
			if len(proofs) < 2 {
				return &auth.Incomplete{Need: []string{"otp"}}
			}
			return nil
		}
	})
	v := s.visitor()
	v.is("", "Remote-User: ada")
	key := v.key()
	if key == "" {
		t.Fatal("no half login")
	}
	v.is("", "Remote-User: ada")
	if v.key() != key {
		t.Error("a second half login")
	}
	v.is("", "Remote-User: bob")
	if v.key() == key {
		t.Error("another user's half login is in the same session")
	}
	v.is("")
	if v.key() != "" {
		t.Error("the half login outlives the header")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*remoteuser.Config)
		want   string // "": none
	}{
		{"nothing", func(*remoteuser.Config) {}, ""},
		{"no Find", func(c *remoteuser.Config) { c.Find = nil }, "Find"},
		{"no Username", func(c *remoteuser.Config) { c.Username = nil }, "Username"},
		{"a header as WSGI names it", func(c *remoteuser.Config) { c.Header = "HTTP_REMOTE_USER" }, "hyphens"},
		{"a header with an underscore", func(c *remoteuser.Config) { c.GroupsHeader = "Remote_Groups" }, "hyphens"},
		{"a header of two words", func(c *remoteuser.Config) { c.EmailHeader = "Remote Email" }, "hyphens"},
		{"everybody", func(c *remoteuser.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }, "everybody"},
		{"everybody, by IPv6", func(c *remoteuser.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("::/0")} }, "everybody"},
		{"IPv4 as IPv6", func(c *remoteuser.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.1/128")} }, "IPv4"},
		{"no prefix", func(c *remoteuser.Config) { c.Proxies = []netip.Prefix{{}} }, "not valid"},
	} {
		cfg := config(nil)
		c.change(&cfg)
		_, err := remoteuser.New(cfg)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestBackend keeps the promises of auth.Backend.
func TestBackend(t *testing.T) {
	t.Parallel()
	authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
		db := cardeatest.DB(t)
		ada := cardeatest.User(t, db, "ada", password)
		if _, err := db.CreateUser(t.Context(), userdb.NewUser{Username: "eve", Inactive: true}); err != nil {
			t.Fatal(err)
		}
		cfg := config(db)
		cfg.Create = nil
		b, err := remoteuser.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return authtest.Backend{
			Backend: b, Good: remoteuser.Said{Name: "ada"}, Who: ada.AuthID(),
			Wrong: map[string]any{"unknown": remoteuser.Said{Name: "c4n4ry"}, "inactive": remoteuser.Said{Name: "eve"}, "empty": remoteuser.Said{}},
			Break: func() { _ = db.Close() },
		}
	})
}
