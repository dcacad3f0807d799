package sessions

import (
	"errors"
	"time"
)

// touch notes that a session which was only read is in use: seldom, and only where Idle or the store wants to know. Nobody
// asked for it, so whatever goes wrong is nobody's error.
func (s *Session) touch() {
	m := s.manager
	if !s.accessed || s.written || s.watched || m.stateless {
		return
	}
	now := m.cfg.Now()
	expires := s.record.Expires
	if m.cfg.Idle > 0 {
		expires = m.expiry(s.data, now).until(s.record.Created)
	}
	if !s.touchDue(expires, now) {
		return
	}
	ctx, cancel := m.writing(s.request)
	defer cancel()
	var err error
	if m.toucher != nil {
		err = m.toucher.Touch(ctx, s.key, expires, now)
	} else {
		record := s.record
		record.Expires, record.Seen, record.Attached = expires, now, nil
		_, err = m.store.Save(ctx, s.key, record)
	}
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConflict) {
		m.cfg.Logger.WarnContext(s.request.Context(), "sessions: not noted as seen", "error", err)
	}
}

func (s *Session) touchDue(expires, now time.Time) bool {
	m := s.manager
	if m.cfg.Idle > 0 && expires.Sub(s.record.Expires) >= m.cfg.TouchEvery {
		return true
	}
	return m.toucher != nil && !s.record.Seen.IsZero() && now.Sub(s.record.Seen) >= m.cfg.TouchEvery
}
