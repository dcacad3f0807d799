package filestore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// abandoned is the age at which a temporary file belongs to nobody any more.
const abandoned = time.Hour

// Sweep implements [sessions.Sweeper], as Django's clearsessions. It also removes what crashes have left behind and rotations that are
// forgotten; only sessions are counted.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int, error) {
	folder, err := os.Open(s.dir)
	if err != nil {
		return 0, failed("sweep", err)
	}
	defer folder.Close()
	n := 0
	for {
		entries, err := folder.ReadDir(256)
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return n, failed("sweep", err)
			}
			if !e.Type().IsRegular() {
				continue
			}
			removed, err := s.sweepFile(ctx, e.Name(), now)
			if err != nil {
				return n, failed("sweep", err)
			}
			if removed {
				n++
			}
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, failed("sweep", err)
		}
	}
}

// sweepFile removes a file that has served, and reports whether it was a session.
func (s *Store) sweepFile(ctx context.Context, base string, now time.Time) (session bool, err error) {
	path := filepath.Join(s.dir, base)
	if key, ok := strings.CutPrefix(base, s.cfg.CookieName); ok {
		if _, err := s.name(key); err == nil {
			return s.sweepSession(ctx, path, now)
		}
		if name, _, ok := strings.Cut(key, temporaryMark); ok && s.owns(name) {
			return false, s.removeOlder(ctx, path, now.Add(-abandoned))
		}
	}
	if key, ok := strings.CutPrefix(base, "."+s.cfg.CookieName+rotatedMark); ok && s.owns(key) {
		return false, s.removeOlder(ctx, path, now.Add(-sessions.Grace))
	}
	return false, nil
}

func (s *Store) owns(key string) bool {
	_, err := s.name(key)
	return err == nil
}

func (s *Store) sweepSession(ctx context.Context, path string, now time.Time) (removed bool, err error) {
	expired := func() (bool, error) {
		f, err := s.readFile(path)
		if errors.Is(err, sessions.ErrNotFound) || errors.Is(err, fs.ErrPermission) {
			return false, nil
		}
		return err == nil && s.record(ctx, f).Expires.Before(now), err
	}
	if yes, err := expired(); !yes {
		return false, err
	}
	err = s.locked(ctx, func() error {
		yes, err := expired() // still
		if !yes {
			return err
		}
		if err = os.Remove(path); err == nil {
			removed = true
		}
		return ignoreAbsent(err)
	})
	return removed, err
}

func (s *Store) removeOlder(ctx context.Context, path string, than time.Time) error {
	info, err := os.Lstat(path)
	if err != nil || !info.ModTime().Before(than) {
		return ignoreAbsent(err)
	}
	return s.locked(ctx, func() error { return ignoreAbsent(os.Remove(path)) })
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
