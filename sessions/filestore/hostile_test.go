//go:build unix

package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/filestore"
)

// TestHostileFolder: what stands under the name of a session and is none is not found, leads nowhere, and is not waited for.
func TestHostileFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	victim := create(t, s, `{"_auth_user_id":"1"}`)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("root:x:0:0"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(key string) string { return filepath.Join(dir, "sessionid"+key) }
	plant := map[string]func(string) error{
		"alinktoasession0": func(name string) error { return os.Symlink(at(victim), name) },
		"alinktoasecret00": func(name string) error { return os.Symlink(secret, name) },
		"adanglinglink000": func(name string) error { return os.Symlink(secret+"x", name) },
		"afolder000000000": func(name string) error { return os.Mkdir(name, 0o700) },
		"apipe00000000000": func(name string) error { return syscall.Mkfifo(name, 0o600) },
		"huge000000000000": func(name string) error {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(name, 1<<40)
		},
	}
	for key, do := range plant {
		if err := do(at(key)); err != nil {
			t.Fatal(err)
		}
	}
	for key := range plant {
		if _, err := s.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("Load(%s): got %v, want ErrNotFound", key, err)
		}
		if _, err := s.Save(t.Context(), key, record(t, `{"b":1}`, time.Hour)); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("Save(%s): got %v, want ErrNotFound", key, err)
		}
		if _, err := s.Rotate(t.Context(), key, record(t, `{"b":1}`, time.Hour)); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("Rotate(%s): got %v, want ErrNotFound", key, err)
		}
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(1000*time.Hour)); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "root:x:0:0" {
		t.Errorf("the file outside: %q, %v", text, err)
	}
	for _, key := range []string{"../../etc/passwd", "..", strings.Repeat("a", 300), "UPPERCASE", "with_mark_out_x"} {
		if _, err := s.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("Load(%.20q): got %v, want ErrNotFound", key, err)
		}
	}
}
