// Package filestore keeps each session in a file, as Django's engine django.contrib.sessions.backends.file does: Django reads what it
// writes and the other way round, and several processes of either kind may share one folder.
//
// A file says nothing of who a session's owner is and when it began, so Record.Created, Owner and Client come back empty and
// sessions.Config.Absolute cannot be kept. The folder has to be on one machine: file systems of a network keep neither locks nor
// times as well as this needs.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

// Config says how a Store works.
type Config struct {
	// CookieName begins the name of each file: Django's SESSION_COOKIE_NAME. Defaults to "sessionid".
	CookieName string
	// Age is how long a session lives that says nothing else: Django's SESSION_COOKIE_AGE, and sessions.Config.Age. Both sides
	// count it from the file's time of last change. Defaults to 14 days.
	Age time.Duration
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger hears of files that cannot be what they should be. Defaults to slog.Default().
	Logger *slog.Logger
}

// Store is a [sessions.Store] in a folder. It is safe for concurrent use.
type Store struct {
	dir   string
	codec *sessions.Codec
	cfg   Config

	mu   chan struct{} // the lock within this process
	once sync.Once     // says once that the system cannot exchange files
}

var (
	_ sessions.Store   = (*Store)(nil)
	_ sessions.Sweeper = (*Store)(nil)
	_ sessions.Toucher = (*Store)(nil)
	_ sessions.Tracer  = (*Store)(nil)
)

// New returns a Store in the folder dir, Django's SESSION_FILE_PATH, which has to exist. The codec has the salt
// sessions.DefaultSalt.
func New(dir string, codec *sessions.Codec, cfg Config) (*Store, error) {
	if codec == nil {
		return nil, errors.New("filestore: New without a Codec")
	}
	if cfg.CookieName == "" {
		cfg.CookieName = "sessionid"
	}
	if strings.ContainsAny(cfg.CookieName, "/\\:\x00") || strings.HasPrefix(cfg.CookieName, ".") {
		return nil, fmt.Errorf("filestore: files cannot be named after the cookie %q", cfg.CookieName)
	}
	if cfg.Age == 0 {
		cfg.Age = 14 * 24 * time.Hour
	}
	if cfg.Age < 0 {
		return nil, fmt.Errorf("filestore: Config.Age is %v, less than nothing", cfg.Age)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("filestore: %w", err)
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return nil, fmt.Errorf("filestore: sessions cannot be kept in %s: %w; name a folder that exists", dir, err)
	}
	return &Store{dir: dir, codec: codec, cfg: cfg, mu: make(chan struct{}, 1)}, nil
}

// Load implements [sessions.Store].
func (s *Store) Load(ctx context.Context, key string) (sessions.Record, error) {
	if err := ctx.Err(); err != nil {
		return sessions.Record{}, failed("load", err)
	}
	f, err := s.read(key)
	if err != nil {
		return sessions.Record{}, failed("load", err)
	}
	rec := s.record(ctx, f)
	if !rec.Expires.After(s.cfg.Now()) {
		return sessions.Record{}, sessions.ErrNotFound
	}
	return rec, nil
}

// record is a file as a session. One that cannot be read is empty and keeps its key, as in Django.
func (s *Store) record(ctx context.Context, f file) sessions.Record {
	rec := sessions.Record{Version: f.text}
	if f.text != "" {
		data, err := s.codec.Decode(f.text)
		if err != nil {
			s.cfg.Logger.WarnContext(ctx, "filestore: a session's data cannot be read", "error", err)
		} else {
			rec.Data = data
		}
	} else {
		rec.Version = " " // nobody writes that; an empty version would mean that nothing is compared
	}
	life, at := sessions.DjangoLife(rec.Data, s.cfg.Age)
	if at.IsZero() {
		at = f.modified.Add(life)
	}
	rec.Expires = at.UTC()
	return rec
}

// modified is the time of last change that lets rec expire when it should, on both sides. It is now, as after any other writing,
// unless something but the session's age decides.
func (s *Store) modified(rec sessions.Record) time.Time {
	life, at := sessions.DjangoLife(rec.Data, s.cfg.Age)
	if !at.IsZero() { // whatever the file's time
		return s.cfg.Now()
	}
	return rec.Expires.Add(-life)
}

// A file is what was in one at one moment.
type file struct {
	text     string
	modified time.Time
}

// read returns a session's file. What is no file of ours is ErrNotFound.
func (s *Store) read(key string) (file, error) {
	name, err := s.name(key)
	if err != nil {
		return file{}, err
	}
	return s.readFile(name)
}

// maxFile bounds what is read, far above what any session needs.
const maxFile = 16 << 20

func (s *Store) readFile(name string) (file, error) {
	f, err := openPlain(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file{}, sessions.ErrNotFound
	case errors.Is(err, errNotPlain):
		s.cfg.Logger.Warn("filestore: this is no session but something else under the name of one", "file", name)
		return file{}, sessions.ErrNotFound
	case err != nil:
		return file{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return file{}, err
	}
	if info.Size() > maxFile {
		s.cfg.Logger.Warn("filestore: this file is too large for a session", "file", name, "bytes", info.Size())
		return file{}, sessions.ErrNotFound
	}
	text, err := readAll(f, int(info.Size()))
	if err != nil {
		return file{}, err
	}
	return file{text, info.ModTime()}, nil
}

// name is the path of a session's file.
func (s *Store) name(key string) (string, error) {
	name, err := sessions.DjangoFileName(s.cfg.CookieName, key)
	if err != nil || len(key) > maxKey {
		return "", sessions.ErrNotFound
	}
	return filepath.Join(s.dir, name), nil
}

// maxKey keeps names within what every file system takes. Keys that we and Django make have 32 characters.
const maxKey = 64

// failed keeps the contract's answers as they are.
func failed(op string, err error) error {
	if err == nil || errors.Is(err, sessions.ErrNotFound) || errors.Is(err, sessions.ErrConflict) {
		return err
	}
	return fmt.Errorf("filestore: %s a session: %w", op, err)
}
