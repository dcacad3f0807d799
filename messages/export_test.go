package messages

import "encoding/json"

// What the recorded answers of Django and the fuzzers look at from inside.

// A Stored is a message with the difference between no extra tags and empty ones.
type Stored struct {
	Message
	Bare bool
}

func ParseSession(raw json.RawMessage) ([]Stored, error) {
	notices, err := sessionList(raw)
	return export(notices), err
}

func export(notices []notice) (list []Stored) {
	for _, n := range notices {
		list = append(list, Stored{n.Message, n.bare})
	}
	return list
}

func AppendList(list []Stored, more, spaced bool) []byte {
	return appendList(nil, notices(list), more, spaced)
}

func notices(list []Stored) (notices []notice) {
	for _, s := range list {
		notices = append(notices, notice{s.Message, s.Bare})
	}
	return notices
}

func (l *Layer) EncodeCookie(list []Stored, more bool) (string, error) {
	return l.encodeCookie(notices(list), more)
}

func (l *Layer) DecodeCookie(value string) (list []Stored, more bool) {
	notices, more := l.decodeCookie(value)
	return export(notices), more
}

// SessionText is the list as the session's string holds it.
func SessionText(list []Stored) string { return string(appendList(nil, notices(list), false, true)) }
