package django_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/integration/harness"
	"github.com/cardea-go/cardea/internal/testdb"
	"github.com/cardea-go/cardea/internal/testredis"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/cached"
	"github.com/cardea-go/cardea/sessions/cookiestore"
	"github.com/cardea-go/cardea/sessions/filestore"
	"github.com/cardea-go/cardea/sessions/redisstore"
	"github.com/cardea-go/cardea/signing"
	"github.com/cardea-go/cardea/userdb"
)

// An engine is one of Django's, and our store beside it.
type engine struct {
	t     *testing.T
	store sessions.Store
	in    io.Writer
	out   *bufio.Scanner
	errs  *bytes.Buffer
}

var engineKeys = signing.Keys{Current: harness.SecretKey}

// engines make a store of ours and say what Django's settings for it are.
var engines = map[string]func(t *testing.T) (sessions.Store, map[string]any){
	"file": func(t *testing.T) (sessions.Store, map[string]any) {
		dir := t.TempDir()
		store, err := filestore.New(dir, engineCodec(t), filestore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return store, map[string]any{"SESSION_FILE_PATH": dir}
	},
	"signed_cookies": func(t *testing.T) (sessions.Store, map[string]any) {
		store, err := cookiestore.New(engineKeys, cookiestore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return store, nil
	},
	"cache": func(t *testing.T) (sessions.Store, map[string]any) {
		part := testredis.New(t)
		store, err := redisstore.New(redisstore.Wrap(part.Client), redisstore.Config{Prefix: part.Prefix, Version: 3, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return store, map[string]any{"CACHES": djangoCaches(part, 3)}
	},
	"cached_db": func(t *testing.T) (sessions.Store, map[string]any) {
		part, empty := testredis.New(t), testdb.New(t, "sqlite")
		db, err := userdb.OpenURL(t.Context(), empty.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if _, err := db.Migrate(t.Context(), userdb.MigrateOptions{}); err != nil {
			t.Fatal(err)
		}
		store, err := cached.New(db.Sessions(engineCodec(t), userdb.SessionsConfig{}), redisstore.Wrap(part.Client), cached.Config{Prefix: part.Prefix})
		if err != nil {
			t.Fatal(err)
		}
		return store, map[string]any{"CACHES": djangoCaches(part, 1), "DATABASES": map[string]any{"default": harness.DjangoDatabase(t, empty)}}
	},
}

func engineCodec(t *testing.T) *sessions.Codec {
	t.Helper()
	codec, err := sessions.NewCodec(engineKeys, "", true)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func djangoCaches(part testredis.Part, version int) map[string]any {
	return map[string]any{"default": map[string]any{
		"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": part.URL, "KEY_PREFIX": part.Prefix, "VERSION": version,
	}}
}

// eachEngine runs a subtest for each of the engines beside each Django.
func eachEngine(t *testing.T, names []string, run func(t *testing.T, e *engine)) {
	t.Helper()
	t.Parallel()
	for _, version := range []string{"5.2", "4.2"} {
		for _, name := range names {
			t.Run("Django "+version+" "+name, func(t *testing.T) {
				t.Parallel()
				path := harness.Django(t, version)
				store, settings := engines[name](t)
				e := start(t, path, name, settings)
				e.store = store
				t.Log("Django " + e.ask(request{Op: "version"}).Version)
				run(t, e)
			})
		}
	}
}

func start(t *testing.T, python, name string, settings map[string]any) *engine {
	t.Helper()
	all := map[string]any{"SECRET_KEY": harness.SecretKey, "SESSION_ENGINE": "django.contrib.sessions.backends." + name}
	for k, v := range settings {
		all[k] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("engines.py")
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, errs: &bytes.Buffer{}}
	cmd := exec.CommandContext(t.Context(), python, script)
	cmd.Env = append(os.Environ(), "ENGINE_SETTINGS="+string(text))
	cmd.Stderr = e.errs
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
	})
	e.in, e.out = in, bufio.NewScanner(out)
	return e
}

type request struct {
	Op    string          `json:"op"`
	Key   string          `json:"key,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
	Name  string          `json:"name,omitempty"`
	Value any             `json:"value,omitempty"`
}

type reply struct {
	Version, Key, Text string
	Age                float64
}

// ask has Django do something.
func (e *engine) ask(r request) reply {
	e.t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		e.t.Fatalf("Django: %v\n%s", err, e.errs)
	}
	if !e.out.Scan() {
		e.t.Fatalf("Django ended at %s:\n%s", line, e.errs)
	}
	var got reply
	if err := json.Unmarshal(e.out.Bytes(), &got); err != nil {
		e.t.Fatal(err)
	}
	return got
}

func (e *engine) load(key string) sessions.Record {
	e.t.Helper()
	rec, err := e.store.Load(e.t.Context(), key)
	if err != nil {
		e.t.Fatalf("Load(%q): %v", key, err)
	}
	return rec
}

// create makes a session of ours with this data.
func (e *engine) create(text string, life time.Duration) string {
	e.t.Helper()
	data, err := sessions.ParseData([]byte(text))
	if err != nil {
		e.t.Fatal(err)
	}
	key, err := e.store.Save(e.t.Context(), "", sessions.Record{Data: data, Expires: time.Now().Add(life)})
	if err != nil {
		e.t.Fatal(err)
	}
	return key
}

// change sets one member of a session of ours.
func (e *engine) change(key, name, raw string) error {
	e.t.Helper()
	rec := e.load(key)
	rec.Data = rec.Data.Clone()
	rec.Data.Set(name, json.RawMessage(raw))
	_, err := e.store.Save(e.t.Context(), key, rec)
	return err
}

// wantHere checks what our store reads, wantThere what Django does; "" is no session.
func (e *engine) wantHere(key, want string) {
	e.t.Helper()
	if want == "" {
		if _, err := e.store.Load(e.t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
			e.t.Errorf("here: got %v, want ErrNotFound", err)
		}
		return
	}
	got, err := e.load(key).Data.AppendJSON(nil)
	if err != nil || string(got) != want {
		e.t.Errorf("here:\n got %s (%v)\nwant %s", got, err, want)
	}
}

func (e *engine) wantThere(key, want string) {
	e.t.Helper()
	if want == "" {
		want = "{}"
	}
	if got := e.ask(request{Op: "load", Key: key}); got.Text != want {
		e.t.Errorf("in Django:\n got %s\nwant %s", got.Text, want)
	}
}

const (
	fortnight = 14 * 24 * time.Hour
	manifold  = `{"_auth_user_id":"1","z":1,"a":1.0,"big":123456789012345678901234567890,"text":"\u00e9\u20ac\ud83d\ude00 \"\\","list":[1,[2.5,{"k":null}],true],"":{}}`
)

var (
	allEngines      = []string{"file", "signed_cookies", "cache", "cached_db"}
	statefulEngines = []string{"file", "cache", "cached_db"}
)

// TestEnginesRead: a session of each side is the same on the other, and lives as long.
func TestEnginesRead(t *testing.T) {
	eachEngine(t, allEngines, func(t *testing.T, e *engine) {
		theirs := e.ask(request{Op: "create", Data: json.RawMessage(manifold)})
		e.wantHere(theirs.Key, manifold)
		if left := time.Until(e.load(theirs.Key).Expires); (left - fortnight).Abs() > time.Minute {
			t.Errorf("Django's session lives for %v here, want %v", left, fortnight)
		}
		ours := e.create(manifold, fortnight)
		e.wantThere(ours, manifold)
		if got := e.ask(request{Op: "load", Key: ours}).Age; math.Abs(got-fortnight.Seconds()) > 60 {
			t.Errorf("our session lives for %v seconds in Django", got)
		}
		e.wantHere(e.ask(request{Op: "create", Data: json.RawMessage(`{"large":"` + strings.Repeat("x", 30_000) + `"}`)}).Key, `{"large":"`+strings.Repeat("x", 30_000)+`"}`)

		short := e.ask(request{Op: "create", Data: json.RawMessage(`{"a":1}`), Value: 300})
		if left := time.Until(e.load(short.Key).Expires); (left - 5*time.Minute).Abs() > 30*time.Second {
			t.Errorf("a session for five minutes lives for %v here", left)
		}
		at := time.Now().Add(20 * time.Minute).UTC().Format("2006-01-02T15:04:05.000000+00:00")
		until := e.ask(request{Op: "expire_at", Key: short.Key, Value: at})
		if left := time.Until(e.load(until.Key).Expires); (left - 20*time.Minute).Abs() > 30*time.Second {
			t.Errorf("a session for twenty minutes lives for %v here", left)
		}
	})
}

// TestCacheValues: Django's own cache.get reads what we keep, and what its cache.set keeps we read.
func TestCacheValues(t *testing.T) {
	eachEngine(t, []string{"cache", "cached_db"}, func(t *testing.T, e *engine) {
		ours, theirs := e.create(manifold, fortnight), e.ask(request{Op: "create", Data: json.RawMessage(`{"a":1}`)}).Key
		e.ask(request{Op: "load", Key: ours}) // with cached_db it is Django that keeps copies
		if got := e.ask(request{Op: "cache_get", Key: ours}).Text; got != manifold {
			t.Errorf("cache.get of our session:\n got %s\nwant %s", got, manifold)
		}
		if err := e.change(theirs, "b", "2"); err != nil {
			t.Fatal(err)
		}
		if _, copies := e.store.(*cached.Store); copies { // a change of ours takes the copy away
			if got := e.ask(request{Op: "cache_get", Key: theirs}).Text; got != "null" {
				t.Errorf("cache.get after our change: got %s, want nothing", got)
			}
			return
		}
		if got := e.ask(request{Op: "cache_get", Key: theirs}).Text; got != `{"a":1,"b":2}` {
			t.Errorf("cache.get after our change: got %s", got)
		}
		e.ask(request{Op: "cache_set", Key: theirs, Data: json.RawMessage(manifold), Value: 600})
		e.wantHere(theirs, manifold)
		if left := time.Until(e.load(theirs).Expires); (left - 10*time.Minute).Abs() > 30*time.Second {
			t.Errorf("what cache.set keeps for ten minutes lives for %v here", left)
		}
	})
}

// TestEnginesChange: what one side changes the other reads at once, and of two that change, ours does not overwrite Django's.
func TestEnginesChange(t *testing.T) {
	eachEngine(t, statefulEngines, func(t *testing.T, e *engine) {
		for _, key := range []string{e.create(`{"a":1}`, fortnight), e.ask(request{Op: "create", Data: json.RawMessage(`{"a":1}`)}).Key} {
			e.wantThere(key, `{"a":1}`)
			if err := e.change(key, "here", "2"); err != nil {
				t.Fatal(err)
			}
			e.wantThere(key, `{"a":1,"here":2}`)
			before := e.load(key)
			e.ask(request{Op: "set", Key: key, Name: "there", Value: 3})
			e.wantHere(key, `{"a":1,"here":2,"there":3}`)
			if _, err := e.store.Save(t.Context(), key, before); !errors.Is(err, sessions.ErrConflict) {
				t.Errorf("Save over Django's change: got %v, want ErrConflict", err)
			}
			if _, err := e.store.Rotate(t.Context(), key, before); !errors.Is(err, sessions.ErrConflict) {
				t.Errorf("Rotate over Django's change: got %v, want ErrConflict", err)
			}
			e.wantThere(key, `{"a":1,"here":2,"there":3}`)

			next, err := e.store.Rotate(t.Context(), key, e.load(key))
			if err != nil {
				t.Fatal(err)
			}
			e.wantThere(key, "")
			e.wantThere(next, `{"a":1,"here":2,"there":3}`)
			cycled := e.ask(request{Op: "cycle", Key: next}).Key
			e.wantHere(next, "")
			e.wantHere(cycled, `{"a":1,"here":2,"there":3}`)
		}
	})
}

// TestEnginesEnd: a session that ends on one side is dead on the other at once, and stays dead.
func TestEnginesEnd(t *testing.T) {
	eachEngine(t, statefulEngines, func(t *testing.T, e *engine) {
		for _, maker := range []string{"here", "there"} {
			create := func() string {
				if maker == "here" {
					return e.create(`{"a":1}`, fortnight)
				}
				return e.ask(request{Op: "create", Data: json.RawMessage(`{"a":1}`)}).Key
			}
			key := create()
			e.wantThere(key, `{"a":1}`) // with cached_db, Django has its copy now
			if err := e.store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			e.wantThere(key, "")
			if got := e.ask(request{Op: "set", Key: key, Name: "b", Value: 1}); got.Key == key {
				t.Error("Django goes on with the dead key")
			}
			e.wantHere(key, "")

			key = create()
			rec := e.load(key)
			e.ask(request{Op: "flush", Key: key})
			e.wantHere(key, "")
			if _, err := e.store.Save(t.Context(), key, rec); !errors.Is(err, sessions.ErrNotFound) {
				t.Errorf("Save after Django's log-out: got %v, want ErrNotFound", err)
			}
			e.wantThere(key, "")
		}
	})
}

// TestEnginesExpire: Django's clearsessions takes our expired sessions and leaves the others, and the other way round.
func TestEnginesExpire(t *testing.T) {
	eachEngine(t, statefulEngines, func(t *testing.T, e *engine) {
		live, dead := e.create(`{"a":1}`, fortnight), e.create(`{"a":1}`, -time.Hour)
		theirs := e.ask(request{Op: "create", Data: json.RawMessage(`{"a":1}`)}).Key
		e.wantThere(dead, "")
		e.ask(request{Op: "clear_expired"})
		if sweeper, ok := e.store.(sessions.Sweeper); ok {
			if n, err := sweeper.Sweep(t.Context(), time.Now()); n != 0 || err != nil {
				t.Errorf("Sweep after Django's clearsessions: got %d and %v, want nothing left", n, err)
			}
		}
		e.wantHere(dead, "")
		for _, key := range []string{live, theirs} {
			e.wantHere(key, `{"a":1}`)
			e.wantThere(key, `{"a":1}`)
		}
	})
}

// TestCachedDBControl: with cached_db, a row that is deleted without its copy leaves the person logged in to Django. That is what
// sessions/cached is for.
func TestCachedDBControl(t *testing.T) {
	eachEngine(t, []string{"cached_db"}, func(t *testing.T, e *engine) {
		key := e.ask(request{Op: "create", Data: json.RawMessage(`{"_auth_user_id":"1"}`)}).Key
		e.ask(request{Op: "delete_row", Key: key})
		e.wantHere(key, "")
		e.wantThere(key, `{"_auth_user_id":"1"}`)
		if err := e.store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		e.wantThere(key, "")
	})
}

// TestCacheWithObjects: a session in which Django keeps what only Python can read is an outage here and lives on there.
func TestCacheWithObjects(t *testing.T) {
	eachEngine(t, []string{"cache"}, func(t *testing.T, e *engine) {
		key := e.create(`{"a":1}`, fortnight)
		e.ask(request{Op: "set_date", Key: key})
		var foreign *redisstore.PickleError
		if _, err := e.store.Load(t.Context(), key); !errors.As(err, &foreign) {
			t.Errorf("got %v, want a PickleError", err)
		}
		e.wantThere(key, `{"a":1,"date":"2026-01-02"}`)
	})
}
