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
var ErrCookieLost = errors.New("a new cookie would be lost with the hijacked connection; set it in an ordinary response before")

var errWrittenByHook = errors.New("respond: the response must not be written while its hooks run")

// writer is what every handler gets; abilities.go adds what else the server's writer can do.
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
	if !x.sendHeader(status) && x.failure == nil {
		x.logLate("WriteHeader")
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

func (x *Exchange) readFrom(src io.Reader) (int64, error) {
	if discard, err := x.readyForBody(); err != nil {
		return 0, err
	} else if discard {
		return io.Copy(writer{x}, src)
	}
	return x.rw.(io.ReaderFrom).ReadFrom(src)
}

func (x *Exchange) flush() error {
	x.sendHeader(http.StatusOK)
	if x.state.Load() == stateHooks {
		return errWrittenByHook
	}
	err := http.NewResponseController(x.rw).Flush()
	if x.failure != nil { // the page may be complete already: nothing that the handler should hear of
		return x.req.Context().Err()
	}
	return err
}

func (x *Exchange) hijack() (net.Conn, *bufio.ReadWriter, error) {
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

func (x *Exchange) push(target string, o *http.PushOptions) error {
	return x.rw.(http.Pusher).Push(target, o)
}

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

// sendHeader sends the header, and reports whether it was there to be sent.
func (x *Exchange) sendHeader(status int) bool {
	if x.prepare(status) != stateReady {
		return false
	}
	x.commit(status)
	x.rw.WriteHeader(status)
	return true
}

// readyForBody runs the hooks before the first piece of the body. The header itself is left to the writer below, which may
// want to see that piece first to find its Content-Type. What is discarded looks successful until the client is gone, so
// that an endless stream ends.
func (x *Exchange) readyForBody() (discard bool, err error) {
	switch x.prepare(http.StatusOK) {
	case stateReady:
		x.commit(http.StatusOK)
	case stateReplaced:
		return true, x.req.Context().Err()
	case stateHooks:
		return false, errWrittenByHook
	}
	return false, nil
}

// commit notes that the handler's header goes out.
func (x *Exchange) commit(status int) {
	x.status.Store(int32(status))
	x.state.Store(stateSent)
}

func informational(status int) bool {
	return status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
}
