package redisstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/redisstore"
)

// The URL and the Config are what Django's settings say:
//
//	CACHES = {"default": {
//		"BACKEND": "django.core.cache.backends.redis.RedisCache",
//		"LOCATION": "redis://127.0.0.1:6379/1",
//		"KEY_PREFIX": "shop",
//	}}
//	SESSION_ENGINE = "django.contrib.sessions.backends.cache"
func Example() {
	server, err := redisstore.Open("redis://127.0.0.1:6379/1")
	if err != nil {
		panic(err)
	}
	defer server.Close()
	store, err := redisstore.New(server, redisstore.Config{Prefix: "shop"})
	if err != nil {
		panic(err)
	}
	manager, err := sessions.New(store, sessions.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println(manager.Store() == sessions.Store(store))
	// Output: true
}

// Without Redis nobody is anonymous: what cannot be asked is an outage, which a site answers by 503.
func ExampleStore_outage() {
	server, err := redisstore.Open("redis://127.0.0.1:1")
	if err != nil {
		panic(err)
	}
	defer server.Close()
	store, err := redisstore.New(server, redisstore.Config{})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = store.Load(ctx, "abcdefghij0123456789abcdefghij01")
	fmt.Println(err != nil, err == sessions.ErrNotFound)
	// Output: true false
}
