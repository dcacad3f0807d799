package respond

import (
	"bufio"
	"io"
	"net"
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
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = inner.Unwrap()
	}
	return a
}

// writer returns a writer with exactly the abilities of the one below: a type assertion must neither promise more nor hide
// any. Each of the sixteen types holds one pointer, so that none is allocated, and adds the ability of its last letter.
func (x *Exchange) writer() http.ResponseWriter {
	w := writer{x}
	switch abilitiesOf(x.rw) {
	case canFlush:
		return withF{w}
	case canHijack:
		return withH{w}
	case canReadFrom:
		return withR{w}
	case canPush:
		return withP{w}
	case canFlush | canHijack:
		return withFH{withF{w}}
	case canFlush | canReadFrom:
		return withFR{withF{w}}
	case canFlush | canPush: // HTTP/2
		return withFP{withF{w}}
	case canHijack | canReadFrom:
		return withHR{withH{w}}
	case canHijack | canPush:
		return withHP{withH{w}}
	case canReadFrom | canPush:
		return withRP{withR{w}}
	case canFlush | canHijack | canReadFrom: // HTTP/1
		return withFHR{withFH{withF{w}}}
	case canFlush | canHijack | canPush:
		return withFHP{withFH{withF{w}}}
	case canFlush | canReadFrom | canPush:
		return withFRP{withFR{withF{w}}}
	case canHijack | canReadFrom | canPush:
		return withHRP{withHR{withH{w}}}
	case canFlush | canHijack | canReadFrom | canPush:
		return withFHRP{withFHR{withFH{withF{w}}}}
	default:
		return w
	}
}

type (
	withF    struct{ writer }
	withH    struct{ writer }
	withR    struct{ writer }
	withP    struct{ writer }
	withFH   struct{ withF }
	withFR   struct{ withF }
	withFP   struct{ withF }
	withHR   struct{ withH }
	withHP   struct{ withH }
	withRP   struct{ withR }
	withFHR  struct{ withFH }
	withFHP  struct{ withFH }
	withFRP  struct{ withFR }
	withHRP  struct{ withHR }
	withFHRP struct{ withFHR }
)

func (w withF) Flush()            { _ = w.x.flush() }
func (w withF) FlushError() error { return w.x.flush() }

func (w withH) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.x.hijack() }
func (w withFH) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.x.hijack() }

func (w withR) ReadFrom(src io.Reader) (int64, error)   { return w.x.readFrom(src) }
func (w withFR) ReadFrom(src io.Reader) (int64, error)  { return w.x.readFrom(src) }
func (w withHR) ReadFrom(src io.Reader) (int64, error)  { return w.x.readFrom(src) }
func (w withFHR) ReadFrom(src io.Reader) (int64, error) { return w.x.readFrom(src) }

func (w withP) Push(target string, o *http.PushOptions) error    { return w.x.push(target, o) }
func (w withFP) Push(target string, o *http.PushOptions) error   { return w.x.push(target, o) }
func (w withHP) Push(target string, o *http.PushOptions) error   { return w.x.push(target, o) }
func (w withRP) Push(target string, o *http.PushOptions) error   { return w.x.push(target, o) }
func (w withFHP) Push(target string, o *http.PushOptions) error  { return w.x.push(target, o) }
func (w withFRP) Push(target string, o *http.PushOptions) error  { return w.x.push(target, o) }
func (w withHRP) Push(target string, o *http.PushOptions) error  { return w.x.push(target, o) }
func (w withFHRP) Push(target string, o *http.PushOptions) error { return w.x.push(target, o) }
