package redisstore

import (
	"strconv"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// note is what Django has no place for, in the order of the scripts: when the session expires, to the microsecond, when it began, when
// it was seen, whose it is and where it began.
func note(rec sessions.Record) []any {
	return []any{micro(rec.Expires), micro(rec.Created), micro(rec.Seen), rec.Owner, rec.Client.Address, rec.Client.UserAgent}
}

// readNote reads such fields, each of which may be missing. When the session expires is Redis's to say, unless the note says the same
// more exactly: Django may have stored it again since.
func readNote(fields []any, rec *sessions.Record) {
	text := func(i int) string {
		if i >= len(fields) {
			return ""
		}
		s, _ := fields[i].(string)
		return s
	}
	if exact := moment(text(0)); !exact.IsZero() && exact.Sub(rec.Expires).Abs() <= time.Second {
		rec.Expires = exact
	}
	rec.Created, rec.Seen = moment(text(1)), moment(text(2))
	rec.Owner = text(3)
	rec.Client = sessions.Client{Address: text(4), UserAgent: text(5)}
}

// micro writes a time as microseconds since 1970; nothing for no time.
func micro(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

func moment(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
