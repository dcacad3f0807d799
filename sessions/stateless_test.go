package sessions_test

import (
	"context"
	"testing"
	"time"

	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/sessiontest"
	"github.com/cardea-go/cardea/signing"
)

// handedOut is the simplest store that keeps nothing: the key is the session, signed.
type handedOut struct {
	codec *sessions.Codec
	now   func() time.Time
	saves *int
}

func newHandedOut(now func() time.Time) handedOut {
	c, err := sessions.NewCodec(signing.Keys{Current: "secret"}, sessions.CookieSalt, true)
	if err != nil {
		panic(err)
	}
	return handedOut{c, now, new(int)}
}

func (h handedOut) Stateless() {}

func (h handedOut) Load(_ context.Context, key string) (sessions.Record, error) {
	data, err := h.codec.DecodeWithin(key, 14*24*time.Hour, h.now())
	if err != nil {
		return sessions.Record{}, sessions.ErrNotFound
	}
	return sessions.Record{Data: data, Expires: h.now().Add(time.Hour)}, nil
}

func (h handedOut) Save(_ context.Context, _ string, rec sessions.Record) (string, error) {
	*h.saves++
	return h.codec.Encode(rec.Data, h.now())
}

func (h handedOut) Rotate(ctx context.Context, key string, rec sessions.Record) (string, error) {
	return h.Save(ctx, key, rec)
}

func (handedOut) Delete(context.Context, string) error { return nil }

func TestAStoreThatKeepsNothing(t *testing.T) {
	t.Parallel()
	sessiontest.Run(t, func(*testing.T) sessions.Store { return newHandedOut(time.Now) })

	store := newHandedOut(time.Now)
	b := newSiteOver(t, sessions.Config{Idle: 2 * time.Hour}, func(*spy) sessions.Store { return store }).browser()
	b.act(set("a", 1)).wantCookie("set")
	first := b.cookie
	b.want("a", "1")
	b.act(set("a", 2)).wantCookie("set")
	if b.cookie == first {
		t.Error("the cookie did not change with the data")
	}
	before := *store.saves
	b.want("a", "2")
	if *store.saves != before {
		t.Error("a read was noted where nothing can be noted")
	}
	b.cookie += "x"
	b.act(b.read).wantCookie("deleted")
	b.act(set("a", 3))
	b.act((*sessions.Session).Flush).wantCookie("deleted")
}
