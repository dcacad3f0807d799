package browser_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// A day is how a post office treats one connection.
type day int

const (
	good    day = iota
	refuses     // it turns everybody away
	hangs       // it takes the whole mail and never says whether it has it
	dies        // the connection breaks in the middle of its answer to the mail
)

// A postOffice is an SMTP server in this process, with a plan of bad days; after those all days are good.
type postOffice struct {
	listener net.Listener
	closed   chan struct{}

	mu    sync.Mutex
	plan  []day
	seen  map[day]int // connections, by how they were treated
	mails []string    // accepted, raw
}

func newPostOffice(t *testing.T, plan ...day) *postOffice {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{listener: listener, closed: make(chan struct{}), plan: plan, seen: map[day]int{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { o.serve(conn, o.next()) })
		}
	})
	t.Cleanup(func() {
		close(o.closed)
		_ = listener.Close()
		wg.Wait()
	})
	return o
}

// settings are those of a site that sends its mails there.
func (o *postOffice) settings() []string {
	host, port, _ := net.SplitHostPort(o.listener.Addr().String())
	return []string{"CARDEA_EMAIL_HOST=" + host, "CARDEA_EMAIL_PORT=" + port, "CARDEA_EMAIL_TIMEOUT=2"}
}

// coming adds days to the plan.
func (o *postOffice) coming(days ...day) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.plan = append(o.plan, days...)
}

func (o *postOffice) next() day {
	o.mu.Lock()
	defer o.mu.Unlock()
	today := good
	if len(o.plan) > 0 {
		today, o.plan = o.plan[0], o.plan[1:]
	}
	o.seen[today]++
	return today
}

// treated is the number of connections that were treated so.
func (o *postOffice) treated(as day) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[as]
}

func (o *postOffice) serve(conn net.Conn, today day) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	lines := textproto.NewReader(bufio.NewReader(conn))
	say := func(text string) { _, _ = fmt.Fprintf(conn, "%s\r\n", text) }
	if today == refuses {
		say("421 not today")
		return
	}
	say("220 post.test")
	for {
		line, err := lines.ReadLine()
		if err != nil {
			return
		}
		command, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch command {
		case "EHLO":
			say("250-post.test\r\n250 8BITMIME")
		case "DATA":
			say("354 go on")
			raw, err := io.ReadAll(lines.DotReader())
			if err != nil {
				return
			}
			switch today {
			case hangs:
				<-o.closed
				return
			case dies:
				_, _ = io.WriteString(conn, "25")
				return
			}
			o.mu.Lock()
			o.mails = append(o.mails, string(raw))
			o.mu.Unlock()
			say("250 it is on its way")
		case "QUIT":
			say("221 good bye")
			return
		default:
			say("250 yes")
		}
	}
}

func (o *postOffice) letters(t testing.TB) []letter {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []letter
	for _, raw := range o.mails {
		l, err := readLetter(raw)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		list = append(list, l)
	}
	return list
}
