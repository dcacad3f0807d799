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

// TestDeadlock: a write that the database gives up, because another program locked the same rows the other way round, is tried again.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			db := open(t, testdb.New(t, kind))
			store := db.Sessions(codec(t), userdb.SessionsConfig{})
			key := save(t, store, "", record(t, `{"a":1}`))
			for range 2 {
				tx, err := db.Pool().BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(t.Context(), "UPDATE cardea_session SET address = 'x'"); err != nil {
					t.Fatal(err)
				}
				var wg sync.WaitGroup
				var saved error
				wg.Go(func() { _, saved = store.Save(context.WithoutCancel(t.Context()), key, record(t, `{"b":1}`)) })
				time.Sleep(100 * time.Millisecond) // the other one waits for the row of ours; now this waits for the row of theirs
				_, theirs := tx.ExecContext(t.Context(), "UPDATE django_session SET session_data = session_data")
				if err := errors.Join(theirs, tx.Commit()); err != nil {
					_ = tx.Rollback()
				}
				wg.Wait()
				if saved != nil {
					t.Errorf("Save: %v", saved)
				}
			}
		})
	}
}

// TestDeleteWithoutForeignKeys: a logout leaves nothing behind where foreign keys are off, and Sweep finds what Django left.
func TestDeleteWithoutForeignKeys(t *testing.T) {
	t.Parallel()
	empty := testdb.New(t, "sqlite")
	open(t, empty)
	db, err := userdb.New(empty.SQL(t), userdb.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	db.Pool().SetMaxOpenConns(1)
	exec(t, db, "PRAGMA foreign_keys = OFF")
	store := db.Sessions(codec(t), userdb.SessionsConfig{})
	rows := func() string { return text(t, db, "SELECT COUNT(*) FROM cardea_session") }
	key := save(t, store, "", record(t, `{}`))
	next, err := store.Rotate(t.Context(), key, record(t, `{}`))
	if err != nil || rows() != "1" {
		t.Errorf("after a rotation: %s rows and %v, want 1", rows(), err)
	}
	if err := store.Delete(t.Context(), next); err != nil || rows() != "0" {
		t.Errorf("after a logout: %s rows and %v, want 0", rows(), err)
	}
	save(t, store, "", record(t, `{}`))
	exec(t, db, "DELETE FROM django_session")
	if n, err := store.Sweep(t.Context(), record(t, `{}`).Expires); n != 0 || err != nil || rows() != "0" {
		t.Errorf("Sweep: got %d and %v, and %s rows stay", n, err, rows())
	}
	if _, err := store.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// TestTogether: two that read and then write in a transaction wait for each other, also on a SQLite file with a journal as Django makes
// it, and what fails leaves nothing. The control: a transaction of database/sql does not wait there.
func TestTogether(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db := open(t, empty)
		if empty.Kind == "sqlite" {
			db.Pool().SetMaxIdleConns(0)
			exec(t, db, "PRAGMA journal_mode = DELETE")
		}
		change := func(ctx context.Context, in *userdb.DB, name string) error {
			if _, err := in.Users().Groups().List(ctx); err != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond) // the other one has read too, if nothing keeps it from that
			_, err := in.Users().Groups().Create(ctx, name)
			return err
		}
		both := func(run func(other *userdb.DB, name string) error) error {
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i := range errs {
				other := openEmpty(t, empty)
				wg.Go(func() {
					for n := range 5 {
						errs[i] = errors.Join(errs[i], run(other, fmt.Sprintf("%s %d %d", t.Name(), i, n)))
					}
				})
			}
			wg.Wait()
			return errors.Join(errs...)
		}
		err := both(func(other *userdb.DB, name string) error {
			return other.Together(t.Context(), func(ctx context.Context, in *userdb.DB) error { return change(ctx, in, name) })
		})
		if err != nil {
			t.Error(err)
		}
		if empty.Kind == "sqlite" {
			err = both(func(other *userdb.DB, name string) error {
				tx, err := other.Pool().BeginTx(t.Context(), nil)
				if err != nil {
					return err
				}
				defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
				if err := change(t.Context(), other.Tx(tx), "control "+name); err != nil {
					return err
				}
				return tx.Commit()
			})
			if err == nil || !strings.Contains(err.Error(), "locked") {
				t.Errorf("the control: got %v, want that the database is locked", err)
			}
		}
		broken := errors.New("broken")
		err = db.Together(t.Context(), func(ctx context.Context, in *userdb.DB) error {
			return errors.Join(change(ctx, in, "half"), broken)
		})
		if n := text(t, db, "SELECT COUNT(*) FROM auth_group WHERE name = 'half'"); !errors.Is(err, broken) || n != "0" {
			t.Errorf("after an error: got %v and %s rows, want it and none", err, n)
		}
	})
}
