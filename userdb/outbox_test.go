package userdb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/mail"
	"github.com/cardea-go/cardea/mail/mailtest"
	"github.com/cardea-go/cardea/userdb"
)

// TestOutbox holds the outbox against the rules of all outboxes.
func TestOutbox(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		mailtest.Run(t, func(t *testing.T) mail.Outbox {
			exec(t, db, "DELETE FROM cardea_outbox")
			return db.Outbox()
		})
	})
}

// TestOutboxTwoProcesses: two pools with eight claimers each share 200 mails, and none is claimed twice.
func TestOutboxTwoProcesses(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		const mails, claimers = 200, 8
		first := open(t, empty)
		second, err := userdb.OpenURL(t.Context(), empty.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { second.Close() })
		now := time.Now()
		for i := range mails {
			if err := first.Outbox().Enqueue(t.Context(), "test", json.RawMessage(fmt.Sprint(i)), now); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		claimed, by := map[string]int{}, map[*userdb.DB]int{}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, db := range []*userdb.DB{first, second} {
			for range claimers {
				wg.Go(func() {
					<-start
					for {
						it, err := db.Outbox().Claim(t.Context(), now, time.Hour)
						if errors.Is(err, mail.ErrEmpty) {
							return
						}
						if err != nil {
							t.Errorf("Claim: %v", err)
							return
						}
						mu.Lock()
						claimed[string(it.Data)]++
						by[db]++
						mu.Unlock()
						if it.Tries != 1 {
							t.Errorf("mail %s was tried %d times", it.Data, it.Tries)
						}
					}
				})
			}
		}
		close(start)
		wg.Wait()
		if len(claimed) != mails || by[first]+by[second] != mails {
			t.Errorf("%d of %d mails were claimed, %d and %d times", len(claimed), mails, by[first], by[second])
		}
		t.Logf("the first pool claimed %d, the second %d", by[first], by[second])
	})
}

// TestOutboxTx: a mail is there when what it is about is, and not when that was undone.
func TestOutboxTx(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		now := time.Now()
		for _, commit := range []bool{false, true} {
			tx, err := db.Pool().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Tx(tx).Outbox().Enqueue(t.Context(), "test", json.RawMessage("null"), now); err != nil {
				t.Fatal(err)
			}
			if commit {
				err = tx.Commit()
			} else {
				err = tx.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Outbox().Claim(t.Context(), now, time.Minute)
			if want := map[bool]error{false: mail.ErrEmpty}[commit]; !errors.Is(err, want) {
				t.Errorf("commit %v: Claim: got %v, want %v", commit, err, want)
			}
		}
	})
}

// TestOutboxWithoutTable: a database that was never migrated says so.
func TestOutboxWithoutTable(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, err := userdb.OpenURL(t.Context(), empty.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if _, err := db.Outbox().Claim(t.Context(), time.Now(), time.Minute); !errors.Is(err, userdb.ErrNoTables) {
			t.Errorf("got %v, want ErrNoTables", err)
		}
	})
}
