package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// Rotate implements [sessions.Store]. Whoever renames the old file away has claimed it. The new one is written before, while nobody
// knows its key: a crash in between logs out.
func (s *Store) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", failed("rotate", err)
	}
	name, err := s.name(key)
	if err != nil {
		return "", err
	}
	text, err := s.codec.Encode(rec.Data, s.cfg.Now())
	if err != nil {
		return "", failed("rotate", err)
	}
	next := ""
	err = s.locked(ctx, func() error {
		present, err := s.expect(ctx, name, rec.Version)
		if err != nil {
			return err
		}
		if next, err = s.create(text, s.modified(rec)); err != nil {
			return err
		}
		if err = s.remember(key, next); err == nil {
			err = s.claim(name, present, rec.Version != "")
		}
		if err != nil {
			s.undo(key, next)
		}
		return err
	})
	if err != nil {
		return "", failed("rotate", err)
	}
	return next, nil
}

// claim removes a file that exists and holds present.
func (s *Store) claim(name, present string, exact bool) error {
	temp, err := s.temporary(name, "", s.cfg.Now())
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Rename(name, temp); err != nil {
		return gone(err)
	}
	if !exact {
		return nil
	}
	claimed, err := s.readFile(temp)
	if err == nil && claimed.text == present {
		return nil
	}
	if back := os.Rename(temp, name); back != nil {
		return back
	}
	if err != nil {
		return err
	}
	return sessions.ErrConflict
}

func (s *Store) undo(key, next string) {
	if name, err := s.name(next); err == nil {
		_ = os.Remove(name)
	}
	_ = os.Remove(s.tombstone(key))
}

// Rotated implements [sessions.Tracer].
func (s *Store) Rotated(ctx context.Context, key string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, failed("look for the successor of", err)
	}
	if _, err := s.name(key); err != nil {
		return false, nil
	}
	next, err := s.successor(key)
	return next != "", failed("look for the successor of", err)
}

// tombstone is the file that says what a key became. Its name is none that Django looks at.
func (s *Store) tombstone(key string) string {
	return filepath.Join(s.dir, "."+s.cfg.CookieName+rotatedMark+key)
}

const rotatedMark = "_rotated_"

func (s *Store) remember(key, next string) error {
	name := s.tombstone(key)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return fill(f, next, s.cfg.Now())
}

// successor returns what a key was rotated into within the last minute, or "".
func (s *Store) successor(key string) (string, error) {
	f, err := s.readFile(s.tombstone(key))
	switch {
	case errors.Is(err, sessions.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case !s.remembered(f.modified):
		return "", nil
	}
	if _, err := s.name(f.text); err != nil {
		return "", nil
	}
	return f.text, nil
}

func (s *Store) remembered(at time.Time) bool { return at.Add(sessions.Grace).After(s.cfg.Now()) }
