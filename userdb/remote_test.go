package userdb_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestByNameOrCreate: a user who is there is found, one who is not is made once, whoever asks at the same time, and what cannot be a
// name is nobody.
func TestByNameOrCreate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		ada := create(t, db, userdb.NewUser{Username: "ada", PasswordHash: "encoded", Inactive: true})
		found, created, err := db.Users().ByNameOrCreate(t.Context(), "ada", "")
		if err != nil || created || *found != *ada {
			t.Errorf("found %+v, created %v, %v", found, created, err)
		}
		const together = 16
		var (
			made, asked sync.WaitGroup
			mu          sync.Mutex
			ids         = map[int64]bool{}
			makers      int
		)
		asked.Add(together)
		for range together {
			made.Go(func() {
				asked.Done()
				asked.Wait()
				u, created, err := db.Users().ByNameOrCreate(t.Context(), "ﬁ new", "")
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				ids[u.ID] = true
				if created {
					makers++
				}
			})
		}
		made.Wait()
		if len(ids) != 1 || makers != 1 {
			t.Errorf("%d users, made by %d", len(ids), makers)
		}
		u, err := db.UserByName(t.Context(), "ﬁ new")
		if err != nil || u.Password != "" || !u.IsActive {
			t.Errorf("made %+v, %v", u, err)
		}
		for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 151)} {
			if _, _, err := db.Users().ByNameOrCreate(t.Context(), name, ""); !errors.Is(err, auth.ErrNoUser) {
				t.Errorf("%.10q: %v, want ErrNoUser", name, err)
			}
		}
	})
}
