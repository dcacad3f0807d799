package harness

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a test waits for what takes no time on an idle machine.
const Patience = 60 * time.Second

// A Command is a program to be started.
type Command struct {
	Path  string
	Args  []string
	Env   []string       // "NAME=value", beside this process's own without CARDEA_ and DJANGO_
	Dir   string         // defaults to a new folder
	Ready *regexp.Regexp // what the program prints to its standard output when it is ready
}

// A Process is a program that runs. It is killed when the test ends, and what it printed is shown if the test failed.
type Process struct {
	cmd   *exec.Cmd
	out   *transcript
	ready []string
	done  chan struct{}
	err   error // of Wait, once done is closed
}

// Start starts a program and waits until it is ready.
func Start(t testing.TB, c Command) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(c.Path, c.Args...), out: &transcript{}, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = c.Dir, append(environment(), c.Env...)
	if c.Dir == "" {
		p.cmd.Dir = t.TempDir()
	}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.cmd, p.out.tail())
		}
	})
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		if p.ready = c.Ready.FindStringSubmatch(p.out.String()); p.ready != nil {
			return p
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended before it was ready: %v\n%s", p.cmd, p.err, p.out)
		case <-deadline.C:
			t.Fatalf("%s is not ready after %v:\n%s", p.cmd, Patience, p.out)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Ready is what Command.Ready matched, and its groups.
func (p *Process) Ready() []string { return p.ready }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Output is what the process has printed so far.
func (p *Process) Output() string { return p.out.String() }

// Stop asks the process to end, as a service manager does, and waits for it. A process that does not end, or ends with another
// status than 0, fails the test.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	select {
	case <-p.done:
		if p.err != nil {
			t.Errorf("%s: %v\n%s", p.cmd, p.err, p.out)
		}
	case <-time.After(Patience):
		p.kill()
		t.Errorf("%s did not stop within %v", p.cmd, Patience)
	}
}

// Kill ends the process as a crash does: it gets no chance to finish anything.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	if !p.Running() {
		t.Errorf("%s had ended by itself: %v\n%s", p.cmd, p.err, p.out)
	}
	p.kill()
}

func (p *Process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// environment is that of this process without what configures Cardea or Django.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "CARDEA_") && !strings.HasPrefix(entry, "DJANGO_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// A transcript is what a process has printed.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// tail is the end of it, as much as a person reads.
func (o *transcript) tail() string {
	const most = 8 << 10
	text := o.String()
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}
