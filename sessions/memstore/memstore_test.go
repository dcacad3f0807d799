package memstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
)

func TestStore(t *testing.T) {
	clock := sessiontest.NewClock()
	sessiontest.Run(t, func(*testing.T) sessions.Store {
		return memstore.New(memstore.Config{Now: clock.Now})
	}, sessiontest.WithClock(clock))
}

func TestStoreByTheSystemsClock(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) sessions.Store { return memstore.New(memstore.Config{}) })
}

func TestSweepForgetsRotations(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	store := memstore.New(memstore.Config{Now: func() time.Time { return now }})
	key, _ := store.Save(ctx, "", sessions.Record{Expires: now.Add(time.Hour)})
	if _, err := store.Rotate(ctx, key, sessions.Record{Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Sweep(ctx, now.Add(2*sessions.Grace)); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Rotated(ctx, key); got {
		t.Error("a swept rotation is still remembered")
	}
}

func Example() {
	ctx := context.Background()
	store := memstore.New(memstore.Config{})
	data, _ := sessions.ParseData([]byte(`{"cart":[7]}`))
	key, _ := store.Save(ctx, "", sessions.Record{Data: data, Expires: time.Now().Add(time.Hour)})
	rec, _ := store.Load(ctx, key)
	cart, _ := rec.Data.Get("cart")
	fmt.Println(string(cart))
	// Output: [7]
}
