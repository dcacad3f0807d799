package filestore_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/filestore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
	"github.com/cardea-go/cardea/signing"
)

func codec(t testing.TB) *sessions.Codec {
	t.Helper()
	c, err := sessions.NewCodec(signing.Keys{Current: "a secret for tests alone"}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t testing.TB, dir string, cfg filestore.Config) *filestore.Store {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := filestore.New(dir, codec(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(t testing.TB, json string, life time.Duration) sessions.Record {
	t.Helper()
	d, err := sessions.ParseData([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return sessions.Record{Data: d, Expires: time.Now().Add(life)}
}

func create(t testing.TB, s *filestore.Store, json string) string {
	t.Helper()
	key, err := s.Save(t.Context(), "", record(t, json, 14*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestStore(t *testing.T) {
	t.Parallel()
	clock := sessiontest.NewClock()
	sessiontest.Run(t, func(t *testing.T) sessions.Store {
		return open(t, t.TempDir(), filestore.Config{Now: clock.Now})
	}, sessiontest.WithClock(clock), sessiontest.Bare())
}

// TestFile: the file is where Django looks for it, its owner's alone, and its time of change tells Django when it expires.
func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{CookieName: "crumb", Age: time.Hour})
	for _, c := range []struct {
		json           string
		life, modified time.Duration // from now
	}{
		{`{"a":1}`, time.Hour, 0},
		{`{"a":1}`, 20 * time.Minute, -40 * time.Minute}, // an idle limit
		{`{"_session_expiry":0}`, time.Hour, 0},
		{`{"_session_expiry":600}`, 10 * time.Minute, 0},
	} {
		rec := record(t, c.json, c.life)
		key, err := s.Save(t.Context(), "", rec)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, "crumb"+key))
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
		want := rec.Expires.Add(c.modified - c.life)
		if got := info.ModTime(); got.Sub(want).Abs() > time.Second {
			t.Errorf("%s for %v: changed at %v, want %v", c.json, c.life, got, want)
		}
		got, err := s.Load(t.Context(), key)
		if err != nil || got.Expires.Sub(rec.Expires).Abs() > time.Second {
			t.Errorf("%s for %v: expires at %v (%v), want %v", c.json, c.life, got.Expires, err, rec.Expires)
		}
	}
	moment := time.Now().Add(3 * time.Hour).Truncate(time.Second).UTC()
	key := create(t, s, `{"_session_expiry":"`+moment.Format("2006-01-02T15:04:05-07:00")+`"}`)
	if got, err := s.Load(t.Context(), key); err != nil || !got.Expires.Equal(moment) {
		t.Errorf("a moment of its own: expires at %v (%v), want %v", got.Expires, err, moment)
	}
}

// TestUnreadableData: a file that was tampered with is a session without data, under its key, as in Django; it can be written over,
// and an empty file, which Django makes for a moment, is no other.
func TestUnreadableData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	for _, text := range []string{"", "e30:1vbVSP:nonsense", "\xff\xfe\x00", strings.Repeat("A", 1<<20)} {
		const key = "tampered00000000"
		if err := os.WriteFile(filepath.Join(dir, "sessionid"+key), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rec, err := s.Load(t.Context(), key)
		if err != nil || rec.Data.Len() != 0 || rec.Version == "" {
			t.Fatalf("Load of %.20q: %d members, version %.20q, %v", text, rec.Data.Len(), rec.Version, err)
		}
		stale := rec
		rec.Data = record(t, `{"b":1}`, 0).Data
		if _, err := s.Save(t.Context(), key, rec); err != nil {
			t.Errorf("Save over %.20q: %v", text, err)
		}
		if _, err := s.Save(t.Context(), key, stale); !errors.Is(err, sessions.ErrConflict) {
			t.Errorf("Save over what replaced %.20q: got %v, want ErrConflict", text, err)
		}
	}
}

// TestSweepTidies: what crashes leave behind goes after an hour, rotations after a minute, and files of others stay.
func TestSweepTidies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	live := create(t, s, `{}`)
	rotated, err := s.Rotate(t.Context(), create(t, s, `{}`), record(t, `{}`, 14*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	others := []string{"sessionid", "sessionid" + live + "x_y", "notasession", ".hidden", "other" + live}
	temporary := []string{"sessionid" + live + "_out_a1b2c3d4", "sessionid" + live + "_out_99"}
	old := time.Now().Add(-1000 * time.Hour)
	for _, name := range append(others, temporary...) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	fresh := "sessionid" + live + "_out_fresh"
	if err := os.WriteFile(filepath.Join(dir, fresh), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("got %d and %v, want nothing", n, err)
	}
	want := append([]string{"sessionid" + live, "sessionid" + rotated, fresh, ".sessionid.lock"}, others...)
	got := names(t, dir)
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is gone", name)
		}
		delete(got, name)
	}
	if len(got) != 1 { // the rotation, a moment old
		t.Errorf("left: %v", got)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(2*sessions.Grace)); err != nil {
		t.Fatal(err)
	}
	if after := names(t, dir); len(after) != len(want) {
		t.Errorf("after a while: %v", after)
	}
}

func names(t *testing.T, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, e := range entries {
		all[e.Name()] = true
	}
	return all
}

// TestNothingLeft: after saving, rotating and conflicts no temporary file remains.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, filestore.Config{})
	key := create(t, s, `{"a":1}`)
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a conflict
		next := rec
		next.Data = record(t, `{"a":2}`, 0).Data
		if _, err := s.Save(t.Context(), key, next); err != nil && !errors.Is(err, sessions.ErrConflict) {
			t.Fatal(err)
		}
	}
	if _, err := s.Rotate(t.Context(), key, rec); !errors.Is(err, sessions.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	if got := names(t, dir); len(got) != 2 || !got["sessionid"+key] {
		t.Errorf("got %v, want the session and the lock", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir string
		cfg filestore.Config
	}{
		{filepath.Join(dir, "absent"), filestore.Config{}},
		{file, filestore.Config{}},
		{dir, filestore.Config{CookieName: "../x"}},
		{dir, filestore.Config{CookieName: ".x"}},
		{dir, filestore.Config{Age: -1}},
	} {
		if _, err := filestore.New(c.dir, codec(t), c.cfg); err == nil {
			t.Errorf("New(%q, %+v): no error", c.dir, c.cfg)
		}
	}
	if _, err := filestore.New(dir, nil, filestore.Config{}); err == nil {
		t.Error("New without a Codec: no error")
	}
}
