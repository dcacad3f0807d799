package userdb_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/sessiontest"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

func codec(t testing.TB) *sessions.Codec {
	t.Helper()
	c, err := sessions.NewCodec(signing.Keys{Current: "a secret for tests"}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// record returns a record with this data that lives for an hour.
func record(t testing.TB, json string) sessions.Record {
	t.Helper()
	data, err := sessions.ParseData([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return sessions.Record{Data: data, Expires: time.Now().Add(time.Hour)}
}

func save(t testing.TB, s sessions.Store, key string, rec sessions.Record) string {
	t.Helper()
	key, err := s.Save(t.Context(), key, rec)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func load(t testing.TB, s sessions.Store, key string) sessions.Record {
	t.Helper()
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestSessionStore holds the store against the rules of all stores, on each database, with keys hashed and plain.
func TestSessionStore(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		for name, hash := range map[string]bool{"plain keys": false, "hashed keys": true} {
			t.Run(name, func(t *testing.T) {
				db := open(t, testdb.New(t, empty.Kind))
				user, err := db.CreateUser(t.Context(), userdb.NewUser{Username: "owner"})
				if err != nil {
					t.Fatal(err)
				}
				clock := sessiontest.NewClock()
				sessiontest.Run(t, func(t *testing.T) sessions.Store {
					for _, table := range []string{"django_session", "cardea_session", "cardea_rotated"} {
						exec(t, db, "DELETE FROM "+table)
					}
					return db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: hash, Users: db.Users(), Now: clock.Now})
				}, sessiontest.WithClock(clock), sessiontest.WithOwner(func(*testing.T, sessions.Store) string { return user.AuthID() }))
			})
		}
	})
}

// TestAttached: a session comes with its user, of the site's own type, and without one when nobody owns it or the user is gone.
func TestAttached(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ada, err := db.CreateUser(t.Context(), userdb.NewUser{Username: "ada", Email: "ada@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()})
		if got := load(t, store, save(t, store, "", record(t, `{}`))).Attached; got != nil {
			t.Errorf("nobody's session: got %v, want no user", got)
		}
		rec := record(t, `{"a":1}`)
		rec.Owner = ada.AuthID()
		key := save(t, store, "", rec)
		if got, ok := load(t, store, key).Attached.(*userdb.User); !ok || *got != *ada {
			t.Errorf("got %+v, want %+v", got, ada)
		}
		exec(t, db, "DELETE FROM auth_user")
		after := load(t, store, key)
		if after.Attached != nil || after.Owner != "" {
			t.Errorf("after the user was deleted: got the owner %q and %v, want none", after.Owner, after.Attached)
		}
	})
}

// TestDjangosSession: a row that Django wrote, of which cardea_session knows nothing, is a session like any other, and a row
// whose text cannot be read is one without data.
func TestDjangosSession(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users(), Logger: slog.New(slog.DiscardHandler)})
		signed, err := codec(t).Encode(record(t, `{"a":1.0}`).Data, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range map[string]string{"django00": signed, "corrupt0": "e30:1vbVSP:nonsense"} {
			exec(t, db, "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('"+key+"', '"+text+"', '2099-12-06 05:22:38.123456')")
		}
		rec := load(t, store, "django00")
		if raw, _ := rec.Data.Get("a"); string(raw) != "1.0" || rec.Owner != "" || !rec.Seen.IsZero() {
			t.Errorf("got %+v", rec)
		}
		if want := time.Date(2099, 12, 6, 5, 22, 38, 123456000, time.UTC); !rec.Expires.Equal(want) {
			t.Errorf("Expires: got %v, want %v", rec.Expires, want)
		}
		save(t, store, "django00", rec)
		if rec = load(t, store, "django00"); rec.Seen.IsZero() {
			t.Error("after a save cardea_session still knows nothing of it")
		}
		broken := load(t, store, "corrupt0")
		if broken.Data.Len() != 0 {
			t.Errorf("data that cannot be read: got %d members", broken.Data.Len())
		}
		save(t, store, "corrupt0", broken)
		load(t, store, "corrupt0")
	})
}

// TestVersionIsExact: a row that changed only in the case of its letters has changed, also where the database says it has not.
func TestVersionIsExact(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{})
		key := save(t, store, "", record(t, `{"a":1}`))
		rec := load(t, store, key)
		exec(t, db, "UPDATE django_session SET session_data = UPPER(session_data)")
		if _, err := store.Save(t.Context(), key, rec); !errors.Is(err, sessions.ErrConflict) {
			t.Errorf("Save: got %v, want ErrConflict", err)
		}
		if _, err := store.Rotate(t.Context(), key, rec); !errors.Is(err, sessions.ErrConflict) {
			t.Errorf("Rotate: got %v, want ErrConflict", err)
		}
	})
}

// TestStoredForm: times stand in SQLite as Django writes them, and hashed keys in no table as they are.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.New(t, "sqlite"))
	store := db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: true})
	for at, want := range map[time.Time]string{
		time.Date(2099, 5, 6, 7, 8, 9, 123_000_000, time.UTC):                     "2099-05-06 07:08:09.123000",
		time.Date(2099, 5, 6, 7, 8, 9, 0, time.UTC):                               "2099-05-06 07:08:09",
		time.Date(2099, 5, 6, 7, 8, 9, 999, time.FixedZone("", 2*3600)):           "2099-05-06 05:08:09",
		time.Date(2099, 5, 6, 7, 8, 9, 123_456_789, time.FixedZone("", -(30*60))): "2099-05-06 07:38:09.123456",
	} {
		rec := record(t, `{}`)
		rec.Expires = at
		key := save(t, store, "", rec)
		next, err := store.Rotate(t.Context(), key, rec)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, db, "SELECT CAST(expire_date AS text) || '' FROM django_session"); got != want {
			t.Errorf("expire_date: got %q, want %q", got, want)
		}
		for _, query := range []string{"SELECT session_key FROM django_session", "SELECT old_key || new_key FROM cardea_rotated"} {
			if got := text(t, db, query); strings.Contains(got, key) || strings.Contains(got, next) || len(got) < 40 {
				t.Errorf("%s: got %q, want hashes", query, got)
			}
		}
		exec(t, db, "DELETE FROM django_session")
		exec(t, db, "DELETE FROM cardea_rotated")
	}
}

// TestForeignUsers: sessions of users whose key is a UUID, in a table that the site reads itself, belong to them in Django's
// spelling, and lose their owner with the user.
func TestForeignUsers(t *testing.T) {
	t.Parallel()
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := openEmpty(t, empty)
		typ, stored := "char(32)", strings.ReplaceAll(id, "-", "")
		if empty.Kind == "postgres" {
			typ, stored = "uuid", id
		}
		exec(t, db, "CREATE TABLE shop_person (id "+typ+" NOT NULL PRIMARY KEY)")
		exec(t, db, "INSERT INTO shop_person (id) VALUES ('"+stored+"')")
		users := userdb.UsersOf("shop_person")
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{Users: users}); err != nil {
			t.Fatal(err)
		}
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: users})
		rec := record(t, `{}`)
		rec.Owner = id
		key := save(t, store, "", rec)
		if got := load(t, store, key); got.Owner != id || got.Attached != nil {
			t.Errorf("got the owner %q and %v", got.Owner, got.Attached)
		}
		if got := text(t, db, "SELECT COUNT(*) FROM cardea_session c JOIN shop_person p ON p.id = c.user_id"); got != "1" {
			t.Errorf("%s rows join, want 1", got)
		}
		exec(t, db, "DELETE FROM shop_person")
		if got := load(t, store, key).Owner; got != "" {
			t.Errorf("after the user was deleted: got the owner %q", got)
		}
	})
}
