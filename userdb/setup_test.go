package userdb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

// TestSetupLink: the link works once, in its time, while there is no user, and the newest only.
func TestSetupLink(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, now := open(t, empty), time.Now()
		link := func() string {
			t.Helper()
			token, err := db.CreateSetupLink(t.Context(), now, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		use := func(token string, at time.Time, name string) error {
			_, err := db.ConsumeSetupLink(t.Context(), token, at, userdb.NewUser{Username: name})
			return err
		}
		older, token := link(), link()
		if len(token) != 22 || token == older {
			t.Errorf("got the tokens %q and %q", older, token)
		}
		if got := text(t, db, "SELECT token_hash FROM cardea_setup"); got == token {
			t.Error("the token stands in the database as it is")
		}
		for why, err := range map[string]error{
			"an older one": use(older, now, "ada"),
			"nonsense":     use("nonsense", now, "ada"),
			"empty":        use("", now, "ada"),
			"too late":     use(token, now.Add(time.Hour), "ada"),
		} {
			if !errors.Is(err, userdb.ErrSetupLink) {
				t.Errorf("%s: got %v, want ErrSetupLink", why, err)
			}
		}
		if err := use(token, now, ""); err == nil || errors.Is(err, userdb.ErrSetupLink) {
			t.Errorf("an empty user name: got %v", err)
		}
		if ok, err := db.SetupLinkUsable(t.Context(), token, now); !ok || err != nil {
			t.Errorf("after a failure the link does not work: %v", err)
		}
		if err := use(token, now.Add(59*time.Minute), "ada"); err != nil {
			t.Errorf("the link in time: %v", err)
		}
		for why, token := range map[string]string{"again": token, "with a user there": link()} {
			if ok, err := db.SetupLinkUsable(t.Context(), token, now); ok || err != nil {
				t.Errorf("%s: usable %v and %v", why, ok, err)
			}
			if err := use(token, now, "eve"); !errors.Is(err, userdb.ErrSetupLink) {
				t.Errorf("%s: got %v, want ErrSetupLink", why, err)
			}
		}
	})
}

// TestSetupLinkOnce: of 64 uses at once one makes an administrator.
func TestSetupLinkOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, now := open(t, empty), time.Now()
		token, err := db.CreateSetupLink(t.Context(), now, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 64)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = db.ConsumeSetupLink(t.Context(), token, now, userdb.NewUser{Username: fmt.Sprintf("admin%d", i)})
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			switch {
			case err == nil:
				made++
			case !errors.Is(err, userdb.ErrSetupLink):
				t.Errorf("got %v, want ErrSetupLink", err)
			}
		}
		if n, err := db.CountUsers(t.Context()); n != 1 || made != 1 || err != nil {
			t.Errorf("%d uses succeeded and there are %d users (%v), want one", made, n, err)
		}
	})
}
