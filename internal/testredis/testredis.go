// Package testredis gives tests a part of a Redis server for themselves: a prefix that all their keys begin with, and removes
// those keys when the test ends.
//
// The server is that of CARDEA_TEST_REDIS, a URL, by default the one on loopback. Where there is none, the tests for it are skipped and
// say why; with CARDEA_TEST_REQUIRE=1 they fail instead.
package testredis

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Part is what one test has of a server.
type Part struct {
	URL    string
	Prefix string // Django's KEY_PREFIX
	Client *redis.Client
}

// New returns a part of the server that lasts as long as the test. It skips the test where there is no server.
func New(t testing.TB) Part {
	t.Helper()
	address := os.Getenv("CARDEA_TEST_REDIS")
	if address == "" {
		address = "redis://127.0.0.1:6379"
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("testredis: CARDEA_TEST_REDIS is not the URL of a Redis server")
	}
	client := redis.NewClient(o)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		_ = client.Close()
		if os.Getenv("CARDEA_TEST_REQUIRE") == "1" {
			t.Fatalf("testredis: no Redis server at %s (set CARDEA_TEST_REDIS): %v", o.Addr, err)
		}
		t.Skipf("testredis: no Redis server at %s (set CARDEA_TEST_REDIS): %v", o.Addr, err)
	}
	p := Part{address, "cardea_test_" + strings.ToLower(rand.Text()[:16]), client}
	t.Cleanup(func() {
		defer client.Close()
		for _, key := range p.Keys(t) {
			if err := client.Del(context.Background(), key).Err(); err != nil {
				t.Errorf("testredis: %v", err)
			}
		}
	})
	return p
}

// Keys returns the keys that there are in the part.
func (p Part) Keys(t testing.TB) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var keys []string
	for iter := p.Client.Scan(ctx, 0, p.Prefix+"*", 1000).Iterator(); ; {
		if !iter.Next(ctx) {
			if err := iter.Err(); err != nil {
				t.Errorf("testredis: %v", err)
			}
			return keys
		}
		keys = append(keys, iter.Val())
	}
}
