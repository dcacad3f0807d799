package sessions

import (
	"fmt"
	"strings"
	"time"
)

// DjangoFileName returns the name of the file in which Django's file engine keeps a session. A key with any character but a-z
// and 0-9 is ErrNotFound: a file name made from it could lead elsewhere.
func DjangoFileName(cookieName, key string) (string, error) {
	if key == "" || strings.Trim(key, keyAlphabet) != "" {
		return "", fmt.Errorf("sessions: %q cannot be the key of a file: %w", clip(key, keyLength), ErrNotFound)
	}
	return cookieName + key, nil
}

// DjangoFileLive reports whether a session file that was last written at modified is live to Django's file engine: by the
// session's own moment if it has one, else for age. An own number of seconds that is more than nothing never runs out there.
func DjangoFileLive(d Data, modified, now time.Time, age time.Duration) bool {
	end := modified.Add(age)
	if raw, ok := d.Get(expiryKey); ok {
		life, at, ok := parseExpiry(raw)
		switch {
		case ok && !at.IsZero():
			end = at
		case ok && life != 0:
			return life > 0
		}
	}
	return end.Sub(now) >= time.Second // Django counts whole seconds
}

// DjangoLife returns what a session says of its own end, for a store that knows only when it was saved: the moment itself, or how
// long after saving that is, which is age where the session says nothing (SessionBase.get_expiry_date).
func DjangoLife(d Data, age time.Duration) (life time.Duration, at time.Time) {
	raw, ok := d.Get(expiryKey)
	if !ok {
		return age, time.Time{}
	}
	life, at, ok = parseExpiry(raw)
	if !ok || at.IsZero() && life == 0 {
		return age, time.Time{}
	}
	return life, at
}
