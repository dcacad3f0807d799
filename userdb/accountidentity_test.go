package userdb_test

import (
	"errors"
	"testing"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestAccountIdentities: package account sees the table of identities as its contract says.
func TestAccountIdentities(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		ids := db.Users().Accounts().Identities
		one, two := &auth.Identity{Issuer: "i", Subject: "1", Email: "a@example.com"}, &auth.Identity{Issuer: "j", Subject: "2"}
		must(t, ids.Link(ctx, ada.AuthID(), one))
		must(t, ids.Link(ctx, ada.AuthID(), two))
		must(t, ids.Link(ctx, ada.AuthID(), one)) // again
		if err := ids.Link(ctx, bob.AuthID(), one); !errors.Is(err, account.ErrTaken) {
			t.Errorf("another user's: got %v, want ErrTaken", err)
		}
		if err := ids.Link(ctx, "99", one); !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("nobody's: got %v, want ErrNoUser", err)
		}
		list, err := ids.Of(ctx, ada.AuthID())
		must(t, err)
		if len(list) != 2 || list[0].Issuer != "i" || list[0].Subject != "1" || list[0].Email != "a@example.com" || list[0].ID == "" || list[0].Created.IsZero() || list[0].LastUsed != nil {
			t.Errorf("got %+v", list)
		}
		for _, who := range []struct{ issuer, subject, want string }{{"i", "1", ada.AuthID()}, {"i", "2", ""}, {"I", "1", ""}, {"i", "", ""}, {"i", "1 ", ""}} {
			if got, err := ids.Owner(ctx, who.issuer, who.subject); got != who.want || err != nil {
				t.Errorf("the owner of %q at %q is %q (%v), want %q", who.subject, who.issuer, got, err, who.want)
			}
		}
		only := account.Ways{Issuers: []string{"i"}}
		if err := ids.Unlink(ctx, bob.AuthID(), list[1].ID, account.Ways{Password: true}); !errors.Is(err, account.ErrNoIdentity) {
			t.Errorf("unlink another user's: got %v, want ErrNoIdentity", err)
		}
		must(t, ids.Unlink(ctx, ada.AuthID(), list[1].ID, only))
		if err := ids.Unlink(ctx, ada.AuthID(), list[0].ID, only); !errors.Is(err, account.ErrLastWayIn) {
			t.Errorf("unlink the last: got %v, want ErrLastWayIn", err)
		}
		must(t, ids.Link(ctx, bob.AuthID(), two))
		if n, err := ids.Forget(ctx, ada.AuthID()); n != 1 || err != nil {
			t.Errorf("Forget: %d, %v", n, err)
		}
		if n, err := ids.Forget(ctx, "nobody"); n != 0 || err != nil {
			t.Errorf("Forget nobody's: %d, %v", n, err)
		}
		if got, err := ids.Owner(ctx, "j", "2"); got != bob.AuthID() || err != nil {
			t.Errorf("bob's is gone too: %q, %v", got, err)
		}
	})
}
