package integration_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
)

// TestOutageSQLite: another program holds the lock of the file for longer than anybody waits for it. With a write-ahead log, which a
// file has that we made, readers go on: the profile page is shown. With the journal that a file of somebody else's may have, they
// cannot. Nobody is told that they are logged out or that their password is wrong, and afterwards everything goes on.
func TestOutageSQLite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		journal, lock string
		reads         bool
	}{
		{"wal", "BEGIN IMMEDIATE", true},
		{"delete", "BEGIN EXCLUSIVE", false},
	} {
		t.Run(test.journal, func(t *testing.T) {
			t.Parallel()
			db := testdb.New(t, "sqlite")
			t.Logf("on %s", harness.Version(t, db))
			pool := db.SQL(t)
			writer, err := pool.Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			do := func(query string) {
				t.Helper()
				if _, err := writer.ExecContext(context.Background(), query); err != nil {
					t.Fatalf("%s: %v", query, err)
				}
			}
			if test.journal == "delete" {
				do("CREATE TABLE somebody_elses (id integer)")
			}
			harness.Migrated(t, db, "ada")
			var journal string
			if err := writer.QueryRowContext(context.Background(), "PRAGMA journal_mode").Scan(&journal); err != nil || journal != test.journal {
				t.Fatalf("the journal mode is %q (%v), want %q", journal, err, test.journal)
			}
			site := harness.Serve{DB: db.URL, Env: []string{harness.CheapHashing}}.Start(t)
			ada, right, mistaken := visit(t, site).login(), visit(t, site), visit(t, site)
			control(t, site, ada)
			good, bad := right.loginForm(harness.Password), mistaken.loginForm("wrong horse battery")
			profile := func() reply { return ada.send("GET", profilePath, nil) }
			attempts := []attempt{
				{"a login", func() reply { return right.send("POST", loginPath, good) }, false},
				{"a login with a wrong password", func() reply { return mistaken.send("POST", loginPath, bad) }, false},
			}
			if !test.reads {
				attempts = append(attempts, attempt{"the profile page", profile, false},
					attempt{"/healthz", func() reply { return ada.send("GET", "/healthz", nil) }, false})
			}

			do(test.lock)
			locked := time.Now()
			for _, when := range []string{"at first", "later"} {
				unavailable(t, when, attempts)
				if r := profile(); test.reads && (r.status != http.StatusOK || r.path != profilePath || r.took >= bound) {
					t.Errorf("%s: the profile page: status %d at %s after %v, want it shown", when, r.status, r.path, r.took)
				}
			}
			if held := time.Since(locked); held < 6*time.Second {
				t.Errorf("the lock was held for %v, less than the busy time-out of five seconds", held)
			}
			do("ROLLBACK")

			harness.Eventually(t, "a login works again", recovery, func() bool {
				r := right.send("POST", loginPath, good)
				return r.status == http.StatusOK && r.path == profilePath
			})
			control(t, site, ada)
			if !site.Running() {
				t.Error("the program has ended")
			}
		})
	}
}
