package sessions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cardea-go/cardea/origin"
)

// The rules of saving:
//
//  1. What was not loaded is not saved, and a key that the store does not know is never adopted.
//  2. A session that died meanwhile stays dead: ErrInterrupted.
//  3. One that changed meanwhile is loaded again and this request's changes are laid over it, a few times; unless somebody
//     else is logged in there now, or the password changed: then it counts as dead.
//  4. What a person did is finished when they go away, within a time limit.

// maxReplays is how often a save is tried again after a conflict.
const maxReplays = 3

const (
	authUserID   = "_auth_user_id"
	authUserHash = "_auth_user_hash"
	maxUserAgent = 255
)

// save stores the session: a new one under a new key, one that lives under its own.
func (s *Session) save() error {
	ctx, cancel := s.manager.writing(s.request)
	defer cancel()
	return s.write(ctx, "save", s.manager.store.Save)
}

// write stores the session by Save or Rotate.
func (s *Session) write(ctx context.Context, op string, store func(context.Context, string, Record) (string, error)) error {
	for replays := 0; ; replays++ {
		record := s.outgoing(s.manager.cfg.Now())
		key, err := store(ctx, s.key, record)
		switch {
		case err == nil:
			s.stored(key, record)
			return nil
		case errors.Is(err, ErrNotFound):
			return ErrInterrupted
		case !errors.Is(err, ErrConflict) || replays == maxReplays:
			return s.fail(op, err)
		}
		if err := s.replay(ctx); err != nil {
			return err
		}
	}
}

// outgoing returns the record to be stored.
func (s *Session) outgoing(now time.Time) Record {
	record := s.record
	record.Data, record.Attached, record.Seen = s.data, nil, now
	begins := s.key == "" || record.Created.IsZero()
	if s.touched {
		begins = begins || s.owner != ""
		record.Owner = s.owner
	}
	if begins {
		record.Created, record.Client = now, s.client()
	}
	record.Expires = s.manager.expiry(s.data, now).until(record.Created)
	return record
}

func (s *Session) client() Client {
	return Client{
		Address:   origin.From(s.request).Addr.String(),
		UserAgent: clip(s.request.UserAgent(), maxUserAgent),
	}
}

// stored notes that record is in the store under key. Which version it got there, nobody said; until the cookie is out, nobody
// else knows the key.
func (s *Session) stored(key string, record Record) {
	attached := s.record.Attached
	if s.touched {
		attached = nil
	}
	s.key, s.record = key, record
	s.record.Version, s.record.Attached = "", attached
	s.own, s.changes, s.touched, s.unsaved, s.lost = false, nil, false, false, false
	s.written, s.fresh = true, true
}

// replay loads what another request has stored meanwhile, and lays this one's changes over it.
func (s *Session) replay(ctx context.Context) error {
	record, err := s.manager.store.Load(ctx, s.key)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && !sameLogin(s.record.Data, record.Data):
		return ErrInterrupted
	case err != nil:
		return s.fail("load", err)
	}
	data := record.Data.grown(len(s.changes))
	for i := range s.changes {
		if err := s.changes[i].apply(&data); err != nil {
			return fmt.Errorf("sessions: %q, over what another request stored: %w", s.changes[i].key, err)
		}
	}
	s.record, s.data, s.own = record, data, true
	return nil
}

// sameLogin reports whether the same person, with the same password, is logged in in both, or nobody.
func sameLogin(a, b Data) bool {
	for _, key := range []string{authUserID, authUserHash} {
		x, inA := a.Get(key)
		y, inB := b.Get(key)
		if inA != inB || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
