package sessions

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Django keeps a session's own expiry in its data, under this key: absent for the configured one; 0 for "until the browser closes";
// another number of seconds, counted anew from each save; or a moment, in ISO 8601. (SessionBase.get_expiry_age and its kin.)
const expiryKey = "_session_expiry"

// ExpireAfter lets the session expire this long after it was last saved, in whole seconds. Less than nothing expires it now; from
// nothing to a second is until the browser closes.
func (s *Session) ExpireAfter(d time.Duration) error {
	return s.Set(expiryKey, int64(d/time.Second))
}

// ExpireAt lets the session expire at t, however often it is saved.
func (s *Session) ExpireAt(t time.Time) error { return s.Set(expiryKey, isoTime(t)) }

// ExpireAtBrowserClose lets the browser forget the session when it closes. The store keeps it for the configured age.
func (s *Session) ExpireAtBrowserClose() error { return s.Set(expiryKey, 0) }

// ExpireAsConfigured takes back what the other Expire methods said.
func (s *Session) ExpireAsConfigured() error { return s.Delete(expiryKey) }

// Age returns how long a cookie set now would live, in whole seconds; negative when the session's own moment has passed.
func (s *Session) Age() time.Duration {
	now := s.manager.cfg.Now()
	if s.open("sessions.Age") != nil {
		return s.manager.cfg.Age
	}
	return s.manager.expiry(s.data, now).age(s.record.Created)
}

// Expires returns when the session would expire if it were saved now and not used again.
func (s *Session) Expires() time.Time {
	now := s.manager.cfg.Now()
	if s.open("sessions.Expires") != nil {
		return now.Add(s.manager.cfg.Age)
	}
	return s.manager.expiry(s.data, now).until(s.record.Created)
}

// ExpiresAtBrowserClose reports whether the browser forgets the session when it closes.
func (s *Session) ExpiresAtBrowserClose() bool {
	if s.open("sessions.ExpiresAtBrowserClose") != nil {
		return s.manager.cfg.ExpireAtBrowserClose
	}
	return s.manager.expiry(s.data, time.Time{}).atClose
}

// expiry is when a session with certain data ends, seen from now.
type expiry struct {
	cfg     *Config
	now     time.Time
	life    time.Duration // from now, if at is zero
	at      time.Time     // the session's own moment
	atClose bool
}

func (m *Manager) expiry(d Data, now time.Time) expiry {
	e := expiry{cfg: &m.cfg, now: now, life: m.cfg.Age, atClose: m.cfg.ExpireAtBrowserClose}
	raw, ok := d.Get(expiryKey)
	if !ok {
		return e
	}
	seconds, at, ok := parseExpiry(raw)
	switch {
	case !ok: // not Django's: as configured
	case !at.IsZero():
		e.at, e.atClose = at, false
	case seconds == 0:
		e.atClose = true
	default:
		e.life, e.atClose = seconds, false
	}
	return e
}

// until returns the stored record's Expires.
func (e expiry) until(created time.Time) time.Time {
	end := e.end(created)
	if e.cfg.Idle > 0 {
		end = earlier(end, e.now.Add(e.cfg.Idle))
	}
	return end
}

// age returns the cookie's life.
func (e expiry) age(created time.Time) time.Duration {
	left := e.end(created).Sub(e.now)
	whole := left.Truncate(time.Second)
	if whole > left { // Python's timedelta rounds down
		whole -= time.Second
	}
	return whole
}

// end is until without Idle: the cookie of a session in use needs no renewal.
func (e expiry) end(created time.Time) time.Time {
	end := e.at
	if end.IsZero() {
		end = e.now.Add(e.life)
	}
	if e.cfg.Absolute > 0 {
		if created.IsZero() {
			created = e.now
		}
		end = earlier(end, created.Add(e.cfg.Absolute))
	}
	return end
}

// outlived reports whether the record has passed Config.Absolute.
func (m *Manager) outlived(r *Record) bool {
	return m.cfg.Absolute > 0 && !r.Created.IsZero() && !m.cfg.Now().Before(r.Created.Add(m.cfg.Absolute))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// maxLife keeps now plus a life within the years that databases and cookies know.
const maxLife = 100 * 365 * 24 * time.Hour

func parseExpiry(raw json.RawMessage) (life time.Duration, at time.Time, ok bool) {
	if text, isString := plainString(raw); isString {
		at, ok = parseISOTime(text)
		return 0, at, ok
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(seconds) {
		return 0, time.Time{}, false
	}
	limit := maxLife.Seconds()
	return time.Duration(max(-limit, min(limit, seconds)) * float64(time.Second)), time.Time{}, true
}

// isoTime writes t as Python's datetime.isoformat does, which leaves out a fraction of zero.
func isoTime(t time.Time) string {
	t = t.Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05-07:00")
	}
	return t.Format("2006-01-02T15:04:05.000000-07:00")
}

// parseISOTime reads what isoTime and Python's isoformat write. A time without a zone is UTC.
func parseISOTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
