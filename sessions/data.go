package sessions

import (
	"encoding/json"
	"iter"
	"slices"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// Data is a session's members in order, each value as the JSON text that was stored: an unknown member, an integer beyond 2^53
// or 1.0 comes out as it came in. The zero Data is empty and ready. Copies share their members until one is cloned.
type Data struct{ members []pyjson.Member }

// ParseData reads a JSON object, as Python's json module reads it. Of members with the same name the last counts.
func ParseData(text []byte) (Data, error) {
	members, err := pyjson.ParseObject(text)
	if err != nil {
		return Data{}, err
	}
	return Data{members}, nil
}

// AppendJSON appends the object as Python's json module writes it: compact, ASCII only, in order.
func (d Data) AppendJSON(dst []byte) ([]byte, error) {
	return pyjson.AppendObject(dst, d.members, pyjson.CompactStyle)
}

// Len returns the number of members.
func (d Data) Len() int { return len(d.members) }

// Get returns the JSON text stored under key, which is not to be changed.
func (d Data) Get(key string) (json.RawMessage, bool) {
	if i := d.index(key); i >= 0 {
		return d.members[i].Value, true
	}
	return nil, false
}

// Keys returns the names of the members in order.
func (d Data) Keys() []string {
	keys := make([]string, len(d.members))
	for i := range d.members {
		keys[i] = d.members[i].Key
	}
	return keys
}

// All ranges over the members in order.
func (d Data) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for i := range d.members {
			if !yield(d.members[i].Key, d.members[i].Value) {
				return
			}
		}
	}
}

// Set stores raw, which must be JSON, under key: in its place if it is there, else at the end.
func (d *Data) Set(key string, raw json.RawMessage) {
	if i := d.index(key); i >= 0 {
		d.members[i].Value = raw
		return
	}
	d.members = append(d.members, pyjson.Member{Key: key, Value: raw})
}

// Delete removes key.
func (d *Data) Delete(key string) {
	if i := d.index(key); i >= 0 {
		d.members = slices.Delete(d.members, i, i+1)
	}
}

// Clone returns a copy that shares nothing that Set and Delete change.
func (d Data) Clone() Data { return d.grown(0) }

// grown is Clone with room for n more members.
func (d Data) grown(n int) Data {
	if len(d.members)+n == 0 {
		return Data{}
	}
	return Data{append(make([]pyjson.Member, 0, len(d.members)+n), d.members...)}
}

func (d Data) index(key string) int {
	for i := range d.members {
		if d.members[i].Key == key {
			return i
		}
	}
	return -1
}
