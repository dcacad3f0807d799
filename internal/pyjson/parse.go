package pyjson

import "encoding/json"

// A Member is one name of an object and the text of its value, as it was written.
type Member struct {
	Key   string
	Value json.RawMessage
}

// ParseObject reads an object. The order is kept; of repeated names the last value counts, at the first one's place, as in a
// Python dict. The values are checked, and share b's memory.
func ParseObject(b []byte) ([]Member, error) {
	s := scanner{src: b}
	s.space()
	if s.next() != '{' {
		return nil, s.fail("an object was expected")
	}
	var ms []Member
	var index map[string]int
	err := s.members(0, func(n name, _ bool) error {
		key := unquote(b[n.from:n.to], n.plain)
		from := s.pos
		if err := s.skip(1); err != nil {
			return err
		}
		value := json.RawMessage(b[from:s.pos:s.pos])
		i := -1
		if i, index = findKey(ms, index, key); i < 0 {
			ms = append(ms, Member{key, value})
		} else {
			ms[i].Value = value
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return ms, nil
}

// findKey is the place of the member of that name, or -1, after which one is expected to be appended.
func findKey(ms []Member, index map[string]int, key string) (int, map[string]int) {
	if len(ms) < 8 {
		for i := range ms {
			if ms[i].Key == key {
				return i, nil
			}
		}
		return -1, nil
	}
	if index == nil {
		index = make(map[string]int, 2*len(ms))
		for i := range ms {
			index[ms[i].Key] = i
		}
	}
	if i, ok := index[key]; ok {
		return i, index
	}
	index[key] = len(ms)
	return -1, index
}

// ParseArray reads an array and returns the texts of its values, which were checked and share b's memory.
func ParseArray(b []byte) ([]json.RawMessage, error) {
	s := scanner{src: b}
	s.space()
	if s.next() != '[' {
		return nil, s.fail("an array was expected")
	}
	vs := []json.RawMessage{}
	err := s.members(0, func(name, bool) error {
		from := s.pos
		if err := s.skip(1); err != nil {
			return err
		}
		vs = append(vs, json.RawMessage(b[from:s.pos:s.pos]))
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return vs, nil
}

// ParseString reads a string.
func ParseString(b []byte) (string, error) {
	s := scanner{src: b}
	s.space()
	from := s.pos
	plain, err := s.stringToken()
	if err != nil {
		return "", err
	}
	to := s.pos
	if err := s.end(); err != nil {
		return "", err
	}
	return unquote(b[from:to], plain), nil
}

// Valid reports whether Python reads b.
func Valid(b []byte) bool {
	s := scanner{src: b}
	s.space()
	return s.skip(0) == nil && s.end() == nil
}
