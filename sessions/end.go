package sessions

import "fmt"

// Rotate moves the session to a new key at once, in the store too, and kills the old one: whoever planted or stole the old key is
// left with nothing. Call it whenever what the session may do grows. Without a session, one begins.
//
// A session that died meanwhile is ErrInterrupted, and of two requests that rotate it only one succeeds; nothing has changed then,
// in the Session either. If the response's status is 500 or more, the browser does not get the new key, and the session ends.
func (s *Session) Rotate() error { return s.Cycle(nil) }

// Cycle is Rotate with changes made in the same step: a login writes who logged in, or nothing at all. mutate may be called
// again, on what a parallel request has stored meanwhile; it has no other effect therefore.
func (s *Session) Cycle(mutate func(*Data)) error {
	const op = "sessions.Rotate"
	if s.watched {
		return ErrReadOnly
	}
	if s.sealed {
		return s.exchange.Late(op)
	}
	if err := s.open(op); err != nil {
		return err
	}
	record, data, own, changes := s.record, s.data, s.own, s.changes
	if mutate != nil {
		c := change{mutate: mutate}
		s.data, s.own = s.data.grown(1), true
		mutate(&s.data)
		s.changes = append(s.changes, c)
	}
	ctx, cancel := s.manager.writing(s.request)
	defer cancel()
	name, store := "rotate", s.manager.store.Rotate
	if s.key == "" {
		name, store = "save", s.manager.store.Save
	}
	if err := s.write(ctx, name, store); err != nil {
		s.record, s.data, s.own, s.changes = record, data, own, changes
		return err
	}
	s.modified, s.claimed = true, true
	return nil
}

// Flush ends the session: it is deleted from the store at once, whatever becomes of the response, and the response deletes the
// cookie, whatever its status. What is set afterwards begins a new session. After the header the session is still deleted, and
// the answer is ErrTooLate, since the browser keeps its cookie.
func (s *Session) Flush() error {
	switch {
	case s.none:
		return fmt.Errorf("sessions.Flush: %w", ErrNoSession)
	case s.watched:
		return ErrReadOnly
	}
	key := s.key
	if key == "" && s.missing {
		key = s.sent // which may have expired, or become another key a moment ago
	}
	s.Abandon()
	if key != "" {
		ctx, cancel := s.manager.writing(s.request)
		defer cancel()
		if err := s.manager.store.Delete(ctx, key); err != nil {
			return s.fail("delete", err)
		}
	}
	if s.sealed {
		return s.exchange.Late("sessions.Flush")
	}
	return s.err
}

// Abandon lets go of the session without ending it: what is set afterwards begins a new one, and without that the response deletes
// the cookie. It is for a session that another request has ended or moved to a new key, which must not lose that key too: of two
// logins that overlap, as after a double click, each keeps what it made.
func (s *Session) Abandon() {
	if s.none || s.watched {
		return
	}
	s.accessed, s.modified, s.loaded = true, true, true
	s.key, s.record, s.data, s.changes = "", Record{}, Data{}, nil
	s.owner, s.touched, s.own, s.unsaved, s.fresh, s.claimed, s.lost = "", false, false, false, false, false, false
	s.ended = true
}
