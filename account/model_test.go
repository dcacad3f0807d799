package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-go/cardea/account"
	"github.com/cardea-go/cardea/password"
)

// A mailedLink is what the model knows of a link that changes the address.
type mailedLink struct {
	token, address string
	made           time.Time
	password       string // of the account, when the link was asked for
	email          string // of the account, when the link was asked for
	over           bool   // used, replaced or cancelled
}

// TestM29EmailChangeModel: whatever order requests, links, cancellations, changes of password, switching off and the clock come
// in, a link changes the address to the one it was mailed to, exactly when the rules say that it lives.
func TestM29EmailChangeModel(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	now := func() time.Time { return time.UnixMicro(clock.Load()).UTC() }
	w := newWorld(t, func(_ *account.Tables, cfg *account.Config) {
		cfg.Now, cfg.LinkTime, cfg.Validators = now, time.Hour, password.Validators{}
	})
	ctx, id := t.Context(), w.ada.AuthID()
	round, confirmed, refused := 0, 0, 0
	model := func(t *rapid.T) {
		round++
		present, email, active := fmt.Sprintf("password %d", round), "ada@example.com", true
		encoded, err := hashed(present)
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{"DELETE FROM cardea_link", "DELETE FROM cardea_outbox"} {
			if _, err := w.db.Pool().Exec(query); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.db.Pool().Exec("UPDATE auth_user SET password = ?, email = ?, is_active = true", encoded, email); err != nil {
			t.Fatal(err)
		}
		var links []*mailedLink
		alive := func(l *mailedLink) bool {
			return !l.over && active && l.password == present && l.email == email && now().Before(l.made.Add(time.Hour))
		}
		endAll := func() {
			for _, l := range links {
				l.over = true
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(t *rapid.T) {
				to := rapid.SampledFrom([]string{"a@example.com", "b@example.com", "ada@example.com"}).Draw(t, "to")
				typed := rapid.SampledFrom([]string{present, "wrong"}).Draw(t, "password")
				err := w.RequestEmailChange(ctx, id, typed, to, "http://x", asked())
				if good := active && typed == present && to != email; (err == nil) != good {
					t.Fatalf("request to %s: got %v, want accepted %v", to, err, good)
				}
				if err != nil {
					return
				}
				endAll()
				for _, m := range w.composeAt(t, now()) {
					if m.To == to && strings.Contains(m.Subject, "Confirm") {
						_, rest, _ := strings.Cut(m.Text, "/accounts/email/")
						token, _, _ := strings.Cut(rest, "/")
						links = append(links, &mailedLink{token: token, address: to, made: now(), password: present, email: email})
					}
				}
			},
			"use": func(t *rapid.T) {
				if len(links) == 0 {
					t.Skip("no link")
				}
				l := rapid.SampledFrom(links).Draw(t, "link")
				_, look := w.LookEmailChange(ctx, id, l.token)
				got, err := w.ConfirmEmailChange(ctx, id, l.token, "http://x", asked())
				if want := alive(l); (err == nil) != want || (look == nil) != want || !want && !errors.Is(err, account.ErrLink) {
					t.Fatalf("the link to %s: looked %v, used %v; want alive %v", l.address, look, err, want)
				}
				if err != nil {
					refused++
					return
				}
				confirmed++
				if got != l.address {
					t.Fatalf("the link to %s changed the address to %s", l.address, got)
				}
				l.over, email = true, l.address
			},
			"cancel": func(t *rapid.T) {
				if err := w.CancelEmailChange(ctx, id); err != nil {
					t.Fatal(err)
				}
				endAll()
			},
			"new password": func(t *rapid.T) {
				next := present + "+"
				_, err := w.ChangePassword(ctx, id, present, account.NewPassword{First: next, Second: next}, "http://x", asked())
				if (err == nil) != active {
					t.Fatalf("got %v, want changed %v", err, active)
				}
				if err == nil {
					present = next
				}
			},
			"switch": func(t *rapid.T) {
				active = !active
				if _, err := w.db.Pool().Exec("UPDATE auth_user SET is_active = ?", active); err != nil {
					t.Fatal(err)
				}
			},
			"wait": func(t *rapid.T) {
				clock.Add(int64(rapid.SampledFrom([]time.Duration{time.Minute, 59 * time.Minute, time.Hour}).Draw(t, "time") / time.Microsecond))
			},
			"": func(t *rapid.T) {
				u, err := w.db.UserByID(ctx, id)
				if err != nil || u.Email != email {
					t.Fatalf("the address is %q (%v), want %q", u.Email, err, email)
				}
				pending, err := w.PendingEmailChange(ctx, id)
				want := ""
				for _, l := range links {
					if alive(l) {
						want = l.address
					}
				}
				if pending.Email != want || (err == nil) != (want != "") {
					t.Fatalf("pending is %q (%v), want %q", pending.Email, err, want)
				}
			},
		})
	}
	// Under -short a check is few rounds, and chance may leave out what the test is about.
	for tries := 0; tries < 20 && (confirmed == 0 || refused == 0); tries++ {
		rapid.Check(t, model)
	}
	if confirmed == 0 || refused == 0 {
		t.Errorf("%d links changed the address and %d were refused: this test shows nothing", confirmed, refused)
	}
}
