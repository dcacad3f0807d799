package sessions

import "encoding/json"

// A change is one thing a request did to its session. A request's changes are kept in order until they are saved, so that
// they can be laid over what a faster request has stored meanwhile.
type change struct {
	key    string
	raw    json.RawMessage                                             // set this
	update func(raw json.RawMessage, ok bool) (json.RawMessage, error) // or what this makes of the present value; nil removes it
	mutate func(*Data)                                                 // or do this to everything
	clear  bool                                                        // or remove everything
	// none of these: remove key
}

func (c *change) apply(d *Data) error {
	switch {
	case c.mutate != nil:
		c.mutate(d)
	case c.clear:
		*d = Data{}
	case c.update != nil:
		raw, err := c.update(d.Get(c.key))
		if err != nil {
			return err
		}
		if raw == nil {
			d.Delete(c.key)
		} else {
			d.Set(c.key, raw)
		}
	case c.raw != nil:
		d.Set(c.key, c.raw)
	default:
		d.Delete(c.key)
	}
	return nil
}

// Set stores v, which goes through JSON, under key. A json.RawMessage is stored as it is, in compact form.
func (s *Session) Set(key string, v any) error {
	raw, err := encode(key, v)
	if err != nil {
		return err
	}
	return s.change("sessions.Set", change{key: key, raw: raw})
}

// Delete removes the value under key. Removing one that is not there changes nothing.
func (s *Session) Delete(key string) error {
	if err := s.open("sessions.Delete"); err != nil {
		return err
	}
	if _, ok := s.data.Get(key); !ok {
		return nil
	}
	return s.change("sessions.Delete", change{key: key})
}

// Clear removes all values; the session lives on, empty, under its key. To end it, Flush. When the first thing a request does to
// a session that has died is to clear it, the answer is 400, as for any change to a dead session.
func (s *Session) Clear() error {
	first := !s.loaded
	if err := s.open("sessions.Clear"); err != nil {
		return err
	}
	if first && s.missing {
		s.lost = true
	}
	return s.change("sessions.Clear", change{clear: true})
}

// SetOwner says whose session it is, for the lists of a store that keeps them; "" for nobody's. It is written with the next save
// or rotation. A person who becomes the owner begins the session anew: Created and Client are this moment's.
func (s *Session) SetOwner(id string) error {
	if err := s.open("sessions.SetOwner"); err != nil {
		return err
	}
	if err := s.changeable("sessions.SetOwner"); err != nil {
		return err
	}
	s.owner, s.touched = id, true
	s.modified, s.unsaved = true, true
	return nil
}

// change makes c and remembers it.
func (s *Session) change(op string, c change) error {
	if err := s.open(op); err != nil {
		return err
	}
	if err := s.changeable(op); err != nil {
		return err
	}
	s.unshare()
	if err := c.apply(&s.data); err != nil {
		return err
	}
	s.changes = append(s.changes, c)
	s.modified, s.unsaved = true, true
	return nil
}

// changeable refuses what must not change, and what would need a new cookie after the header.
func (s *Session) changeable(op string) error {
	if s.watched {
		return ErrReadOnly
	}
	if s.sealed && s.key == "" {
		return s.exchange.Late(op)
	}
	return nil
}

// unshare makes data safe to change.
func (s *Session) unshare() {
	if !s.own {
		s.data, s.own = s.data.grown(1), true
	}
}
