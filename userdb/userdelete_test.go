package userdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/tokenauth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// belongings gives a user all that can hang on one.
func belongings(t *testing.T, db *userdb.DB, store *userdb.SessionStore, u *userdb.User) (key string) {
	t.Helper()
	ctx, users := t.Context(), db.Users()
	if _, err := users.Groups().Create(ctx, "editors"); err != nil && !errors.Is(err, userdb.ErrDuplicate) {
		t.Fatal(err)
	}
	must(t, users.Groups().Add(ctx, "editors", u))
	must(t, users.Grant(ctx, u, "auth.view_user"))
	now := time.Now()
	_, err := db.Links().Make(ctx, account.Link{Kind: "test", User: u.AuthID(), Email: "x@example.com", Created: now, Expires: now.Add(time.Hour)})
	must(t, err)
	djangoRow(t, db, "django"+u.Username, loginData(u), now.Add(time.Hour))
	exec(t, db, fmt.Sprintf("INSERT INTO django_admin_log (user_id) VALUES (%d)", u.ID))
	_, _, err = db.Tokens(db.Users()).MakeToken(t.Context(), tokenauth.Token{User: u.AuthID(), Name: "n", Scopes: []string{"all"}, Created: now})
	must(t, err)
	return login(t, store, u, "192.0.2.1")
}

var belongingTables = []string{
	"auth_user_groups", "auth_user_user_permissions", "cardea_link", "cardea_session", "cardea_token", "django_admin_log", "auth_user", "django_session",
}

func counts(t *testing.T, db *userdb.DB) string {
	t.Helper()
	var out []string
	for _, table := range belongingTables {
		out = append(out, table+" "+text(t, db, "SELECT COUNT(*) FROM "+table))
	}
	return strings.Join(out, ", ")
}

// TestDeleteUser: a user goes with all that is the user's and nothing else, in one transaction.
func TestDeleteUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()})
		exec(t, db, "CREATE TABLE django_admin_log (user_id integer NOT NULL REFERENCES auth_user (id))")
		exec(t, db, "CREATE TABLE shop_order (customer_id integer NOT NULL REFERENCES auth_user (id)"+
			map[bool]string{true: ", FOREIGN KEY (customer_id) REFERENCES auth_user (id))"}[db.Dialect() == userdb.MySQL]+
			map[bool]string{false: " DEFERRABLE INITIALLY DEFERRED)"}[db.Dialect() == userdb.MySQL])
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		adas, bobs := belongings(t, db, store, ada), belongings(t, db, store, bob)
		var ended []string
		store.OnEnd(func(_ context.Context, keys []string) { ended = append(ended, keys...) })

		// An order that is ada's: nothing may change.
		before := counts(t, db)
		exec(t, db, fmt.Sprintf("INSERT INTO shop_order (customer_id) VALUES (%d)", ada.ID))
		if err := db.Users().Delete(t.Context(), ada, store); !errors.Is(err, userdb.ErrReferenced) {
			t.Fatalf("with an order: %v", err)
		}
		load(t, store, adas)
		if got := counts(t, db); got != before {
			t.Errorf("got  %s\nwant %s", got, before)
		}
		exec(t, db, "DELETE FROM shop_order")

		ended = nil
		must(t, db.Users().Delete(t.Context(), ada, store))
		if !slices.Contains(ended, adas) || !slices.Contains(ended, "djangoada") || slices.Contains(ended, bobs) {
			t.Errorf("who keeps copies heard of %v", ended)
		}
		const half = "auth_user_groups 1, auth_user_user_permissions 1, cardea_link 1, cardea_session 1, cardea_token 1, django_admin_log 1, auth_user 1, django_session 2"
		if got := counts(t, db); got != half {
			t.Errorf("got  %s\nwant %s", got, half)
		}
		if _, err := store.Load(t.Context(), adas); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("the session of a user who is gone: %v", err)
		}
		load(t, store, bobs)
		load(t, store, "djangobob")
		if err := db.Users().Delete(t.Context(), ada, store); !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("twice: %v", err)
		}
		if got := counts(t, db); got != half {
			t.Errorf("after an error: got  %s\nwant %s", got, half)
		}
	})
}

// TestDeleteUserTx: what was deleted inside the application's transaction comes back with its Rollback.
func TestDeleteUserTx(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()})
		exec(t, db, "CREATE TABLE django_admin_log (user_id integer NOT NULL)")
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		key := belongings(t, db, store, ada)
		before := counts(t, db)
		for _, commit := range []bool{false, true} {
			tx, err := db.Pool().BeginTx(t.Context(), nil)
			must(t, err)
			must(t, db.Users().Tx(tx).Delete(t.Context(), ada, nil))
			if !commit {
				must(t, tx.Rollback())
				if got := counts(t, db); got != before {
					t.Errorf("got  %s\nwant %s", got, before)
				}
				load(t, store, key)
				continue
			}
			must(t, tx.Commit())
		}
		want := "auth_user_groups 0, auth_user_user_permissions 0, cardea_link 0, cardea_session 0, cardea_token 0, django_admin_log 0, auth_user 0, django_session 1"
		if got := counts(t, db); got != want { // the one that Django made, since no store was given
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestDeleteCustomer: a table of users of the site's own has joining tables of its own.
func TestDeleteCustomer(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		type customer struct {
			userdb.User
			Company string `db:"company"`
		}
		db := openEmpty(t, empty)
		customers, err := userdb.NewTable[customer](db, userdb.TableConfig[customer]{Name: "shop_customer"})
		must(t, err)
		_, err = db.Migrate(t.Context(), userdb.MigrateOptions{Users: customers})
		must(t, err)
		one := &customer{User: userdb.User{Username: "ada", IsActive: true}, Company: "Engines"}
		must(t, customers.Create(t.Context(), one))
		must(t, customers.Grant(t.Context(), one, "auth.view_user"))
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: customers})
		key := login(t, store, &one.User, "192.0.2.1")
		must(t, customers.Delete(t.Context(), one, nil))
		if got := text(t, db, "SELECT COUNT(*) FROM shop_customer_user_permissions"); got != "0" {
			t.Errorf("%s permissions are left", got)
		}
		if _, err := store.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("the session: %v", err)
		}
	})
}

// TestSetActive: a user who is switched off loses sessions and links for good, and keeps groups and permissions.
func TestSetActive(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: true, Users: db.Users()})
		exec(t, db, "CREATE TABLE django_admin_log (user_id integer NOT NULL)")
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		adas, bobs := belongings(t, db, store, ada), belongings(t, db, store, bob)
		must(t, db.Users().SetActive(t.Context(), ada, false, store))
		want := "auth_user_groups 2, auth_user_user_permissions 2, cardea_link 1, cardea_session 1, cardea_token 1, django_admin_log 2, auth_user 2, django_session 2"
		if got := counts(t, db); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		found, err := db.UserByName(t.Context(), "ada")
		must(t, err)
		if found.IsActive || ada.IsActive {
			t.Errorf("still active: %v, %v", found.IsActive, ada.IsActive)
		}
		must(t, db.Users().SetActive(t.Context(), ada, true, store))
		if found, err = db.UserByName(t.Context(), "ada"); err != nil || !found.IsActive || !ada.IsActive {
			t.Errorf("not active: %+v, %v", found, err)
		}
		if _, err := store.Load(t.Context(), adas); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("a session came back: %v", err)
		}
		load(t, store, bobs)
		for _, active := range []bool{false, true} {
			if err := db.Users().SetActive(t.Context(), &userdb.User{ID: 4711}, active, store); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("nobody, active %v: %v", active, err)
			}
		}
	})
}

// TestListUsers: filters, and pages that miss nobody.
func TestListUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		for i := range 5 {
			create(t, db, userdb.NewUser{Username: fmt.Sprintf("user_%d", i), Email: fmt.Sprintf("u%d@example.com", i), Inactive: i == 1, IsStaff: i == 2})
		}
		create(t, db, userdb.NewUser{Username: "50%", IsSuperuser: true, IsStaff: true})
		for _, c := range []struct {
			name   string
			filter userdb.UserFilter
			want   string
		}{
			{"who may log in", userdb.UserFilter{}, "user_0 user_2 user_3 user_4 50%"},
			{"everybody", userdb.UserFilter{Status: userdb.AllUsers}, "user_0 user_1 user_2 user_3 user_4 50%"},
			{"switched off", userdb.UserFilter{Status: userdb.InactiveUsers}, "user_1"},
			{"staff", userdb.UserFilter{Staff: true}, "user_2 50%"},
			{"superusers", userdb.UserFilter{Superusers: true}, "50%"},
			{"by name", userdb.UserFilter{Like: "er_3"}, "user_3"},
			{"by address", userdb.UserFilter{Like: "U4@EXAMPLE"}, "user_4"},
			{"a percent sign", userdb.UserFilter{Like: "0%"}, "50%"},
			{"a backslash", userdb.UserFilter{Like: `\`}, ""},
			{"no text", userdb.UserFilter{Like: "\x00"}, ""},
			{"a page", userdb.UserFilter{Limit: 2}, "user_0 user_2"},
		} {
			found, err := db.Users().List(t.Context(), c.filter)
			must(t, err)
			var got []string
			for _, u := range found {
				got = append(got, u.Username)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			}
		}
		first, err := db.Users().List(t.Context(), userdb.UserFilter{Limit: 2})
		must(t, err)
		next, err := db.Users().List(t.Context(), userdb.UserFilter{Limit: 2, After: first[1].AuthID()})
		if err != nil || len(next) != 2 || next[0].Username != "user_3" {
			t.Errorf("the next page: %v, %v", next, err)
		}
	})
}
