// Package authtest holds the conformance suites for what package auth is built from: [RunBackend] for an auth.Backend and
// [RunUsers] for an auth.Users. Each rule is a subtest with a fresh subject, and a failure says which promise was broken.
package authtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// reporter is the part of *testing.T that rules use, so that the suites can be tested themselves.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

type rule[S any] struct {
	name  string
	check func(t reporter, s S)
}

func run[S any](t *testing.T, rules []rule[S], open func(t *testing.T) S) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.check(t, open(t)) })
	}
}

// request is one whose body reports when it is read.
func request(ctx context.Context, t reporter) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/login", nil)
	r.Body = untouchable{t}
	return r
}

type untouchable struct{ t reporter }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Errorf("the request's body was read: it is not a back end's to read")
	return 0, io.EOF
}

func (u untouchable) Close() error { return nil }

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
