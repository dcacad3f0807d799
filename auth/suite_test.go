package auth_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cardea-go/cardea/auth"
	"github.com/cardea-go/cardea/auth/authtest"
)

func TestMemoryBackend(t *testing.T) {
	t.Parallel()
	authtest.RunBackend(t, func(t *testing.T) authtest.Backend {
		p := &passwords{table: newTable(), name: modelName}
		return authtest.Backend{
			Backend: p,
			Good:    auth.Password{Username: "ada", Password: "engine"},
			Who:     "1",
			Wrong: map[string]any{
				"password": auth.Password{Username: "ada", Password: "c4n4ry"},
				"name":     auth.Password{Username: "nobody", Password: "c4n4ry"},
				"state":    auth.Password{Username: "eve", Password: "apple"},
			},
			Secret: "c4n4ry",
			Work:   func() int { return int(p.work.Load()) },
			Break:  func() { p.down = errors.New("connection refused") },
		}
	})
}

func TestMemoryUsers(t *testing.T) {
	t.Parallel()
	for _, enrol := range []bool{false, true} {
		t.Run(fmt.Sprintf("provisions %v", enrol), func(t *testing.T) {
			t.Parallel()
			authtest.RunUsers(t, func(t *testing.T) authtest.Users[*member] {
				users := newTable()
				users.enrol = enrol
				s := authtest.Users[*member]{
					Users:  users,
					Active: users.change("1", func(*member) {}), Inactive: users.change("3", func(*member) {}),
					Missing: "99", Email: "ada@example.com",
					Break: func() { users.down = errors.New("connection refused") },
				}
				if enrol {
					s.Outsider = &auth.Identity{Issuer: "https://issuer.example", Subject: "42", Name: "grace"}
				}
				return s
			})
		})
	}
}
