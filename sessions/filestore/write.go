package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// The rules of writing a session:
//
//  1. Processes of ours write one after the other: a lock on a file beside the sessions. Reading needs no lock, for a file is
//     replaced as a whole.
//  2. Django takes no lock. So a step that must not bring a session back begins with one that fails when Django has just
//     removed it: exchanging two files, or renaming the old one away.
//  3. What such a step has replaced is looked at. If Django has just changed it, it is put back and the answer is ErrConflict.

// Save implements [sessions.Store].
func (s *Store) Save(ctx context.Context, key string, rec sessions.Record) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", failed("save", err)
	}
	text, err := s.codec.Encode(rec.Data, s.cfg.Now())
	if err != nil {
		return "", failed("save", err)
	}
	if key == "" {
		key, err = s.create(text, s.modified(rec))
		return key, failed("save", err)
	}
	name, err := s.name(key)
	if err != nil {
		return "", err
	}
	err = s.locked(ctx, func() error {
		present, err := s.expect(ctx, name, rec.Version)
		if err != nil {
			return err
		}
		return s.replace(name, text, s.modified(rec), present, rec.Version != "")
	})
	if err != nil {
		return "", failed("save", err)
	}
	return key, nil
}

// expect returns the text of a live session's file, which is the version if one is given.
func (s *Store) expect(ctx context.Context, name, version string) (string, error) {
	f, err := s.readFile(name)
	if err != nil {
		return "", err
	}
	rec := s.record(ctx, f)
	switch {
	case !rec.Expires.After(s.cfg.Now()):
		return "", sessions.ErrNotFound
	case version != "" && version != rec.Version:
		return "", sessions.ErrConflict
	}
	return f.text, nil
}

// replace puts text in the place of a file that exists and holds present.
func (s *Store) replace(name, text string, modified time.Time, present string, exact bool) error {
	temp, err := s.temporary(name, text, modified)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	switch err := exchange(temp, name); {
	case errors.Is(err, errors.ErrUnsupported):
		s.once.Do(func() {
			s.cfg.Logger.Warn("filestore: this system cannot exchange two files in one step: a session that Django removes while it is being saved here may come back", "folder", s.dir)
		})
		if _, err := os.Lstat(name); err != nil {
			return gone(err)
		}
		return os.Rename(temp, name)
	case err != nil:
		return gone(err)
	}
	if !exact {
		return nil
	}
	if replaced, err := s.readFile(temp); err != nil || replaced.text == present {
		return err
	}
	if err := exchange(temp, name); err != nil {
		return gone(err)
	}
	return sessions.ErrConflict
}

// temporary writes a file beside name, which Django takes for one of its own temporary ones.
func (s *Store) temporary(name, text string, modified time.Time) (temp string, err error) {
	f, err := os.CreateTemp(s.dir, filepath.Base(name)+temporaryMark+"*")
	if err != nil {
		return "", err
	}
	if err := fill(f, text, modified); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

const temporaryMark = "_out_"

// fill writes and closes f.
func fill(f *os.File, text string, modified time.Time) error {
	_, err := f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chtimes(f.Name(), modified, modified)
	}
	return err
}

// create makes the file of a new session. Nobody knows its key yet.
func (s *Store) create(text string, modified time.Time) (string, error) {
	for tries := 0; ; tries++ {
		key := sessions.NewKey()
		name, err := s.name(key)
		if err != nil {
			return "", err
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && tries < 3 {
			continue
		}
		if err != nil {
			return "", err
		}
		if err := fill(f, text, modified); err != nil {
			_ = os.Remove(name)
			return "", err
		}
		return key, nil
	}
}

// Delete implements [sessions.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return failed("delete", err)
	}
	if _, err := s.name(key); err != nil {
		return nil
	}
	err := s.locked(ctx, func() error {
		for range maxChain {
			name, err := s.name(key)
			if err != nil {
				return nil
			}
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			next, err := s.successor(key)
			if err != nil || next == "" {
				return err
			}
			key = next
		}
		return fmt.Errorf("a session was rotated more than %d times within %v", maxChain, sessions.Grace)
	})
	return failed("delete", err)
}

// maxChain is how many rotations within a minute a log-out follows.
const maxChain = 10000

// Touch implements [sessions.Toucher]. A session with a moment of its own ends at that moment.
func (s *Store) Touch(ctx context.Context, key string, expires, _ time.Time) error {
	if err := ctx.Err(); err != nil {
		return failed("touch", err)
	}
	name, err := s.name(key)
	if err != nil {
		return err
	}
	err = s.locked(ctx, func() error {
		f, err := s.readFile(name)
		if err != nil {
			return err
		}
		rec := s.record(ctx, f)
		if !rec.Expires.After(s.cfg.Now()) {
			return sessions.ErrNotFound
		}
		rec.Expires = expires
		modified := s.modified(rec)
		return gone(os.Chtimes(name, modified, modified))
	})
	return failed("touch", err)
}

// gone is ErrNotFound for a file that is not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return sessions.ErrNotFound
	}
	return err
}
