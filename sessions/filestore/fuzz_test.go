package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/filestore"
)

// FuzzFile: whatever stands in a session's file, it is a session, with data only if we signed them, and can be written over.
func FuzzFile(f *testing.F) {
	good, err := codec(f).Encode(record(f, `{"_auth_user_id":"1","a":[1,2.5,null]}`, 0).Data, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", ".eJw:1vbVSP:x", "e30:1vbVSP:gZ7HVRJiiz71IoiqukI99fZu46O6v2CjNDE7XQ-LiZk", good + "\n", "\xff\x00"} {
		f.Add(seed)
	}
	dir := f.TempDir()
	s := open(f, dir, filestore.Config{})
	const key = "fuzzed0000000000"
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		if err := os.WriteFile(filepath.Join(dir, "sessionid"+key), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rec, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Data.Len() != 0 && text != good {
			t.Fatalf("%q gave data: %v", text, rec.Data.Keys())
		}
		if _, err := s.Save(t.Context(), key, rec); err != nil && !errors.Is(err, sessions.ErrConflict) {
			t.Fatal(err)
		}
	})
}
