package messages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/messages"
)

// TestVectors runs what Django answered.
func TestVectors(t *testing.T) {
	vectors.Run(t, "messages", vectors.Ops{
		"cookie_encode":     func(c *vectors.Case) (any, error) { return cookieEncode(t, c) },
		"cookie_decode":     func(c *vectors.Case) (any, error) { return cookieDecode(t, c) },
		"cookie_decode_bad": func(c *vectors.Case) (any, error) { return cookieDecodeBad(t, c) },
		"session_encode": func(c *vectors.Case) (any, error) {
			var in struct{ Messages []django }
			c.Bind(&in)
			return messages.SessionText(stored(in.Messages)), nil
		},
		"session_decode": func(c *vectors.Case) (any, error) {
			var in struct{ Value string }
			c.Bind(&in)
			raw, err := json.Marshal(in.Value)
			if err != nil {
				return nil, err
			}
			list, err := messages.ParseSession(raw)
			return described(list), err
		},
		"store":        func(c *vectors.Case) (any, error) { return store(t, c) },
		"level_filter": func(c *vectors.Case) (any, error) { return levelFilter(t, c) },
		"tags":         func(c *vectors.Case) (any, error) { return tags(t, c) },
	})
}

// A django is a message as the cases write it.
type django struct {
	Level     messages.Level  `json:"level"`
	Message   string          `json:"message"`
	ExtraTags json.RawMessage `json:"extra_tags"`
	Safe      bool            `json:"safe"`
}

func stored(in []django) (list []messages.Stored) {
	for _, m := range in {
		s := messages.Stored{Message: messages.Message{Level: m.Level, Text: m.Message, Safe: m.Safe}}
		if string(m.ExtraTags) == "null" {
			s.Bare = true
		} else if m.ExtraTags != nil {
			_ = json.Unmarshal(m.ExtraTags, &s.ExtraTags)
		}
		list = append(list, s)
	}
	return list
}

func described(list []messages.Stored) []map[string]any {
	out := []map[string]any{}
	for _, s := range list {
		m := describe(s.Message)
		if s.Bare {
			m["extra_tags"] = nil
		}
		out = append(out, m)
	}
	return out
}

func describe(m messages.Message) map[string]any {
	return map[string]any{
		"level": int(m.Level), "message": m.Text, "extra_tags": m.ExtraTags, "safe": m.Safe,
		"tags": m.Tags(), "level_tag": m.LevelTag(),
	}
}

func cookieEncode(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Secret   string
		Now      int64
		Messages []django
	}
	c.Bind(&in)
	var all struct{ JSON string }
	c.BindAll(&all)
	if got := string(messages.AppendList(stored(in.Messages), false, false)); got != all.JSON {
		return nil, vectors.Differs("JSON\n got  %s\n want %s", got, all.JSON)
	}
	if len(in.Messages) == 0 { // nothing is encoded: the cookie is deleted, which "store" looks at
		return nil, nil
	}
	g := newRig(t, func(cfg *messages.Config) { cfg.Keys.Current, cfg.Now = in.Secret, at(in.Now) })
	got, err := g.layer.EncodeCookie(stored(in.Messages), false)
	if err != nil {
		return nil, err
	}
	var want string
	c.BindOut(&want)
	if strings.HasPrefix(want, ".") { // Go compresses to other bytes; what counts is what both decode to
		ours, _ := g.layer.DecodeCookie(got)
		theirs, _ := g.layer.DecodeCookie(want)
		if !slices.Equal(ours, theirs) || !slices.Equal(ours, stored(in.Messages)) {
			return nil, vectors.Differs("decoded\n got  %v\n want %v", ours, theirs)
		}
		return vectors.Same, nil
	}
	return got, nil
}

func cookieDecode(t *testing.T, c *vectors.Case) (any, error) {
	var in struct{ Secret, Cookie string }
	c.Bind(&in)
	var all struct {
		AllRetrieved bool `json:"all_retrieved"`
	}
	c.BindAll(&all)
	g := newRig(t, func(cfg *messages.Config) { cfg.Keys.Current = in.Secret })
	list, more := g.layer.DecodeCookie(in.Cookie)
	if more == all.AllRetrieved {
		return nil, vectors.Differs("more is %v, all_retrieved is %v", more, all.AllRetrieved)
	}
	return described(list), nil
}

func cookieDecodeBad(t *testing.T, c *vectors.Case) (any, error) {
	var in struct{ Secret, Cookie string }
	c.Bind(&in)
	var all struct {
		ResponseCookie string `json:"response_cookie"`
	}
	c.BindAll(&all)
	g := newRig(t, func(cfg *messages.Config) { cfg.Keys.Current, cfg.Storage = in.Secret, messages.Cookie })
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	r.Header.Set("Cookie", "messages="+in.Cookie)
	var taken []messages.Message
	w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) { taken = messages.Take(r) })
	if got := w.Header()["Set-Cookie"]; len(got) != 1 || !sameAttributes(got[0], all.ResponseCookie) {
		return nil, vectors.Differs("cookies\n got  %q\n want %q", got, all.ResponseCookie)
	}
	return append([]messages.Message{}, taken...), nil
}

func store(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Storage, Secret string
		Now             int64
		Add             []django
		Cookie          *string
		Session         json.RawMessage
		ReadFirst       bool `json:"read_first"`
		Settings        struct {
			Domain   string `json:"SESSION_COOKIE_DOMAIN"`
			Secure   bool   `json:"SESSION_COOKIE_SECURE"`
			HTTPOnly *bool  `json:"SESSION_COOKIE_HTTPONLY"`
			SameSite any    `json:"SESSION_COOKIE_SAMESITE"`
		}
	}
	c.Bind(&in)
	var want struct {
		Before         []map[string]any
		Cookie         *string
		CookieMessages []string `json:"cookie_messages"`
		Session        any
	}
	c.BindOut(&want)

	g := newRig(t, func(cfg *messages.Config) {
		cfg.Keys.Current, cfg.Now = in.Secret, at(in.Now)
		cfg.Storage = map[string]messages.Storage{
			"FallbackStorage": messages.Fallback, "CookieStorage": messages.Cookie, "SessionStorage": messages.Session,
		}[in.Storage]
		cfg.Cookie.Domain, cfg.Cookie.Secure = in.Settings.Domain, in.Settings.Secure
		cfg.Cookie.ScriptReadable = in.Settings.HTTPOnly != nil && !*in.Settings.HTTPOnly
		switch v := in.Settings.SameSite.(type) {
		case string:
			cfg.Cookie.SameSite = v
		case bool:
			cfg.Cookie.SameSite = "omit"
		}
	})
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	if in.Cookie != nil {
		r.Header.Add("Cookie", "messages="+*in.Cookie)
	}
	key := ""
	if len(in.Session) > 0 && string(in.Session) != "null" {
		key = g.begin(r, string(in.Session))
	}
	var before []map[string]any
	w := g.serve(r, func(_ http.ResponseWriter, r *http.Request) {
		if in.ReadFirst {
			before = []map[string]any{}
			for _, m := range messages.Take(r) {
				before = append(before, describe(m))
			}
		}
		for _, m := range stored(in.Add) {
			if err := messages.Add(r, m.Level, m.Text, messages.Option{ExtraTags: m.ExtraTags, Safe: m.Safe}); err != nil {
				t.Errorf("Add: %v", err)
			}
		}
	})

	cookie := ""
	for _, line := range w.Header()["Set-Cookie"] {
		if strings.HasPrefix(line, "sessionid=") {
			key, _, _ = strings.Cut(strings.TrimPrefix(line, "sessionid="), ";")
		} else {
			cookie = line
		}
	}
	if got, want := text(before), text(want.Before); got != want {
		return nil, vectors.Differs("before\n got  %s\n want %s", got, want)
	}
	if (cookie == "") != (want.Cookie == nil) {
		return nil, vectors.Differs("cookie\n got  %q\n want %v", cookie, want.Cookie)
	}
	session, wantSession := g.sessionText(key), want.Session
	if cookie != "" {
		fewer, why := g.compareCookie(cookie, *want.Cookie, want.CookieMessages)
		if why != "" {
			return nil, vectors.Differs("%s", why)
		}
		if fewer && in.Storage == "FallbackStorage" { // the one that Django's compressor got in is in the session
			session, wantSession = lastText(session), lastText(wantSession)
		}
	}
	if got, want := text(session), text(wantSession); got != want {
		return nil, vectors.Differs("session\n got  %.500s\n want %.500s", got, want)
	}
	return vectors.Same, nil
}

// compareCookie compares two cookies by their attributes and by what they hold. fewer reports that ours holds fewer messages
// because Django's would not fit when Go compresses them.
func (g *rig) compareCookie(ours, theirs string, want []string) (fewer bool, why string) {
	value, rest := cookieValue(ours)
	djangoValue, djangoRest := cookieValue(theirs)
	if !sameAttributes(rest, djangoRest) || (value == `""`) != (djangoValue == `""`) {
		return false, "cookie\n got  " + ours + "\n want " + theirs
	}
	if value == `""` {
		return false, ""
	}
	if len(value) > 2048 {
		return false, "the cookie has " + strconv.Itoa(len(value)) + " bytes"
	}
	list, more := g.layer.DecodeCookie(value)
	texts := []string{}
	for _, m := range list {
		texts = append(texts, m.Text)
	}
	if more {
		texts = append(texts, "__messagesnotfinished__")
	}
	if !slices.Equal(texts, want) {
		django, more := g.layer.DecodeCookie(djangoValue)
		if again, err := g.layer.EncodeCookie(django, more); err != nil || len(again) <= 2048 || len(list) >= len(django) {
			return false, "cookie holds\n got  " + text(texts) + "\n want " + text(want)
		}
		return true, ""
	}
	if !strings.HasPrefix(djangoValue, ".") && value != djangoValue {
		return false, "cookie\n got  " + value + "\n want " + djangoValue
	}
	return false, ""
}

// lastText is the last message of a list as the session holds it.
func lastText(session any) any {
	s, _ := session.(string)
	var list []any
	if json.Unmarshal([]byte(s), &list) != nil || len(list) == 0 {
		return session
	}
	return list[len(list)-1]
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func cookieValue(line string) (value, rest string) {
	pair, rest, _ := strings.Cut(line, "; ")
	_, value, _ = strings.Cut(pair, "=")
	return value, rest
}

// sameAttributes compares two Set-Cookie lines regardless of the order of their attributes.
func sameAttributes(a, b string) bool {
	x, y := strings.Split(a, "; "), strings.Split(b, "; ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func levelFilter(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Least *messages.Level `json:"MESSAGE_LEVEL"`
		Level messages.Level
	}
	c.Bind(&in)
	g := newRig(t, func(cfg *messages.Config) {
		if in.Least != nil {
			cfg.Level = *in.Least
		}
	})
	kept := false
	g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), func(_ http.ResponseWriter, r *http.Request) {
		if err := messages.Add(r, in.Level, "x"); err != nil {
			t.Error(err)
		}
		kept = len(messages.Take(r)) == 1
	})
	return kept, nil
}

func tags(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Tags      map[string]string `json:"MESSAGE_TAGS"`
		Level     messages.Level
		ExtraTags string `json:"extra_tags"`
	}
	c.Bind(&in)
	g := newRig(t, func(cfg *messages.Config) {
		cfg.Tags, cfg.Level = map[messages.Level]string{}, -1
		for level, tag := range in.Tags {
			n, err := strconv.Atoi(level)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Tags[messages.Level(n)] = tag
		}
	})
	var m messages.Message
	g.serve(httptest.NewRequest("GET", "http://www.example.com/", nil), func(_ http.ResponseWriter, r *http.Request) {
		if err := messages.Add(r, in.Level, "x", messages.Option{ExtraTags: in.ExtraTags}); err != nil {
			t.Error(err)
		}
		m = messages.Take(r)[0]
	})
	return map[string]string{"tags": m.Tags(), "level_tag": m.LevelTag()}, nil
}
