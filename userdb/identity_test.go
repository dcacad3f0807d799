package userdb_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

const issuer = "https://issuer.example"

// withPolicies returns Django's table of users with policies.
func withPolicies(t testing.TB, db *userdb.DB, policies ...userdb.IdentityPolicy) *userdb.Table[userdb.User] {
	t.Helper()
	users, err := db.Users().WithIdentities(policies...)
	must(t, err)
	return users
}

// TestIdentityContract holds the table with a policy against the rules of all tables of users.
func TestIdentityContract(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		open(t, empty)
		for name, policy := range map[string]userdb.IdentityPolicy{
			"owns the names": {Issuer: issuer, Create: true, MatchUsername: true, Update: true, MirrorGroups: true, StaffGroups: []string{"staff"}},
			"owns no name":   {Issuer: issuer, Create: true},
		} {
			t.Run(name, func(t *testing.T) {
				authtest.RunUsers(t, func(t *testing.T) authtest.Users[*userdb.User] {
					db := openEmpty(t, empty)
					for _, table := range []string{"cardea_identity", "auth_user_groups", "auth_group", "auth_user"} {
						exec(t, db, "DELETE FROM "+table)
					}
					return authtest.Users[*userdb.User]{
						Users:    withPolicies(t, db, policy),
						Active:   create(t, db, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: "x"}),
						Inactive: create(t, db, userdb.NewUser{Username: "bob", Inactive: true}),
						Missing:  "12345",
						Email:    "ada@example.com",
						Outsider: &auth.Identity{Issuer: issuer, Subject: "s", Name: "eve", Groups: []string{"staff", "zoo", "a"}},
						Break:    func() { db.Close() },
					}
				})
			})
		}
	})
}

// TestIdentityKey (M31): who somebody is stands in issuer and subject, byte for byte. Names, addresses and other spellings of the key
// make nobody another one's account.
func TestIdentityKey(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		users := withPolicies(t, db, userdb.IdentityPolicy{Issuer: issuer, Create: true, Update: true})
		id := auth.Identity{Issuer: issuer, Subject: "Ada", Name: "ada", Email: "ada@example.com", EmailVerified: true}
		ada, err := users.ByIdentity(t.Context(), &id)
		must(t, err)
		if ada.Password == "" || ada.Password[0] != '!' || !ada.IsActive || ada.Username != "ada" || ada.Email != "ada@example.com" {
			t.Errorf("made %+v, want an active user with an unusable password", ada)
		}
		renamed := id
		renamed.Name, renamed.Email = "root", "root@example.com"
		if again, err := users.ByIdentity(t.Context(), &renamed); err != nil || again.ID != ada.ID || again.Username != "ada" {
			t.Errorf("under another name: %+v and %v, want the same account under its name", again, err)
		}
		for _, subject := range []string{"ada", "ADA", "Ada ", " Ada", "Adä", "Ada\u200b"} {
			other := id
			other.Subject = subject
			u, err := users.ByIdentity(t.Context(), &other)
			if err == nil && u.ID == ada.ID {
				t.Errorf("the subject %q opens the account of %q", subject, id.Subject)
			}
			folded := empty.Kind == "mysql" && subject == "Ada " // which the database takes for the one that is there
			if err != nil && !folded {
				t.Errorf("the subject %q: %v, want an account of its own", subject, err)
			}
		}
		for what, bad := range map[string]auth.Identity{
			"another issuer": {Issuer: "https://Issuer.example", Subject: "Ada"},
			"no subject":     {Issuer: issuer},
			"NUL":            {Issuer: issuer, Subject: "Ada\x00"},
			"no text":        {Issuer: issuer, Subject: "Ada\xff"},
			"too long":       {Issuer: issuer, Subject: strings.Repeat("x", 256)},
		} {
			if u, err := users.ByIdentity(t.Context(), &bad); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("%s: %+v and %v, want ErrNoUser", what, u, err)
			}
		}
		long := auth.Identity{Issuer: issuer, Subject: strings.Repeat("ü", 255)}
		first, err := users.ByIdentity(t.Context(), &long)
		must(t, err)
		if again, err := users.ByIdentity(t.Context(), &long); err != nil || again.ID != first.ID {
			t.Errorf("the longest subject: %+v and %v, want user %d", again, err, first.ID)
		}
	})
}

// TestIdentityNames: an issuer that owns no name gives its people free ones.
func TestIdentityNames(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		users := withPolicies(t, db, userdb.IdentityPolicy{Issuer: issuer, Create: true})
		create(t, db, userdb.NewUser{Username: "ada"})
		for subject, c := range map[string]struct{ name, email, want string }{
			"1": {"ada", "", "ada-2"},
			"2": {"Eve O'Hara ", "", "Eve.OHara"},
			"3": {"", "mike@example.com", "mike"},
			"4": {"<>\x00", "", "user"},
			"5": {"...", "j.r@example.com", "j.r"},
			"6": {strings.Repeat("x", 500), "", strings.Repeat("x", 140)},
			"7": {"ｋａｙ", "", "kay"},
		} {
			u, err := users.ByIdentity(t.Context(), &auth.Identity{Issuer: issuer, Subject: subject, Name: c.name, Email: c.email})
			if err != nil || u.Username != c.want {
				t.Errorf("%.20q of %s: %+v and %v, want %q", c.name, c.email, u, err, c.want)
			}
		}
		if u, err := users.ByIdentity(t.Context(), &auth.Identity{Issuer: issuer, Subject: "8", Name: "ADA"}); err != nil || u.Username != "ADA-2" && u.Username != "ADA-3" {
			t.Errorf("a name that differs by case only: %+v and %v, want another one", u, err)
		}
	})
}

// TestLinkIdentity: an identity is linked to one user, goes with the user, and the last way in stays.
func TestLinkIdentity(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob", PasswordHash: "x"})
		off := create(t, db, userdb.NewUser{Username: "off", Inactive: true})
		id := auth.Identity{Issuer: issuer, Subject: "1", Email: "a@example.com"}
		if u, err := db.Users().ByIdentity(ctx, &id); !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("before: %+v and %v, want ErrNoUser", u, err)
		}
		for range 2 { // the second changes nothing
			must(t, db.LinkIdentity(ctx, ada.AuthID(), &id))
		}
		if u, err := db.Users().ByIdentity(ctx, &id); err != nil || u.ID != ada.ID {
			t.Errorf("linked: %+v and %v, want ada", u, err)
		}
		if err := db.LinkIdentity(ctx, bob.AuthID(), &id); !errors.Is(err, userdb.ErrIdentityTaken) {
			t.Errorf("for bob, too: %v, want ErrIdentityTaken", err)
		}
		for _, gone := range []string{"4711", "x", "", off.AuthID()} {
			if err := db.LinkIdentity(ctx, gone, &auth.Identity{Issuer: issuer, Subject: "2"}); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("for %q: %v, want ErrNoUser", gone, err)
			}
		}
		if err := db.LinkIdentity(ctx, ada.AuthID(), &auth.Identity{Issuer: issuer}); err == nil {
			t.Error("an identity without a subject was linked")
		}
		list, err := db.Identities(ctx, ada.AuthID())
		if err != nil || len(list) != 1 || list[0].Issuer != issuer || list[0].Subject != "1" || list[0].User != ada.AuthID() ||
			list[0].Email != "a@example.com" || list[0].Created.IsZero() || list[0].LastUsed == nil {
			t.Fatalf("got %+v and %v", list, err)
		}
		for what, ways := range map[string]userdb.WaysIn{
			"nothing else":       {},
			"no password is set": {Password: true},
			"only this one":      {Issuers: []string{issuer}},
		} {
			if err := db.UnlinkIdentity(ctx, ada.AuthID(), list[0].ID, ways); !errors.Is(err, userdb.ErrLastWayIn) {
				t.Errorf("the last way in (%s): %v, want ErrLastWayIn", what, err)
			}
		}
		for _, user := range []string{bob.AuthID(), "x", "4711"} {
			if err := db.UnlinkIdentity(ctx, user, list[0].ID, userdb.WaysIn{Unchecked: true}); !errors.Is(err, userdb.ErrNoIdentity) {
				t.Errorf("another's: %v, want ErrNoIdentity", err)
			}
		}
		must(t, db.LinkIdentity(ctx, ada.AuthID(), &auth.Identity{Issuer: "https://other.example", Subject: "1"}))
		if err := db.UnlinkIdentity(ctx, ada.AuthID(), list[0].ID, userdb.WaysIn{Issuers: []string{"https://third.example"}}); !errors.Is(err, userdb.ErrLastWayIn) {
			t.Errorf("what is left is of an issuer that does not count: %v, want ErrLastWayIn", err)
		}
		must(t, db.UnlinkIdentity(ctx, ada.AuthID(), list[0].ID, userdb.WaysIn{Issuers: []string{issuer, "https://other.example"}}))
		if u, err := db.Users().ByIdentity(ctx, &id); !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("unlinked: %+v and %v, want ErrNoUser", u, err)
		}
		must(t, db.LinkIdentity(ctx, bob.AuthID(), &id))
		list, err = db.Identities(ctx, bob.AuthID())
		must(t, err)
		must(t, db.UnlinkIdentity(ctx, bob.AuthID(), list[0].ID, userdb.WaysIn{Password: true})) // he has one

		tx, err := db.Pool().BeginTx(ctx, nil)
		must(t, err)
		must(t, db.Tx(tx).LinkIdentity(ctx, bob.AuthID(), &id))
		must(t, tx.Rollback())
		if list, err := db.Identities(ctx, bob.AuthID()); err != nil || len(list) != 0 {
			t.Errorf("after a Rollback: %+v and %v", list, err)
		}
		must(t, db.Users().Delete(ctx, ada, nil))
		if n := text(t, db, "SELECT COUNT(*) FROM cardea_identity"); n != "0" {
			t.Errorf("a deleted user leaves %s identities", n)
		}
		must(t, db.LinkIdentity(ctx, bob.AuthID(), &id))
		exec(t, db, "DELETE FROM auth_user WHERE username = 'bob'") // as Django does it
		if n := text(t, db, "SELECT COUNT(*) FROM cardea_identity"); n != "0" {
			t.Errorf("a user deleted by Django leaves %s identities", n)
		}
	})
}

// TestUnlinkRace: of two removals of the last two ways in, at once, one succeeds.
func TestUnlinkRace(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		ways := userdb.WaysIn{Password: true, Issuers: []string{"a", "b"}}
		for range 10 {
			exec(t, db, "DELETE FROM auth_user")
			ada := create(t, db, userdb.NewUser{Username: "ada"})
			for _, one := range ways.Issuers {
				must(t, db.LinkIdentity(ctx, ada.AuthID(), &auth.Identity{Issuer: one, Subject: "1"}))
			}
			list, err := db.Identities(ctx, ada.AuthID())
			must(t, err)
			var wg sync.WaitGroup
			errs := make([]error, len(list))
			for i := range list {
				wg.Go(func() { errs[i] = db.UnlinkIdentity(ctx, ada.AuthID(), list[i].ID, ways) })
			}
			wg.Wait()
			left, err := db.Identities(ctx, ada.AuthID())
			if err != nil || len(left) != 1 || errors.Is(errs[0], userdb.ErrLastWayIn) == errors.Is(errs[1], userdb.ErrLastWayIn) {
				t.Fatalf("left %+v and %v after %v", left, err, errs)
			}
		}
	})
}
