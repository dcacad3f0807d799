package ldapauth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/ldapauth"
)

const groups = "ou=groups,dc=example,dc=com"

// in returns the groups of who logs in.
func in(t *testing.T, d *directory, g ldapauth.Groups) []string {
	t.Helper()
	cfg := config(d)
	cfg.Groups = g
	id, err := try(t, backend(t, cfg), "ada", "right ada")
	if err != nil {
		t.Fatalf("%+v: %v", g, err)
	}
	slices.Sort(id.Groups)
	return id.Groups
}

// TestGroupKinds: each kind of group is found in its own way, and no other.
func TestGroupKinds(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(groups)
	ada := "uid=ada," + people
	d.put(ada, "objectClass: person", "uid: ada", "gidNumber: 100", "entryUUID: 1", "userPassword: right ada",
		"memberOf: cn=staff,"+groups, "memberOf: CN=Editors,"+groups, "memberOf: cn=foreign,ou=elsewhere")
	d.put("cn=posix,"+groups, "objectClass: posixGroup", "cn: posix", "memberUid: ada", "gidNumber: 7")
	d.put("cn=users,"+groups, "objectClass: posixGroup", "cn: users", "gidNumber: 100")
	d.put("cn=other,"+groups, "objectClass: posixGroup", "cn: other", "memberUid: bob", "gidNumber: 8")
	d.put("cn=names,"+groups, "objectClass: groupOfNames", "cn: names", "member: "+ada)
	d.put("cn=unique,"+groups, "objectClass: groupOfUniqueNames", "cn: unique", "uniqueMember: "+ada)
	d.put("cn=role,"+groups, "objectClass: organizationalRole", "cn: role", "roleOccupant: "+ada)
	d.put("cn=windows,"+groups, "objectClass: group", "cn: windows", "member: "+ada)
	d.put("cn=notmine,"+groups, "objectClass: groupOfNames", "cn: notmine", "member: uid=bob,"+people)
	for _, c := range []struct {
		groups ldapauth.Groups
		want   []string
	}{
		{ldapauth.Groups{}, nil},
		{ldapauth.Groups{Kind: ldapauth.PosixGroup, Base: groups}, []string{"posix", "users"}},
		{ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups}, []string{"names"}},
		{ldapauth.Groups{Kind: ldapauth.GroupOfUniqueNames, Base: groups}, []string{"unique"}},
		{ldapauth.Groups{Kind: ldapauth.OrganizationalRole, Base: groups}, []string{"role"}},
		{ldapauth.Groups{Kind: ldapauth.ActiveDirectory, Base: groups}, []string{"windows"}},
		{ldapauth.Groups{Kind: ldapauth.MemberOf}, []string{"Editors", "foreign", "staff"}},
		{ldapauth.Groups{Kind: ldapauth.MemberOf, Base: groups}, []string{"Editors", "staff"}},
		{ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Filter: "(|(objectClass=group)(objectClass=groupOfNames))"}, []string{"names", "windows"}},
		{ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, NameAttribute: "objectClass"}, []string{"groupOfNames"}},
		{ldapauth.Groups{Kind: ldapauth.MemberOf, Base: groups, Names: map[string]string{"cn=STAFF, " + groups: "personnel", "editors": "writers"}}, []string{"personnel", "writers"}},
		{ldapauth.Groups{Kind: ldapauth.MemberOf, Base: groups, OnlyNamed: true, Names: map[string]string{"editors": "writers"}}, []string{"writers"}},
		// A group that is called as another one is here.
		{ldapauth.Groups{Kind: ldapauth.MemberOf, Base: groups, Names: map[string]string{"cn=heads,ou=groups": "Staff"}}, []string{"Editors"}},
	} {
		if got := in(t, d, c.groups); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.groups, got, c.want)
		}
	}
}

// TestNestedGroups: from group to group as many steps as the site says, and a circle ends.
func TestNestedGroups(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(groups)
	name := func(n int) string { return fmt.Sprintf(`cn=g\,%d ü,%s`, n, groups) }
	for n := range 6 {
		member := name(n - 1)
		if n == 0 {
			member = "uid=ada," + people
		}
		d.put(name(n), "objectClass: groupOfNames", fmt.Sprintf("cn: g%d", n), "member: "+member)
	}
	d.put("cn=circle,"+groups, "objectClass: groupOfNames", "cn: circle", "member: "+name(2), "member: cn=circle,"+groups, "member: cn=back,"+groups)
	d.put("cn=back,"+groups, "objectClass: groupOfNames", "cn: back", "member: cn=circle,"+groups)
	for depth, want := range []string{
		"g0", "g0 g1", "g0 g1 g2", "circle g0 g1 g2 g3", "back circle g0 g1 g2 g3 g4", "back circle g0 g1 g2 g3 g4 g5", "back circle g0 g1 g2 g3 g4 g5",
	} {
		if got := strings.Join(in(t, d, ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Depth: depth}), " "); got != want {
			t.Errorf("depth %d: got %q, want %q", depth, got, want)
		}
	}
	_, before, _ := d.count()
	in(t, d, ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Depth: 10})
	if _, after, _ := d.count(); after-before > 10 {
		t.Errorf("%d searches", after-before)
	}
}

// TestGroupRules: who may come in by groups. A refusal is one for the whole stack, and comes only after a right password.
func TestGroupRules(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(groups)
	d.put("cn=Staff,"+groups, "objectClass: groupOfNames", "cn: Staff", "member: uid=ada,"+people)
	d.put("cn=left,"+groups, "objectClass: groupOfNames", "cn: left", "member: uid=ada,"+people)
	for _, c := range []struct {
		require, deny []string
		in            bool
	}{
		{nil, nil, true},
		{[]string{"staff"}, nil, true},
		{[]string{"nobody", "STAFF"}, nil, true},
		{[]string{"cn=staff, " + groups}, nil, true},
		{[]string{"nobody"}, nil, false},
		{[]string{}, nil, false},
		{[]string{"cn=staff,ou=elsewhere"}, nil, false},
		{nil, []string{"nobody"}, true},
		{nil, []string{"LEFT"}, false},
		{[]string{"staff"}, []string{"cn=left," + groups}, false},
	} {
		cfg := config(d)
		cfg.Groups = ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups, Require: c.require, Deny: c.deny}
		b := backend(t, cfg)
		id, err := try(t, b, "ada", "right ada")
		if (err == nil) != c.in || err != nil && (!errors.Is(err, auth.ErrDenied) || id != nil) {
			t.Errorf("require %q, deny %q: got %+v and %v, want in: %v", c.require, c.deny, id, err, c.in)
		}
		if _, err := try(t, b, "ada", "wrong"); !errors.Is(err, auth.ErrNoMatch) {
			t.Errorf("require %q, deny %q: a wrong password: %v, want ErrNoMatch", c.require, c.deny, err)
		}
	}
}

// TestReadAs: groups and entries are read by whom the site says.
func TestReadAs(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put(groups)
	ada := "uid=ada," + people
	d.put("cn=own,"+groups, "objectClass: groupOfNames", "cn: own", "member: "+ada, "readers: "+ada)
	d.put("cn=service,"+groups, "objectClass: groupOfNames", "cn: service", "member: "+ada, "readers: "+site)
	for want, change := range map[string]func(*ldapauth.Config){
		"service": func(*ldapauth.Config) {},
		"own":     func(c *ldapauth.Config) { c.SearchAsUser = true },
	} {
		for _, direct := range []bool{false, true} {
			cfg := config(d)
			cfg.Groups = ldapauth.Groups{Kind: ldapauth.GroupOfNames, Base: groups}
			if direct {
				cfg.UserDN = "uid={user}," + people
			}
			change(&cfg)
			b := backend(t, cfg)
			for range 2 { // on new connections and on kept ones
				id, err := try(t, b, "ada", "right ada")
				if err != nil || !slices.Equal(id.Groups, []string{want}) {
					t.Errorf("bind first %v: got %+v and %v, want the group %q", direct, id, err, want)
				}
			}
		}
	}
}

// TestBindFirst: a name without an entry behind it, and entries that do not count.
func TestBindFirst(t *testing.T) {
	t.Parallel()
	d := company(t, nil)
	d.put("ada@example.com", "userPassword: right ada")
	d.put("eve@example.com", "userPassword: right eve")
	d.put("uid=eve,"+people, "objectClass: robot", "uid: eve", "entryUUID: uuid-of-eve", "userPassword: right eve")
	for _, template := range []string{"{user}@example.com", "uid={user}," + people} {
		cfg := config(d)
		cfg.UserDN, cfg.UserFilter = template, "(objectClass=person)"
		b := backend(t, cfg)
		if id, err := try(t, b, "ada", "right ada"); err != nil || id.Subject != "uuid-of-ada" {
			t.Errorf("%s: %+v and %v", template, id, err)
		}
		for _, name := range []string{"eve", "nobody", "x@elsewhere", "ada@example.com", "a/b", `example\ada`} {
			if id, err := try(t, b, name, "right "+name); !errors.Is(err, auth.ErrNoMatch) {
				t.Errorf("%s of %s: %+v and %v, want ErrNoMatch", name, template, id, err)
			}
		}
	}
}
