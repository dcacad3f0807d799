package userdb

import (
	"context"

	"github.com/cardea-go/cardea/sessions"
)

// Successors returns what a key was rotated into within the last minute, and that again, as the database keeps the keys: for who
// keeps copies of sessions elsewhere and has to drop them after Delete, which ends them all. It tells after Delete too.
func (s *SessionStore) Successors(ctx context.Context, key string) ([]string, error) {
	id, ok := s.stored(key)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var all []string
	for {
		next, err := s.successor(ctx, s.db, id)
		if err != nil || next == "" {
			return all, s.failed("look for the successors of", err)
		}
		all, id = append(all, next), next
	}
}

var _ interface {
	sessions.Store
	Successors(ctx context.Context, key string) ([]string, error)
} = (*SessionStore)(nil)
