package respond

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// ErrCookieLost says that a Hijack was refused, because a hook had set a cookie that the client would never see.
var ErrCookieLost = errors.New("the new cookie would be lost with the hijacked connection; set it in an ordinary response before")

var errWrittenByHook = errors.New("respond: the response must not be written while its hooks run")

// prepare runs the hooks if they did not run yet, and returns the state that the response is in then.
func (x *Exchange) prepare(status int) int32 {
	if !x.state.CompareAndSwap(stateOpen, stateHooks) {
		return x.state.Load()
	}
	if err := x.runHooks(status); err != nil {
		x.replace(err)
		return stateReplaced
	}
	x.state.Store(stateReady)
	return stateReady
}

// commit notes that the handler's header goes out.
func (x *Exchange) commit(status int) {
	x.status.Store(int32(status))
	x.state.Store(stateSent)
}

// sendHeader sends the header if none was sent.
func (x *Exchange) sendHeader(status int) (sent bool) {
	if x.prepare(status) != stateReady {
		return false
	}
	x.commit(status)
	x.rw.WriteHeader(status)
	return true
}

// readyForBody runs the hooks before the first piece of the body. The header itself is left to the writer below, which may
// want to see that piece first to find its Content-Type.
func (x *Exchange) readyForBody() (discard bool, err error) {
	switch x.prepare(http.StatusOK) {
	case stateReady:
		x.commit(http.StatusOK)
	case stateReplaced:
		return true, nil
	case stateHooks:
		return false, errWrittenByHook
	}
	return false, nil
}

// writer is what every handler gets; the abilities below come with it if the server has them.
type writer struct{ x *Exchange }

func (w writer) Header() http.Header { return w.x.rw.Header() }

// Unwrap is for http.ResponseController: deadlines and full duplex are none of ours.
func (w writer) Unwrap() http.ResponseWriter { return w.x.rw }

func (w writer) WriteHeader(status int) {
	x := w.x
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("respond: invalid status %d", status))
	}
	if informational(status) {
		if x.state.Load() < stateSent {
			x.rw.WriteHeader(status)
		}
		return
	}
	if !x.sendHeader(status) && x.state.Load() != stateReplaced {
		x.logLate("superfluous WriteHeader")
	}
}

func (w writer) Write(p []byte) (int, error) {
	if discard, err := w.x.readyForBody(); err != nil {
		return 0, err
	} else if discard {
		return len(p), nil
	}
	return w.x.rw.Write(p)
}

func (w writer) WriteString(s string) (int, error) {
	if discard, err := w.x.readyForBody(); err != nil {
		return 0, err
	} else if discard {
		return len(s), nil
	}
	return io.WriteString(w.x.rw, s)
}

type readerFrom struct{ x *Exchange }

func (w readerFrom) ReadFrom(src io.Reader) (int64, error) {
	if discard, err := w.x.readyForBody(); err != nil {
		return 0, err
	} else if discard {
		return io.Copy(io.Discard, src)
	}
	return w.x.rw.(io.ReaderFrom).ReadFrom(src)
}

type flusher struct{ x *Exchange }

func (w flusher) Flush() { _ = w.FlushError() }

func (w flusher) FlushError() error {
	if !w.x.sendHeader(http.StatusOK) && w.x.state.Load() == stateHooks {
		return errWrittenByHook
	}
	return http.NewResponseController(w.x.rw).Flush()
}

type hijacker struct{ x *Exchange }

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	x := w.x
	switch state := x.prepare(http.StatusSwitchingProtocols); {
	case state == stateHooks:
		return nil, nil, errWrittenByHook
	case state == stateReplaced:
		return nil, nil, fmt.Errorf("respond: hijack: %w", x.failure)
	case state == stateReady && len(x.added.cookies) > 0:
		return nil, nil, fmt.Errorf("respond: hijack: %s: %w", x.added.cookieNames(), ErrCookieLost)
	}
	conn, buffer, err := http.NewResponseController(x.rw).Hijack()
	if err != nil {
		return nil, nil, err
	}
	x.status.CompareAndSwap(0, http.StatusSwitchingProtocols)
	x.state.Store(stateHijacked)
	return conn, buffer, nil
}

type pusher struct{ x *Exchange }

func (w pusher) Push(target string, opts *http.PushOptions) error {
	return w.x.rw.(http.Pusher).Push(target, opts)
}

func informational(status int) bool {
	return status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
}
