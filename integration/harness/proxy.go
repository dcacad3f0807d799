package harness

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between a program and a server, and passes bytes on until it is told to misbehave. The faults:
//
//   - Reset: every connection is reset, and new ones as soon as they are made.
//   - Hang: nothing is passed on any more. New connections are accepted, and nobody answers. A connection that has hung stays
//     silent for ever, also after Pass, as behind a firewall that has forgotten it.
type Proxy struct {
	target string
	ln     net.Listener

	mu    sync.Mutex
	fault fault
	grace int // messages to the server that still pass before the fault
	links map[*link]struct{}
}

type fault uint8

const (
	none fault = iota
	reset
	hang
)

// NewProxy starts a proxy to target, HOST:PORT, for as long as the test lasts.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, ln: ln, links: map[*link]struct{}{}}
	go p.serve()
	t.Cleanup(func() {
		_ = ln.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for l := range p.links {
			l.close()
		}
	})
	return p
}

// ProxyTo starts a proxy to the server of a database, and returns the URL of the same database through it.
func ProxyTo(t testing.TB, database string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := NewProxy(t, u.Host)
	u.Host = p.Addr()
	return p, u.String()
}

// Addr is where the proxy listens, HOST:PORT.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Pass ends a fault. The server is told that connections which hung are gone; the program is not.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = none
	for l := range p.links {
		if l.silent && l.server != nil {
			_ = l.server.Close()
		}
	}
}

// Reset resets all connections from now on.
func (p *Proxy) Reset() { p.ResetAfter(0) }

// ResetAfter lets messages more messages pass to the server and then resets all connections.
func (p *Proxy) ResetAfter(messages int) { p.set(reset, messages) }

// Hang lets nothing pass from now on.
func (p *Proxy) Hang() { p.HangAfter(0) }

// HangAfter lets messages more messages pass to the server, with their answers, and then nothing.
func (p *Proxy) HangAfter(messages int) { p.set(hang, messages) }

func (p *Proxy) set(f fault, messages int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.grace = f, messages
	if messages == 0 {
		p.strike()
	}
}

// Struck reports whether the fault has begun.
func (p *Proxy) Struck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault != none && p.grace == 0
}

// strike begins the fault on all connections. The caller holds the lock.
func (p *Proxy) strike() {
	for l := range p.links {
		l.harm(p.fault)
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		l := &link{proxy: p, client: client}
		p.mu.Lock()
		p.links[l] = struct{}{}
		struck := p.fault != none && p.grace == 0
		if struck {
			l.harm(p.fault)
		}
		p.mu.Unlock()
		go l.run(struck)
	}
}

// admit decides about one message of a link to the server.
func (p *Proxy) admit(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != none && !l.silent {
		if p.grace == 0 {
			p.strike()
		} else {
			p.grace--
		}
	}
	return !l.silent
}

// A link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	silent         bool // nothing passes any more; under the proxy's lock
}

func (l *link) run(struck bool) {
	defer func() {
		l.proxy.mu.Lock()
		delete(l.proxy.links, l)
		l.close()
		l.proxy.mu.Unlock()
	}()
	if !struck {
		server, err := net.DialTimeout("tcp", l.proxy.target, 5*time.Second)
		if err != nil {
			return
		}
		l.proxy.mu.Lock()
		l.server = server
		l.proxy.mu.Unlock()
		go l.answers()
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		if l.proxy.admit(l) {
			if _, err := l.server.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

// answers passes what the server says, and swallows it once the link is silent.
func (l *link) answers() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		l.proxy.mu.Lock()
		silent := l.silent
		l.proxy.mu.Unlock()
		if silent {
			return // the client hears nothing, not even the end
		}
		if err == nil {
			_, err = l.client.Write(buf[:n])
		}
		if err != nil {
			_ = l.client.Close()
			return
		}
	}
}

// harm applies a fault. The caller holds the proxy's lock.
func (l *link) harm(f fault) {
	l.silent = true
	if f == reset {
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		}
		l.close()
	}
}

func (l *link) close() {
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}
