package harness

import (
	"context"
	"errors"
	"os/exec"
	"testing"
)

// Run runs a program to its end and returns what it printed and its exit status. One that does not end in time fails the test.
func Run(t testing.TB, c Command) (output string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, append(environment(), c.Env...)
	if c.Dir == "" {
		cmd.Dir = t.TempDir()
	}
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ctx.Err() != nil) {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// MustRun is Run for a program that has to succeed.
func MustRun(t testing.TB, c Command) string {
	t.Helper()
	out, status := Run(t, c)
	if status != 0 {
		t.Fatalf("%s %q: status %d\n%s", c.Path, c.Args, status, out)
	}
	return out
}
