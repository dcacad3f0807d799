package sessions_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cardea-go/cardea/sessions"
)

// TestInterleavedRequests lets one browser send requests that overlap in every order, and holds what the store contains, what
// each request sees and what becomes of the cookie against a model of a few lines.
func TestInterleavedRequests(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{browser: newSite(t, sessions.Config{}).browser()}
		defer w.finishAll(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"open":   w.open,
			"set":    w.set,
			"append": w.append,
			"delete": w.delete,
			"clear":  w.clear,
			"rotate": w.rotate,
			"flush":  w.flush,
			"finish": w.finish,
			"":       w.compare,
		})
	})
}

type values map[string][]int

func (v values) clone() values {
	c := values{}
	for k, l := range v {
		c[k] = slices.Clone(l)
	}
	return c
}

// A modelSession is what should be in the store.
type modelSession struct {
	key       string
	alive     bool
	data      values
	successor *modelSession
	ended     bool // by a logout with this key or one before
}

func (m *modelSession) kill() {
	for ; m != nil; m = m.successor {
		m.alive, m.ended = false, true
	}
}

// A modelRequest is one that is under way.
type modelRequest struct {
	do      chan func(*sessions.Session)
	done    chan *answer
	browser *browser

	sent, session *modelSession // nil: none
	missing       bool
	view          values
	ops           []func(values)
	fresh, ended  bool
}

func (r *modelRequest) run(do func(s *sessions.Session) error) error {
	result := make(chan error)
	r.do <- func(s *sessions.Session) { result <- do(s) }
	return <-result
}

// change does the same to the session and to the model.
func (r *modelRequest) change(rt *rapid.T, op func(values), do func(*sessions.Session) error) {
	if err := r.run(do); err != nil {
		rt.Fatalf("got the error %v", err)
	}
	op(r.view)
	r.ops = append(r.ops, op)
}

type world struct {
	*browser
	cookieOf *modelSession // what the browser's cookie stands for
	all      []*modelSession
	requests []*modelRequest
}

func (w *world) pick(rt *rapid.T) *modelRequest {
	if len(w.requests) == 0 {
		w.open(rt)
	}
	return rapid.SampledFrom(w.requests).Draw(rt, "request")
}

var (
	names   = rapid.SampledFrom([]string{"a", "b", "c"})
	numbers = rapid.IntRange(0, 99)
)

func (w *world) open(rt *rapid.T) {
	if len(w.requests) == 3 {
		rt.Skip("enough requests are under way")
	}
	r := &modelRequest{do: make(chan func(*sessions.Session)), done: make(chan *answer), browser: w.twin(), sent: w.cookieOf, view: values{}}
	go func() {
		r.done <- r.browser.visit(func(_ http.ResponseWriter, req *http.Request) {
			for do := range r.do {
				do(sessions.From(req))
			}
		})
	}()
	if r.sent != nil {
		if r.sent.alive {
			r.session, r.view = r.sent, r.sent.data.clone()
		} else {
			r.missing = true
		}
	}
	w.requests = append(w.requests, r)
	w.look(rt, r)
}

// look compares what the request sees, and loads the session at the first time.
func (w *world) look(rt *rapid.T, r *modelRequest) {
	got := values{}
	_ = r.run(func(s *sessions.Session) error {
		for _, key := range s.Keys() {
			got[key], _ = sessions.Key[[]int](key).Get(s)
		}
		return nil
	})
	if !maps.EqualFunc(got, r.view, slices.Equal) {
		rt.Fatalf("the request sees %v, want %v", got, r.view)
	}
}

func (w *world) set(rt *rapid.T) {
	r, name, n := w.pick(rt), names.Draw(rt, "name"), numbers.Draw(rt, "n")
	r.change(rt, func(v values) { v[name] = []int{n} }, func(s *sessions.Session) error { return s.Set(name, []int{n}) })
	w.look(rt, r)
}

func (w *world) append(rt *rapid.T) {
	r, name, n := w.pick(rt), names.Draw(rt, "name"), numbers.Draw(rt, "n")
	r.change(rt, func(v values) { v[name] = append(v[name], n) }, func(s *sessions.Session) error {
		return sessions.Key[[]int](name).Update(s, func(l []int) []int { return append(l, n) })
	})
	w.look(rt, r)
}

func (w *world) delete(rt *rapid.T) {
	r, name := w.pick(rt), names.Draw(rt, "name")
	if _, ok := r.view[name]; !ok {
		rt.Skip("nothing to delete")
	}
	r.change(rt, func(v values) { delete(v, name) }, func(s *sessions.Session) error { return s.Delete(name) })
	w.look(rt, r)
}

func (w *world) clear(rt *rapid.T) {
	r := w.pick(rt)
	r.change(rt, func(v values) { clear(v) }, (*sessions.Session).Clear)
	w.look(rt, r)
}

func (w *world) rotate(rt *rapid.T) {
	r := w.pick(rt)
	var key string
	err := r.run(func(s *sessions.Session) error {
		err := s.Rotate()
		key = s.Key()
		return err
	})
	if r.session != nil && !r.session.alive {
		if !errors.Is(err, sessions.ErrInterrupted) {
			rt.Fatalf("rotation of a dead session: got %v", err)
		}
		return
	}
	if err != nil {
		rt.Fatalf("rotation: %v", err)
	}
	next := &modelSession{key: key, alive: true, data: r.view.clone()}
	if r.session != nil {
		next.data = r.merged()
		r.session.alive, r.session.successor = false, next
	}
	w.all = append(w.all, next)
	r.session, r.view, r.ops, r.fresh = next, next.data.clone(), nil, true
	w.look(rt, r)
}

// merged is the request's changes over what is stored now.
func (r *modelRequest) merged() values {
	data := r.session.data.clone()
	for _, op := range r.ops {
		op(data)
	}
	return data
}

func (w *world) flush(rt *rapid.T) {
	r := w.pick(rt)
	if err := r.run((*sessions.Session).Flush); err != nil {
		rt.Fatalf("flush: %v", err)
	}
	if r.session != nil {
		r.session.kill()
	} else if r.missing {
		r.sent.kill()
	}
	r.session, r.view, r.ops, r.fresh, r.ended = nil, values{}, nil, false, true
	w.look(rt, r)
}

func (w *world) finish(rt *rapid.T) {
	r := w.pick(rt)
	w.requests = slices.DeleteFunc(w.requests, func(other *modelRequest) bool { return other == r })
	close(r.do)
	a := <-r.done
	graceful := r.missing && r.sent.successor != nil && !r.sent.ended && !r.ended // the key sent was rotated away
	status, cookie := 200, "kept"
	switch {
	case r.session == nil && len(r.view) == 0:
		if r.sent != nil && !graceful {
			cookie, w.cookieOf = "deleted", nil
		}
	case r.session == nil && graceful:
		status = 400
	case r.session == nil:
		created := &modelSession{key: r.browser.cookie, alive: true, data: r.view}
		w.all = append(w.all, created)
		cookie, w.cookieOf = "set", created
	case len(r.ops) != 0 && !r.session.alive:
		status = 400
	case len(r.ops) != 0:
		r.session.data = r.merged()
		cookie, w.cookieOf = "set", r.session
	case r.fresh:
		cookie, w.cookieOf = "set", r.session
	}
	a.t = rt
	if a.StatusCode != status {
		rt.Fatalf("status: got %d, want %d", a.StatusCode, status)
	}
	a.wantCookie(cookie)
	w.cookie = ""
	if w.cookieOf != nil {
		w.cookie = w.cookieOf.key
	}
	if cookie != "kept" && r.browser.cookie != w.cookie {
		rt.Fatalf("cookie: got %q, want %q", r.browser.cookie, w.cookie)
	}
}

// compare holds the store against the model.
func (w *world) compare(rt *rapid.T) {
	want := map[string]values{}
	for _, m := range w.all {
		if m.alive {
			want[m.key] = m.data
		}
	}
	got := map[string]values{}
	for key, rec := range w.mem.All() {
		v := values{}
		if err := json.Unmarshal([]byte(jsonOf(rec.Data)), &v); err != nil {
			rt.Fatal(err)
		}
		got[key] = v
	}
	same := func(a, b values) bool { return maps.EqualFunc(a, b, slices.Equal) }
	if !maps.EqualFunc(got, want, same) {
		rt.Fatalf("stored:\n got %v\nwant %v", got, want)
	}
}

func (w *world) finishAll(rt *rapid.T) {
	for _, r := range w.requests {
		close(r.do)
		<-r.done
	}
}
