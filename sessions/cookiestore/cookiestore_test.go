package cookiestore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/testhang"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/cookiestore"
	"github.com/cardea-go/cardea/sessions/sessiontest"
	"github.com/cardea-go/cardea/signing"
)

var keys = signing.Keys{Current: "a secret for tests alone", Fallbacks: []string{"the one before"}}

func open(t testing.TB, cfg cookiestore.Config) *cookiestore.Store {
	t.Helper()
	s, err := cookiestore.New(keys, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func data(t testing.TB, json string) sessions.Data {
	t.Helper()
	d, err := sessions.ParseData([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func save(t testing.TB, s *cookiestore.Store, json string) string {
	t.Helper()
	key, err := s.Save(t.Context(), "", sessions.Record{Data: data(t, json)})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestStore(t *testing.T) {
	t.Parallel()
	sessiontest.Run(t, func(t *testing.T) sessions.Store { return open(t, cookiestore.Config{}) })
}

// TestAge: a cookie is good for Age after it was made, or for less if the session says so.
func TestAge(t *testing.T) {
	t.Parallel()
	clock := sessiontest.NewClock()
	clock.Advance(time.Second - time.Duration(clock.Now().Nanosecond())) // cookies know whole seconds
	moment := func(d time.Duration) string { return clock.Now().Add(d).Format(`"2006-01-02T15:04:05+00:00"`) }
	for _, c := range []struct {
		name, json string
		life       time.Duration
	}{
		{"as configured", `{"a":1}`, time.Hour},
		{"until the browser closes", `{"_session_expiry":0}`, time.Hour},
		{"less", `{"_session_expiry":300}`, 5 * time.Minute},
		{"until a moment", `{"_session_expiry":` + moment(10*time.Minute) + `}`, 10 * time.Minute},
		{"more, which no cookie lives", `{"_session_expiry":7200}`, time.Hour},
		{"until a moment too late", `{"_session_expiry":` + moment(2*time.Hour) + `}`, time.Hour},
		{"already over", `{"_session_expiry":-1}`, -time.Second},
	} {
		now := clock.Now()
		s := open(t, cookiestore.Config{Age: time.Hour, Now: func() time.Time { return now }})
		key := save(t, s, c.json)
		made := now
		load := func(at time.Duration) error {
			now = made.Add(at)
			rec, err := s.Load(t.Context(), key)
			if err == nil && !rec.Expires.Equal(made.Add(c.life)) {
				t.Errorf("%s: expires at %v, want %v", c.name, rec.Expires, made.Add(c.life))
			}
			return err
		}
		if c.life > 0 {
			if err := load(c.life); err != nil {
				t.Errorf("%s: after %v: %v", c.name, c.life, err)
			}
		}
		if err := load(max(0, c.life+time.Millisecond)); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s: after its time: got %v, want ErrNotFound", c.name, err)
		}
		if _, err := s.Save(t.Context(), key, sessions.Record{}); !errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s: Save after its time: got %v, want ErrNotFound", c.name, err)
		}
	}
}

// TestTooLarge: the limit is that of the cookie, to the byte.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := open(t, cookiestore.Config{CookieName: "crumb"})
	random := []byte{}
	for i := 0; len(random) < 8000; i++ { // what does not compress
		random = append(random, sessions.HashKey(fmt.Sprint(i))...)
	}
	fits, tooLarge := 0, 0
	for n := 3500; n < 6000; n++ {
		key, err := s.Save(t.Context(), "", sessions.Record{Data: data(t, `{"a":"`+string(random[:n])+`"}`)})
		var large *cookiestore.TooLargeError
		switch {
		case err == nil:
			fits = max(fits, len("crumb=")+len(key))
			if _, err := s.Load(t.Context(), key); err != nil {
				t.Fatalf("a cookie of %d bytes: %v", len(key), err)
			}
		case errors.As(err, &large):
			tooLarge++
			if large.Size <= cookiestore.Limit || !strings.Contains(err.Error(), fmt.Sprint(large.Size)) {
				t.Fatalf("got %v with the size %d", err, large.Size)
			}
		default:
			t.Fatal(err)
		}
	}
	if fits > cookiestore.Limit || fits < cookiestore.Limit-4 || tooLarge == 0 {
		t.Errorf("the largest cookie that fitted has %d bytes, %d were refused", fits, tooLarge)
	}
}

// TestKeys: cookies of an older secret are read and new ones signed with the newer; those of another salt are refused.
func TestKeys(t *testing.T) {
	t.Parallel()
	older, err := cookiestore.New(signing.Keys{Current: keys.Fallbacks[0]}, cookiestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, cookiestore.Config{})
	key := save(t, older, `{"a":1}`)
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("a cookie of the older secret: %v", err)
	}
	if _, err := older.Load(t.Context(), save(t, s, `{"a":1}`)); !errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("a cookie of the newer secret, without it: got %v, want ErrNotFound", err)
	}
	other, err := sessions.NewCodec(keys, "", true)
	if err != nil {
		t.Fatal(err)
	}
	row, err := other.Encode(data(t, `{"a":1}`), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), row); !errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("a row of the database as a cookie: got %v, want ErrNotFound", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := cookiestore.New(signing.Keys{}, cookiestore.Config{}); err == nil {
		t.Error("no secret: no error")
	}
	if _, err := cookiestore.New(keys, cookiestore.Config{Age: -1}); err == nil {
		t.Error("an age less than nothing: no error")
	}
}

// FuzzLoad: whatever a browser sends, either it is refused or it is what was signed.
func FuzzLoad(f *testing.F) {
	s := open(f, cookiestore.Config{})
	good := save(f, s, `{"_auth_user_id":"1","a":[1,2.5,null]}`)
	for _, seed := range []string{good, good + "x", good[1:], ".eJw", ":::", "a:b:c", "e30:1vbVSP:gZ7HVRJiiz71IoiqukI99fZu46O6v2CjNDE7XQ-LiZk", strings.Repeat(":", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		testhang.Watch(t)
		rec, err := s.Load(context.Background(), text)
		if err != nil && !errors.Is(err, sessions.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
		if err == nil && text != good {
			t.Fatalf("%q was taken for a session: %v", text, rec.Data.Keys())
		}
	})
}

func Example() {
	store, err := cookiestore.New(signing.Keys{Current: "at least 32 characters, kept secret"}, cookiestore.Config{})
	if err != nil {
		panic(err)
	}
	data, _ := sessions.ParseData([]byte(`{"cart":[7]}`))
	cookie, _ := store.Save(context.Background(), "", sessions.Record{Data: data})
	rec, _ := store.Load(context.Background(), cookie)
	cart, _ := rec.Data.Get("cart")
	fmt.Println(string(cart))
	// Output: [7]
}
