package sessiontest

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

var newKey = regexp.MustCompile(`\A[a-z0-9]{32}\z`)

// strange are keys that a browser may send and that no store has made.
var strange = []string{
	"abcdefghij0123456789abcdefghij01",
	"        ", "!!!!!!!!", "%%%%%%%%", "________",
	"' OR '1'='1' --", `" OR ""="`, `\\\\\\\\`, "../../../../etc/passwd", "*[]{}?()\r\nDEL x",
	"ключключключ", "😀😀😀😀😀😀😀😀", "nul\x00nul\x00nul", "bad\xffutf8\xc3", strings.Repeat("k", 41), strings.Repeat("k", 64<<10),
}

var keyRules = []rule{
	{"a new session gets a key of 32 characters of a-z and 0-9", func(s *subject) {
		seen := map[string]bool{}
		for range 20 {
			key := s.create(`{}`)
			if !newKey.MatchString(key) {
				s.Errorf("got the key %q", key)
			}
			if seen[key] {
				s.Errorf("got the key %q twice", key)
			}
			seen[key] = true
		}
	}},
	{"a key that was never given out is not found and makes nothing", func(s *subject) {
		for _, key := range strange {
			s.wantDead(key, "an unknown")
			if err := s.store.Delete(s.ctx, key); err != nil {
				s.Errorf("Delete(%.60q): got %v, want no error", key, err)
			}
		}
	}},
	{"a key matches byte for byte", func(s *subject) {
		key := ""
		for !strings.ContainsAny(key, "abcdefghijklmnopqrstuvwxyz") || !strings.Contains(key, "a") {
			key = s.create(`{"a":1}`)
		}
		for _, other := range []string{
			strings.ToUpper(key), key + " ", " " + key, key + "\x00", key + "\n", key + "\u00ad", key[:31], key + key,
			strings.Replace(key, "a", "á", 1), strings.Replace(key, "a", "A", 1), strings.Replace(key, "a", "ａ", 1),
			strings.Replace(key, "a", "_", 1), strings.Replace(key, "a", "%", 1),
		} {
			s.wantDead(other, "a similar")
			s.delete(other)
		}
		s.wantData(key, `{"a":1}`)
	}},
	{"Delete removes that session alone, and twice is no error", func(s *subject) {
		key, other := s.create(`{"a":1}`), s.create(`{"b":2}`)
		s.delete(key)
		s.wantDead(key, "a deleted")
		s.delete(key)
		s.wantData(other, `{"b":2}`)
	}},
	{"a cancelled context is never taken for an absent session", func(s *subject) {
		key := s.create(`{}`)
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		if _, err := s.store.Load(ctx, key); errors.Is(err, sessions.ErrNotFound) {
			s.Errorf("Load: got %v", err)
		}
		if _, err := s.store.Save(ctx, key, s.record(`{}`)); errors.Is(err, sessions.ErrNotFound) {
			s.Errorf("Save: got %v", err)
		}
		s.wantData(key, `{}`)
	}},
}

var dataRules = []rule{
	{"data comes back as it was, in order", func(s *subject) {
		for _, json := range []string{
			`{}`,
			`{"a":1}`,
			`{"z":1,"a":2,"m":3,"":4}`,
			`{"big":123456789012345678901234567890,"one":1,"float":1.0,"tiny":1e-07,"huge":1e+21}`,
			`{"text":"<b>&'\"\\/</b>","escaped":"\u00e9\u20ac\ud83d\ude00","nul":"a\u0000b","lone":"\ud800"}`,
			`{"nested":{"z":[1,2.5,null,true,{"k":"v"}],"a":{}},"null":null,"false":false}`,
			`{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"0123"}`,
			`{"not":NaN,"more":Infinity}`,
		} {
			key := s.create(json)
			s.wantData(key, json)
			if _, err := s.store.Save(s.ctx, key, s.load(key)); err != nil {
				s.Errorf("Save of %s as loaded: %v", json, err)
			}
			s.wantData(key, json)
			s.wantData(s.rotate(key), json)
		}
	}},
	{"data may be large", func(s *subject) {
		json := `{"big":"` + strings.Repeat("0123456789abcdef", 16<<10) + `"}`
		s.wantData(s.create(json), json)
	}},
	{"a store neither keeps nor shares the Data it is given", func(s *subject) {
		rec := s.record(`{"a":1,"b":2}`)
		key, err := s.store.Save(s.ctx, "", rec)
		if err != nil {
			s.Fatal(err)
		}
		rec.Data.Set("a", []byte("99"))
		rec.Data.Delete("b")
		s.wantData(key, `{"a":1,"b":2}`)
		again := s.load(key)
		again.Data = again.Data.Clone()
		again.Data.Set("a", []byte("98"))
		s.wantData(key, `{"a":1,"b":2}`)
	}},
}

var saveRules = []rule{
	{"Save replaces the data and the expiry", func(s *subject) {
		key := s.create(`{"a":1}`)
		rec := s.record(`{"b":2}`)
		rec.Expires = s.now().Add(2 * time.Hour).Truncate(time.Microsecond)
		got, err := s.store.Save(s.ctx, key, rec)
		if err != nil || got != key {
			s.Fatalf("Save: got %q and %v, want the same key", got, err)
		}
		s.wantData(key, `{"b":2}`)
		if got := s.load(key).Expires; !got.Equal(rec.Expires) {
			s.Errorf("Expires: got %v, want %v to the microsecond", got, rec.Expires)
		}
	}},
	{"Save of what is there already finds the session", func(s *subject) {
		key := s.create(`{"a":1}`)
		rec := s.load(key)
		for range 3 {
			if _, err := s.store.Save(s.ctx, key, rec); err != nil {
				s.Fatalf("Save of the same record: %v", err)
			}
			rec = s.load(key)
		}
	}},
	{"Save never revives a session that was deleted", func(s *subject) {
		key := s.create(`{"a":1}`)
		rec := s.load(key)
		s.delete(key)
		if _, err := s.store.Save(s.ctx, key, rec); !errors.Is(err, sessions.ErrNotFound) {
			s.Errorf("Save with the version loaded: got %v, want ErrNotFound", err)
		}
		s.wantDead(key, "a deleted")
	}},
	{"Save over a newer version is a conflict and changes nothing", func(s *subject) {
		key := s.create(`{"a":1}`)
		mine, other := s.load(key), s.load(key)
		if mine.Version == "" {
			s.Fatal("Load gave no Version: two requests would overwrite each other's changes")
		}
		other.Data = s.record(`{"a":1,"other":1}`).Data
		if _, err := s.store.Save(s.ctx, key, other); err != nil {
			s.Fatal(err)
		}
		mine.Data = s.record(`{"a":1,"mine":1}`).Data
		if _, err := s.store.Save(s.ctx, key, mine); !errors.Is(err, sessions.ErrConflict) {
			s.Errorf("got %v, want ErrConflict", err)
		}
		s.wantData(key, `{"a":1,"other":1}`)
		mine.Version = s.load(key).Version
		if _, err := s.store.Save(s.ctx, key, mine); err != nil {
			s.Errorf("Save with the version loaded again: %v", err)
		}
		s.wantData(key, `{"a":1,"mine":1}`)
	}},
	{"Save without a version overwrites", func(s *subject) {
		key := s.create(`{"a":1}`)
		if _, err := s.store.Save(s.ctx, key, s.record(`{"b":1}`)); err != nil {
			s.Fatal(err)
		}
		if _, err := s.store.Save(s.ctx, key, s.record(`{"c":1}`)); err != nil {
			s.Fatal(err)
		}
		s.wantData(key, `{"c":1}`)
	}},
	{"of parallel saves by version none is lost", func(s *subject) {
		const workers, rounds = 4, 5
		key := s.create(`{}`)
		together(workers, func(i int) {
			for j := range rounds {
				name := string(rune('a'+i)) + string(rune('a'+j))
				for {
					rec, err := s.store.Load(s.ctx, key)
					if err != nil {
						s.Errorf("Load: %v", err)
						return
					}
					rec.Data = rec.Data.Clone()
					rec.Data.Set(name, []byte("1"))
					if _, err = s.store.Save(s.ctx, key, rec); err == nil {
						break
					}
					if !errors.Is(err, sessions.ErrConflict) {
						s.Errorf("Save: %v", err)
						return
					}
				}
			}
		})
		if got := s.load(key).Data.Len(); got != workers*rounds {
			s.Errorf("%d of %d changes survived", got, workers*rounds)
		}
	}},
	{"a save in parallel with a logout leaves the session dead", func(s *subject) {
		for range 20 {
			key := s.create(`{"a":1}`)
			rec := s.load(key)
			together(2, func(i int) {
				if i == 0 {
					s.delete(key)
				} else if _, err := s.store.Save(s.ctx, key, rec); err != nil && !errors.Is(err, sessions.ErrNotFound) {
					s.Errorf("Save: %v", err)
				}
			})
			s.wantDead(key, "a logged-out")
		}
	}},
}
