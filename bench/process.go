package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A process is a subject that serves HTTP in a process of its own.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.Closer
	facts  facts
	client *http.Client
}

// facts are what a subject tells about itself.
type facts struct{ Address, Cookie string }

// start runs this program again as the subject of that name.
func start(name string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-serve", name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, stdin: stdin, client: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: clients},
	}}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &p.facts)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *process) stop() {
	_ = p.stdin.Close()
	_ = p.cmd.Wait()
}

// clients ask at once, so that the server is never idle: waking up from idleness would be measured instead.
const clients = 8

// spend asks n times and returns the CPU time that it cost the process.
func (p *process) spend(n int) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	failures := make(chan error, clients)
	for range clients {
		go func() { failures <- p.ask(n / clients) }()
	}
	for range clients {
		if failed := <-failures; failed != nil {
			err = failed
		}
	}
	if err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return after - before, err
}

func (p *process) ask(n int) error {
	for range n {
		body, err := p.get("/")
		if err != nil {
			return err
		}
		if !strings.HasPrefix(body, "Hello, ada") {
			return fmt.Errorf("the answer is %q", body)
		}
	}
	return nil
}

func (p *process) cpu() (time.Duration, error) {
	text, err := p.get("/cpu")
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(text)
}

func (p *process) get(path string) (string, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+p.facts.Address+path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", "text/html")
	if p.facts.Cookie != "" {
		r.Header.Set("Cookie", p.facts.Cookie)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// be is the other side: it serves a subject until standard input is closed.
func be(name string) error {
	dir, err := os.MkdirTemp("", "cardea-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newSubject(dir, name)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, _ *http.Request) {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).String())
	})
	mux.Handle("/", s.handler)
	if err := json.NewEncoder(os.Stdout).Encode(facts{Address: ln.Addr().String(), Cookie: s.cookie}); err != nil {
		return err
	}
	go func() { _ = http.Serve(ln, mux) }()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
