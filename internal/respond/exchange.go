package respond

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// inline is how many layers, hooks and header fields an Exchange holds without allocating.
const inline = 8

// An Exchange is one request and its response, as the layers of a site share them. Its methods may be called from several
// goroutines; hooks run in the goroutine that sends the header.
type Exchange struct {
	rw     http.ResponseWriter // the server's, or the next outer layer's
	req    *http.Request       // the copy that carries this Exchange in its context
	cfg    *Config
	parent *Exchange // of the site around this site, or nil
	ctx    requestContext

	state    atomic.Int32
	status   atomic.Int32
	panicked atomic.Bool
	returned bool  // the handler returned
	broken   bool  // the error page broke off half-way
	failure  error // why the response was replaced
	added    added // what the hooks put into the header, when it matters

	mu       sync.Mutex // guards what follows
	layers   []layer
	hooks    []hook
	reported []uintptr // callers that Late has logged
	self     bool      // the request carries its own credentials
	explicit bool      // and no browser sends them by itself

	snapshot     []field
	layersInline [inline]layer
	hooksInline  [inline]hook
	fieldsInline [inline]field
}

// The life of a response. It only moves forward.
const (
	stateOpen     = iota // the header is not asked for yet
	stateHooks           // the hooks are running
	stateReady           // the hooks ran, the header was not sent: only while a Hijack is tried
	stateSent            // the handler's own header was sent
	stateReplaced        // the response is an error page; what the handler writes is discarded
	stateHijacked        // the connection is the handler's
)

type layer struct{ owner, value any }

func newExchange(w http.ResponseWriter, r *http.Request, cfg *Config) *Exchange {
	x := &Exchange{rw: w, cfg: cfg, parent: From(r.Context())}
	x.layers = x.layersInline[:0]
	x.hooks = x.hooksInline[:0]
	x.ctx = requestContext{Context: r.Context(), x: x}
	x.req = r.WithContext(&x.ctx)
	x.Snapshot()
	return x
}

// From returns the innermost Exchange of the request with this context, or nil if it did not pass a Handler.
func From(ctx context.Context) *Exchange {
	x, _ := ctx.Value(contextKey{}).(*Exchange)
	return x
}

// Attach keeps value for owner, the middleware instance: a pointer, so that two instances do not meet. Attaching again
// replaces the value.
func (x *Exchange) Attach(owner, value any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.layers {
		if x.layers[i].owner == owner {
			x.layers[i].value = value
			return
		}
	}
	x.layers = append(x.layers, layer{owner, value})
}

// Value returns what owner attached to this Exchange or, if it attached nothing, to the nearest one around it; else nil.
func (x *Exchange) Value(owner any) any {
	for ; x != nil; x = x.parent {
		if v, ok := x.search(func(l *layer) bool { return l.owner == owner }); ok {
			return v
		}
	}
	return nil
}

// Find returns the innermost attached value of type T in the request with this context: the layer that was entered last,
// of the innermost site that has one.
func Find[T any](ctx context.Context) (v T, ok bool) {
	for x := From(ctx); x != nil; x = x.parent {
		if found, ok := x.search(func(l *layer) bool { _, ok := l.value.(T); return ok }); ok {
			return found.(T), true
		}
	}
	return v, false
}

func (x *Exchange) search(match func(*layer) bool) (any, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.layers) - 1; i >= 0; i-- {
		if match(&x.layers[i]) {
			return x.layers[i].value, true
		}
	}
	return nil, false
}

// Header returns the response's header map. What is put there reaches the client until Committed.
func (x *Exchange) Header() http.Header { return x.rw.Header() }

// Committed reports whether the hooks have run, so that nothing can be added to the final header any more: it was sent, is
// being sent, or an error page is being written in its place. It is false while the hooks run.
func (x *Exchange) Committed() bool { return x.state.Load() > stateHooks }

// Status returns the status that was sent: 101 after a Hijack, and 0 as long as no final header was sent.
func (x *Exchange) Status() int { return int(x.status.Load()) }

// Panicked reports whether the handler panicked, http.ErrAbortHandler and runtime.Goexit included.
func (x *Exchange) Panicked() bool { return x.panicked.Load() }

// requestContext is the request's context with the Exchange in it. It lives inside the Exchange, to save an allocation.
type requestContext struct {
	context.Context
	x *Exchange
}

type contextKey struct{}

func (c *requestContext) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return c.x
	}
	return c.Context.Value(key)
}
