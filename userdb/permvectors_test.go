package userdb_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/perm"
	"github.com/cardea-go/cardea/userdb"
)

// A rights is a user as the vectors describe one.
type rights struct {
	Active    bool     `json:"is_active"`
	Superuser bool     `json:"is_superuser"`
	Direct    []string `json:"direct"`
	Group     []string `json:"group"`
}

// A people holds the users that the vectors are about.
type people struct {
	t     *testing.T
	db    *userdb.DB
	users *userdb.Table[userdb.User]
	made  map[string]*userdb.User
}

// populate makes the permissions auth.t1 and auth.t2 of the vectors.
func populate(t *testing.T, db *userdb.DB) *people {
	t.Helper()
	err := db.EnsurePermissions(t.Context(), "auth", userdb.Model{
		Name: "thing", Actions: []string{}, More: []perm.Permission{{Codename: "t1", Text: "T1"}, {Codename: "t2", Text: "T2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &people{t, db, db.Users(), map[string]*userdb.User{}}
}

// user makes somebody with these rights.
func (p *people) user(name string, in rights) *userdb.User {
	p.t.Helper()
	u := create(p.t, p.db, userdb.NewUser{Username: name, IsSuperuser: in.Superuser, Inactive: !in.Active})
	if err := p.users.Grant(p.t.Context(), u, in.Direct...); err != nil {
		p.t.Fatal(err)
	}
	if len(in.Group) > 0 {
		groups := p.users.Groups()
		if _, err := groups.Create(p.t.Context(), "of "+name); err != nil {
			p.t.Fatal(err)
		}
		if err := groups.Grant(p.t.Context(), "of "+name, in.Group...); err != nil {
			p.t.Fatal(err)
		}
		if err := groups.Add(p.t.Context(), "of "+name, u); err != nil {
			p.t.Fatal(err)
		}
	}
	return u
}

// perms answers for somebody with the rights that stand in a case, as a request would.
func (p *people) perms(c *vectors.Case) *perm.Perms {
	var in rights
	c.Bind(&in)
	name := fmt.Sprint(in)
	u, ok := p.made[name]
	if !ok {
		u = p.user(name, in)
		p.made[name] = u
	}
	return perm.For(p.t.Context(), subject(u), p.users)
}

func subject(u *userdb.User) perm.Subject {
	return perm.Subject{ID: u.AuthID(), Active: u.Active(), Superuser: u.Superuser(), User: u}
}

func (p *people) ops() vectors.Ops {
	ops := vectors.Ops{
		"has_perm":         func(c *vectors.Case) (any, error) { return p.perms(c).Has(permOf(c)) },
		"has_perm_obj":     func(c *vectors.Case) (any, error) { return p.perms(c).On("an object").Has(permOf(c)) },
		"has_perms":        func(c *vectors.Case) (any, error) { return p.perms(c).HasAll(permsOf(c)...) },
		"has_module_perms": func(c *vectors.Case) (any, error) { return p.perms(c).Module(appOf(c)) },
		"anonymous.has_perm": func(c *vectors.Case) (any, error) {
			return perm.For(p.t.Context(), perm.Subject{}, p.users).Has(permOf(c))
		},
		"with_perm": p.withPerm(),
		"default_permissions": func(c *vectors.Case) (any, error) {
			var in struct {
				Model   string
				Verbose string `json:"verbose_name"`
			}
			c.Bind(&in)
			var out [][]string
			for _, d := range perm.Defaults(in.Model, in.Verbose) {
				out = append(out, []string{d.Codename, d.Text})
			}
			return out, nil
		},
	}
	for op, list := range map[string]func(*perm.Perms) (perm.Set, error){
		"get_user_permissions": (*perm.Perms).Direct, "get_group_permissions": (*perm.Perms).Group, "get_all_permissions": (*perm.Perms).All,
	} {
		ops[op] = func(c *vectors.Case) (any, error) {
			set, err := list(p.perms(c))
			if err != nil {
				return nil, err
			}
			all, err := p.db.Permissions(p.t.Context())
			things := []string{}
			for _, name := range []string{"auth.t1", "auth.t2"} {
				if set.Has(name) {
					things = append(things, name)
				}
			}
			return map[string]any{"count_is_all": set.Len() == len(all), "t": things}, err
		}
		ops[op+"_obj"] = func(c *vectors.Case) (any, error) {
			set, err := list(p.perms(c).On("an object"))
			return append([]string{}, set.Names()...), err
		}
	}
	return ops
}

func permOf(c *vectors.Case) string {
	var in struct{ Perm string }
	c.Bind(&in)
	return in.Perm
}

func permsOf(c *vectors.Case) []string {
	var in struct{ Perms []string }
	c.Bind(&in)
	return in.Perms
}

func appOf(c *vectors.Case) string {
	var in struct {
		App string `json:"app_label"`
	}
	c.Bind(&in)
	return in.App
}

// withPerm makes the sixteen users of the first case in their order, who are the users of all.
func (p *people) withPerm() vectors.Op {
	var ids []int64
	for i := range 16 {
		in := rights{Active: i < 8, Superuser: i&4 != 0}
		if i&2 != 0 {
			in.Direct = []string{"auth.t1"}
		}
		if i&1 != 0 {
			in.Group = []string{"auth.t2"}
		}
		ids = append(ids, p.user(fmt.Sprint("w", i), in).ID)
	}
	return func(c *vectors.Case) (any, error) {
		var in struct {
			Users      any
			Perm       string
			Active     *bool `json:"is_active"`
			Superusers bool  `json:"include_superusers"`
		}
		c.Bind(&in)
		if list, ok := in.Users.([]any); ok {
			for i, u := range list {
				want := map[string]any{"is_active": i < 8, "is_superuser": i&4 != 0, "direct_t1": i&2 != 0, "group_t2": i&1 != 0}
				if fmt.Sprint(u) != fmt.Sprint(want) {
					return nil, vectors.Differs("user %d is %v, and the test made %v", i, u, want)
				}
			}
		}
		f := userdb.PermissionFilter{Status: userdb.AllUsers, WithoutSuperusers: !in.Superusers}
		if in.Active != nil {
			f.Status = map[bool]userdb.Status{true: userdb.ActiveUsers, false: userdb.InactiveUsers}[*in.Active]
		}
		found, err := p.users.WithPermission(p.t.Context(), in.Perm, f)
		out := []int{}
		for _, u := range found {
			if i := slices.Index(ids, u.ID); i >= 0 { // the other cases have users of their own
				out = append(out, i)
			}
		}
		return out, err
	}
}

// TestDjangoPermissions runs Django's own answers against each database.
func TestDjangoPermissions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		vectors.Run(t, "permissions", populate(t, open(t, empty)).ops())
	})
}
