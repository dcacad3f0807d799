package userdb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// TestIdentityPolicies: what cannot be meant is refused at start.
func TestIdentityPolicies(t *testing.T) {
	t.Parallel()
	db := openEmpty(t, testdb.New(t, "sqlite"))
	for want, policies := range map[string][]userdb.IdentityPolicy{
		"":                        {{Issuer: "a"}, {Issuer: "b", MatchVerifiedEmail: true, LocalEmailsVerified: true, MirrorGroups: true, MirrorOnly: []string{"x"}}},
		"issuer is empty":         {{Create: true}},
		"two policies":            {{Issuer: "a"}, {Issuer: "a"}},
		"set LocalEmailsVerified": {{Issuer: "a", MatchVerifiedEmail: true}},
		"MatchUsername only":      {{Issuer: "a", KeepAccess: true}},
		"without MirrorGroups":    {{Issuer: "a", MirrorExcept: []string{"x"}}},
		"both MirrorOnly":         {{Issuer: "a", MirrorGroups: true, MirrorOnly: []string{"x"}, MirrorExcept: []string{"y"}}},
	} {
		_, err := db.Users().WithIdentities(policies...)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", policies, err, want)
		}
	}
}

// TestAdoptByName (M17, M37): only an issuer that owns the names adopts a local user by name, and whoever made the account beforehand,
// with a password, a session, a mailed link and an address, has nothing of it afterwards.
func TestAdoptByName(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		owns := userdb.IdentityPolicy{Issuer: issuer, Create: true, MatchUsername: true}
		id := auth.Identity{Issuer: issuer, Subject: "1", Name: "ada", Email: "ada@example.com", EmailVerified: true}
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()})
		start := func() (*userdb.User, string) {
			exec(t, db, "DELETE FROM auth_user")
			planted := create(t, db, userdb.NewUser{Username: "ada", Email: "mallory@example.com", PasswordHash: "planted"})
			key := login(t, store, planted, "192.0.2.1")
			now := time.Now()
			_, err := db.Links().Make(ctx, account.Link{Kind: "test", User: planted.AuthID(), Created: now, Expires: now.Add(time.Hour)})
			must(t, err)
			return planted, key
		}

		planted, key := start()
		other := owns
		other.MatchUsername = false
		if u, err := withPolicies(t, db, other).ByIdentity(ctx, &id); err != nil || u.ID == planted.ID || u.Username != "ada-2" {
			t.Errorf("an issuer that owns no name: %+v and %v, want another user", u, err)
		}
		load(t, store, key)

		planted, key = start()
		u, err := withPolicies(t, db, owns).ByIdentity(ctx, &id)
		must(t, err)
		if u.ID != planted.ID || u.Password[0] != '!' || u.Email != "ada@example.com" {
			t.Errorf("adopted %+v, want the local user with no password and the issuer's address", u)
		}
		if stored, err := db.UserByID(ctx, u.AuthID()); err != nil || *stored != *u {
			t.Errorf("stored %+v and %v, want %+v", stored, err, u)
		}
		if _, err := store.Load(ctx, key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("the session from before: %v, want it gone", err)
		}
		if n := text(t, db, "SELECT COUNT(*) FROM cardea_link"); n != "0" {
			t.Errorf("%s mailed links from before are left", n)
		}

		planted, key = start()
		keep := owns
		keep.KeepAccess = true
		u, err = withPolicies(t, db, keep).ByIdentity(ctx, &id)
		if err != nil || u.ID != planted.ID || u.Password != "planted" || u.Email != "mallory@example.com" {
			t.Errorf("with KeepAccess: %+v and %v, want the local user as it was", u, err)
		}
		load(t, store, key)
	})
}

// TestReusedName: a name that the issuer gives to another person opens nothing of the one who had it, and of an account that another
// issuer vouches for it opens nothing either.
func TestReusedName(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		users := withPolicies(t, db,
			userdb.IdentityPolicy{Issuer: "ldap", Create: true, MatchUsername: true},
			userdb.IdentityPolicy{Issuer: "company", Create: true, MatchUsername: true},
			userdb.IdentityPolicy{Issuer: issuer, Create: true})
		first, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-1", Name: "ada"})
		must(t, err)
		if u, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-2", Name: "ada"}); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("the next one of that name: %+v and %v, want ErrDenied", u, err)
		}
		again, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-1", Name: "ada.lovelace"})
		if err != nil || again.ID != first.ID {
			t.Errorf("the first one under a new name: %+v and %v, want the same user", again, err)
		}
		both, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "company", Subject: "1", Name: "ada"})
		if err != nil || both.ID != first.ID {
			t.Errorf("by another issuer that owns the names: %+v and %v, want the same user", both, err)
		}
		_, err = users.ByIdentity(ctx, &auth.Identity{Issuer: issuer, Subject: "1", Name: "eve"})
		must(t, err)
		if u, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-3", Name: "eve"}); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("a name that somebody has by an issuer that owns none: %+v and %v, want ErrDenied", u, err)
		}
		for _, name := range []string{"", " bob", "bob\n", "b\x00b", strings.Repeat("b", 151)} {
			if u, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "x", Name: name}); !errors.Is(err, auth.ErrDenied) {
				t.Errorf("the name %.10q: %+v and %v, want ErrDenied", name, u, err)
			}
		}
		create(t, db, userdb.NewUser{Username: "Kim"})
		if u, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-4", Name: "kim"}); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("a name that differs by case only: %+v and %v, want ErrDenied", u, err)
		}
		if u, err := users.ByIdentity(ctx, &auth.Identity{Issuer: "ldap", Subject: "uuid-5", Name: "bob"}); err != nil || u.Username != "bob" {
			t.Errorf("a free name: %+v and %v, want bob", u, err)
		}
	})
}

// TestAdoptByEmail (M17, M37): an address merges two accounts only if both sides have verified it, and never into one that has rights.
func TestAdoptByEmail(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		policy := userdb.IdentityPolicy{Issuer: issuer, Create: true, MatchVerifiedEmail: true, LocalEmailsVerified: true}
		good := auth.Identity{Issuer: issuer, Subject: "1", Name: "newcomer", Email: "Ada@EXAMPLE.com", EmailVerified: true}
		for _, c := range []struct {
			what   string
			change func(p *userdb.IdentityPolicy, id *auth.Identity, local *userdb.NewUser)
			adopts bool
			email  string // of whoever it is
		}{
			{"all is verified", func(*userdb.IdentityPolicy, *auth.Identity, *userdb.NewUser) {}, true, "ada@example.com"},
			{"the issuer has not verified it", func(_ *userdb.IdentityPolicy, id *auth.Identity, _ *userdb.NewUser) { id.EmailVerified = false }, false, ""},
			{"the policy does not say so", func(p *userdb.IdentityPolicy, _ *auth.Identity, _ *userdb.NewUser) {
				p.MatchVerifiedEmail, p.LocalEmailsVerified = false, false
			}, false, ""},
			{"it is staff", func(_ *userdb.IdentityPolicy, _ *auth.Identity, n *userdb.NewUser) { n.IsStaff = true }, false, ""},
			{"it is a superuser", func(_ *userdb.IdentityPolicy, _ *auth.Identity, n *userdb.NewUser) { n.IsSuperuser = true }, false, ""},
			{"it looks alike", func(_ *userdb.IdentityPolicy, id *auth.Identity, _ *userdb.NewUser) { id.Email = "adа@example.com" }, false, ""},
		} {
			exec(t, db, "DELETE FROM auth_user")
			p, id, n := policy, good, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: "x"}
			c.change(&p, &id, &n)
			local := create(t, db, n)
			u, err := withPolicies(t, db, p).ByIdentity(ctx, &id)
			if err != nil || (u.ID == local.ID) != c.adopts || u.Email != c.email {
				t.Errorf("%s: %+v and %v, want adopted %v with the address %q", c.what, u, err, c.adopts, c.email)
			}
			if now, err := db.UserByID(ctx, local.AuthID()); err != nil || *now != *local {
				t.Errorf("%s: the local user is now %+v and %v, want it as it was", c.what, now, err)
			}
		}
		exec(t, db, "DELETE FROM auth_user")
		users := withPolicies(t, db, policy)
		local := create(t, db, userdb.NewUser{Username: "ada", Email: "ada@example.com"})
		must(t, db.LinkIdentity(ctx, local.AuthID(), &auth.Identity{Issuer: issuer, Subject: "0"}))
		if u, err := users.ByIdentity(ctx, &good); err != nil || u.ID == local.ID || u.Email != "" {
			t.Errorf("it has an identity of that issuer: %+v and %v, want another user without the address", u, err)
		}
		exec(t, db, "DELETE FROM auth_user")
		for _, name := range []string{"ada", "eve"} {
			create(t, db, userdb.NewUser{Username: name, Email: "ada@example.com"})
		}
		if u, err := users.ByIdentity(ctx, &good); err != nil || u.Username != "newcomer" || u.Email != "" {
			t.Errorf("two have the address: %+v and %v, want a third", u, err)
		}
	})
}

// TestInactiveIdentity (M30): who is not active stays out, found by key, by name or by address, and is not changed. With the account
// active again the same identity is let in.
func TestInactiveIdentity(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		for what, p := range map[string]userdb.IdentityPolicy{
			"by key":     {Issuer: issuer, Create: true, Update: true, StaffGroups: []string{"staff"}},
			"by name":    {Issuer: issuer, Create: true, Update: true, MatchUsername: true, StaffGroups: []string{"staff"}},
			"by address": {Issuer: issuer, Create: true, Update: true, MatchVerifiedEmail: true, LocalEmailsVerified: true, StaffGroups: []string{"staff"}},
		} {
			exec(t, db, "DELETE FROM auth_user")
			local := create(t, db, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: "x"})
			id := auth.Identity{
				Issuer: issuer, Subject: "1", Name: "ada", Email: "ada@example.com", EmailVerified: true, Groups: []string{"staff"},
				Claims: map[string]any{"given_name": "Ada", "family_name": "Lovelace"},
			}
			if what == "by key" {
				must(t, db.LinkIdentity(ctx, local.AuthID(), &id))
			}
			must(t, db.Users().SetActive(ctx, local, false, nil))
			users := withPolicies(t, db, p)
			u, err := users.ByIdentity(ctx, &id)
			if err != nil || u.ID != local.ID || u.Active() {
				t.Errorf("%s: %+v and %v, want the user who is not active", what, u, err)
			}
			if now, err := db.UserByID(ctx, local.AuthID()); err != nil || *now != *local {
				t.Errorf("%s: changed to %+v and %v", what, now, err)
			}
			must(t, db.Users().SetActive(ctx, local, true, nil))
			u, err = users.ByIdentity(ctx, &id)
			if err != nil || u.ID != local.ID || !u.Active() || !u.IsStaff || u.FirstName != "Ada" || u.LastName != "Lovelace" {
				t.Errorf("%s, active again: %+v and %v", what, u, err)
			}
		}
	})
}

// TestIdentityFollows: names, address, groups and flags follow the issuer as far as the policy says, at each login.
func TestIdentityFollows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		groups := db.Users().Groups()
		for _, name := range []string{"local", "staff"} {
			_, err := groups.Create(ctx, name)
			must(t, err)
		}
		login := func(p userdb.IdentityPolicy, id auth.Identity) (*userdb.User, []string) {
			t.Helper()
			p.Issuer, p.Create = issuer, true
			id.Issuer, id.Subject, id.Name = issuer, "1", "ada"
			u, err := withPolicies(t, db, p).ByIdentity(ctx, &id)
			must(t, err)
			if now, err := db.UserByID(ctx, u.AuthID()); err != nil || *now != *u {
				t.Fatalf("stored %+v and %v, returned %+v", now, err, u)
			}
			of, err := groups.Of(ctx, u)
			must(t, err)
			var names []string
			for _, g := range of {
				names = append(names, g.Name)
			}
			return u, names
		}
		first := map[string]any{"given_name": " Ada ", "family_name": strings.Repeat("ü", 200), "sub": 7}
		u, _ := login(userdb.IdentityPolicy{}, auth.Identity{Claims: first, Email: "a@example.com", EmailVerified: true})
		if u.FirstName != "Ada" || u.LastName != strings.Repeat("ü", 150) || u.Email != "a@example.com" || u.IsStaff || u.IsSuperuser {
			t.Errorf("made %+v", u)
		}
		must(t, groups.Add(ctx, "local", u))
		next := auth.Identity{
			Claims: map[string]any{"given_name": "Augusta", "family_name": "King"}, Email: "b@example.com", EmailVerified: true,
			Groups: []string{"staff", "new", "new", "", strings.Repeat("x", 151), "root"},
		}
		if u, got := login(userdb.IdentityPolicy{}, next); u.FirstName != "Ada" || u.Email != "a@example.com" || !slices.Equal(got, []string{"local"}) || u.IsStaff {
			t.Errorf("without a word in the policy: %+v in %q, want nothing changed", u, got)
		}
		if u, _ := login(userdb.IdentityPolicy{Update: true}, next); u.FirstName != "Augusta" || u.LastName != "King" || u.Email != "b@example.com" {
			t.Errorf("Update: %+v", u)
		}
		unverified := next
		unverified.Email, unverified.EmailVerified, unverified.Claims = "c@example.com", false, nil
		if u, _ := login(userdb.IdentityPolicy{Update: true}, unverified); u.FirstName != "Augusta" || u.Email != "b@example.com" {
			t.Errorf("Update with an address that is not verified and no names: %+v, want nothing changed", u)
		}
		create(t, db, userdb.NewUser{Username: "owner", Email: "D@example.com"})
		taken := next
		taken.Email = "d@example.com"
		if u, _ := login(userdb.IdentityPolicy{Update: true}, taken); u.Email != "b@example.com" {
			t.Errorf("Update with another user's address: %+v, want nothing changed", u)
		}
		if _, got := login(userdb.IdentityPolicy{MirrorGroups: true, MirrorOnly: []string{"new", "gone"}}, next); !slices.Equal(got, []string{"local", "new"}) {
			t.Errorf("MirrorOnly: got %q", got)
		}
		if _, got := login(userdb.IdentityPolicy{MirrorGroups: true, MirrorExcept: []string{"local", "root"}}, next); !slices.Equal(got, []string{"local", "new", "staff"}) {
			t.Errorf("MirrorExcept: got %q", got)
		}
		if _, got := login(userdb.IdentityPolicy{MirrorGroups: true}, next); !slices.Equal(got, []string{"new", "root", "staff"}) {
			t.Errorf("MirrorGroups: got %q", got)
		}
		if _, got := login(userdb.IdentityPolicy{MirrorGroups: true}, auth.Identity{}); len(got) != 0 {
			t.Errorf("MirrorGroups of somebody without groups: got %q", got)
		}
		flags := userdb.IdentityPolicy{StaffGroups: []string{"other", "staff"}, SuperuserGroups: []string{"root"}}
		if u, _ := login(flags, next); !u.IsStaff || !u.IsSuperuser {
			t.Errorf("gained: %+v", u)
		}
		if u, _ := login(userdb.IdentityPolicy{}, auth.Identity{}); !u.IsStaff || !u.IsSuperuser {
			t.Errorf("without a word in the policy: %+v, want both kept", u)
		}
		if u, _ := login(flags, auth.Identity{Groups: []string{"Staff", "ROOT", "staff "}}); u.IsStaff || u.IsSuperuser {
			t.Errorf("lost: %+v", u)
		}
	})
}

// TestIdentityMigrates: a database of an older version is asked to be migrated, and gets the table.
func TestIdentityMigrates(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		create(t, db, userdb.NewUser{Username: "ada"})
		exec(t, db, "DROP TABLE cardea_identity")
		if ready, err := db.Migrated(ctx); ready || err != nil {
			t.Errorf("without the table: %v and %v, want not migrated", ready, err)
		}
		users := withPolicies(t, db, userdb.IdentityPolicy{Issuer: issuer, Create: true})
		if _, err := users.ByIdentity(ctx, &auth.Identity{Issuer: issuer, Subject: "1"}); !errors.Is(err, userdb.ErrNoTables) || errors.Is(err, auth.ErrNoUser) {
			t.Errorf("without the table: %v, want ErrNoTables", err)
		}
		report, err := db.Migrate(ctx, userdb.MigrateOptions{})
		if err != nil || !slices.Equal(report.Created, []string{"cardea_identity"}) {
			t.Errorf("migrated %+v and %v", report, err)
		}
		if _, err := users.ByIdentity(ctx, &auth.Identity{Issuer: issuer, Subject: "1"}); err != nil {
			t.Error(err)
		}
	})
}
