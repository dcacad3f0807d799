package filestore_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/filestore"
	"github.com/cardea-go/cardea/signing"
)

func Example() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	codec, err := sessions.NewCodec(signing.Keys{Current: "at least 32 characters, kept secret"}, sessions.DefaultSalt, true)
	if err != nil {
		panic(err)
	}
	store, err := filestore.New(dir, codec, filestore.Config{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	data, _ := sessions.ParseData([]byte(`{"cart":[7]}`))
	key, _ := store.Save(ctx, "", sessions.Record{Data: data, Expires: time.Now().Add(time.Hour)})
	rec, _ := store.Load(ctx, key)
	cart, _ := rec.Data.Get("cart")
	fmt.Println(string(cart))
	// Output: [7]
}
