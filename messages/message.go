package messages

import (
	"html/template"
	"strings"
)

// A Level says how important a message is. Any number is allowed; the five named ones are Django's.
type Level int

// The named levels, with Django's numbers.
const (
	LevelDebug   Level = 10
	LevelInfo    Level = 20
	LevelSuccess Level = 25
	LevelWarning Level = 30
	LevelError   Level = 40
)

// A Message is one notice for the visitor.
type Message struct {
	Level     Level
	Text      string
	ExtraTags string // more words for the class attribute, separated by spaces
	Safe      bool   // Text is HTML that the application vouches for

	tags *tagTable // of the layer that read it; nil means Django's default tags
}

// LevelTag returns the tag of the message's level: one of "debug", "info", "success", "warning" and "error", or what
// [Config].Tags says, or "" for a level that nobody named.
func (m Message) LevelTag() string { return m.tags.of(m.Level) }

// Tags returns the extra tags and the level's tag, separated by a space: the text of a class attribute.
func (m Message) Tags() string {
	tag := m.LevelTag()
	if m.ExtraTags == "" || tag == "" {
		return m.ExtraTags + tag
	}
	return m.ExtraTags + " " + tag
}

// HTML returns the text for a page: escaped, unless the message is Safe.
func (m Message) HTML() template.HTML {
	if m.Safe {
		return template.HTML(m.Text) //nolint:gosec // the application vouched for it
	}
	return template.HTML(template.HTMLEscapeString(m.Text)) //nolint:gosec // escaped
}

// String returns the text as it was added.
func (m Message) String() string { return m.Text }

// tagTable holds the tags that Config.Tags lays over the defaults.
type tagTable struct{ over map[Level]string }

func newTagTable(over map[Level]string) *tagTable {
	t := &tagTable{over: make(map[Level]string, len(over))}
	for level, tag := range over {
		t.over[level] = strings.TrimSpace(tag)
	}
	return t
}

func (t *tagTable) of(level Level) string {
	if t != nil {
		if tag, ok := t.over[level]; ok {
			return tag
		}
	}
	switch level {
	case LevelDebug:
		return "debug"
	case LevelInfo:
		return "info"
	case LevelSuccess:
		return "success"
	case LevelWarning:
		return "warning"
	case LevelError:
		return "error"
	}
	return ""
}
