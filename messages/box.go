package messages

import (
	"net/http"
	"strings"
	"sync"

	"github.com/cardea-go/cardea/internal/respond"
)

// A box is the messages of one request. The mutex is for handlers that were timed out and go on.
type box struct {
	layer *Layer
	x     *respond.Exchange
	r     *http.Request

	mu     sync.Mutex
	level  Level
	loaded bool
	stored stored   // what waited when the request came
	added  []notice // by this request, and not taken
	used   bool     // Take was called: what was stored is consumed
	late   bool     // the header has taken its share
}

// stored is what a request finds, by place.
type stored struct {
	hasCookie bool // the browser sent one, good or bad
	cookie    []notice
	session   []notice // looked at only when the cookie says that more follow, or with Session
}

func (b *box) add(level Level, text string, options []Option) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if text == "" || level < b.level {
		return nil
	}
	n := notice{Message: Message{Level: level, Text: text}}
	for _, o := range options {
		n.ExtraTags = strings.TrimSpace(n.ExtraTags + " " + o.ExtraTags)
		n.Safe = n.Safe || o.Safe
	}
	if b.late || b.x.Committed() {
		if b.layer.cfg.Storage == Session && !b.x.Sessionless() { // the session can still be saved when the handler returns
			return b.updateSession(nil, []notice{n})
		}
		return b.x.Late("messages.Add")
	}
	b.added = append(b.added, n)
	return nil
}

func (b *box) take() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.late || b.x.Committed() {
		if !b.used {
			_ = b.x.Late("messages.Take")
		}
		return nil
	}
	var taken []notice
	if !b.used {
		b.load()
		taken = append(append(taken, b.stored.cookie...), b.stored.session...)
	}
	taken = append(taken, b.added...)
	b.used, b.added = true, nil
	if len(taken) == 0 {
		return nil
	}
	messages := make([]Message, len(taken))
	for i := range taken {
		messages[i] = taken[i].Message
		messages[i].tags = b.layer.tags
	}
	return messages
}

func (b *box) setLevel(level Level) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if level == 0 {
		level = b.layer.cfg.Level
	}
	b.level = level
}

// load finds what waits, as Django's storages do: of the session nothing is seen unless the cookie says so.
func (b *box) load() {
	if b.loaded {
		return
	}
	b.loaded = true
	if b.x.Sessionless() {
		return
	}
	more := b.layer.cfg.Storage == Session
	if !more {
		var value string
		if value, b.stored.hasCookie = b.layer.cfg.Cookie.Read(b.r); value != "" {
			b.stored.cookie, more = b.layer.decodeCookie(value)
		}
	}
	if more && b.layer.cfg.Storage != Cookie {
		raw, _ := b.layer.cfg.Sessions.Session(b.r).Get(string(sessionKey))
		b.stored.session, _ = sessionList(raw)
	}
}

// BeforeHeader stores what was added, and removes what was taken.
func (b *box) BeforeHeader(x *respond.Exchange, status int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.late = true
	if b.x.Sessionless() { // whoever sends tokens reads no notices: they end with the request
		return nil
	}
	if status >= http.StatusInternalServerError || !b.used && len(b.added) == 0 {
		return nil
	}
	if b.layer.cfg.Storage == Session {
		var taken []notice
		if b.used {
			taken = b.stored.session
		}
		return b.updateSession(taken, b.added)
	}
	b.load()
	waiting := b.added
	if !b.used {
		waiting = append(append(append([]notice(nil), b.stored.cookie...), b.stored.session...), b.added...)
	}
	x.VaryByCookie()
	rest, err := b.writeCookie(x.Header(), waiting)
	if err != nil || b.layer.cfg.Storage == Cookie {
		return err
	}
	return b.updateSession(b.stored.session, rest)
}
