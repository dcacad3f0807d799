package cardea_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cardea-go/cardea"
	"github.com/cardea-go/cardea/cardeatest"
)

// pipes is a listener of connections in memory.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// TestSlowClients: who sends a header or a body drop by drop, or keeps a connection for nothing, is cut off in time; who is quick is
// answered.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sent string
		drops      bool // go on for ever
		within     time.Duration
		answered   bool
	}{
		{"a header that never ends", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", true, 11 * time.Second, false},
		{"nothing at all", "", false, 11 * time.Second, false},
		{"a body that never ends", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", true, 61 * time.Second, false},
		{"a connection that is kept", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false, 121 * time.Second, true},
		{"control: one request", "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", false, time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			site, err := cardea.New(cardeatest.DB(t), cardeatest.Config())
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ln := &pipes{make(chan net.Conn), make(chan struct{})}
			served := make(chan error, 1)
			go func() {
				served <- site.ServeListener(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						http.Error(w, "the body", http.StatusBadRequest)
					}
				}), nil)
			}()
			client, server := net.Pipe()
			ln.calls <- server
			began := time.Now()
			sent := make(chan struct{})
			go func() { // drop by drop
				defer close(sent)
				_, err := io.WriteString(client, tt.sent)
				for err == nil && tt.drops {
					time.Sleep(time.Second)
					_, err = io.WriteString(client, "a")
				}
			}()
			answer, err := io.ReadAll(client)
			if took := time.Since(began); took > tt.within || err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s: cut off after %v (%v), want at most %v", tt.name, took, err, tt.within)
			}
			if answered := strings.HasPrefix(string(answer), "HTTP/1.1 200 "); answered != tt.answered {
				t.Errorf("%s: got the answer %q", tt.name, answer)
			}
			_ = client.Close()
			<-sent
			stop()
			if err := <-served; err != nil {
				t.Errorf("%s: Serve: %v", tt.name, err)
			}
		})
	}
}
