package redisstore_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/internal/testredis"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/redisstore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
)

// open returns a store on a part of the server, over connections of its own.
func open(t testing.TB, part testredis.Part, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	server, err := redisstore.Open(part.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return over(t, server, part, cfg)
}

func over(t testing.TB, client redisstore.Client, part testredis.Part, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	cfg.Prefix = part.Prefix
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := redisstore.New(client, cfg)
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

func create(t testing.TB, s *redisstore.Store, json string) string {
	t.Helper()
	key, err := s.Save(t.Context(), "", record(t, json, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// value is where Django looks for a session.
func value(part testredis.Part, key string) string {
	return sessions.DjangoCacheKey(part.Prefix, 1, sessions.DjangoCacheEngine, key)
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, hashed := range map[string]bool{"keys as they are": false, "hashed keys": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sessiontest.Run(t, func(t *testing.T) sessions.Store {
				return open(t, testredis.New(t), redisstore.Config{HashKeys: hashed})
			})
		})
	}
}

// TestStoredForm: the value is the pickle that Django reads, under the key where it looks, for as long as the session lives; what is
// beside it lives no longer; and hashed keys stand nowhere as they are.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := open(t, part, redisstore.Config{})
	key := create(t, s, `{"a":1}`)
	got, err := part.Client.Get(t.Context(), value(part, key)).Result()
	// pickle.dumps({"a": 1}, 5) of Python 3.11
	if want := "\x80\x05\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s."; got != want || err != nil {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
	if value(part, key) != part.Prefix+":1:django.contrib.sessions.cache"+key {
		t.Errorf("the key is %q", value(part, key))
	}
	for _, name := range part.Keys(t) {
		if left := part.Client.TTL(t.Context(), name).Val(); left < 59*time.Minute || left > time.Hour {
			t.Errorf("%s lives for %v, want an hour", name, left)
		}
	}

	part = testredis.New(t)
	s = open(t, part, redisstore.Config{HashKeys: true})
	key = create(t, s, `{}`)
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.Rotate(t.Context(), key, rec)
	if err != nil {
		t.Fatal(err)
	}
	names := part.Keys(t)
	if len(names) != 3 {
		t.Errorf("got the keys %q, want a value, a note and what the old one became", names)
	}
	for _, name := range names {
		text, _ := part.Client.Get(t.Context(), name).Result() // a note is no text
		if strings.Contains(name+text, key) || strings.Contains(name+text, next) {
			t.Errorf("%s holds a key as it is: %q", name, text)
		}
	}
}

// TestExpiry: Redis lets a session expire, and what Django stored again since lives as Django said.
func TestExpiry(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := open(t, part, redisstore.Config{Age: 2 * time.Hour})
	rec := record(t, `{"a":1}`, 300*time.Millisecond)
	key, err := s.Save(t.Context(), "", rec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	lasting := create(t, s, `{"a":1}`)
	expires := func(what string, want time.Duration) {
		t.Helper()
		got, err := s.Load(t.Context(), lasting)
		if left := time.Until(got.Expires); err != nil || left < want-10*time.Second || left > want+time.Second {
			t.Errorf("%s: lives for %v (%v), want %v", what, left, err, want)
		}
	}
	expires("as saved", time.Hour)
	stored := part.Client.Get(t.Context(), value(part, lasting)).Val()
	part.Client.Set(t.Context(), value(part, lasting), stored, 5*time.Hour)
	expires("stored again by Django", 5*time.Hour)
	part.Client.Set(t.Context(), value(part, lasting), stored, 0)
	expires("stored without an end", 2*time.Hour)
	time.Sleep(time.Until(rec.Expires) + 5*time.Millisecond)
	if _, err := s.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("after its time: got %v, want ErrNotFound", err)
	}
}

// TestDjangoWrites: a session that Django changed or removed since it was loaded is a conflict or gone.
func TestDjangoWrites(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := open(t, part, redisstore.Config{})
	key := create(t, s, `{"a":1}`)
	rec, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := sessions.EncodePickle(record(t, `{"theirs":1}`, 0).Data, 4)
	if err != nil {
		t.Fatal(err)
	}
	part.Client.Set(t.Context(), value(part, key), theirs, time.Hour)
	if _, err := s.Save(t.Context(), key, rec); !errors.Is(err, sessions.ErrConflict) {
		t.Errorf("Save: got %v, want ErrConflict", err)
	}
	if _, err := s.Rotate(t.Context(), key, rec); !errors.Is(err, sessions.ErrConflict) {
		t.Errorf("Rotate: got %v, want ErrConflict", err)
	}
	if got, err := s.Load(t.Context(), key); err != nil || got.Data.Keys()[0] != "theirs" {
		t.Errorf("Load: got %v and %v", got.Data.Keys(), err)
	}
	part.Client.Del(t.Context(), value(part, key)) // as Django's log-out does; our note stays behind
	for op, err := range map[string]error{
		"Save":   second(s.Save(t.Context(), key, rec)),
		"Rotate": second(s.Rotate(t.Context(), key, rec)),
		"Touch":  s.Touch(t.Context(), key, time.Now().Add(time.Hour), time.Now()),
		"Load":   second(s.Load(t.Context(), key)),
	} {
		if !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s after Django's log-out: got %v, want ErrNotFound", op, err)
		}
	}
	if n := part.Client.Exists(t.Context(), value(part, key)).Val(); n != 0 {
		t.Error("the session is back")
	}
}

func second[T any](_ T, err error) error { return err }

// TestHostileValues: what is no pickle of plain data is never run, and never taken for a session. What only Python can read is an
// outage and no missing session, for that would log the person out of Django.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := open(t, part, redisstore.Config{})
	for name, c := range map[string]struct {
		value   string
		foreign bool
	}{
		"nothing":           {"", false},
		"an int as it is":   {"17", false},
		"no dict":           {"\x80\x05K\x01.", false},
		"text":              {"hello", false},
		"a cut pickle":      {"\x80\x05\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c", false},
		"a huge frame":      {"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.", false},
		"a huge string":     {"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\x7fa.", false},
		"deep":              {"\x80\x05" + strings.Repeat("]", 5000) + ".", false},
		"os.system":         {"\x80\x05\x95&\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01d\x94\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04echo\x94\x85\x94R\x94s.", true},
		"os.system of old":  {"cos\nsystem\n(S'echo'\ntR.", false}, // Django never wrote that
		"a date":            {"\x80\x05\x95'\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01d\x94\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe8\x01\x01\x94\x85\x94R\x94s.", true},
		"bytes":             {"\x80\x05}\x8c\x01aC\x01bs.", true},
		"a number as a key": {"\x80\x05}K\x01K\x02s.", true},
	} {
		const key = "hostile0000000000"
		part.Client.Set(t.Context(), value(part, key), c.value, time.Hour)
		_, err := s.Load(t.Context(), key)
		var foreign *redisstore.PickleError
		if got := errors.As(err, &foreign); got != c.foreign || !got && !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	part.Client.HSet(t.Context(), value(part, "ahash00000000000"), "a", 1)
	if _, err := s.Load(t.Context(), "ahash00000000000"); err == nil || errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("a value of another type: got %v, want an outage", err)
	}
}

// TestKeysStayAmongSessions: no key that a browser sends names anything but a session of this engine.
func TestKeysStayAmongSessions(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	s := open(t, part, redisstore.Config{})
	pickled, err := sessions.EncodePickle(record(t, `{"_auth_user_id":"1"}`, 0).Data, 5)
	if err != nil {
		t.Fatal(err)
	}
	other := sessions.DjangoCacheKey(part.Prefix, 1, sessions.DjangoCachedDBEngine, "abcdefgh")
	part.Client.Set(t.Context(), other, pickled, time.Hour)
	real := create(t, s, `{}`)
	for _, key := range []string{"d_dbabcdefgh", real + ":cardea", real + ":cardea:rotated", strings.Repeat("a", 65)} {
		if _, err := s.Load(t.Context(), key); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("Load(%q): got %v, want ErrNotFound", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if part.Client.Exists(t.Context(), other).Val() != 1 {
		t.Error("a session of another engine was deleted")
	}
}

// TestTwoClients: what sessiontest says of goroutines holds of two programs with connections of their own.
func TestTwoClients(t *testing.T) {
	t.Parallel()
	part := testredis.New(t)
	stores := []*redisstore.Store{open(t, part, redisstore.Config{}), open(t, part, redisstore.Config{}), open(t, part, redisstore.Config{})}
	together := func(do func(i int, s *redisstore.Store)) {
		var wg sync.WaitGroup
		for i, s := range stores {
			wg.Go(func() { do(i, s) })
		}
		wg.Wait()
	}
	for range 100 {
		key := create(t, stores[0], `{}`)
		errs := make([]error, 3)
		together(func(i int, s *redisstore.Store) {
			rec := record(t, `{"a":1}`, time.Hour)
			switch i {
			case 0, 1:
				_, errs[i] = s.Rotate(context.Background(), key, rec)
			case 2:
				_, errs[i] = s.Save(context.Background(), key, rec)
			}
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("rotations: %v, %v", errs[0], errs[1])
		}
	}
	for range 100 {
		key := create(t, stores[0], `{}`)
		var next string
		together(func(i int, s *redisstore.Store) {
			rec := record(t, `{"a":1}`, time.Hour)
			switch i {
			case 0:
				next, _ = s.Rotate(context.Background(), key, rec)
			case 1:
				if err := s.Delete(context.Background(), key); err != nil {
					t.Error(err)
				}
			case 2:
				_, _ = s.Save(context.Background(), key, rec)
			}
		})
		for _, k := range []string{key, next} {
			if k == "" {
				continue
			}
			if _, err := stores[1].Load(t.Context(), k); !errors.Is(err, sessions.ErrNotFound) {
				t.Fatalf("after the log-out: got %v, want ErrNotFound", err)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := redisstore.New(nil, redisstore.Config{}); err == nil {
		t.Error("no client: no error")
	}
	if _, err := redisstore.New(answers{}, redisstore.Config{Age: -1}); err == nil {
		t.Error("an age less than nothing: no error")
	}
}

// FuzzValue: whatever stands in Redis is read without harm, and what is read can be stored and read again.
func FuzzValue(f *testing.F) {
	for _, json := range []string{`{}`, `{"a":1,"b":[1,2.5,null,true,"x"],"c":{"d":-1}}`, `{"big":123456789012345678901234567890}`} {
		for protocol := 2; protocol <= 5; protocol++ {
			b, err := sessions.EncodePickle(record(f, json, 0).Data, protocol)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(b))
		}
	}
	f.Add("cos\nsystem\n(S'echo'\ntR.")
	f.Add("(dp0\nVa\np1\nI1\ns.")
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		s, err := redisstore.New(answers{[]any{text, int64(1000), []any{}}}, redisstore.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		rec, err := s.Load(t.Context(), "fuzzed0000000000")
		var foreign *redisstore.PickleError
		switch {
		case errors.Is(err, sessions.ErrNotFound) || errors.As(err, &foreign):
			return
		case err != nil:
			t.Fatal(err)
		}
		again, err := sessions.EncodePickle(rec.Data, 5)
		if err != nil {
			t.Fatalf("what was read cannot be stored: %v", err)
		}
		back, err := sessions.DecodePickle(again)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := rec.Data.AppendJSON(nil)
		if got, _ := back.AppendJSON(nil); string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

// answers is a client that always answers the same.
type answers struct{ answer any }

func (a answers) Eval(context.Context, string, []string, ...any) (any, error) { return a.answer, nil }

// TestStrangeAnswers: what no Redis says is an outage and never a session, nor none.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, answer := range []any{nil, "x", int64(77), true, []any{1}, []any{"a", "b", "c"}, []any{"a", int64(1), nil}, map[any]any{}} {
		s, err := redisstore.New(answers{answer}, redisstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		const key = "abcdefgh"
		errs := map[string]error{
			"Load":   second(s.Load(ctx, key)),
			"Save":   second(s.Save(ctx, key, sessions.Record{})),
			"Rotate": second(s.Rotate(ctx, key, sessions.Record{})),
			"Touch":  s.Touch(ctx, key, time.Now(), time.Now()),
		}
		for op, err := range errs {
			if err == nil || errors.Is(err, sessions.ErrNotFound) || errors.Is(err, sessions.ErrConflict) {
				t.Errorf("%s answered by %v: got %v, want an outage", op, answer, err)
			}
		}
	}
}
