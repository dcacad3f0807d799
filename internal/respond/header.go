package respond

import (
	"net/http"
	"slices"
	"strings"
)

// field is one header field of a snapshot. Nearly all have one value, which is kept without allocating.
type field struct {
	key   string
	first string
	all   []string // set only if there is not exactly one value
}

// Snapshot remembers the header as it is now: what an error page starts from. The innermost layer calls it before it enters
// the app, so that security headers stay and the app's go. Until then, it is the header that Handler found.
func (x *Exchange) Snapshot() {
	x.snapshot = x.fieldsInline[:0]
	for key, values := range x.Header() {
		f := field{key: key}
		if len(values) == 1 {
			f.first = values[0]
		} else {
			f.all = slices.Clone(values)
		}
		x.snapshot = append(x.snapshot, f)
	}
}

// restoreHeader puts the header back to the snapshot.
func (x *Exchange) restoreHeader() {
	h := x.Header()
	clear(h)
	for _, f := range x.snapshot {
		if f.all == nil {
			h[f.key] = []string{f.first}
		} else {
			h[f.key] = f.all
		}
	}
}

// dropTrailers removes what a handler wanted to send after a body that was discarded.
func (x *Exchange) dropTrailers() {
	for key := range x.Header() {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			delete(x.Header(), key)
		}
	}
}

// added are the lines of the two header fields that an error page keeps.
type added struct{ cookies, vary []string }

// markHeader copies those lines into the buffers given.
func markHeader(h http.Header, cookies, vary []string) added {
	return added{append(cookies, h["Set-Cookie"]...), append(vary, h["Vary"]...)}
}

// reset makes h have these lines and no others.
func (a added) reset(h http.Header) {
	setLines(h, "Set-Cookie", slices.Clone(a.cookies))
	setLines(h, "Vary", slices.Clone(a.vary))
}

// since returns the cookies of h that were not there at the time of the mark, and all of Vary: a hook adds no line that the
// app has set already, and one too many does no harm.
func (a added) since(h http.Header) added {
	return added{minus(h["Set-Cookie"], a.cookies), slices.Clone(h["Vary"])}
}

// appendTo adds these lines to h, those that it does not have yet.
func (a added) appendTo(h http.Header) {
	setLines(h, "Set-Cookie", append(h["Set-Cookie"], minus(a.cookies, h["Set-Cookie"])...))
	setLines(h, "Vary", append(h["Vary"], minus(a.vary, h["Vary"])...))
}

// cookieNames lists the names, for an error: values are secret.
func (a added) cookieNames() string {
	names := make([]string, len(a.cookies))
	for i, line := range a.cookies {
		names[i], _, _ = strings.Cut(line, "=")
	}
	return strings.Join(names, ", ")
}

func setLines(h http.Header, key string, lines []string) {
	if len(lines) == 0 {
		delete(h, key)
		return
	}
	h[key] = lines
}

// minus returns each line once.
func minus(lines, without []string) []string {
	var rest []string
	for _, line := range lines {
		if !slices.Contains(without, line) && !slices.Contains(rest, line) {
			rest = append(rest, line)
		}
	}
	return rest
}
