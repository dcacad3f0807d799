package userdb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/userdb"
)

const contenders = 64

// race runs f at once as often as a race is worth, and returns how often it said yes.
func race(t *testing.T, f func(i int) (bool, error)) int64 {
	t.Helper()
	var (
		won   atomic.Int64
		group sync.WaitGroup
		start = make(chan struct{})
	)
	for i := range contenders {
		group.Go(func() {
			<-start
			ok, err := f(i)
			if err != nil {
				t.Errorf("contender %d: %v", i, err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	return won.Load()
}

// TestAccountLinks: a link works when it is armed, by its newest token, for its kind, in its time, once.
func TestAccountLinks(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		u := create(t, db, userdb.NewUser{Username: "ada"})
		links, now := db.Links(), time.Now()
		make := func(l account.Link) string {
			t.Helper()
			l.Created, l.Expires = now, now.Add(time.Hour)
			id, err := links.Make(ctx, l)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		arm := func(id string) string {
			t.Helper()
			token, _, err := links.Arm(ctx, id, now)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		id := make(account.Link{Kind: "email", User: u.AuthID(), Email: "ada@example.com", State: "as it was"})
		older, token := arm(id), ""
		if token = arm(id); token == older || len(token) < 22 {
			t.Errorf("got the tokens %q and %q", older, token)
		}
		if got := text(t, db, "SELECT token_hash FROM cardea_link"); got == token || got == "" || strings.Contains(got, id) {
			t.Errorf("the database holds %q for the token %q", got, token)
		}
		for why, err := range map[string]error{
			"an older token":   look(links, ctx, "email", older, now),
			"another kind":     look(links, ctx, "signup", token, now),
			"another case":     look(links, ctx, "email", strings.ToLower(token), now),
			"a trailing blank": look(links, ctx, "email", token+" ", now),
			"the row's ID":     look(links, ctx, "email", id, now),
			"nothing":          look(links, ctx, "email", "", now),
			"too late":         look(links, ctx, "email", token, now.Add(time.Hour)),
		} {
			if !errors.Is(err, account.ErrLink) {
				t.Errorf("%s: got %v, want ErrLink", why, err)
			}
		}
		for range 2 {
			l, err := links.Look(ctx, "email", token, now)
			if err != nil || l.User != u.AuthID() || l.Email != "ada@example.com" || l.State != "as it was" || l.ID != id {
				t.Errorf("got %+v and %v", l, err)
			}
		}
		if l, err := links.Pending(ctx, "email", u.AuthID(), now); err != nil || l.ID != id {
			t.Errorf("pending: got %+v and %v", l, err)
		}
		won := race(t, func(int) (bool, error) {
			_, err := links.Use(context.WithoutCancel(ctx), "email", token, now)
			if errors.Is(err, account.ErrLink) {
				return false, nil
			}
			return err == nil, err
		})
		if won != 1 {
			t.Errorf("%d of %d uses of one link succeeded, want 1", won, contenders)
		}
		if _, err := links.Pending(ctx, "email", u.AuthID(), now); !errors.Is(err, account.ErrLink) {
			t.Errorf("pending after use: got %v, want ErrLink", err)
		}

		mine := arm(make(account.Link{Kind: "email", User: u.AuthID(), Email: "a@example.com"}))
		signup := arm(make(account.Link{Kind: "signup", Email: "b@example.com"}))
		if err := links.Drop(ctx, "email", u.AuthID(), ""); err != nil {
			t.Fatal(err)
		}
		if err := look(links, ctx, "email", mine, now); !errors.Is(err, account.ErrLink) {
			t.Errorf("after Drop: got %v, want ErrLink", err)
		}
		if err := links.Drop(ctx, "signup", "", "other@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := look(links, ctx, "signup", signup, now); err != nil {
			t.Errorf("after the Drop of others: %v", err)
		}
		if err := links.Drop(ctx, "signup", "", "b@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := look(links, ctx, "signup", signup, now); !errors.Is(err, account.ErrLink) {
			t.Errorf("after Drop by address: got %v, want ErrLink", err)
		}

		make(account.Link{Kind: "email", User: u.AuthID()})
		if n, err := links.Sweep(ctx, now.Add(59*time.Minute)); n != 0 || err != nil {
			t.Errorf("swept %d (%v) in time, want 0", n, err)
		}
		if n, err := links.Sweep(ctx, now.Add(2*time.Hour)); n != 1 || err != nil {
			t.Errorf("swept %d (%v), want 1", n, err)
		}
	})
}

func look(links account.Links, ctx context.Context, kind, token string, now time.Time) error {
	_, err := links.Look(ctx, kind, token, now)
	return err
}

// TestAccountChanges: a change is made if the account is still as it was seen, and by one of many.
func TestAccountChanges(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx := open(t, empty), t.Context()
		created := create(t, db, userdb.NewUser{Username: "ada", Email: "ada@example.com", PasswordHash: "md5$a$1"})
		users := db.Users().Accounts().Users
		seen, err := users.ByID(ctx, created.AuthID())
		if err != nil {
			t.Fatal(err)
		}
		won := race(t, func(i int) (bool, error) {
			return users.ReplacePassword(context.WithoutCancel(ctx), seen, "md5$a$"+strings.Repeat("x", i+1))
		})
		if won != 1 {
			t.Errorf("%d of %d replacements of one password succeeded, want 1", won, contenders)
		}
		now, err := users.ByID(ctx, seen.ID)
		if err != nil || now.PasswordHash == seen.PasswordHash {
			t.Fatalf("the password is %q (%v)", now.PasswordHash, err)
		}
		other := now
		other.PasswordHash = strings.ToUpper(now.PasswordHash)
		moved := now
		moved.Email = "ADA@example.com"
		gone := now
		gone.ID = "4711"
		for why, u := range map[string]account.User{"a password from before": seen, "in capitals": other, "another address": moved, "nobody": gone} {
			if ok, err := users.ReplacePassword(ctx, u, "md5$a$9"); ok || err != nil {
				t.Errorf("password, %s: got %v and %v, want no", why, ok, err)
			}
			if ok, err := users.ReplaceEmail(ctx, u, "new@example.com"); ok || err != nil {
				t.Errorf("address, %s: got %v and %v, want no", why, ok, err)
			}
		}
		if ok, err := users.ReplaceEmail(ctx, now, "Ada@EXAMPLE.org"); !ok || err != nil {
			t.Errorf("got %v and %v", ok, err)
		}
		if got := text(t, db, "SELECT email FROM auth_user"); got != "Ada@example.org" {
			t.Errorf("the address is %q", got)
		}
		now.Email = "Ada@example.org"
		if _, err := db.Pool().ExecContext(ctx, "UPDATE auth_user SET is_active = false"); err != nil {
			t.Fatal(err)
		}
		if ok, err := users.ReplacePassword(ctx, now, "md5$a$9"); ok || err != nil {
			t.Errorf("switched off: got %v and %v, want no", ok, err)
		}
		if ok, err := users.ReplaceEmail(ctx, now, "new@example.com"); ok || err != nil {
			t.Errorf("switched off: got %v and %v, want no", ok, err)
		}

		for name, want := range map[string]bool{"ada": true, "ADA": true, "ad_": false, "a%": false, "bob": false} {
			if got, err := users.NameTaken(ctx, name); got != want || err != nil {
				t.Errorf("NameTaken(%q) = %v (%v), want %v", name, got, err, want)
			}
		}
		if _, err := users.Create(ctx, account.User{Username: "ada"}); !errors.Is(err, account.ErrTaken) {
			t.Errorf("got %v, want ErrTaken", err)
		}
		bob, err := users.Create(ctx, account.User{Username: "bob", Email: "bob@example.com", PasswordHash: "md5$a$1", Active: true})
		if err != nil {
			t.Fatal(err)
		}
		if found, err := users.ByEmail(ctx, "BOB@example.com"); err != nil || len(found) != 1 || found[0].ID != bob.ID {
			t.Errorf("got %+v and %v, want bob", found, err)
		}
		if _, err := users.ByID(ctx, "4711"); !errors.Is(err, auth.ErrNoUser) {
			t.Errorf("got %v, want ErrNoUser", err)
		}
	})
}

// TestAccountsTogether: what fails together leaves nothing behind, in the outbox neither.
func TestAccountsTogether(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, empty testdb.DB) {
		db, ctx, now := open(t, empty), t.Context(), time.Now()
		u := create(t, db, userdb.NewUser{Username: "ada", PasswordHash: "md5$a$1"})
		tables, failure := db.Users().Accounts(), errors.New("failed at the end")
		for _, want := range []error{failure, nil} {
			err := tables.Together(ctx, func(ctx context.Context, in account.Tables) error {
				seen, err := in.Users.ByID(ctx, u.AuthID())
				if err != nil {
					return err
				}
				if ok, err := in.Users.ReplacePassword(ctx, seen, "md5$a$2"); !ok || err != nil {
					t.Errorf("got %v and %v", ok, err)
				}
				if _, err := in.Links.Make(ctx, account.Link{Kind: "email", User: u.AuthID(), Created: now, Expires: now.Add(time.Hour)}); err != nil {
					return err
				}
				if err := in.Outbox.Enqueue(ctx, "notice", []byte("{}"), now); err != nil {
					return err
				}
				return want
			})
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			rows, password := "0", "md5$a$1"
			if want == nil {
				rows, password = "1", "md5$a$2"
			}
			for query, want := range map[string]string{
				"SELECT COUNT(*) FROM cardea_link": rows, "SELECT COUNT(*) FROM cardea_outbox": rows, "SELECT password FROM auth_user": password,
			} {
				if got := text(t, db, query); got != want {
					t.Errorf("%s: got %s, want %s", query, got, want)
				}
			}
		}
	})
}
