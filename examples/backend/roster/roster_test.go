package roster_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
	"github.com/cardea-go/cardea/examples/backend/roster"
	"github.com/cardea-go/cardea/password"
)

// TestBackend is the suite for back ends: the whole of the contract, rule by rule.
func TestBackend(t *testing.T) {
	t.Parallel()
	authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
		var work atomic.Int64
		hashers, err := password.New(password.Config{
			Hashers: []password.Hasher{password.PBKDF2SHA256(1)},
			Trace:   func(password.Work) { work.Add(1) },
		})
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := hashers.Make(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "members.txt")
		if err := os.WriteFile(file, []byte("4711:grace:grace@example.com:"+encoded+"\n4712:left:left@example.com:!\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		work.Store(0)
		return authtest.Backend{
			Backend: roster.New(file, hashers),
			Good:    auth.Password{Username: "grace", Password: "correct horse"},
			Who:     "4711",
			Wrong: map[string]any{
				"secret":   auth.Password{Username: "grace", Password: "the wrong one"},
				"unknown":  auth.Password{Username: "nobody", Password: "the wrong one"},
				"inactive": auth.Password{Username: "left", Password: "the wrong one"},
			},
			Secret: "the wrong one",
			Work:   func() int { return int(work.Load()) },
			Break:  func() { _ = os.Remove(file) },
		}
	})
}
