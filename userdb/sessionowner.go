package userdb

import (
	"context"
	"slices"

	"github.com/cardea-go/cardea/sessions"
)

var _ sessions.Lister = (*SessionStore)(nil)

// List implements [sessions.Lister]; see Of for what it reads.
func (s *SessionStore) List(ctx context.Context, owner, current string) ([]sessions.Listed, error) {
	found, err := s.of(ctx, owner, true)
	if err != nil {
		return nil, err
	}
	key := ""
	if current != "" {
		key, _ = s.stored(current)
	}
	list := make([]sessions.Listed, len(found))
	for i, one := range found {
		list[i] = sessions.Listed{
			ID: one.ID, Current: one.key == key, Django: one.Django,
			Created: one.Created, Seen: one.Seen, Expires: one.Expires, Client: one.Client,
		}
		if s.codec != nil {
			list[i].Data, _ = s.codec.Decode(one.text) // what cannot be read is shown without
		}
	}
	return list, nil
}

// End implements [sessions.Lister].
func (s *SessionStore) End(ctx context.Context, owner, id string) error {
	found, err := s.Of(ctx, owner)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found, func(one StoredSession) bool { return one.ID == id })
	if i < 0 {
		return sessions.ErrNotFound
	}
	n, err := s.end(ctx, []string{found[i].key})
	if err == nil && n == 0 {
		return sessions.ErrNotFound
	}
	return s.failed("end", err)
}
