package cached_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/cached"
	"github.com/cardea-go/cardea/sessions/memstore"
)

// In a program the database is userdb's and the cache a redisstore.Server.
func Example() {
	store, err := cached.New(inMemory{Store: memstore.New(memstore.Config{})}, printing{}, cached.Config{Prefix: "shop"})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	rec := sessions.Record{Expires: time.Now().Add(time.Hour)}
	key, _ := store.Save(ctx, "", rec)
	_, _ = store.Save(ctx, key, rec)
	// Output: dropped shop:1:django.contrib.sessions.cached_db…
}

type inMemory struct {
	*memstore.Store
	sessions.Lister
}

func (inMemory) OnEnd(func(context.Context, []string)) {}

type printing struct{}

func (printing) Delete(_ context.Context, keys ...string) error {
	fmt.Println("dropped " + keys[0][:len(keys[0])-32] + "…")
	return nil
}
