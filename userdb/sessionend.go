package userdb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/cardea-go/cardea/sessions"
)

// ErrAmbiguous says that more than one session has an ID that begins so.
var ErrAmbiguous = errors.New("several sessions have an ID that begins so")

// EndID ends the live session whose ID begins with prefix, whoever's it is, and returns it. None is sessions.ErrNotFound, and
// several are an [ErrAmbiguous]; then nothing ends.
func (s *SessionStore) EndID(ctx context.Context, prefix string) (StoredSession, error) {
	var found []StoredSession
	for one, err := range s.Live(ctx) {
		if err != nil {
			return StoredSession{}, err
		}
		if strings.HasPrefix(one.ID, prefix) && !slices.ContainsFunc(found, func(f StoredSession) bool { return f.key == one.key }) {
			found = append(found, one)
		}
		if len(found) > 1 {
			return StoredSession{}, ErrAmbiguous
		}
	}
	if len(found) == 0 {
		return StoredSession{}, sessions.ErrNotFound
	}
	_, err := s.end(ctx, []string{found[0].key})
	return found[0], s.failed("end", err)
}

// EndAll ends the live sessions of the user with this id, those that Django made included, but for the one with the key except, or
// "" for none. It returns how many those were; see Of for what it reads.
func (s *SessionStore) EndAll(ctx context.Context, owner, except string) (int, error) {
	kept := ""
	if except != "" {
		kept, _ = s.stored(except)
	}
	return s.endThose(ctx, owner, false, func(one StoredSession) bool { return one.key != kept })
}

// EndMatching implements [sessions.Matcher]. A session that cannot be read matches nothing.
func (s *SessionStore) EndMatching(ctx context.Context, owner string, match func(sessions.Data) bool) (int, error) {
	return s.endThose(ctx, owner, true, func(one StoredSession) bool {
		if s.codec == nil {
			return false
		}
		data, err := s.codec.Decode(one.text)
		return err == nil && match(data)
	})
}

func (s *SessionStore) endThose(ctx context.Context, owner string, whole bool, which func(StoredSession) bool) (int, error) {
	total := 0
	err := s.each(ctx, owner, whole, func(found []StoredSession) error {
		var keys []string
		for _, one := range found {
			if which(one) {
				keys = append(keys, one.key)
			}
		}
		n, err := s.end(ctx, keys)
		total += n
		return err
	})
	return total, s.failed("end", err)
}

// EndEvery ends all sessions, also those that are not live, and returns how many there were. What begins meanwhile may end too.
func (s *SessionStore) EndEvery(ctx context.Context) (int, error) {
	total := 0
	for { // once more after the last: a rotation that was under way has put a new row behind our back
		n, err := s.endSome(ctx)
		total += n
		if err != nil {
			return total, err
		}
		if n == 0 {
			break
		}
	}
	_, err := s.db.sweep(ctx, "cardea_session", "session_key", "NOT EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = cardea_session.session_key)")
	return total, err
}

// endSome ends sessions, whichever, and returns how many; 0 when there are none.
func (s *SessionStore) endSome(ctx context.Context) (int, error) {
	if s.ended == nil { // nobody has to hear which
		return s.db.sweep(ctx, "django_session", "session_key", "1 = 1")
	}
	var keys []string
	err := s.db.each(ctx, "SELECT session_key FROM django_session LIMIT ?", []any{batch}, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return 0, s.failed("end", err)
	}
	n, err := s.end(ctx, keys)
	return n, s.failed("end", err)
}

// end deletes sessions by their keys as the database holds them, with what they are rotated into meanwhile; see Delete.
func (s *SessionStore) end(ctx context.Context, keys []string) (total int, err error) {
	for part := range slices.Chunk(keys, batch) {
		n := 0
		var ended []string
		err := s.db.atomically(ctx, func(ctx context.Context, tx *DB) error {
			n, ended, err = s.endIn(ctx, tx, part)
			return err
		})
		s.tell(ctx, ended)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func (s *SessionStore) endIn(ctx context.Context, tx *DB, keys []string) (total int, ended []string, err error) {
	d := s.db.dialect
	for len(keys) > 0 {
		ended = append(ended, keys...)
		args := make([]any, len(keys))
		for i, key := range keys {
			args[i] = key
		}
		n, err := tx.exec(ctx, "DELETE FROM django_session WHERE session_key IN ("+marks(len(keys))+")", args...)
		if err != nil {
			return 0, ended, err
		}
		total += int(n)
		if _, err := tx.exec(ctx, "DELETE FROM cardea_session WHERE session_key IN ("+marks(len(keys))+")", args...); err != nil {
			return 0, ended, err
		}
		query := "SELECT new_key FROM cardea_rotated WHERE old_key IN (" + marks(len(keys)) + ") AND rotated_at > ?"
		args, keys = append(args, d.time(s.cfg.Now().Add(-sessions.Grace))), nil
		err = tx.each(ctx, query, args, func(scan func(...any) error) error {
			var next string
			err := scan(&next)
			keys = append(keys, next)
			return err
		})
		if err != nil {
			return 0, ended, err
		}
	}
	return total, ended, nil
}
