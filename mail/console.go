package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ruler is the line of dashes that Django's senders for development put behind each mail.
var ruler = strings.Repeat("-", 79) + "\n"

// NewConsole returns a sender that writes each mail to w, as Django's console backend does: the headers, the text, and a line of
// dashes. Whoever can read w can use the links.
func NewConsole(w io.Writer) Sender { return &console{w: w} }

type console struct {
	mu sync.Mutex
	w  io.Writer
}

// Send implements Sender.
func (c *console) Send(ctx context.Context, m *Message) error {
	text, err := printed(ctx, m)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.w.Write(text); err != nil {
		return fmt.Errorf("mail: write to the console: %w", err)
	}
	return nil
}

// NewFile returns a sender that writes each mail into a file of its own in dir, as Django's filebased backend does: named by the
// time, ending in ".log". The folder is made, and all of it is for its owner's eyes only, since the links work.
func NewFile(dir string) (Sender, error) {
	if dir == "" {
		return nil, errors.New("mail: a sender of files needs a folder")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mail: make the folder of mails: %w", err)
	}
	return &files{dir}, nil
}

type files struct{ dir string }

// Send implements Sender.
func (f *files) Send(ctx context.Context, m *Message) error {
	text, err := printed(ctx, m)
	if err != nil {
		return err
	}
	name := filepath.Join(f.dir, time.Now().Format("20060102-150405-")+rand.Text()[:12]+".log")
	w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("mail: make a file: %w", err)
	}
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("mail: write a file: %w", errors.Join(err, os.Remove(name)))
	}
	return nil
}

// printed checks a message and renders it with the ruler.
func printed(ctx context.Context, m *Message) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	text, err := render(m, time.Now())
	if err != nil {
		return nil, err
	}
	return append(text, ruler...), nil
}
