package manage

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A prompt asks a person. Passwords do not show while they are typed.
type prompt struct {
	in       *bufio.Reader
	out      io.Writer
	terminal *os.File // nil when standard input is not a terminal
}

func (p *Program) prompt() *prompt {
	q := &prompt{in: bufio.NewReader(p.Stdin), out: p.Stderr}
	if f, ok := p.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		q.terminal = f
	}
	return q
}

// interactive reports whether there is a person to ask.
func (q *prompt) interactive() bool { return q.terminal != nil }

// errNoAnswer is the end of the input before an answer.
var errNoAnswer = errors.New("the input ended before an answer; run it in a terminal, or see --help for the way without one")

// line asks for one line.
func (q *prompt) line(question string) (string, error) {
	fmt.Fprint(q.out, question)
	text, err := q.in.ReadString('\n')
	if err != nil && text == "" {
		return "", errNoAnswer
	}
	return strings.TrimRight(text, "\r\n"), nil
}

// password asks for a password. Without a terminal it reads a line of standard input and says so.
func (q *prompt) password(question string) (string, error) {
	if q.terminal == nil {
		return q.line(question)
	}
	fmt.Fprint(q.out, question)
	text, err := term.ReadPassword(int(q.terminal.Fd()))
	fmt.Fprintln(q.out)
	if err != nil {
		return "", errNoAnswer
	}
	return string(text), nil
}
