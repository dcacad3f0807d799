package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/filestore"
)

// A child is this test program again, which does what lines on its standard input say.
const childVariable = "CARDEA_TEST_FILESTORE_CHILD"

func TestChild(t *testing.T) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		return // it is for the processes that the tests start
	}
	s := open(t, dir, filestore.Config{})
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() {
		op, key, _ := strings.Cut(in.Text(), " ")
		fmt.Println("answer " + act(t, s, op, key))
	}
}

// act does one thing to a session and says what came of it.
func act(t testing.TB, s *filestore.Store, op, key string) string {
	ctx := context.Background()
	switch op {
	case "rotate":
		rec, err := s.Load(ctx, key)
		if err == nil {
			_, err = s.Rotate(ctx, key, rec)
		}
		return word(err)
	case "delete":
		return word(s.Delete(ctx, key))
	case "save":
		rec, err := s.Load(ctx, key)
		if err == nil {
			_, err = s.Save(ctx, key, rec)
		}
		return word(err)
	case "count": // adds 50 members, one at a time
		for i := range 50 {
			for {
				rec, err := s.Load(ctx, key)
				if err != nil {
					return word(err)
				}
				rec.Data = rec.Data.Clone()
				rec.Data.Set(fmt.Sprintf("%d-%d", os.Getpid(), i), []byte("1"))
				if _, err = s.Save(ctx, key, rec); err == nil {
					break
				}
				if !errors.Is(err, sessions.ErrConflict) {
					return word(err)
				}
			}
		}
		return "done"
	}
	return "what is " + op + "?"
}

func word(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, sessions.ErrNotFound):
		return "gone"
	case errors.Is(err, sessions.ErrConflict):
		return "conflict"
	}
	return err.Error()
}

type child struct {
	in  io.Writer
	out *bufio.Scanner
}

// children starts processes that work in dir.
func children(t *testing.T, dir string, n int) []child {
	t.Helper()
	all := make([]child, n)
	for i := range all {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$", "-test.v=false")
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = in.Close()
			_ = cmd.Wait()
			cancel()
		})
		all[i] = child{in, bufio.NewScanner(out)}
		if !all[i].out.Scan() || all[i].out.Text() != "ready" {
			t.Fatalf("a child said %q", all[i].out.Text())
		}
	}
	return all
}

// ask tells each process its line at once and returns the answers.
func ask(t *testing.T, all []child, lines ...string) []string {
	t.Helper()
	for i, line := range lines {
		if _, err := fmt.Fprintln(all[i].in, line); err != nil {
			t.Fatal(err)
		}
	}
	answers := make([]string, len(lines))
	for i := range lines {
		if !all[i].out.Scan() {
			t.Fatal("a child has ended")
		}
		answers[i] = strings.TrimPrefix(all[i].out.Text(), "answer ")
	}
	return answers
}

// TestProcesses: what sessiontest says of goroutines holds of processes too.
func TestProcesses(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("one process on one folder there")
	}
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	all := children(t, dir, 3)

	t.Run("of parallel saves none is lost", func(t *testing.T) {
		key := create(t, s, `{}`)
		if got := ask(t, all, "count "+key, "count "+key, "count "+key); strings.Join(got, " ") != "done done done" {
			t.Fatalf("got %q", got)
		}
		rec, err := s.Load(t.Context(), key)
		if err != nil || rec.Data.Len() != 150 {
			t.Errorf("%d of 150 changes survived, %v", rec.Data.Len(), err)
		}
	})
	t.Run("of parallel rotations one succeeds", func(t *testing.T) {
		for range 50 {
			key := create(t, s, `{}`)
			got := ask(t, all, "rotate "+key, "rotate "+key, "rotate "+key)
			if n := strings.Count(strings.Join(got, " "), "done"); n != 1 || strings.Count(strings.Join(got, " "), "gone") != 2 {
				t.Fatalf("got %q", got)
			}
		}
	})
}

// TestLogoutEndsAll: a log-out by the old key in one process beside a rotation and a save in others leaves no session at all.
func TestLogoutEndsAll(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("one process on one folder there")
	}
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	all := children(t, dir, 3)
	for range 100 {
		key := create(t, s, `{}`)
		for _, word := range ask(t, all, "rotate "+key, "delete "+key, "save "+key) {
			if word != "done" && word != "gone" && word != "conflict" {
				t.Fatalf("got %q", word)
			}
		}
		for name := range names(t, dir) {
			if strings.HasPrefix(name, "sessionid") {
				t.Fatalf("%s is alive after the log-out of %s", name, key)
			}
		}
	}
}

// TestDjangoTakesNoLock: a session that another program removes while it is being saved or rotated stays removed, and what another
// program wrote in between is not overwritten.
func TestDjangoTakesNoLock(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs files that can be exchanged in one step")
	}
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	saved, died := 0, 0
	for i := range 400 {
		key := create(t, s, `{}`)
		name := filepath.Join(dir, "sessionid"+key)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 20 {
				if _, err := s.Save(context.Background(), key, record(t, `{"a":1}`, 14*24*time.Hour)); err == nil {
					saved++
				} else if errors.Is(err, sessions.ErrNotFound) {
					died++
					return
				} else {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 3 * time.Microsecond)
			if err := os.Remove(name); err != nil {
				t.Errorf("the session is not there: %v", err)
			}
		})
		wg.Wait()
		if _, err := os.Lstat(name); err == nil {
			t.Fatal("a session that was removed is back")
		}
	}
	if saved == 0 || died == 0 {
		t.Fatalf("%d saves, %d found the session gone: the race was none", saved, died)
	}
}

// TestDjangoWrites: of saves by version beside a program that takes no lock, none overwrites what that program wrote.
func TestDjangoWrites(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs files that can be exchanged in one step")
	}
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	key := create(t, s, `{}`)
	name := filepath.Join(dir, "sessionid"+key)
	conflicts := 0
	for i := 0; i < 400 || conflicts == 0 && i < 20000; i++ { // until they met
		theirs, err := codec(t).Encode(record(t, fmt.Sprintf(`{"theirs":%d}`, i), 0).Data, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		rec.Data = record(t, fmt.Sprintf(`{"ours":%d}`, i), 0).Data
		var wg sync.WaitGroup
		wg.Go(func() {
			temp := name + "_out_django"
			if err := os.WriteFile(temp, []byte(theirs), 0o600); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Duration(i%100) * 3 * time.Microsecond)
			if err := os.Rename(temp, name); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Duration(i/100%10) * 30 * time.Microsecond)
		_, err = s.Save(t.Context(), key, rec)
		wg.Wait()
		if errors.Is(err, sessions.ErrConflict) {
			conflicts++
		} else if err != nil {
			t.Fatal(err)
		}
		// Theirs came after ours, or ours met theirs and gave way.
		got, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := got.Data.Get("theirs"); !ok {
			t.Fatalf("round %d: what the other program wrote was overwritten", i)
		}
	}
	if conflicts == 0 {
		t.Error("no conflict in 20000 rounds: the race was none")
	}
}
