package sessiontest

import (
	"errors"
	"sync"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

var rotateRules = []rule{
	{"Rotate moves the session to a new key and kills the old one", func(s *subject) {
		key := s.create(`{"a":1}`)
		rec := s.load(key)
		rec.Data = s.record(`{"a":1,"b":2}`).Data
		rec.Expires = s.now().Add(3 * time.Hour).Truncate(time.Microsecond)
		next, err := s.store.Rotate(s.ctx, key, rec)
		if err != nil {
			s.Fatal(err)
		}
		if next == key || !newKey.MatchString(next) {
			s.Errorf("got the key %q in place of %q", next, key)
		}
		s.wantData(next, `{"a":1,"b":2}`)
		if got := s.load(next).Expires; !got.Equal(rec.Expires) {
			s.Errorf("Expires: got %v, want %v", got, rec.Expires)
		}
		s.wantDead(key, "a rotated")
	}},
	{"Rotate of a deleted session is ErrNotFound, whatever was loaded before", func(s *subject) {
		key := s.create(`{"a":1}`)
		rec := s.load(key)
		s.delete(key)
		if next, err := s.store.Rotate(s.ctx, key, rec); !errors.Is(err, sessions.ErrNotFound) {
			s.Errorf("got %q and %v, want ErrNotFound", next, err)
		}
		s.wantDead(key, "a deleted")
	}},
	{"Rotate over a newer version is a conflict and the old key lives on", func(s *subject) {
		key := s.create(`{"a":1}`)
		mine, other := s.load(key), s.load(key)
		other.Data = s.record(`{"a":1,"other":1}`).Data
		if _, err := s.store.Save(s.ctx, key, other); err != nil {
			s.Fatal(err)
		}
		if next, err := s.store.Rotate(s.ctx, key, mine); !errors.Is(err, sessions.ErrConflict) {
			s.Errorf("got %q and %v, want ErrConflict", next, err)
		}
		s.wantData(key, `{"a":1,"other":1}`)
		s.wantData(s.rotate(key), `{"a":1,"other":1}`)
	}},
	{"of parallel rotations of one key exactly one succeeds", func(s *subject) {
		for range 10 {
			key := s.create(`{"a":1}`)
			rec := s.load(key)
			var mu sync.Mutex
			var won []string
			together(5, func(int) {
				next, err := s.store.Rotate(s.ctx, key, rec)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, next)
				case !errors.Is(err, sessions.ErrNotFound):
					s.Errorf("Rotate: %v", err)
				}
			})
			if len(won) != 1 {
				s.Fatalf("%d rotations of one key succeeded", len(won))
			}
			s.wantData(won[0], `{"a":1}`)
			s.wantDead(key, "a rotated")
		}
	}},
	{"a rotation in parallel with a save loses nothing or tells", func(s *subject) {
		for range 10 {
			key := s.create(`{"a":1}`)
			rec := s.load(key)
			changed := rec
			changed.Data = s.record(`{"a":1,"b":2}`).Data
			var next string
			var rotated, saved error
			together(2, func(i int) {
				if i == 0 {
					next, rotated = s.store.Rotate(s.ctx, key, rec)
				} else {
					_, saved = s.store.Save(s.ctx, key, changed)
				}
			})
			switch {
			case rotated == nil && errors.Is(saved, sessions.ErrNotFound):
				s.wantData(next, `{"a":1}`)
			case errors.Is(rotated, sessions.ErrConflict) && saved == nil:
				s.wantData(key, `{"a":1,"b":2}`)
			default:
				s.Errorf("Rotate: %v, Save: %v", rotated, saved)
			}
		}
	}},
}

var traceRules = []rule{
	{"a key that was rotated away is remembered, and no other", func(s *subject) {
		tracer := s.store.(sessions.Tracer)
		key := s.create(`{}`)
		deleted := s.create(`{}`)
		s.delete(deleted)
		next := s.rotate(key)
		want := map[string]bool{key: true, next: false, deleted: false, key + " ": false}
		for _, unknown := range strange {
			want[unknown] = false
		}
		for k, want := range want {
			if got, err := tracer.Rotated(s.ctx, k); got != want || err != nil {
				s.Errorf("Rotated(%.60q): got %v and %v, want %v", k, got, err, want)
			}
		}
	}},
	{"a logout with a key from before a rotation ends the session that it became", func(s *subject) {
		key := s.create(`{}`)
		second := s.rotate(key)
		third := s.rotate(second)
		other := s.create(`{"other":1}`)
		s.delete(key)
		s.wantDead(second, "a rotated")
		s.wantDead(third, "a logged-out")
		s.wantData(other, `{"other":1}`)
	}},
	{"a logout in parallel with a rotation ends logged out", func(s *subject) {
		for range 20 {
			key := s.create(`{"a":1}`)
			rec := s.load(key)
			next := ""
			together(2, func(i int) {
				if i == 0 {
					s.delete(key)
					return
				}
				var err error
				if next, err = s.store.Rotate(s.ctx, key, rec); err != nil && !errors.Is(err, sessions.ErrNotFound) {
					s.Errorf("Rotate: %v", err)
				}
			})
			s.wantDead(key, "a logged-out")
			if next != "" {
				s.wantDead(next, "a logged-out")
			}
		}
	}},
	{"a rotation is forgotten after a while", func(s *subject) {
		if s.clock == nil {
			s.Log("left out: the store's clock cannot be moved")
			return
		}
		key := s.create(`{"a":1}`)
		next := s.rotate(key)
		s.clock.Advance(sessions.Grace + time.Second)
		if got, err := s.store.(sessions.Tracer).Rotated(s.ctx, key); got || err != nil {
			s.Errorf("Rotated after %v: got %v and %v, want false", sessions.Grace+time.Second, got, err)
		}
		s.delete(key)
		s.wantData(next, `{"a":1}`)
	}},
}
