package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/cardea-go/cardea/internal/pyjson"
)

// On the wire a message is Django's array ["__json_message", safe, level, text, extra_tags], the last one missing when it was
// null. The cookie holds a list of them in compact JSON, whose last element may be the sentinel: more follow in the session.
// The session holds the same list in Python's default spacing, as a string.
const (
	messageKey = "__json_message"
	sentinel   = "__messagesnotfinished__"
)

// A notice is a message as it is stored.
type notice struct {
	Message
	bare bool // was stored without extra tags, which differs from empty ones
}

var errWire = errors.New("messages: not a list of messages")

// appendList writes the list with the separators of the cookie (compact) or of the session (spaced).
func appendList(dst []byte, list []notice, more, spaced bool) []byte {
	comma := ","
	if spaced {
		comma = ", "
	}
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, comma...)
		}
		dst = list[i].append(dst, comma)
	}
	if more {
		if len(list) > 0 {
			dst = append(dst, comma...)
		}
		dst = append(dst, `"`+sentinel+`"`...)
	}
	return append(dst, ']')
}

func (n *notice) append(dst []byte, comma string) []byte {
	dst = append(dst, `["`+messageKey+`"`...)
	dst = append(dst, comma...)
	if n.Safe {
		dst = append(dst, '1')
	} else {
		dst = append(dst, '0')
	}
	dst = append(dst, comma...)
	dst = strconv.AppendInt(dst, int64(n.Level), 10)
	dst = append(dst, comma...)
	dst = pyjson.AppendString(dst, n.Text)
	if !n.bare {
		dst = append(dst, comma...)
		dst = pyjson.AppendString(dst, n.ExtraTags)
	}
	return append(dst, ']')
}

// parseList reads a list; more reports the sentinel at its end. Elements that are no messages are passed over.
func parseList(raw []byte) (list []notice, more bool, err error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, false, fmt.Errorf("%w: %w", errWire, err)
	}
	for i, element := range elements {
		if i == len(elements)-1 && string(element) == `"`+sentinel+`"` {
			more = true
			continue
		}
		var fields []json.RawMessage
		if json.Unmarshal(element, &fields) != nil || len(fields) == 0 || string(fields[0]) != `"`+messageKey+`"` {
			continue
		}
		n, err := parseNotice(fields)
		if err != nil {
			return nil, false, err
		}
		list = append(list, n)
	}
	return list, more, nil
}

func parseNotice(fields []json.RawMessage) (n notice, err error) {
	if len(fields) < 4 || len(fields) > 5 {
		return notice{}, fmt.Errorf("%w: a message of %d fields", errWire, len(fields))
	}
	n.Safe = truthy(fields[1])
	if err := json.Unmarshal(fields[2], &n.Level); err != nil {
		return notice{}, fmt.Errorf("%w: level: %w", errWire, err)
	}
	if err := json.Unmarshal(fields[3], &n.Text); err != nil {
		return notice{}, fmt.Errorf("%w: text: %w", errWire, err)
	}
	n.bare = len(fields) == 4 || string(fields[4]) == "null"
	if !n.bare {
		if err := json.Unmarshal(fields[4], &n.ExtraTags); err != nil {
			return notice{}, fmt.Errorf("%w: extra tags: %w", errWire, err)
		}
	}
	return n, nil
}

// truthy is Python's truth of the flag, which Django writes as 0 or 1.
func truthy(raw json.RawMessage) bool {
	switch string(raw) {
	case "0", "false", "null", `""`:
		return false
	}
	return true
}

// sessionList reads the session's value: a string that holds a list, or the list itself.
func sessionList(raw json.RawMessage) ([]notice, error) {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("%w: %w", errWire, err)
		}
		if text == "" {
			return nil, nil
		}
		raw = json.RawMessage(text)
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	list, _, err := parseList(raw)
	return list, err
}

// sessionValue writes the list as the session holds it: not at all when it is empty.
func sessionValue(list []notice) json.RawMessage {
	if len(list) == 0 {
		return nil
	}
	return pyjson.AppendString(nil, string(appendList(nil, list, false, true)))
}
