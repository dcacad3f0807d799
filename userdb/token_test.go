package userdb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestTokens: a token is found by its secret with its owner, and by nothing else; it can be listed, used and ended.
func TestTokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		tokens := db.Tokens(db.Users())
		now := time.Now().UTC().Truncate(time.Second)
		make := func(u *userdb.User, name string, at, end time.Time, scopes ...string) (tokenauth.Token, tokenauth.Secret) {
			t.Helper()
			made, secret, err := tokens.MakeToken(ctx, tokenauth.Token{User: u.AuthID(), Name: name, Scopes: scopes, Created: at, Expires: end})
			if err != nil {
				t.Fatal(err)
			}
			return made, secret
		}
		first, secret := make(ada, "  the backup  ", now, now.Add(time.Hour), "auth.view_user", "auth.add_user")
		second, other := make(ada, "Ünïcode 名", now.Add(time.Second), time.Time{}, tokenauth.All)
		_, bobs := make(bob, "the backup", now, time.Time{}, tokenauth.All)

		stored := text(t, db, "SELECT token_hash FROM cardea_token WHERE name = 'the backup' AND scopes LIKE '%view%'")
		if stored == "" || strings.Contains(secret.Reveal(), stored) || strings.Contains(stored, secret.Reveal()) {
			t.Errorf("the database holds %q", stored)
		}
		got, err := tokens.FindToken(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		if u, ok := got.Attached.(*userdb.User); !ok || u.Username != "ada" || !u.IsActive {
			t.Errorf("the owner is %+v", got.Attached)
		}
		got.Attached = nil
		if got.ID != first.ID || got.User != ada.AuthID() || got.Name != "the backup" || !slices.Equal(got.Scopes, first.Scopes) || got.Hint != secret.Hint() ||
			!got.Created.Equal(now) || !got.Expires.Equal(now.Add(time.Hour)) || !got.LastUsed.IsZero() {
			t.Errorf("found %+v, made %+v", got, first)
		}
		if got, err := tokens.FindToken(ctx, other); err != nil || got.Name != "Ünïcode 名" || !got.Expires.IsZero() || got.Limit() != nil {
			t.Errorf("found %+v and %v", got, err)
		}
		if _, err := tokens.FindToken(ctx, tokenauth.NewSecret()); !errors.Is(err, tokenauth.ErrNotFound) {
			t.Errorf("another secret: %v", err)
		}

		// Of uses at once one is noted; later ones only after the time between.
		var noted [3]time.Time
		for i, step := range []time.Duration{0, time.Minute, 10 * time.Minute} {
			at := now.Add(step)
			if err := tokens.TokenUsed(ctx, first.ID, at, at.Add(-5*time.Minute)); err != nil {
				t.Fatal(err)
			}
			found, err := tokens.FindToken(ctx, secret)
			if err != nil {
				t.Fatal(err)
			}
			noted[i] = found.LastUsed
		}
		if !noted[0].Equal(now) || !noted[1].Equal(now) || !noted[2].Equal(now.Add(10*time.Minute)) {
			t.Errorf("noted at %v", noted)
		}

		list, err := tokens.Tokens(ctx, ada.AuthID())
		if err != nil || len(list) != 2 || list[0].ID != second.ID || list[1].ID != first.ID {
			t.Errorf("ada's: %+v and %v", list, err)
		}
		if none, err := tokens.Tokens(ctx, ""); err != nil || len(none) != 0 {
			t.Errorf("nobody's: %d and %v", len(none), err)
		}
		if all, err := tokens.AllTokens(ctx); err != nil || len(all) != 3 {
			t.Errorf("all: %d and %v", len(all), err)
		}
		if err := tokens.EndToken(ctx, bob.AuthID(), first.ID); !errors.Is(err, tokenauth.ErrNotFound) {
			t.Errorf("bob ends ada's: %v", err)
		}
		if err := tokens.EndToken(ctx, ada.AuthID(), first.ID); err != nil {
			t.Error(err)
		}
		if err := tokens.EndToken(ctx, ada.AuthID(), first.ID); !errors.Is(err, tokenauth.ErrNotFound) {
			t.Errorf("once more: %v", err)
		}
		if _, err := tokens.FindToken(ctx, secret); !errors.Is(err, tokenauth.ErrNotFound) {
			t.Errorf("an ended one: %v", err)
		}
		if n, err := tokens.EndTokens(ctx, ada.AuthID()); n != 1 || err != nil {
			t.Errorf("ended %d and %v", n, err)
		}
		if _, err := tokens.FindToken(ctx, bobs); err != nil {
			t.Errorf("bob's: %v", err)
		}

		// Whoever is not there, or may not log in, gets none, and loses those that were.
		if err := db.Users().SetActive(ctx, bob, false, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := tokens.FindToken(ctx, bobs); !errors.Is(err, tokenauth.ErrNotFound) {
			t.Errorf("of somebody switched off: %v", err)
		}
		for _, id := range []string{bob.AuthID(), "4711"} {
			if _, _, err := tokens.MakeToken(ctx, tokenauth.Token{User: id, Name: "n", Scopes: []string{"all"}, Created: now}); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("for %s: %v", id, err)
			}
		}
		if _, _, err := tokens.MakeToken(ctx, tokenauth.Token{User: ada.AuthID(), Name: "n", Created: now}); !errors.As(err, new(*tokenauth.Invalid)) {
			t.Errorf("without scopes: %v", err)
		}
		make(ada, "last", now, time.Time{}, "all")
		if err := db.Users().Delete(ctx, ada, nil); err != nil {
			t.Fatal(err)
		}
		if rest, err := tokens.AllTokens(ctx); err != nil || len(rest) != 0 {
			t.Errorf("left are %+v and %v", rest, err)
		}
	})
}

// TestTokensOfOtherUsers: the owner may be of the site's own type, with more columns, or in a table that only the site reads.
func TestTokensOfOtherUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		foreign := db.Tokens(userdb.UsersOf("auth_user"))
		_, secret, err := foreign.MakeToken(ctx, tokenauth.Token{User: ada.AuthID(), Name: "n", Scopes: []string{"all"}, Created: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := foreign.FindToken(ctx, secret); err != nil || got.User != ada.AuthID() || got.Attached != nil {
			t.Errorf("got %+v and %v", got, err)
		}
	})
}

// TestOlderDatabaseGetsTokens: a database that an older Cardea migrated lacks the table, says so, and gets it.
func TestOlderDatabaseGetsTokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		if _, err := db.Pool().ExecContext(ctx, "DROP TABLE cardea_token"); err != nil {
			t.Fatal(err)
		}
		if ready, err := db.Migrated(ctx); ready || err != nil {
			t.Errorf("without the table it is ready: %v, %v", ready, err)
		}
		if _, err := db.Tokens(db.Users()).FindToken(ctx, tokenauth.NewSecret()); !errors.Is(err, userdb.ErrNoTables) {
			t.Errorf("without the table: %v", err)
		}
		report, err := db.Migrate(ctx, userdb.MigrateOptions{})
		if err != nil || !slices.Equal(report.Created, []string{"cardea_token"}) {
			t.Errorf("made %v and %v", report.Created, err)
		}
		if ready, err := db.Migrated(ctx); !ready || err != nil {
			t.Errorf("with the table it is ready: %v, %v", ready, err)
		}
	})
}
