package password_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/password"
)

// tally is a Trace that keeps what it was told.
type tally struct {
	mu   sync.Mutex
	runs []password.Work
}

func (t *tally) trace(w password.Work) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs = append(t.runs, w)
}

// take returns the runs since the last take, in order.
func (t *tally) take() []password.Work {
	t.mu.Lock()
	defer t.mu.Unlock()
	runs := t.runs
	t.runs = nil
	return runs
}

// sums adds up the units of each kind: "bcrypt 4096, pbkdf2_sha256 10".
func sums(runs []password.Work) string {
	units := map[string]int64{}
	for _, r := range runs {
		units[r.Kind] += r.Units
	}
	var parts []string
	for kind, n := range units {
		parts = append(parts, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// subject is a set of hashers under test with what it traced and logged.
type subject struct {
	*password.Hashers
	*tally
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T, cfg password.Config) subject {
	t.Helper()
	s := subject{tally: &tally{}, log: &lockedBuffer{}}
	cfg.Trace = s.trace
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	if cfg.Gate == nil { // tests run side by side, each with its own queue
		cfg.Gate = password.NewGate(password.GateConfig{Wait: time.Minute})
	}
	h, err := password.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Hashers = h
	return s
}

func encode(t *testing.T, h password.Hasher, text string) string {
	t.Helper()
	s, err := password.New(password.Config{Hashers: []password.Hasher{h}})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := s.Make(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func check(t *testing.T, s subject, text, encoded string) (ok, upgrade bool) {
	t.Helper()
	ok, upgrade, err := s.Check(context.Background(), text, encoded)
	if err != nil {
		t.Fatal(err)
	}
	return ok, upgrade
}
