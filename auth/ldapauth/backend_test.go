package ldapauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/auth/ldapauth"
)

const (
	people = "ou=people,dc=example,dc=com"
	site   = "cn=site,dc=example,dc=com"
)

// company is a directory with some people in it.
func company(t testing.TB, change func(*directory)) *directory {
	t.Helper()
	d := newDirectory(t, change)
	d.put("dc=example,dc=com")
	d.put(people)
	d.put(site, "userPassword: service")
	for _, name := range []string{"ada", "bob", "eve"} {
		d.put("uid="+name+","+people, "objectClass: person", "uid: "+name, "entryUUID: uuid-of-"+name, "mail: "+name+"@example.com",
			"givenName: "+strings.ToUpper(name), "sn: Lovelace", "userPassword: right "+name)
	}
	return d
}

// config is one for a directory without TLS, which tests about other things use.
func config(servers ...*directory) ldapauth.Config {
	cfg := ldapauth.Config{
		InsecurePlaintext: true, BindDN: site, BindPassword: "service", UserBase: people, Timeout: 2 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, d := range servers {
		cfg.Servers = append(cfg.Servers, d.url())
	}
	return cfg
}

func backend(t testing.TB, cfg ldapauth.Config) *ldapauth.Backend {
	t.Helper()
	b, err := ldapauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func request(ctx context.Context) *http.Request {
	return httptest.NewRequestWithContext(ctx, http.MethodPost, "/accounts/login/", nil)
}

func try(t testing.TB, b auth.Backend, name, password string) (*auth.Identity, error) {
	t.Helper()
	return b.Authenticate(request(t.Context()), auth.Password{Username: name, Password: password})
}

// TestContract holds each way to log in against the rules of all back ends.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ldapauth.Config){
		"search first":         func(*ldapauth.Config) {},
		"search without name":  func(c *ldapauth.Config) { c.BindDN, c.BindPassword = "", "" },
		"search as the person": func(c *ldapauth.Config) { c.SearchAsUser = true },
		"bind first":           func(c *ldapauth.Config) { c.UserDN, c.UserBase = "uid={user},"+people, "" },
		"bind first, alone": func(c *ldapauth.Config) {
			c.UserDN, c.BindDN, c.BindPassword = "uid={user},"+people, "", ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
				d := company(t, nil)
				cfg := config(d)
				change(&cfg)
				return authtest.Backend{
					Backend: backend(t, cfg),
					Good:    auth.Password{Username: "ada", Password: "right ada"},
					Who:     "uuid-of-ada",
					Wrong: map[string]any{
						"secret":           auth.Password{Username: "ada", Password: "c4n4ry"},
						"unknown":          auth.Password{Username: "nobody", Password: "c4n4ry"},
						"another's secret": auth.Password{Username: "ada", Password: "right bob"},
						"injected":         auth.Password{Username: "*)(uid=*", Password: "c4n4ry"},
					},
					Secret: "c4n4ry",
					Work: func() int { // binds as a person
						d.mu.Lock()
						defer d.mu.Unlock()
						n := 0
						for _, dn := range d.binds {
							if dn != site {
								n++
							}
						}
						return n
					},
					Break: d.stop,
				}
			})
		})
	}
}

// TestIdentity: what the directory says of a person arrives.
func TestIdentity(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(`cn=Müller\, Jörg,`+people, "uid: JMüller", "entryUUID: 1F", "mail: j@example.com", "givenName: Jörg", "sn: Müller", "userPassword: x", "title: Dr.")
	cfg := config(d)
	cfg.Attributes = map[string]string{"given_name": "givenName", "title": "TITLE", "none": "nothing"}
	b := backend(t, cfg)
	id, err := try(t, b, " jmüller ", "x")
	if err != nil {
		t.Fatal(err)
	}
	if id.Issuer != "ldap" || id.Subject != "1f" || id.Name != "jmüller" || id.Email != "j@example.com" || !id.EmailVerified || id.UserID != "" {
		t.Errorf("got %+v", id)
	}
	if got := fmt.Sprint(id.Claims); got != `map[dn:cn=Müller\, Jörg,`+people+` given_name:Jörg title:Dr.]` {
		t.Errorf("got the claims %s", got)
	}
	if len(id.Methods) != 1 || id.Methods[0] != "pwd" || time.Since(id.At) > time.Minute || b.Name() != "ldap" || b.Issuer() != "ldap" {
		t.Errorf("got %+v of %q", id, b.Name())
	}
	cfg.Name, cfg.Issuer, cfg.KeepCase, cfg.EmailUnverified = "django_auth_ldap.backend.LDAPBackend", "office", true, true
	cfg.LoginAttributes = []string{"mail", "uid"}
	cfg.UsernameAttribute = "uid"
	b = backend(t, cfg)
	for _, typed := range []string{"J@example.com", "JMÜLLER"} {
		id, err = try(t, b, typed, "x")
		if err != nil || id.Issuer != "office" || id.Name != "JMüller" || id.EmailVerified || b.Name() != "django_auth_ldap.backend.LDAPBackend" {
			t.Errorf("%s: got %+v and %v", typed, id, err)
		}
	}
}

// TestNames (M21): what somebody types is a value of a login attribute but for case. It is never part of a filter or of a name, and what
// only a directory takes for equal is nobody's: the limiter would count it as another account.
func TestNames(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(`uid=a\,b \+c,`+people, "uid: a,b +c", "entryUUID: 2", "userPassword: x")
	d.put(`uid=two words,`+people, "uid: two words", "entryUUID: 3", "userPassword: x")
	d.put("uid=*,"+people, "uid: *", "entryUUID: 4", "userPassword: star")
	for mode, change := range map[string]func(*ldapauth.Config){
		"search": func(*ldapauth.Config) {},
		"bind":   func(c *ldapauth.Config) { c.UserDN = "uid={user}," + people },
	} {
		cfg := config(d)
		change(&cfg)
		b := backend(t, cfg)
		for typed, want := range map[string]string{
			"ada": "uuid-of-ada", "ADA": "uuid-of-ada", "  ada\t": "uuid-of-ada", "ａｄａ": "", "a da": "", "ad\u00ada": "", "ada\u200b": "",
			"two words": "3", "Two Words": "3", "two  words": "", "*": "4",
			"ada,ou=people": "", "ada," + people: "", "ada)(uid=bob": "", "*)(uid=*": "", "*))(|(uid=*": "", `\61da`: "", "a*": "", "ada\x00": "", "ada\nx": "",
			"\xff": "", "": "", "uid=ada": "", "(": "", "\\": "",
		} {
			for _, password := range []string{"right ada", "x", "star"} {
				id, err := try(t, b, typed, password)
				fits := want == "uuid-of-ada" && password == "right ada" || (want == "2" || want == "3") && password == "x" || want == "4" && password == "star"
				if fits != (err == nil) || fits && id.Subject != want || !fits && !errors.Is(err, auth.ErrNoMatch) {
					t.Errorf("%s: %q with %q: got %+v and %v, want %q", mode, typed, password, id, err, want)
				}
			}
		}
		if id, err := try(t, b, "a,b +c", "x"); err != nil || id.Subject != "2" {
			t.Errorf("%s: a name with commas: %+v and %v", mode, id, err)
		}
	}
}

// TestEmptyPassword: nothing is bound with an empty password, to which servers say yes; nor with one that ends early somewhere.
func TestEmptyPassword(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	for mode, change := range map[string]func(*ldapauth.Config){
		"search": func(*ldapauth.Config) {},
		"bind":   func(c *ldapauth.Config) { c.UserDN = "uid={user}," + people },
	} {
		cfg := config(d)
		change(&cfg)
		b := backend(t, cfg)
		before, _, _ := d.count()
		for _, password := range []string{"", "\x00", "right ada\x00", "right ada\x00x", strings.Repeat("x", 1<<20)} {
			if id, err := try(t, b, "ada", password); !errors.Is(err, auth.ErrNoMatch) {
				t.Errorf("%s: %.10q: got %+v and %v, want ErrNoMatch", mode, password, id, err)
			}
		}
		if after, _, _ := d.count(); after != before {
			t.Errorf("%s: %d binds, want none", mode, after-before)
		}
		if _, err := try(t, b, "ada", "right ada"); err != nil { // the control
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// TestEqualAnswers: nobody, somebody with a wrong password and a name with two entries cost one search and one bind, with the same
// password, and read the same.
func TestEqualAnswers(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put("uid=bob,ou=more,"+people, "uid: bob", "entryUUID: 5", "userPassword: right bob")
	b := backend(t, config(d))
	if _, err := try(t, b, "ada", "right ada"); err != nil { // the connections are there
		t.Fatal(err)
	}
	var first string
	for _, typed := range []string{"ada", "nobody", "bob", "a da"} {
		binds, searches, opened := d.count()
		_, err := try(t, b, typed, "right bob")
		b2, s2, o2 := d.count()
		if !errors.Is(err, auth.ErrNoMatch) || b2-binds != 1 || s2-searches != 1 || o2 != opened {
			t.Errorf("%s: %v after %d binds, %d searches and %d connections, want ErrNoMatch after one, one and none", typed, err, b2-binds, s2-searches, o2-opened)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Errorf("%s: %q reads other than %q", typed, err, first)
		}
	}
	if last := d.binds[len(d.binds)-1]; !strings.HasSuffix(last, people) || strings.HasPrefix(last, "uid=") {
		t.Errorf("where there is nobody, the bind was to %q, want a name that does not exist among the people", last)
	}
	d.put("cn=decoy," + people)
	cfg := config(d)
	cfg.DecoyDN = "cn=decoy," + people
	_, err := try(t, backend(t, cfg), "nobody", "x")
	if last := d.binds[len(d.binds)-1]; !errors.Is(err, auth.ErrNoMatch) || last != cfg.DecoyDN {
		t.Errorf("with a decoy: %v and a bind to %q", err, last)
	}
	d.put("cn=decoy,"+people, "userPassword: known")
	if id, err := try(t, backend(t, cfg), "nobody", "known"); !errors.Is(err, auth.ErrNoMatch) {
		t.Errorf("with the decoy's password: %+v and %v, want ErrNoMatch", id, err)
	}
}

// TestConfig: what cannot be meant is refused at start, and a Config does not print its password.
func TestConfig(t *testing.T) {
	t.Parallel()
	good := ldapauth.Config{Servers: []string{"ldaps://ldap.example.com"}, UserBase: people}
	for want, change := range map[string]func(*ldapauth.Config){
		"":                          func(*ldapauth.Config) {},
		"name a server":             func(c *ldapauth.Config) { c.Servers = nil },
		"go together":               func(c *ldapauth.Config) { c.BindDN = site },
		"where the people are":      func(c *ldapauth.Config) { c.UserBase = "" },
		"needs {user} once":         func(c *ldapauth.Config) { c.UserDN = "uid=user," + people },
		"is no entry":               func(c *ldapauth.Config) { c.UserDN, c.UserBase = "{user}@example.com", "" },
		"is no filter":              func(c *ldapauth.Config) { c.UserFilter = "(uid=x" },
		"UserBase \"people\" is no": func(c *ldapauth.Config) { c.UserBase = "people" },
		"DecoyDN \"decoy\" is no":   func(c *ldapauth.Config) { c.DecoyDN = "decoy" },
		"no name of an attribute":   func(c *ldapauth.Config) { c.LoginAttributes = []string{"uid)(x"} },
		"less than nothing":         func(c *ldapauth.Config) { c.Timeout = -1 },
		"begins with":               func(c *ldapauth.Config) { c.Servers = []string{"https://ldap.example.com"} },
		"ldaps://HOST or":           func(c *ldapauth.Config) { c.Servers = []string{"ldaps://x:secret@ldap.example.com"} },
		"and nothing else":          func(c *ldapauth.Config) { c.Servers = []string{"ldaps://ldap.example.com/dc=example"} },
		"a socket is written":       func(c *ldapauth.Config) { c.Servers = []string{"ldapi://var"} },
		"Groups.Kind is missing":    func(c *ldapauth.Config) { c.Groups.Require = []string{"x"} },
		"Groups.Kind \"x\" is":      func(c *ldapauth.Config) { c.Groups.Kind = "x" },
		"Groups.Base, such":         func(c *ldapauth.Config) { c.Groups.Kind = ldapauth.GroupOfNames },
		"from 0 to 10": func(c *ldapauth.Config) {
			c.Groups = ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: people, Depth: 11}
		},
		"means nothing for posix": func(c *ldapauth.Config) {
			c.Groups = ldapauth.Groups{Kind: ldapauth.PosixGroup, Base: people, Depth: 1}
		},
		"leaves no group":             func(c *ldapauth.Config) { c.Groups = ldapauth.Groups{Kind: ldapauth.MemberOf, OnlyNamed: true} },
		"Groups.Filter \"x\" is no":   func(c *ldapauth.Config) { c.Groups = ldapauth.Groups{Kind: ldapauth.MemberOf, Filter: "x"} },
		"Groups.Base \"groups\" is":   func(c *ldapauth.Config) { c.Groups = ldapauth.Groups{Kind: ldapauth.MemberOf, Base: "groups"} },
		"\"c n\" is no name of an at": func(c *ldapauth.Config) { c.Groups = ldapauth.Groups{Kind: ldapauth.MemberOf, NameAttribute: "c n"} },
	} {
		cfg := good
		change(&cfg)
		b, err := ldapauth.New(cfg)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if err == nil {
			_ = b.Close()
		}
	}
	good.BindDN, good.BindPassword = site, "c4n4ry"
	encoded, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", good)
	for _, text := range []string{fmt.Sprint(good), fmt.Sprintf("%+v %#v %q", good, good, good), string(encoded), log.String()} {
		if strings.Contains(text, "c4n4ry") || !strings.Contains(text, "redacted") {
			t.Errorf("it prints as %s", text)
		}
	}
}

// TestKey (M31): the key is what never changes; without it nobody comes in, unless the site says that the name of the entry will do.
func TestKey(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	guid := string([]byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff})
	d.put("uid=ad,"+people, "uid: ad", "objectGUID: "+guid, "userPassword: x")
	d.put("uid=none,"+people, "uid: none", "userPassword: x", "employeeNumber: 7")
	d.put("uid=two,"+people, "uid: two", "entryUUID: 1", "entryUUID: 2", "userPassword: x")
	d.put("uid=nameless,"+people, "mail: nameless", "entryUUID: 1", "userPassword: x")
	for _, c := range []struct{ key, typed, want, broken string }{
		{"", "ad", "00112233-4455-6677-8899-aabbccddeeff", ""},
		{"objectguid", "ad", "00112233-4455-6677-8899-aabbccddeeff", ""},
		{"", "none", "", "by which this site would know it again"},
		{"", "two", "", "several values of entryUUID"},
		{"", "nameless", "", "has no uid"},
		{"employeeNumber", "none", "7", ""},
		{"employeeNumber", "ad", "", "has no employeeNumber"},
		{"dn", "none", "uid=none," + people, ""},
	} {
		cfg := config(d)
		cfg.KeyAttribute, cfg.LoginAttributes, cfg.UsernameAttribute = c.key, []string{"uid", "mail"}, "uid"
		id, err := try(t, backend(t, cfg), c.typed, "x")
		switch {
		case c.broken == "" && (err != nil || id.Subject != c.want):
			t.Errorf("%s by %q: got %+v and %v, want %q", c.typed, c.key, id, err, c.want)
		case c.broken != "" && (err == nil || errors.Is(err, auth.ErrInvalid) || !strings.Contains(err.Error(), c.broken)):
			t.Errorf("%s by %q: got %+v and %v, want %q", c.typed, c.key, id, err, c.broken)
		}
	}
}

// TestExplain tells what was asked and found, and never the password.
func TestExplain(t *testing.T) {
	t.Parallel()
	b := backend(t, config(company(t, nil)))
	for _, c := range []struct{ typed, password, want string }{
		{"ada", "right ada", "it is \"ada\""}, {"ada", "wr0ng", "not right"}, {"nobody", "wr0ng", "nothing is found"}, {"", "wr0ng", "never sent"},
	} {
		var lines []string
		_, err := b.Explain(t.Context(), auth.Password{Username: c.typed, Password: c.password}, func(line string) { lines = append(lines, line) })
		all := strings.Join(lines, "\n")
		if !strings.Contains(all, c.want) || strings.Contains(all, c.password) || (err == nil) != (c.password == "right ada") {
			t.Errorf("%s: got %v and\n%s\nwant it to say %q", c.typed, err, all, c.want)
		}
	}
}
