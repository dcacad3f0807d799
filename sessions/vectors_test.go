package sessions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/internal/respond"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/origin"
	"github.com/cardea-go/cardea/sessions"
	"github.com/cardea-go/cardea/sessions/memstore"
	"github.com/cardea-go/cardea/signing"
)

func TestVectors(t *testing.T) {
	vectors.Run(t, "sessions", vectors.Ops{
		"encode":                       vectorEncode,
		"decode":                       vectorDecode,
		"signed_cookie_load":           vectorSignedCookieLoad,
		"cache_pickle":                 vectorCachePickle,
		"cache_key":                    vectorCacheKey,
		"file_name":                    vectorFileName,
		"file_key_valid":               vectorFileKeyValid,
		"accept_session_key":           vectorAcceptKey,
		"expiry":                       vectorExpiry,
		"set_expiry":                   vectorSetExpiry,
		"flags_after":                  vectorFlagsAfter,
		"middleware":                   vectorMiddleware,
		"save_after_concurrent_delete": vectorSaveAfterDelete,
		"file_expiry":                  vectorFileExpiry,
		"expiry_boundary":              vectorExpiryBoundary,
	})
}

func salt(engine string) string {
	if engine == "signed_cookies" {
		return sessions.CookieSalt
	}
	return sessions.DefaultSalt
}

func codec(secret, salt string, fallbacks []string) *sessions.Codec {
	c, err := sessions.NewCodec(signing.Keys{Current: secret, Fallbacks: fallbacks}, salt, true)
	if err != nil {
		panic(err)
	}
	return c
}

func vectorEncode(c *vectors.Case) (any, error) {
	var in struct {
		Engine, Secret string
		Now            int64
		SessionJSON    string `json:"session_json"`
	}
	var all struct {
		Compressed bool
		Salt       string
	}
	var want string
	c.Bind(&in)
	c.BindAll(&all)
	c.BindOut(&want)
	if got := salt(in.Engine); got != all.Salt {
		return nil, vectors.Differs("salt %s, want %s", got, all.Salt)
	}
	data, err := sessions.ParseData([]byte(in.SessionJSON))
	if err != nil {
		return nil, vectors.Differs("ParseData: %v", err)
	}
	cd := codec(in.Secret, all.Salt, nil)
	now := time.Unix(in.Now, 0)
	got, err := cd.Encode(data, now)
	if err != nil {
		return nil, vectors.Differs("Encode: %v", err)
	}
	if !all.Compressed && !strings.HasPrefix(got, ".") {
		return got, nil
	}
	// Other zlib, other bytes: Django's text and ours must say the same.
	for _, text := range []string{got, want} {
		back, err := cd.Decode(text)
		if err != nil {
			return nil, vectors.Differs("Decode(%.80s): %v", text, err)
		}
		if got := jsonOf(back); got != in.SessionJSON {
			return nil, vectors.Differs("Decode(%.80s): %.300s, want %.300s", text, got, in.SessionJSON)
		}
	}
	return vectors.Same, nil
}

func vectorDecode(c *vectors.Case) (any, error) {
	var in struct {
		Engine, Secret string
		Fallbacks      []string
		SessionData    string `json:"session_data"`
	}
	c.Bind(&in)
	data, err := codec(in.Secret, salt(in.Engine), in.Fallbacks).Decode(in.SessionData)
	if err != nil && data.Len() != 0 {
		return nil, vectors.Differs("data beside the error %v", err)
	}
	if c.OutJSON != nil && !strings.HasPrefix(*c.OutJSON, "{") && err != nil {
		return vectors.Deviation{Rule: "the text is JSON but no object", Ours: jsonOf(data)}, nil
	}
	return json.RawMessage(jsonOf(data)), nil
}

func vectorSignedCookieLoad(c *vectors.Case) (any, error) {
	var in struct {
		Secret, Cookie string
		Now            json.Number
		Age            int64 `json:"SESSION_COOKIE_AGE"`
	}
	var all struct {
		ModifiedAfter bool `json:"modified_after"`
	}
	c.Bind(&in)
	c.BindAll(&all)
	seconds, _ := in.Now.Float64()
	now := time.UnixMicro(int64(seconds * 1e6))
	data, err := codec(in.Secret, sessions.CookieSalt, nil).DecodeWithin(in.Cookie, time.Duration(in.Age)*time.Second, now)
	if (err != nil) != all.ModifiedAfter {
		return nil, vectors.Differs("error %v, want one: %v", err, all.ModifiedAfter)
	}
	return json.RawMessage(jsonOf(data)), nil
}

func vectorCachePickle(c *vectors.Case) (any, error) {
	var in struct {
		SessionJSON string `json:"session_json"`
		Protocol    int
	}
	c.Bind(&in)
	data, err := sessions.ParseData([]byte(in.SessionJSON))
	if err != nil {
		return nil, vectors.Differs("ParseData: %v", err)
	}
	b, err := sessions.EncodePickle(data, in.Protocol)
	if err != nil {
		return nil, vectors.Differs("EncodePickle: %v", err)
	}
	back, err := sessions.DecodePickle(b)
	if err != nil || jsonOf(back) != in.SessionJSON {
		return nil, vectors.Differs("DecodePickle: %s and %v", jsonOf(back), err)
	}
	return b, nil
}

func vectorCacheKey(c *vectors.Case) (any, error) {
	var in struct {
		Engine     string
		SessionKey string `json:"session_key"`
		Prefix     string `json:"KEY_PREFIX"`
		Version    int    `json:"VERSION"`
	}
	c.Bind(&in)
	return sessions.DjangoCacheKey(in.Prefix, in.Version, in.Engine, in.SessionKey), nil
}

func vectorFileName(c *vectors.Case) (any, error) {
	var in struct {
		CookieName string `json:"SESSION_COOKIE_NAME"`
		SessionKey string `json:"session_key"`
	}
	c.Bind(&in)
	return sessions.DjangoFileName(in.CookieName, in.SessionKey)
}

func vectorFileKeyValid(c *vectors.Case) (any, error) {
	var in struct {
		SessionKey string `json:"session_key"`
	}
	c.Bind(&in)
	if _, err := sessions.DjangoFileName("sessionid", in.SessionKey); err != nil {
		return nil, err
	}
	return true, nil
}

func vectorAcceptKey(c *vectors.Case) (any, error) {
	var in struct{ Key *string }
	c.Bind(&in)
	if in.Key == nil || !sessions.AcceptKey(*in.Key) {
		return nil, nil
	}
	return *in.Key, nil
}

func vectorFileExpiry(c *vectors.Case) (any, error) {
	var in struct {
		Expiry   json.RawMessage `json:"_session_expiry"`
		MtimeAge float64         `json:"file_mtime_age"`
		Age      int64           `json:"SESSION_COOKIE_AGE"`
	}
	c.Bind(&in)
	now := vectorNow
	modified := now.Add(-time.Duration(in.MtimeAge * float64(time.Second)))
	live := sessions.DjangoFileLive(withExpiry(in.Expiry), modified, now, time.Duration(in.Age)*time.Second)
	return map[string]bool{"loaded": live}, nil
}

// The vectors' clock stands here unless a case says otherwise.
var vectorNow = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

const (
	goodKey    = "goodgoodgoodgoodgoodgoodgoodgood"
	expiredKey = "expiredexpiredexpiredexpiredexpi"
	corruptKey = "corruptcorruptcorruptcorruptcorr"
)

func withExpiry(raw json.RawMessage) (d sessions.Data) {
	if len(raw) != 0 && string(raw) != "null" {
		d.Set("_session_expiry", raw)
	}
	return d
}

func vectorExpiry(c *vectors.Case) (any, error) {
	var in struct {
		Expiry  json.RawMessage `json:"_session_expiry"`
		Now     time.Time
		Age     int64 `json:"SESSION_COOKIE_AGE"`
		AtClose bool  `json:"SESSION_EXPIRE_AT_BROWSER_CLOSE"`
	}
	var want struct {
		Age     float64
		Date    time.Time
		AtClose bool `json:"at_browser_close"`
	}
	c.Bind(&in)
	c.BindOut(&want)
	cfg := sessions.Config{Age: time.Duration(in.Age) * time.Second, ExpireAtBrowserClose: in.AtClose}
	var verdict error
	inSession(cfg, in.Now, withExpiry(in.Expiry), func(s *sessions.Session) {
		_, offset := s.Expires().Zone()
		_, wantOffset := want.Date.Zone()
		if s.Age().Seconds() != want.Age || !s.Expires().Equal(want.Date) || offset != wantOffset || s.ExpiresAtBrowserClose() != want.AtClose {
			verdict = vectors.Differs("age %v, date %v, at close %v; want %+v", s.Age().Seconds(), s.Expires(), s.ExpiresAtBrowserClose(), want)
		}
	})
	return vectors.Same, verdict
}

func vectorSetExpiry(c *vectors.Case) (any, error) {
	var in struct {
		Value string
		Now   time.Time
	}
	var all struct{ Modified bool }
	c.Bind(&in)
	c.BindAll(&all)
	data, err := sessions.ParseData([]byte(*c.OutJSON))
	if err != nil {
		return nil, vectors.Differs("%v", err)
	}
	var verdict error
	inSession(sessions.Config{}, in.Now, sessions.Data{}, func(s *sessions.Session) {
		var n int64
		var y, month, d, h, minute, sec, micro int
		switch {
		case in.Value == "None":
			err = s.ExpireAsConfigured()
		case scan(in.Value, "datetime.timedelta(seconds=%d)", &n):
			err = s.ExpireAt(in.Now.Add(time.Duration(n) * time.Second))
		case scan(in.Value, "datetime.timedelta(days=%d)", &n):
			err = s.ExpireAt(in.Now.Add(time.Duration(n) * 24 * time.Hour))
		case scan(in.Value, "datetime.datetime(%d, %d, %d, %d, %d, %d, %d, tzinfo=datetime.timezone.utc)", &y, &month, &d, &h, &minute, &sec, &micro):
			err = s.ExpireAt(time.Date(y, time.Month(month), d, h, minute, sec, micro*1000, time.UTC))
		case scan(in.Value, "datetime.datetime(%d, %d, %d, %d, %d, %d, tzinfo=datetime.timezone.utc)", &y, &month, &d, &h, &minute, &sec):
			err = s.ExpireAt(time.Date(y, time.Month(month), d, h, minute, sec, 0, time.UTC))
		case scan(in.Value, "datetime.datetime(%d, %d, %d, %d, %d, tzinfo=datetime.timezone.utc)", &y, &month, &d, &h, &minute):
			err = s.ExpireAt(time.Date(y, time.Month(month), d, h, minute, 0, 0, time.UTC))
		case scan(in.Value, "%d", &n):
			err = s.ExpireAfter(time.Duration(n) * time.Second)
		default:
			err = fmt.Errorf("no reading of %q", in.Value)
		}
		got, _ := s.Get("_session_expiry")
		want, _ := data.Get("_session_expiry")
		if err != nil || string(got) != string(want) || s.Modified() != all.Modified {
			verdict = vectors.Differs("got %s, modified %v, error %v; want %s", got, s.Modified(), err, want)
		}
	})
	return vectors.Same, verdict
}

func scan(s, format string, into ...any) bool {
	n, err := fmt.Sscanf(s, format, into...)
	return err == nil && n == len(into) && fmt.Sprintf(format, deref(into)...) == s
}

func deref(into []any) []any {
	out := make([]any, len(into))
	for i, p := range into {
		switch p := p.(type) {
		case *int:
			out[i] = *p
		case *int64:
			out[i] = *p
		}
	}
	return out
}

// inSession runs do in a request that carries a session with this data.
func inSession(cfg sessions.Config, now time.Time, data sessions.Data, do func(*sessions.Session)) {
	cfg.Now = func() time.Time { return now }
	store := memstore.New(memstore.Config{Now: cfg.Now})
	store.Put(goodKey, sessions.Record{Data: data, Expires: now.Add(time.Hour)})
	serve(store, cfg, "sessionid="+goodKey, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(sessions.From(r)) }))
}

// serve answers one request of a browser with that Cookie header, by Django's cookie names.
func serve(store sessions.Store, cfg sessions.Config, cookie string, app http.Handler) *http.Response {
	cfg.Cookie.Plain = true
	cfg.Logger = slog.New(slog.DiscardHandler)
	m, err := sessions.New(store, cfg)
	if err != nil {
		panic(err)
	}
	o, err := origin.New(origin.Config{AllowedHosts: []string{"example.local"}, InsecureHTTP: true})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("GET", "http://example.local/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	respond.Handler(o.Handler(m.Handler(app)), respond.Config{Error: errorPage, Logger: cfg.Logger}).ServeHTTP(w, r)
	return w.Result()
}

// errorPage is what a site's error page says about sessions.
func errorPage(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusInternalServerError
	var outage *sessions.StoreError
	switch {
	case errors.Is(err, sessions.ErrInterrupted):
		status = http.StatusBadRequest
	case errors.As(err, &outage):
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}

func vectorFlagsAfter(c *vectors.Case) (any, error) {
	var in struct {
		Operation string
		Stored    json.RawMessage
	}
	c.Bind(&in)
	data, err := sessions.ParseData(in.Stored)
	if err != nil {
		return nil, vectors.Differs("%v", err)
	}
	store := memstore.New(memstore.Config{})
	store.Put(goodKey, sessions.Record{Data: data, Expires: time.Now().Add(time.Hour)})
	var s *sessions.Session
	flags := func() map[string]bool {
		_, err := store.Load(context.Background(), goodKey)
		return map[string]bool{
			"accessed": s.Accessed(), "modified": s.Modified(), "key_changed": s.Key() != goodKey, "key_is_none": s.Key() == "",
			"is_empty": s.IsEmpty(), "old_row_exists": err == nil,
		}
	}
	var got map[string]bool
	cfg := sessions.Config{SaveEveryRequest: in.Operation == "save"}
	serve(store, cfg, "sessionid="+goodKey, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s = sessions.From(r)
		var err error
		switch in.Operation {
		case "nothing", "save":
		case "getitem", "get", "nested_mutation":
			s.Get("l")
		case "get_absent":
			s.Get("absent")
		case "has_key", "in", "contains":
			s.Has("a")
		case "keys", "items", "values", "iter":
			s.Keys()
		case "set", "update", "setdefault_absent":
			err = s.Set("b", 2)
		case "setdefault_present":
			if !s.Has("a") {
				err = s.Set("a", 2)
			}
		case "update_empty":
			err = s.Set("a", json.RawMessage("1"))
		case "delete", "delitem", "pop_present", "pop":
			err = s.Delete("a")
		case "pop_absent", "pop_absent_default":
			err = s.Delete("absent")
		case "clear":
			err = s.Clear()
		case "session_key":
			s.Key()
		case "is_empty":
			s.IsEmpty()
		case "set_test_cookie":
			err = s.SetTestCookie()
		case "test_cookie_worked":
			s.TestCookieWorked()
		case "set_expiry":
			err = s.ExpireAfter(time.Hour)
		case "flush":
			err = s.Flush()
		case "cycle_key":
			err = s.Rotate()
		default:
			err = fmt.Errorf("unknown operation %q", in.Operation)
		}
		if err != nil {
			got = map[string]bool{err.Error(): true}
			return
		}
		got = flags()
	}))
	if in.Operation == "save" {
		got = flags()
	}
	return got, nil
}

func vectorSaveAfterDelete(c *vectors.Case) (any, error) {
	var in struct{ Engine string }
	c.Bind(&in)
	store := memstore.New(memstore.Config{})
	store.Put(goodKey, sessions.Record{Expires: time.Now().Add(time.Hour)})
	res := serve(store, sessions.Config{}, "sessionid="+goodKey, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := sessions.From(r)
		s.Get("a")
		_ = store.Delete(r.Context(), goodKey)
		_ = s.Set("b", 2)
	}))
	if res.StatusCode == http.StatusBadRequest && store.Len() == 0 {
		return nil, sessions.ErrInterrupted
	}
	return nil, vectors.Differs("%s: status %d, %d rows", in.Engine, res.StatusCode, store.Len())
}

func jsonOf(d sessions.Data) string {
	b, err := d.AppendJSON(nil)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
