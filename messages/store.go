package messages

import (
	"encoding/json"
	"net/http"
	"sort"

	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
)

// maxCookie is how many bytes the cookie's value may have, quoted: browsers keep 4096 in all, and Django uses half of that. The
// value is made of letters, digits and -_.: which cookies need not quote.
const maxCookie = 2048

const sessionKey sessions.Key[json.RawMessage] = "_messages"

// encodeCookie signs a list; more adds the sentinel.
func (l *Layer) encodeCookie(list []notice, more bool) (string, error) {
	return l.signer.Dumps(appendList(nil, list, more, false), true, l.cfg.Now())
}

// decodeCookie reads a cookie of any age. One that nobody signed, or that holds something else, holds no messages.
func (l *Layer) decodeCookie(value string) (list []notice, more bool) {
	raw, err := l.signer.Loads(value, 0, l.cfg.Now())
	if err != nil {
		return nil, false
	}
	if list, more, err = parseList(raw); err != nil {
		return nil, false
	}
	return list, more
}

// writeCookie puts as many messages into the cookie as fit, the oldest with Fallback and the newest with Cookie, and returns
// the rest.
func (b *box) writeCookie(h http.Header, list []notice) (rest []notice, err error) {
	policy := &b.layer.cfg.Cookie
	if len(list) == 0 {
		// Django's cookie storage deletes even a cookie that was not sent; the fallback, like us, only one that was.
		if b.stored.hasCookie || b.layer.cfg.Storage == Cookie {
			policy.Delete(h, b.r)
		}
		return nil, nil
	}
	value, err := b.layer.encodeCookie(list, false)
	if err == nil && len(value) > maxCookie {
		value, rest, err = b.layer.encodeFitting(list)
	}
	if err != nil {
		return nil, err
	}
	policy.Set(h, b.r, value, origin.Life{})
	return rest, nil
}

// encodeFitting finds the longest prefix or suffix that fits with the sentinel, and falls back to the sentinel alone.
func (l *Layer) encodeFitting(list []notice) (value string, rest []notice, err error) {
	part := func(n int) (in, out []notice) {
		if l.cfg.Storage == Cookie {
			return list[len(list)-n:], list[:len(list)-n]
		}
		return list[:n], list[n:]
	}
	encode := func(n int) (text string) {
		in, _ := part(n)
		text, e := l.encodeCookie(in, true)
		if e != nil {
			err = e
		}
		return text
	}
	fits := sort.Search(len(list), func(i int) bool { return len(encode(i+1)) > maxCookie })
	_, rest = part(fits)
	return encode(fits), rest, err
}

// updateSession takes messages out of the session and adds others. It works on what the session holds when it is saved, so that
// a message which another request adds at the same time is neither lost nor taken.
func (b *box) updateSession(taken, added []notice) error {
	if len(taken) == 0 && len(added) == 0 {
		return nil
	}
	return sessionKey.Update(b.layer.cfg.Sessions.Session(b.r), func(raw json.RawMessage) json.RawMessage {
		list, _ := sessionList(raw) // one that cannot be read cannot be shown either
		for i := 0; i < len(taken) && len(list) > 0 && list[0] == taken[i]; i++ {
			list = list[1:]
		}
		return sessionValue(append(list[:len(list):len(list)], added...))
	})
}
