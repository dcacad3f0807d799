package sessiontest

import (
	"errors"
	"time"

	"github.com/cardea-go/cardea/sessions"
)

var expiryRules = []rule{
	{"a session that has expired is dead", func(s *subject) {
		rec := s.record(`{"a":1}`)
		rec.Expires = s.now().Add(-time.Second)
		key, err := s.store.Save(s.ctx, "", rec)
		if err != nil {
			s.Fatalf("Save of an expired record: %v, want it stored as given", err)
		}
		s.wantDead(key, "an expired")

		key = s.create(`{"a":1}`)
		if _, err := s.store.Save(s.ctx, key, rec); err != nil {
			s.Fatalf("Save that expires a session: %v, want it stored as given", err)
		}
		s.wantDead(key, "an expired")
	}},
	{"a session lives until the microsecond of its expiry, and not in it", func(s *subject) {
		if s.clock == nil {
			s.Log("left out: the store's clock cannot be moved")
			return
		}
		key := s.create(`{"a":1}`)
		rest := s.load(key).Expires.Sub(s.clock.Now())
		s.clock.Advance(rest - time.Microsecond)
		s.wantData(key, `{"a":1}`)
		s.clock.Advance(time.Microsecond)
		s.wantDead(key, "an expired")
	}},
	{"Save prolongs a session", func(s *subject) {
		if s.clock == nil {
			s.Log("left out: the store's clock cannot be moved")
			return
		}
		key := s.create(`{"a":1}`)
		s.clock.Advance(59 * time.Minute)
		if _, err := s.store.Save(s.ctx, key, s.record(`{"a":1}`)); err != nil {
			s.Fatal(err)
		}
		s.clock.Advance(59 * time.Minute)
		s.wantData(key, `{"a":1}`)
	}},
}

var factRules = []rule{
	{"Created, Owner and Client are kept, and can be changed", func(s *subject) {
		owner := s.owner(s.T, s.store)
		rec := s.record(`{"a":1}`)
		rec.Created = s.now().Add(-time.Hour).Truncate(time.Microsecond)
		rec.Client = sessions.Client{Address: "2001:db8::1", UserAgent: "Mozilla/5.0 (é 日本 😀; \"quoted\")"}
		key, err := s.store.Save(s.ctx, "", rec)
		if err != nil {
			s.Fatal(err)
		}
		s.wantFacts(key, rec)

		rec = s.load(key)
		rec.Data = s.record(`{"b":1}`).Data
		rec.Owner = owner
		if _, err := s.store.Save(s.ctx, key, rec); err != nil {
			s.Fatal(err)
		}
		s.wantFacts(key, rec)

		rec = s.load(key)
		rec.Created = s.now().Truncate(time.Microsecond)
		rec.Client = sessions.Client{Address: "192.0.2.7", UserAgent: "other"}
		if key, err = s.store.Rotate(s.ctx, key, rec); err != nil {
			s.Fatal(err)
		}
		s.wantFacts(key, rec)

		rec = s.load(key)
		rec.Owner = ""
		if key, err = s.store.Rotate(s.ctx, key, rec); err != nil {
			s.Fatal(err)
		}
		s.wantFacts(key, rec)

		rec.Owner = owner
		if key, err = s.store.Save(s.ctx, "", rec); err != nil {
			s.Fatal(err)
		}
		s.wantFacts(key, rec)
	}},
	{"a new session may be without Owner and Client", func(s *subject) {
		key := s.create(`{}`)
		if rec := s.load(key); rec.Owner != "" || rec.Client != (sessions.Client{}) {
			s.Errorf("got Owner %q and Client %+v, want none", rec.Owner, rec.Client)
		}
	}},
}

func (s *subject) wantFacts(key string, want sessions.Record) {
	s.Helper()
	got := s.load(key)
	if !got.Created.Equal(want.Created) {
		s.Errorf("Created: got %v, want %v", got.Created, want.Created)
	}
	if got.Owner != want.Owner {
		s.Errorf("Owner: got %q, want %q", got.Owner, want.Owner)
	}
	if got.Client != want.Client {
		s.Errorf("Client: got %+v, want %+v", got.Client, want.Client)
	}
}

var sweepRules = []rule{
	{"Sweep removes what has expired, and nothing else", func(s *subject) {
		now := s.now().Truncate(time.Microsecond)
		keys := map[time.Duration]string{}
		for _, d := range []time.Duration{-time.Hour, -time.Microsecond, 0, time.Hour} {
			rec := s.record(`{"a":1}`)
			rec.Expires = now.Add(d)
			key, err := s.store.Save(s.ctx, "", rec)
			if err != nil {
				s.Fatal(err)
			}
			keys[d] = key
		}
		sweeper := s.store.(sessions.Sweeper)
		if n, err := sweeper.Sweep(s.ctx, now); n != 2 || err != nil {
			s.Errorf("got %d and %v, want the 2 that expired before now", n, err)
		}
		if n, err := sweeper.Sweep(s.ctx, now); n != 0 || err != nil {
			s.Errorf("again: got %d and %v, want 0", n, err)
		}
		s.wantData(keys[time.Hour], `{"a":1}`)
	}},
}

var touchRules = []rule{
	{"Touch prolongs a session and changes nothing else", func(s *subject) {
		key := s.create(`{"a":1}`)
		before := s.load(key)
		now := s.now().Add(time.Minute).Truncate(time.Microsecond)
		expires := s.now().Add(5 * time.Hour).Truncate(time.Microsecond)
		if err := s.store.(sessions.Toucher).Touch(s.ctx, key, expires, now); err != nil {
			s.Fatal(err)
		}
		after := s.load(key)
		if !after.Expires.Equal(expires) {
			s.Errorf("Expires: got %v, want %v", after.Expires, expires)
		}
		if !after.Seen.IsZero() && !after.Seen.Equal(now) {
			s.Errorf("Seen: got %v, want %v", after.Seen, now)
		}
		s.wantData(key, `{"a":1}`)
		before.Data = s.record(`{"b":1}`).Data
		if _, err := s.store.Save(s.ctx, key, before); err != nil {
			s.Errorf("Save with the version from before the Touch: %v", err)
		}
	}},
	{"Touch never revives", func(s *subject) {
		touch := s.store.(sessions.Toucher).Touch
		deleted, rotated := s.create(`{}`), s.create(`{}`)
		s.delete(deleted)
		s.rotate(rotated)
		rec := s.record(`{}`)
		rec.Expires = s.now().Add(-time.Second)
		expired, err := s.store.Save(s.ctx, "", rec)
		if err != nil {
			s.Fatal(err)
		}
		for _, key := range append([]string{deleted, rotated, expired}, strange...) {
			if err := touch(s.ctx, key, s.now().Add(time.Hour), s.now()); !errors.Is(err, sessions.ErrNotFound) {
				s.Errorf("Touch(%.60q): got %v, want ErrNotFound", key, err)
			}
			if _, err := s.store.Load(s.ctx, key); !errors.Is(err, sessions.ErrNotFound) {
				s.Errorf("Touch revived %.60q", key)
			}
		}
	}},
}

// statelessRules are all that a store which keeps nothing can promise.
var statelessRules = []rule{
	{"what Save and Rotate return holds the data", func(s *subject) {
		const json = `{"z":1,"a":1.0,"big":123456789012345678901234567890}`
		key := s.create(json)
		s.wantData(key, json)
		s.wantData(s.rotate(key), json)
		changed, err := s.store.Save(s.ctx, key, s.record(`{"b":2}`))
		if err != nil {
			s.Fatal(err)
		}
		s.wantData(changed, `{"b":2}`)
	}},
	{"what the store has not made is not found", func(s *subject) {
		key := s.create(`{"a":1}`)
		for _, forged := range append([]string{key[:len(key)-1], key + "x", "x" + key}, strange...) {
			if _, err := s.store.Load(s.ctx, forged); !errors.Is(err, sessions.ErrNotFound) {
				s.Errorf("Load(%.60q): got %v, want ErrNotFound", forged, err)
			}
			s.delete(forged)
		}
	}},
}
