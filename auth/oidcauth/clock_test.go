package oidcauth_test

import (
	"context"
	"sync"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// A testClock is the real time, and what a test lets pass.
type testClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// An ender is the sessions of a site, for the back channel.
type ender struct {
	users map[string]string // by issuer and subject
	data  map[string][]sessions.Data
	fails error
	ended int
}

func (e *ender) UserOf(_ context.Context, issuer, subject string) (string, error) {
	return e.users[issuer+" "+subject], e.fails
}

func (e *ender) EndSessions(_ context.Context, user string, match func(sessions.Data) bool) (int, error) {
	n := 0
	for _, d := range e.data[user] {
		if match(d) {
			n++
		}
	}
	e.ended += n
	return n, e.fails
}
