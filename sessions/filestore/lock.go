package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// locked calls do while no other process and no other goroutine of ours writes in the folder.
func (s *Store) locked(ctx context.Context, do func() error) error {
	select {
	case s.mu <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.mu }()
	f, err := os.OpenFile(filepath.Join(s.dir, "."+s.cfg.CookieName+".lock"), os.O_RDWR|os.O_CREATE|plainFlags, 0o600)
	if err != nil {
		return fmt.Errorf("lock the folder: %w", err)
	}
	defer f.Close() // which unlocks
	for wait := 100 * time.Microsecond; ; wait = min(2*wait, 5*time.Millisecond) {
		switch err := tryLock(f); {
		case err == nil:
			return do()
		case !errors.Is(err, errLocked):
			return fmt.Errorf("lock the folder: %w", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("wait for another process to write: %w", ctx.Err())
		}
	}
}

var errLocked = errors.New("locked by another process")
