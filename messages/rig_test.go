package messages_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/messages"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

const secret = "django-contract-fixed-secret-key-0123456789abcdefghijklmnop"

// A rig is the layers around messages, on a store that a test can look into.
type rig struct {
	t        *testing.T
	store    *memstore.Store
	sessions *sessions.Manager
	origin   *origin.Origin
	layer    *messages.Layer
	config   messages.Config
}

func newRig(t *testing.T, change func(*messages.Config)) *rig {
	t.Helper()
	g := &rig{t: t, store: memstore.New(memstore.Config{})}
	var err error
	if g.origin, err = origin.New(origin.Config{AllowedHosts: []string{"*"}, InsecureHTTP: true}); err != nil {
		t.Fatal(err)
	}
	if g.sessions, err = sessions.New(g.store, sessions.Config{Cookie: origin.CookiePolicy{Plain: true}}); err != nil {
		t.Fatal(err)
	}
	g.config = messages.Config{Keys: signing.Keys{Current: secret}, Sessions: g.sessions, Cookie: origin.CookiePolicy{Plain: true}}
	if change != nil {
		change(&g.config)
	}
	if g.layer, err = messages.New(g.config); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *rig) handler(app http.HandlerFunc) http.Handler {
	h := g.origin.Handler(g.sessions.Handler(g.layer.Handler(app)))
	return respond.Handler(h, respond.Config{Logger: slog.New(slog.DiscardHandler)})
}

func (g *rig) serve(r *http.Request, app http.HandlerFunc) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.handler(app).ServeHTTP(w, r)
	return w
}

// begin stores a session and gives r its cookie.
func (g *rig) begin(r *http.Request, data string) (key string) {
	g.t.Helper()
	d, err := sessions.ParseData([]byte(data))
	if err != nil {
		g.t.Fatal(err)
	}
	key, err = g.store.Save(context.Background(), "", sessions.Record{Data: d, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Add("Cookie", "sessionid="+key)
	return key
}

// sessionText returns the string under _messages, or nil where there is none.
func (g *rig) sessionText(key string) any {
	g.t.Helper()
	if key == "" {
		return nil
	}
	record, err := g.store.Load(context.Background(), key)
	if err != nil {
		g.t.Fatal(err)
	}
	raw, ok := record.Data.Get("_messages")
	var v any
	if ok {
		if err := json.Unmarshal(raw, &v); err != nil {
			g.t.Fatal(err)
		}
		if v == nil {
			g.t.Errorf("the session has %s for no messages, where Django removes the key", raw)
		}
	}
	return v
}

func at(now int64) func() time.Time { return func() time.Time { return time.Unix(now, 0) } }
