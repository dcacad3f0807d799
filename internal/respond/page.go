package respond

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
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
	x.restoreHeader()
	x.added.appendTo(x.Header())
	if _, ok := x.Header()["Cache-Control"]; !ok {
		x.Header().Set("Cache-Control", "no-store")
	}
	x.state.Store(stateReplaced)
	x.writePage(err)
}

func (x *Exchange) writePage(err error) {
	w := pageWriter{x}
	defer func() {
		v := recover()
		if v != nil && v != http.ErrAbortHandler {
			x.logPanic("panic in the error page", &PanicError{Value: v, Stack: debug.Stack()})
		}
		switch {
		case v == http.ErrAbortHandler, v != nil && x.Status() != 0:
			x.broken = true
		case x.Status() == 0:
			writePlainPage(w, err)
		}
	}()
	if x.cfg.Error != nil {
		x.cfg.Error(w, x.req, err)
		return
	}
	if _, ok := err.(*PanicError); !ok {
		x.logError("the response was replaced", err)
	}
}

func writePlainPage(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	var failure *PanicError
	if errors.As(err, &failure) {
		status = http.StatusInternalServerError
	}
	text := http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// pageWriter writes past the hooks, and notes the status.
type pageWriter struct{ x *Exchange }

func (w pageWriter) Header() http.Header { return w.x.rw.Header() }

func (w pageWriter) WriteHeader(status int) {
	if !informational(status) {
		w.x.status.CompareAndSwap(0, int32(status))
	}
	w.x.rw.WriteHeader(status)
}

func (w pageWriter) Write(p []byte) (int, error) {
	w.x.status.CompareAndSwap(0, http.StatusOK)
	return w.x.rw.Write(p)
}

func (w pageWriter) Unwrap() http.ResponseWriter { return w.x.rw }

func (x *Exchange) logger() *slog.Logger {
	if x.cfg.Logger != nil {
		return x.cfg.Logger
	}
	return slog.Default()
}

// logError logs with the request's path but not its query, which may hold secrets.
func (x *Exchange) logError(message string, err error) {
	x.logger().ErrorContext(x.req.Context(), message, "method", x.req.Method, "path", x.req.URL.Path, "err", err)
}

func (x *Exchange) logPanic(message string, p *PanicError) {
	x.logger().ErrorContext(x.req.Context(), message, "method", x.req.Method, "path", x.req.URL.Path,
		"panic", fmt.Sprint(p.Value), "stack", string(p.Stack))
}

// dropTrailers removes what a handler wanted to send after a body that was discarded.
func (x *Exchange) dropTrailers() {
	for key := range x.Header() {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			delete(x.Header(), key)
		}
	}
}
