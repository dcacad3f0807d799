package sessions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
)

// djangoSettings are those of a middleware case.
type djangoSettings struct {
	Name      *string         `json:"SESSION_COOKIE_NAME"`
	Age       *int64          `json:"SESSION_COOKIE_AGE"`
	Domain    string          `json:"SESSION_COOKIE_DOMAIN"`
	Path      string          `json:"SESSION_COOKIE_PATH"`
	Secure    bool            `json:"SESSION_COOKIE_SECURE"`
	HTTPOnly  *bool           `json:"SESSION_COOKIE_HTTPONLY"`
	SameSite  json.RawMessage `json:"SESSION_COOKIE_SAMESITE"`
	AtClose   bool            `json:"SESSION_EXPIRE_AT_BROWSER_CLOSE"`
	SaveEvery bool            `json:"SESSION_SAVE_EVERY_REQUEST"`
}

func (d *djangoSettings) config() (cfg sessions.Config, cookieName string) {
	cfg.Cookie.Name = "sessionid"
	if d.Name != nil {
		cfg.Cookie.Name = *d.Name
	}
	if d.Age != nil {
		cfg.Age = time.Duration(*d.Age) * time.Second
	}
	cfg.Cookie.Domain, cfg.Cookie.Path, cfg.Cookie.Secure = d.Domain, d.Path, d.Secure
	cfg.Cookie.ScriptReadable = d.HTTPOnly != nil && !*d.HTTPOnly
	if json.Unmarshal(d.SameSite, &cfg.Cookie.SameSite) != nil && string(d.SameSite) == "false" {
		cfg.Cookie.SameSite = "omit"
	}
	cfg.ExpireAtBrowserClose, cfg.SaveEveryRequest = d.AtClose, d.SaveEvery
	return cfg, cfg.Cookie.Name
}

// vectorMiddleware plays one request, and compares the cookies, Vary and the rows that are left.
func vectorMiddleware(c *vectors.Case) (any, error) {
	var in struct {
		Cookie   *string
		Action   string
		Status   int
		Settings djangoSettings
	}
	c.Bind(&in)
	cfg, name := in.Settings.config()
	cfg.Now = func() time.Time { return vectorNow }
	store := memstore.New(memstore.Config{Now: cfg.Now})
	one, _ := sessions.ParseData([]byte(`{"a":1}`))
	store.Put(goodKey, sessions.Record{Data: one, Expires: vectorNow.Add(24 * time.Hour)})
	store.Put(expiredKey, sessions.Record{Data: one, Expires: vectorNow.Add(-time.Second)})
	store.Put(corruptKey, sessions.Record{Expires: vectorNow.Add(24 * time.Hour)}) // a store loads nothing from such a row
	cookie := ""
	if in.Cookie != nil {
		cookie = name + "=" + *in.Cookie
	}
	var failed error
	res := serve(store, cfg, cookie, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		failed = act(sessions.From(r), in.Action, func() { _ = store.Delete(context.Background(), *in.Cookie) })
		w.WriteHeader(in.Status)
	}))
	if failed != nil {
		return nil, vectors.Differs("%s: %v", in.Action, failed)
	}
	if res.StatusCode == http.StatusBadRequest {
		if in.Action == "clear" && in.Cookie != nil && *in.Cookie == expiredKey {
			return vectors.Deviation{Rule: "an expired session is cleared without being read", Ours: "400"}, nil
		}
		return map[string]string{"raises": "SessionInterrupted (HTTP 400)"}, nil
	}
	return middlewareAnswer(store, res), nil
}

func act(s *sessions.Session, action string, deleteElsewhere func()) error {
	switch action {
	case "nothing":
	case "read", "nested":
		s.Get("a")
	case "write":
		return s.Set("b", 2)
	case "delete_last":
		return s.Delete("a")
	case "clear":
		return s.Clear()
	case "flush":
		return s.Flush()
	case "cycle":
		return s.Rotate()
	case "expiry0":
		return s.ExpireAtBrowserClose()
	case "expiry300":
		return s.ExpireAfter(300 * time.Second)
	case "expiry_neg":
		return s.ExpireAfter(-10 * time.Second)
	case "expiry_none":
		return s.ExpireAsConfigured()
	case "test_cookie":
		return s.SetTestCookie()
	case "other_deleted_then_write":
		s.Get("a")
		deleteElsewhere()
		return s.Set("b", 2)
	default:
		return fmt.Errorf("unknown action")
	}
	return nil
}

func middlewareAnswer(store *memstore.Store, res *http.Response) map[string]any {
	rows, fresh := map[string]any{}, ""
	for key, rec := range store.All() {
		if key != goodKey && key != expiredKey && key != corruptKey {
			key, fresh = "<KEY>", key
		}
		rows[key] = []any{json.RawMessage(jsonOf(rec.Data)), rec.Expires.UTC().Format("2006-01-02T15:04:05.000000-07:00")}
	}
	cookies := []string{}
	for _, line := range res.Header["Set-Cookie"] {
		if fresh != "" {
			line = strings.Replace(line, fresh, "<KEY>", 1)
		}
		// A session under its old key is <KEY> too where Django's transcript could not tell.
		if strings.Contains(line, "="+corruptKey) {
			line = strings.Replace(line, corruptKey, "<KEY>", 1)
		}
		if strings.Contains(line, "="+expiredKey) {
			line = strings.Replace(line, expiredKey, "<KEY>", 1)
		}
		cookies = append(cookies, line)
	}
	var vary any
	if v := res.Header["Vary"]; v != nil {
		vary = strings.Join(v, ", ")
	}
	return map[string]any{"set_cookie": cookies, "vary": vary, "rows": rows}
}

// vectorExpiryBoundary looks at one record at one moment: is it live, and would a sweep take it?
func vectorExpiryBoundary(c *vectors.Case) (any, error) {
	var in map[string]any
	var want map[string]any
	c.Bind(&in)
	c.BindOut(&want)
	now, expires := vectorNow, time.Time{}
	for name, value := range in {
		switch v := value.(type) {
		case string:
			at, err := time.Parse(time.RFC3339Nano, v)
			if err != nil {
				continue
			}
			if name == "now" {
				now = at
			} else {
				expires = at
			}
		case json.Number:
			n, err := v.Float64()
			if err != nil {
				return nil, vectors.Differs("%s: %v", name, err)
			}
			unit := time.Second
			if strings.Contains(name, "micro") {
				unit = time.Microsecond
			}
			expires = now.Add(time.Duration(n * float64(unit)))
		}
	}
	if expires.IsZero() {
		return nil, vectors.Differs("no moment in %s", c.In)
	}
	store := memstore.New(memstore.Config{Now: func() time.Time { return now }})
	store.Put(goodKey, sessions.Record{Expires: expires})
	_, err := store.Load(context.Background(), goodKey)
	swept, _ := store.Sweep(context.Background(), now)
	answers := map[string]bool{
		"live": err == nil, "loaded": err == nil, "loads": err == nil, "exists": err == nil,
		"cleared": swept == 1, "deleted": swept == 1, "swept": swept == 1, "cleared_by_clearsessions": swept == 1,
		"remains": swept == 0, "survives_clearsessions": swept == 0,
	}
	got := map[string]any{}
	for name := range want {
		answer, ok := answers[name]
		if !ok {
			return nil, vectors.Differs("no answer to %q in %s", name, c.Out)
		}
		got[name] = answer
	}
	return got, nil
}
