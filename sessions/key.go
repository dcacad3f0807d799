package sessions

import (
	"encoding/json"
	"fmt"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// Key is the name of a session value of type T. T goes through JSON.
//
//	const cart sessions.Key[[]int] = "cart"
//
//	err := cart.Update(sessions.From(r), func(items []int) []int { return append(items, 7) })
type Key[T any] string

// Get returns the value. It is the zero T and false when there is none, when it is not a T, or when the store is down, which
// Session.Err tells and which turns the response into a 503.
func (k Key[T]) Get(s *Session) (T, bool) {
	raw, ok := s.Get(string(k))
	if !ok {
		var zero T
		return zero, false
	}
	v, err := decode[T](raw)
	return v, err == nil
}

// Set stores v. When two requests set the same key at once, the last one wins; see Update.
func (k Key[T]) Set(s *Session, v T) error { return s.Set(string(k), v) }

// Update stores fn of the present value, or of the zero T when there is none. When another request changed the session
// meanwhile, fn is called again on what that one stored, so that two requests that append lose neither; fn has no other
// effect therefore, and does not use the session. A value that is not a T is an error and stays. Where T is json.RawMessage, nil
// removes the value.
func (k Key[T]) Update(s *Session, fn func(T) T) error {
	return s.change("sessions.Update", change{key: string(k), update: func(raw json.RawMessage, ok bool) (json.RawMessage, error) {
		var v T
		if ok {
			var err error
			if v, err = decode[T](raw); err != nil {
				return nil, fmt.Errorf("sessions: update %q: %w", string(k), err)
			}
		}
		next := fn(v)
		if raw, ok := any(next).(json.RawMessage); ok && raw == nil {
			return nil, nil
		}
		return encode(string(k), next)
	}})
}

// Delete removes the value.
func (k Key[T]) Delete(s *Session) error { return s.Delete(string(k)) }

// Read returns the value in d, for use inside Session.Cycle.
func (k Key[T]) Read(d *Data) (T, bool) {
	raw, ok := d.Get(string(k))
	if !ok {
		var zero T
		return zero, false
	}
	v, err := decode[T](raw)
	return v, err == nil
}

// Write stores v in d, for use inside Session.Cycle.
func (k Key[T]) Write(d *Data, v T) error {
	raw, err := encode(string(k), v)
	if err == nil {
		d.Set(string(k), raw)
	}
	return err
}

func decode[T any](raw json.RawMessage) (v T, err error) {
	if s, ok := any(&v).(*string); ok {
		if plain, ok := plainString(raw); ok {
			*s = plain
			return v, nil
		}
	}
	err = json.Unmarshal(raw, &v)
	return v, err
}

// plainString reads a JSON string without escapes, which ids and hashes are, at the cost of one allocation.
func plainString(raw json.RawMessage) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c < ' ' || c > '~' || c == '\\' || c == '"' {
			return "", false
		}
	}
	return string(inner), true
}

// encode writes v as Python would: ASCII, and 1.0 for a float.
func encode(key string, v any) (json.RawMessage, error) {
	var raw []byte
	var err error
	if text, ok := v.(json.RawMessage); ok {
		raw, err = pyjson.Compact(nil, text)
	} else {
		raw, err = pyjson.Marshal(v)
	}
	if err != nil {
		return nil, fmt.Errorf("sessions: set %q: %w", key, err)
	}
	return raw, nil
}
