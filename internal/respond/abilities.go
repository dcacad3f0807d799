package respond

import (
	"io"
	"net/http"
)

type ability uint8

const (
	canFlush ability = 1 << iota
	canHijack
	canReadFrom
	canPush
)

// abilitiesOf finds what w can do. Flush and Hijack count wherever http.ResponseController would find them, else it would
// reach them past the hooks. ReadFrom and Push count only on w itself: nothing looks deeper for them.
func abilitiesOf(w http.ResponseWriter) (a ability) {
	if _, ok := w.(io.ReaderFrom); ok {
		a |= canReadFrom
	}
	if _, ok := w.(http.Pusher); ok {
		a |= canPush
	}
	for w != nil {
		switch w.(type) {
		case interface{ FlushError() error }, http.Flusher:
			a |= canFlush
		}
		if _, ok := w.(http.Hijacker); ok {
			a |= canHijack
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	return a
}

// The writers of net/http's own servers live inside the Exchange, to save an allocation.
type (
	http1Writer struct {
		writer
		flusher
		hijacker
		readerFrom
	}
	http2Writer struct {
		writer
		flusher
		pusher
	}
	writers struct {
		http1 http1Writer
		http2 http2Writer
	}
)

// writer returns a writer that has exactly the abilities of the one below: a type assertion must not promise more.
func (x *Exchange) writer() http.ResponseWriter {
	w, f, h, r, p := writer{x}, flusher{x}, hijacker{x}, readerFrom{x}, pusher{x}
	switch abilitiesOf(x.rw) {
	case canFlush | canHijack | canReadFrom:
		x.writersInline.http1 = http1Writer{w, f, h, r}
		return &x.writersInline.http1
	case canFlush | canPush:
		x.writersInline.http2 = http2Writer{w, f, p}
		return &x.writersInline.http2
	case canFlush:
		return struct {
			writer
			flusher
		}{w, f}
	case canHijack:
		return struct {
			writer
			hijacker
		}{w, h}
	case canReadFrom:
		return struct {
			writer
			readerFrom
		}{w, r}
	case canPush:
		return struct {
			writer
			pusher
		}{w, p}
	}
	return w
}
