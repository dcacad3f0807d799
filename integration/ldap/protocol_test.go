package ldap_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/auth/ldapauth"
	"github.com/cardea-go/cardea/integration/harness"
)

// TestContract holds each way to ask a real server against the rules of all back ends.
func TestContract(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for name, change := range map[string]func(*ldapauth.Config){
		"LDAPS":      func(*ldapauth.Config) {},
		"STARTTLS":   func(c *ldapauth.Config) { c.Servers = []string{"ldap://" + s.Plain} },
		"plaintext":  func(c *ldapauth.Config) { c.Servers, c.InsecurePlaintext = []string{"ldap://" + s.Plain}, true },
		"bind first": func(c *ldapauth.Config) { c.UserDN = "uid={user}," + people },
		"bind first, alone": func(c *ldapauth.Config) {
			c.UserDN, c.BindDN, c.BindPassword, c.Groups = "uid={user},"+people, "", "", ldapauth.Groups{}
		},
		"as the person": func(c *ldapauth.Config) { c.SearchAsUser, c.Groups = true, ldapauth.Groups{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := s.config()
			change(&cfg)
			good, err := try(backend(t, cfg), "ada", "right ada")
			must(t, err)
			authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
				proxy := harness.NewProxy(t, strings.TrimPrefix(strings.TrimPrefix(cfg.Servers[0], "ldaps://"), "ldap://"))
				cfg := cfg
				cfg.Servers = []string{cfg.Servers[0][:strings.Index(cfg.Servers[0], "//")+2] + proxy.Addr()}
				return authtest.Backend{
					Backend: backend(t, cfg),
					Good:    auth.Password{Username: "ada", Password: "right ada"},
					Who:     good.Subject,
					Wrong: map[string]any{
						"secret":  auth.Password{Username: "ada", Password: "c4n4ry"},
						"unknown": auth.Password{Username: "nobody", Password: "c4n4ry"},
						"empty":   auth.Password{Username: "ada"},
					},
					Secret: "c4n4ry",
					Break:  proxy.Reset,
				}
			})
		})
	}
}

// TestTLS: a server whose certificate another authority has signed, or that is for another name, hears no password.
func TestTLS(t *testing.T) {
	t.Parallel()
	s, other := newSlapd(t), newSlapd(t)
	for _, address := range []string{"ldaps://" + s.TLS, "ldap://" + s.Plain} {
		for what, change := range map[string]func(*ldapauth.Config){
			"":                  func(*ldapauth.Config) {},
			"another authority": func(c *ldapauth.Config) { c.RootCAs = other.Roots },
			"the system's":      func(c *ldapauth.Config) { c.RootCAs = nil },
			"another name":      func(c *ldapauth.Config) { c.Servers[0] = strings.Replace(address, "127.0.0.1", "localhost", 1) },
		} {
			cfg := s.config()
			cfg.Servers = []string{address}
			change(&cfg)
			before := strings.Count(settled(t, s), `BIND dn="cn=site`)
			id, err := try(backend(t, cfg), "ada", "right ada")
			if (err == nil) != (what == "") || errors.Is(err, auth.ErrInvalid) {
				t.Errorf("%s, %s: %+v and %v", address, what, id, err)
			}
			if what != "" && strings.Count(settled(t, s), `BIND dn="cn=site`) != before {
				t.Errorf("%s, %s: something was bound", address, what)
			}
		}
	}
}

// TestNames (M21): what a real server takes for equal, or would take for a filter or a name, opens nothing; with the name as it is written in
// the directory, in whatever case, the same password does.
func TestNames(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	s.AddPerson("uid=two words,"+people, "two words")
	s.AddPerson(`cn=Müller\, Jörg \2B Söhne,`+people, "jörg")
	b := backend(t, s.config())
	for _, c := range []struct {
		typed, password string
		in              bool
	}{
		{"ada", "right ada", true},
		{"ADA", "right ada", true},
		{" ada ", "right ada", true},
		{"two words", "right two words", true},
		{"JÖRG", "right jörg", true},
		{"two  words", "right two words", false},
		{"a\u00adda", "right ada", false},
		{"ada\u200b", "right ada", false},
		{"*", "right ada", false},
		{"ad*", "right ada", false},
		{"*)(uid=*", "right ada", false},
		{"ada)(objectClass=*", "right ada", false},
		{"*))(|(uid=*", "right ada", false},
		{`\61da`, "right ada", false},
		{"ada\x00", "right ada", false},
		{"uid=ada," + people, "right ada", false},
		{"ada", "", false},
		{"ada", "right ada\x00", false},
		{"ada", "right bob", false},
		{"nobody", "right nobody", false},
		{"site", secret, false},
		{"", "right ada", false},
	} {
		id, err := try(b, c.typed, c.password)
		if c.in != (err == nil) || !c.in && !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("%q with %q: %+v and %v, want in: %v", c.typed, c.password, id, err, c.in)
		}
	}
	// The server does take some of them for equal: this is what is kept from being a second name.
	s.Change(func(c *ldap.Conn) error {
		found, err := c.Search(&ldap.SearchRequest{BaseDN: people, Scope: ldap.ScopeWholeSubtree, Filter: "(uid=two  words)"})
		if err == nil && len(found.Entries) != 1 {
			err = fmt.Errorf("the server finds %d entries for two blanks, and is no control", len(found.Entries))
		}
		return err
	})
}

// TestAnswers: an account of the site's that is refused, a base that is not there and an entry that cannot be read are failures.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for what, change := range map[string]func(*ldapauth.Config){
		"":                       func(*ldapauth.Config) {},
		"the site's password":    func(c *ldapauth.Config) { c.BindPassword = "another" },
		"the site's name":        func(c *ldapauth.Config) { c.BindDN = "cn=nobody," + suffix },
		"no account":             func(c *ldapauth.Config) { c.BindDN, c.BindPassword = "", "" },
		"no such base":           func(c *ldapauth.Config) { c.UserBase = "ou=nowhere," + suffix },
		"no such base of groups": func(c *ldapauth.Config) { c.Groups.Base = "ou=nowhere," + suffix },
		"no key":                 func(c *ldapauth.Config) { c.KeyAttribute = "objectGUID" },
		"no right to the groups": func(c *ldapauth.Config) { c.SearchAsUser = true },
		"another kind of server": func(c *ldapauth.Config) { c.Servers = []string{"ldaps://" + s.Plain} },
	} {
		cfg := s.config()
		change(&cfg)
		id, err := try(backend(t, cfg), "ada", "right ada")
		if (err == nil) != (what == "") || errors.Is(err, auth.ErrInvalid) {
			t.Errorf("%s: %+v and %v, want a failure that is no refusal", what, id, err)
		}
	}
	s.AddPerson("uid=bob,ou=services,"+suffix, "bob")
	cfg := s.config()
	cfg.UserBase = suffix
	if id, err := try(backend(t, cfg), "bob", "right bob"); !errors.Is(err, auth.ErrNoMatch) {
		t.Errorf("two of that name: %+v and %v, want ErrNoMatch", id, err)
	}
	if _, err := try(backend(t, cfg), "ada", "right ada"); err != nil {
		t.Errorf("one of that name: %v", err)
	}
}

// TestGroups: groups of each kind, a circle of groups, and who is let in by them.
func TestGroups(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	ada := "uid=ada," + people
	s.Change(func(c *ldap.Conn) error {
		req := ldap.NewModifyRequest("uid=bob,"+people, nil)
		req.Add("objectClass", []string{"posixAccount"})
		for name, value := range map[string]string{"uidNumber": "1", "gidNumber": "100", "homeDirectory": "/home/bob"} {
			req.Add(name, []string{value})
		}
		return c.Modify(req)
	})
	s.Add("cn=posix,"+groups, "objectClass: posixGroup", "cn: posix", "gidNumber: 7", "memberUid: ada", "memberUid: bob")
	s.Add("cn=users,"+groups, "objectClass: posixGroup", "cn: users", "gidNumber: 100")
	s.Add("cn=unique,"+groups, "objectClass: groupOfUniqueNames", "cn: unique", "uniqueMember: "+ada)
	s.Add("cn=role,"+groups, "objectClass: organizationalRole", "cn: role", "roleOccupant: "+ada)
	s.Add(`cn=Küche\, links,`+groups, "objectClass: groupOfNames", "cn: Küche, links", "member: "+ada)
	s.Add("cn=house,"+groups, "objectClass: groupOfNames", "cn: house", `member: cn=Küche\, links,`+groups, "member: cn=street,"+groups)
	s.Add("cn=street,"+groups, "objectClass: groupOfNames", "cn: street", "member: cn=house,"+groups)
	s.Add("cn=town,"+groups, "objectClass: groupOfNames", "cn: town", "member: cn=street,"+groups)
	of := func(name string, g ldapauth.Groups) ([]string, error) {
		cfg := s.config()
		cfg.Groups = g
		cfg.Groups.Base = groups
		id, err := try(backend(t, cfg), name, "right "+name)
		if err != nil {
			return nil, err
		}
		slices.Sort(id.Groups)
		return id.Groups, nil
	}
	for _, c := range []struct {
		name   string
		groups ldapauth.Groups
		want   string
	}{
		{"ada", ldapauth.Groups{Kind: ldapauth.PosixGroup}, "[posix]"},
		{"bob", ldapauth.Groups{Kind: ldapauth.PosixGroup}, "[posix users]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfUniqueNames, Depth: 2}, "[unique]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.OrganizationalRole}, "[role]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames}, "[Küche, links]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 1}, "[Küche, links house]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 10}, "[Küche, links house street town]"},
		{"eve", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 10}, "[]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 3, Require: []string{"cn=TOWN," + groups}}, "[Küche, links house street town]"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 10, Deny: []string{"TOWN"}}, "denied"},
		{"ada", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 1, Deny: []string{"town"}}, "[Küche, links house]"},
		{"eve", ldapauth.Groups{Kind: ldapauth.GroupOfNames, Depth: 3, Require: []string{"town"}}, "denied"},
	} {
		got, err := of(c.name, c.groups)
		text := fmt.Sprint(got)
		if errors.Is(err, auth.ErrDenied) {
			text = "denied"
		} else if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%s in %+v: got %s, want %s", c.name, c.groups, text, c.want)
		}
	}
}

// TestStopsAnywhere: after each number of messages, the server is cut off or falls silent. No such log-in is a wrong password, none takes
// longer than it may, and a server beside it takes over. Once it answers again, people come in.
func TestStopsAnywhere(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	for _, scheme := range []string{"ldaps", "ldap"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			behind := map[string]string{"ldaps": s.TLS, "ldap": s.Plain}[scheme]
			proxy := harness.NewProxy(t, behind)
			cfg := s.config()
			cfg.Servers, cfg.Timeout = []string{scheme + "://" + proxy.Addr()}, 300*time.Millisecond
			two := cfg
			two.Servers, two.Timeout = append(slices.Clone(cfg.Servers), scheme+"://"+behind), 4*time.Second
			struck := 0
			for n, fault := range []func(int){proxy.ResetAfter, proxy.HangAfter} {
				step := 1
				if testing.Short() && n == 1 { // a silence takes its time
					step = 2
				}
				for messages := 0; ; messages += step {
					fault(messages)
					b := backend(t, cfg)
					began := time.Now()
					id, err := try(b, "ada", "right ada")
					took := time.Since(began)
					if errors.Is(err, auth.ErrInvalid) || took > 3*time.Second {
						t.Errorf("after %d messages: %+v and %v after %v, want a failure", messages, id, err, took)
					}
					if err == nil { // it was over before the fault
						proxy.Pass()
						break
					}
					struck++
					if messages%4 == 1 {
						if id, err := try(backend(t, two), "ada", "right ada"); err != nil {
							t.Errorf("after %d messages, with another server: %+v and %v", messages, id, err)
						}
					}
					proxy.Pass()
					if id, err := try(b, "ada", "right ada"); err != nil {
						t.Errorf("after %d messages and the end of the fault: %+v and %v", messages, id, err)
					}
				}
			}
			// What was kept from before has hung, unheard: it is given up in time.
			b := backend(t, cfg)
			for range 2 {
				if _, err := try(b, "ada", "right ada"); err != nil {
					t.Errorf("around a silence that nobody heard: %v", err)
				}
				proxy.Hang()
				proxy.Pass()
			}
			if struck < 8 {
				t.Errorf("only %d log-ins met a fault", struck)
			}
		})
	}
}

// TestRestart: connections that were kept over a restart of the server are replaced without a word.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newSlapd(t)
	b := backend(t, s.config())
	for range 2 {
		for range 3 {
			if _, err := try(b, "ada", "right ada"); err != nil {
				t.Fatal(err)
			}
		}
		s.Kill(t)
		if id, err := try(b, "ada", "right ada"); err == nil || errors.Is(err, auth.ErrInvalid) {
			t.Fatalf("while it is down: %+v and %v", id, err)
		}
		s.Start()
	}
}
