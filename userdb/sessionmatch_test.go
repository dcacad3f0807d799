package userdb_test

import (
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/userdb"
)

// TestEndMatching: those of one user's sessions end whose data match, whoever wrote them last, and nobody else's.
func TestEndMatching(t *testing.T) {
	t.Parallel()
	for _, hash := range []bool{false, true} {
		testdb.Each(t, func(t *testing.T, empty testdb.DB) {
			db := open(t, empty)
			store := db.Sessions(codec(t), userdb.SessionsConfig{HashKeys: hash, Users: db.Users()})
			ada, bob := create(t, db, userdb.NewUser{Username: "ada"}), create(t, db, userdb.NewUser{Username: "bob"})
			begin := func(u *userdb.User, mark string) string {
				rec := record(t, loginData(u)[:len(loginData(u))-1]+`,"mark":"`+mark+`"}`)
				rec.Owner = u.AuthID()
				return save(t, store, "", rec)
			}
			here, other, bobs := begin(ada, "x"), begin(ada, "y"), begin(bob, "x")
			djangoRow(t, db, "djangokey1", loginData(ada)[:len(loginData(ada))-1]+`,"mark":"x"}`, time.Now().Add(time.Hour))
			match := func(d sessions.Data) bool {
				raw, _ := d.Get("mark")
				return string(raw) == `"x"`
			}
			if n, err := store.EndMatching(t.Context(), ada.AuthID(), match); n != 2 || err != nil {
				t.Errorf("got %d and %v, want 2 sessions", n, err)
			}
			for key, lives := range map[string]bool{here: false, other: true, bobs: true} {
				if _, err := store.Load(t.Context(), key); (err == nil) != lives {
					t.Errorf("a session that should be live=%v: %v", lives, err)
				}
			}
			if n, err := store.EndMatching(t.Context(), "", match); n != 0 || err != nil {
				t.Errorf("nobody's: %d and %v", n, err)
			}
		})
	}
}
