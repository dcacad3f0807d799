package respond

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
)

// A PanicError is a panic of the handler or of a hook.
type PanicError struct {
	Value any
	Stack []byte // as debug.Stack formats it
}

// Error names the panic's value, not the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// replace writes an error page in place of the handler's response.
func (x *Exchange) replace(err error) {
	x.failure = err
	x.state.Store(stateReplaced)
	x.resetHeader()
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler {
			x.logPanic("panic in the error page", &PanicError{Value: v, Stack: debug.Stack()})
		}
		switch {
		case v == http.ErrAbortHandler, v != nil && x.Status() != 0:
			x.broken = true
		case x.Status() == 0:
			x.resetHeader()
			writePlainPage(pageWriter{x}, err)
		}
	}()
	if x.cfg.Error != nil {
		x.cfg.Error(pageWriter{x}, x.req, err)
		return
	}
	var panicked *PanicError
	if !errors.As(err, &panicked) {
		x.logError("the response was replaced by an error page", err)
	}
}

// resetHeader makes the header what an error page starts from.
func (x *Exchange) resetHeader() {
	h := x.Header()
	x.restoreHeader()
	x.added.appendTo(h)
	if _, ok := h["Cache-Control"]; !ok {
		h.Set("Cache-Control", "no-store")
	}
}

func writePlainPage(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	var panicked *PanicError
	if errors.As(err, &panicked) {
		status = http.StatusInternalServerError
	}
	text := http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// pageWriter writes past the hooks, and notes the status.
type pageWriter struct{ x *Exchange }

func (w pageWriter) Header() http.Header { return w.x.rw.Header() }

func (w pageWriter) WriteHeader(status int) {
	if !informational(status) && !w.x.status.CompareAndSwap(0, int32(status)) {
		w.x.logLate("WriteHeader")
		return
	}
	w.x.rw.WriteHeader(status)
}

func (w pageWriter) Write(p []byte) (int, error) {
	w.x.status.CompareAndSwap(0, http.StatusOK)
	return w.x.rw.Write(p)
}

// Unwrap lets http.ResponseController pass: no hook is left to be met.
func (w pageWriter) Unwrap() http.ResponseWriter { return w.x.rw }
