package respond

import (
	"net/http"
	"runtime/debug"
)

// A Hook has a last word before the final header.
type Hook interface {
	// BeforeHeader runs once, before the final header, unless the handler panics with http.ErrAbortHandler. It may change
	// x.Header, attach values and register further hooks, which run next, but must not write the response. status is the
	// one about to be sent: the handler's, 101 when the connection is being hijacked, 500 after a panic or another hook's
	// error. An error replaces the response; see Config.Error.
	BeforeHeader(x *Exchange, status int) error
}

// A Finisher is a Hook that also wants to know when the handler is done.
type Finisher interface {
	// Finish runs after the handler, inner hooks first, whether it returned or panicked (see Exchange.Panicked), and
	// whether BeforeHeader ran or not. The client sees the response's end only after it. An error can no longer reach the
	// client, and is logged.
	Finish(x *Exchange) error
}

type hook struct {
	Hook
	ran bool
}

// OnHeader registers h. After the header it is too late: then h.BeforeHeader does not run, though Finish does.
func (x *Exchange) OnHeader(h Hook) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.hooks = append(x.hooks, hook{Hook: h})
}

// runHooks runs all hooks and returns the first error. Of a hook that fails, no cookie remains.
func (x *Exchange) runHooks(status int) (failure error) {
	var cookies, vary [4]string
	before := markHeader(x.Header(), cookies[:0], vary[:0])
	for h := x.nextHook(); h != nil; h = x.nextHook() {
		var cookies, vary [4]string
		mark := markHeader(x.Header(), cookies[:0], vary[:0])
		err := x.runHook(h, status)
		if err == nil {
			continue
		}
		mark.reset(x.Header())
		if failure == nil {
			failure, status = err, http.StatusInternalServerError
		} else {
			x.logError("a second hook failed", err)
		}
	}
	if failure != nil || status == http.StatusSwitchingProtocols || x.Panicked() {
		x.added = before.since(x.Header())
	}
	return failure
}

// nextHook returns the last registered hook that did not run yet.
func (x *Exchange) nextHook() Hook {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.hooks) - 1; i >= 0; i-- {
		if h := &x.hooks[i]; !h.ran {
			h.ran = true
			return h.Hook
		}
	}
	return nil
}

func (x *Exchange) runHook(h Hook, status int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			failure := &PanicError{Value: v, Stack: debug.Stack()}
			x.logPanic("panic in a hook", failure)
			err = failure
		}
	}()
	return h.BeforeHeader(x, status)
}

// finish runs what the hooks have to do after the handler.
func (x *Exchange) finish() {
	x.mu.Lock()
	hooks := x.hooks
	x.mu.Unlock()
	for i := len(hooks) - 1; i >= 0; i-- {
		if f, ok := hooks[i].Hook.(Finisher); ok {
			x.runFinisher(f)
		}
	}
}

func (x *Exchange) runFinisher(f Finisher) {
	defer func() {
		if v := recover(); v != nil {
			x.logPanic("panic after the response", &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	if err := f.Finish(x); err != nil {
		x.logError("finishing after the response failed", err)
	}
}
