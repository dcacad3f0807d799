package respond_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
)

// server is a server's writer that notes what reaches it. Its sixteen combinations of abilities follow, each adding the
// ability of its last letter: Flusher, Hijacker, ReaderFrom, Pusher.
type server struct{ *serverState }

type serverState struct {
	recorder *httptest.ResponseRecorder
	reached  []string
}

func (s *serverState) Header() http.Header         { return s.recorder.Header() }
func (s *serverState) Write(p []byte) (int, error) { return s.recorder.Write(p) }
func (s *serverState) WriteHeader(status int)      { s.recorder.WriteHeader(status) }

func (s *serverState) reach(what string) error {
	s.reached = append(s.reached, what)
	return nil
}

func (s *serverState) hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, s.reach("Hijack")
}

func (s *serverState) readFrom(src io.Reader) (int64, error) {
	s.reach("ReadFrom")
	return io.Copy(s.recorder, src)
}

type (
	f    struct{ server }
	h    struct{ server }
	r    struct{ server }
	p    struct{ server }
	fh   struct{ f }
	fr   struct{ f }
	fp   struct{ f }
	hr   struct{ h }
	hp   struct{ h }
	rp   struct{ r }
	fhr  struct{ fh }
	fhp  struct{ fh }
	frp  struct{ fr }
	hrp  struct{ hr }
	fhrp struct{ fhr }
)

func (w f) Flush()                                              { w.reach("Flush") }
func (w h) Hijack() (net.Conn, *bufio.ReadWriter, error)        { return w.hijack() }
func (w fh) Hijack() (net.Conn, *bufio.ReadWriter, error)       { return w.hijack() }
func (w r) ReadFrom(src io.Reader) (int64, error)               { return w.readFrom(src) }
func (w fr) ReadFrom(src io.Reader) (int64, error)              { return w.readFrom(src) }
func (w hr) ReadFrom(src io.Reader) (int64, error)              { return w.readFrom(src) }
func (w fhr) ReadFrom(src io.Reader) (int64, error)             { return w.readFrom(src) }
func (w p) Push(target string, opts *http.PushOptions) error    { return w.reach("Push") }
func (w fp) Push(target string, opts *http.PushOptions) error   { return w.reach("Push") }
func (w hp) Push(target string, opts *http.PushOptions) error   { return w.reach("Push") }
func (w rp) Push(target string, opts *http.PushOptions) error   { return w.reach("Push") }
func (w fhp) Push(target string, opts *http.PushOptions) error  { return w.reach("Push") }
func (w frp) Push(target string, opts *http.PushOptions) error  { return w.reach("Push") }
func (w hrp) Push(target string, opts *http.PushOptions) error  { return w.reach("Push") }
func (w fhrp) Push(target string, opts *http.PushOptions) error { return w.reach("Push") }

// combinations returns a fresh server of each kind, by its letters.
func combinations() map[string]http.ResponseWriter {
	s := func() server { return server{&serverState{recorder: httptest.NewRecorder()}} }
	return map[string]http.ResponseWriter{
		"":     s(),
		"F":    f{s()},
		"H":    h{s()},
		"R":    r{s()},
		"P":    p{s()},
		"FH":   fh{f{s()}},
		"FR":   fr{f{s()}},
		"FP":   fp{f{s()}},
		"HR":   hr{h{s()}},
		"HP":   hp{h{s()}},
		"RP":   rp{r{s()}},
		"FHR":  fhr{fh{f{s()}}},
		"FHP":  fhp{fh{f{s()}}},
		"FRP":  frp{fr{f{s()}}},
		"HRP":  hrp{hr{h{s()}}},
		"FHRP": fhrp{fhr{fh{f{s()}}}},
	}
}

// state is the server behind any of them.
func (s server) state() *serverState { return s.serverState }
