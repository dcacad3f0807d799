package userdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// login stores a session of u as Cardea does, and returns its key.
func login(t testing.TB, s sessions.Store, u *userdb.User, address string) string {
	t.Helper()
	rec := record(t, loginData(u))
	rec.Owner, rec.Client = u.AuthID(), sessions.Client{Address: address, UserAgent: "Mozilla/5.0 " + address}
	return save(t, s, "", rec)
}

func loginData(u *userdb.User) string {
	return fmt.Sprintf(`{"_auth_user_id":%q,"_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"0123"}`, u.AuthID())
}

// djangoRow stores a session as Django does: a row in its table and nothing else.
func djangoRow(t testing.TB, db *userdb.DB, key, json string, expires time.Time) {
	t.Helper()
	text, err := codec(t).Encode(record(t, json).Data, time.Now())
	must(t, err)
	mark := [...]string{"?", "?", "?"}
	if db.Dialect() == userdb.PostgreSQL {
		mark = [...]string{"$1", "$2", "$3"}
	}
	var at any = expires.UTC().Truncate(time.Microsecond)
	if db.Dialect() == userdb.SQLite {
		at = expires.UTC().Format("2006-01-02 15:04:05.000000")
	}
	_, err = db.Pool().ExecContext(t.Context(), "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ("+
		strings.Join(mark[:], ", ")+")", key, text, at)
	must(t, err)
}

// TestSessionsListed: whose sessions are live, where they began, and who made them.
func TestSessionsListed(t *testing.T) {
	t.Parallel()
	for _, hash := range []bool{false, true} {
		testdb.Each(t, func(t *testing.T, empty testdb.DB) {
			db := open(t, empty)
			store := db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: hash, Users: db.Users()})
			ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
			soon := time.Now().Add(30 * time.Minute)
			here, there := login(t, store, ada, "192.0.2.1"), login(t, store, ada, "192.0.2.2")
			bobs := login(t, store, bob, "192.0.2.3")
			save(t, store, "", record(t, `{"cart":[1]}`))
			djangoRow(t, db, "djangokey1", loginData(ada), soon)
			djangoRow(t, db, "djangokey2", loginData(bob), soon)
			djangoRow(t, db, "djangokey3", loginData(ada), time.Now().Add(-time.Second))
			djangoRow(t, db, "djangokey4", `{}`, soon)
			exec(t, db, "INSERT INTO django_session (session_key, session_data, expire_date) SELECT 'djangokey5', 'forged', expire_date FROM django_session WHERE session_key = 'djangokey1'")

			list, err := store.List(t.Context(), ada.AuthID(), here)
			must(t, err)
			var got []string
			for _, one := range list {
				got = append(got, fmt.Sprintf("%s current=%v django=%v", one.Client.Address, one.Current, one.Django))
				if one.Expires.Before(time.Now()) || one.Django != one.Seen.IsZero() || one.Django != one.Created.IsZero() {
					t.Errorf("times: %+v", one)
				}
				for _, key := range []string{here, there, bobs, sessions.HashKey(here), "djangokey"} {
					if strings.HasPrefix(key, one.ID[:4]) || len(one.ID) != 12 {
						t.Errorf("the ID %s tells of the key %s", one.ID, key)
					}
				}
			}
			want := "192.0.2.2 current=false django=false; 192.0.2.1 current=true django=false;  current=false django=true"
			if strings.Join(got, "; ") != want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
			}
			owners := map[string]int{}
			for one, err := range store.Live(t.Context()) {
				must(t, err)
				owners[one.Owner]++
			}
			if want := map[string]int{ada.AuthID(): 3, bob.AuthID(): 2, "": 3}; fmt.Sprint(owners) != fmt.Sprint(want) {
				t.Errorf("Live: got %v, want %v", owners, want)
			}
			if list, err := store.List(t.Context(), "", ""); len(list) != 0 || err != nil {
				t.Errorf("of nobody: %v, %v", list, err)
			}

			// Somebody else's is not found, the own one ends, at once.
			theirs, err := store.List(t.Context(), bob.AuthID(), "")
			must(t, err)
			if err := store.End(t.Context(), ada.AuthID(), theirs[0].ID); !errors.Is(err, sessions.ErrNotFound) {
				t.Errorf("ending another's: %v", err)
			}
			must(t, store.End(t.Context(), ada.AuthID(), list[0].ID))
			if _, err := store.Load(t.Context(), there); !errors.Is(err, sessions.ErrNotFound) {
				t.Errorf("an ended session: %v", err)
			}
			if err := store.End(t.Context(), ada.AuthID(), list[0].ID); !errors.Is(err, sessions.ErrNotFound) {
				t.Errorf("ending twice: %v", err)
			}

			// All others: Django's too, and nobody else's.
			if n, err := store.EndAll(t.Context(), ada.AuthID(), here); n != 1 || err != nil {
				t.Errorf("EndAll: %d, %v", n, err)
			}
			load(t, store, here)
			load(t, store, bobs)
			if got := text(t, db, "SELECT COUNT(*) FROM django_session WHERE session_key IN ('djangokey1', 'djangokey2')"); got != "1" {
				t.Errorf("%s of two sessions that Django made are left", got)
			}
			if n, err := store.EndAll(t.Context(), ada.AuthID(), ""); n != 1 || err != nil {
				t.Errorf("EndAll: %d, %v", n, err)
			}
			if got := text(t, db, "SELECT COUNT(*) FROM cardea_session"); got != "2" {
				t.Errorf("%s rows of ours are left", got)
			}
		})
	}
}

// TestSessionsManyPages: more sessions than one statement reads are all found, whatever their order, and all end.
func TestSessionsManyPages(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()})
		ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
		djangoRow(t, db, "first", loginData(ada), time.Now().Add(time.Hour))
		djangoRow(t, db, "second", loginData(bob), time.Now().Add(2*time.Hour))
		for i := range 10 { // 2 × 2^10, many of them with the same time
			concat := fmt.Sprintf("session_key || '%d'", i)
			if db.Dialect() == userdb.MySQL {
				concat = fmt.Sprintf("CONCAT(session_key, '%d')", i)
			}
			exec(t, db, "INSERT INTO django_session (session_key, session_data, expire_date) SELECT "+concat+", session_data, expire_date FROM django_session")
		}
		const each = 1 << 10
		seen, last := map[string]int{}, time.Time{}
		for one, err := range store.Live(t.Context()) {
			must(t, err)
			seen[one.ID]++
			if !last.IsZero() && one.Expires.After(last) {
				t.Fatalf("%v comes behind %v", one.Expires, last)
			}
			last = one.Expires
		}
		if len(seen) != 2*each {
			t.Errorf("Live: %d sessions, want %d", len(seen), 2*each)
		}
		if list, err := store.Of(t.Context(), ada.AuthID()); len(list) != each || err != nil {
			t.Errorf("Of: %d sessions and %v", len(list), err)
		}
		if n, err := store.EndAll(t.Context(), ada.AuthID(), ""); n != each || err != nil {
			t.Errorf("EndAll: %d and %v", n, err)
		}
		if got := text(t, db, "SELECT COUNT(*) FROM django_session WHERE session_key LIKE 'first%'"); got != "0" {
			t.Errorf("%s are left", got)
		}
		if n, err := store.EndEvery(t.Context()); n != each || err != nil {
			t.Errorf("EndEvery: %d and %v", n, err)
		}
	})
}

// TestEndID: an ID is found by its beginning, if that is one session's alone.
func TestEndID(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		store := db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: true, Users: db.Users()})
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		login(t, store, ada, "192.0.2.1")
		login(t, store, ada, "192.0.2.2")
		list, err := store.Of(t.Context(), ada.AuthID())
		must(t, err)
		if _, err := store.EndID(t.Context(), ""); !errors.Is(err, userdb.ErrAmbiguous) {
			t.Errorf("an empty prefix: %v", err)
		}
		if _, err := store.EndID(t.Context(), "nobody"); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
		ended, err := store.EndID(t.Context(), list[1].ID[:8])
		if err != nil || ended.ID != list[1].ID || ended.Owner != ada.AuthID() {
			t.Errorf("got %+v, %v", ended, err)
		}
		left, err := store.Of(t.Context(), ada.AuthID())
		if err != nil || len(left) != 1 || left[0].ID != list[0].ID {
			t.Errorf("left: %+v, %v", left, err)
		}
	})
}

// TestEndAllWhileRotating: a session that takes a new key again and again, in another process, does not slip through.
func TestEndAllWhileRotating(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		other, err := userdb.OpenURL(t.Context(), empty.URL)
		must(t, err)
		t.Cleanup(func() { other.Close() })
		here, there := db.Sessions(codec(t), userdb.SessionsConfig{Users: db.Users()}), other.Sessions(codec(t), userdb.SessionsConfig{Users: other.Users()})
		ada := create(t, db, userdb.NewUser{Username: "ada"})
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			var wg sync.WaitGroup
			started := make(chan struct{}, 4)
			for i := range 4 {
				rec := record(t, loginData(ada))
				if i%2 == 0 { // the others have an owner in their data alone
					rec.Owner = ada.AuthID()
				}
				key := save(t, there, "", rec)
				wg.Go(func() {
					for n := 0; ctx.Err() == nil; n++ {
						if n == 3 {
							started <- struct{}{}
						}
						var err error
						if key, err = there.Rotate(ctx, key, rec); errors.Is(err, sessions.ErrNotFound) {
							return
						} else if err != nil {
							t.Errorf("Rotate: %v", err)
							return
						}
					}
					t.Error("a session went on for ten seconds")
				})
			}
			for range 4 {
				select {
				case <-started:
				case <-ctx.Done():
				}
			}
			if _, err := here.EndAll(ctx, ada.AuthID(), ""); err != nil {
				t.Errorf("EndAll: %v", err)
			}
			wg.Wait()
			cancel()
			if t.Failed() {
				return
			}
		}
	})
}
