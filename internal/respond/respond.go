package respond

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Config holds what a Handler does with trouble.
type Config struct {
	// Error writes the response in place of one that could not be finished: err is a hook's error, or a *PanicError. It
	// runs at most once a request, no hook runs after it, and Committed is true. The header it starts from is the
	// snapshot, the hooks' cookies and "Cache-Control: no-store". Panics have been logged by then, a hook's error has not.
	// Defaults to a line of plain text, 500 for a panic and 503 for a hook's error, which is then logged.
	Error func(w http.ResponseWriter, r *http.Request, err error)

	// Logger takes panics, failures that no response can show any more, and calls that came too late. Defaults to
	// slog.Default() at the time of logging.
	Logger *slog.Logger
}

// Handler puts an Exchange around each request to next. It belongs outside all layers that use one.
func Handler(next http.Handler, cfg Config) http.Handler {
	return &handler{next: next, cfg: cfg}
}

type handler struct {
	next http.Handler
	cfg  Config
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(w, r, &h.cfg)
	defer x.end(r)
	h.next.ServeHTTP(x.writer(), x.req)
	x.returned = true
}

// end is deferred around the handler: it sends what was not sent yet, answers a panic, and finishes the hooks.
func (x *Exchange) end(original *http.Request) {
	v := recover()
	abort := false
	switch {
	case v == nil && x.returned:
		x.sendHeader(http.StatusOK)
	case v == nil || v == http.ErrAbortHandler: // nil: runtime.Goexit, which cannot be stopped
		x.panicked.Store(true)
		abort = v != nil
	default:
		abort = x.recovered(&PanicError{Value: v, Stack: debug.Stack()})
	}
	x.finish()
	if x.failure != nil {
		x.dropTrailers()
	}
	x.giveBack(original)
	if abort || x.broken {
		panic(http.ErrAbortHandler)
	}
}

// recovered answers a handler's panic, and reports whether the response is beyond repair.
func (x *Exchange) recovered(failure *PanicError) (abort bool) {
	x.panicked.Store(true)
	x.logPanic("panic in a handler", failure)
	switch x.state.Load() {
	case stateOpen:
		x.state.Store(stateHooks)
		x.restoreHeader() // the hooks are to add to this one, not to the app's
		if err := x.runHooks(http.StatusInternalServerError); err != nil {
			x.logError("a hook failed after a panic", err)
		}
		x.replace(failure)
		return false
	case stateReady: // the hooks ran for a Hijack that did not come about
		x.replace(failure)
		return false
	case stateReplaced: // the client has a whole error page already
		return false
	default:
		return true
	}
}

// giveBack shows the server and outer middleware what net/http left in the copy of the request: the server removes the
// temporary files of the MultipartForm that it knows of.
func (x *Exchange) giveBack(original *http.Request) {
	if original.MultipartForm == nil {
		original.MultipartForm = x.req.MultipartForm
	}
	original.Pattern = x.req.Pattern
}
