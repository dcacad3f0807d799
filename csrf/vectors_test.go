package csrf_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-go/cardea/csrf"
	"github.com/cardea-go/cardea/internal/vectors"
	"github.com/cardea-go/cardea/origin"
)

// TestVectors runs what Django answered.
func TestVectors(t *testing.T) {
	vectors.Run(t, "csrf", vectors.Ops{
		"mask": func(c *vectors.Case) (any, error) {
			var in struct{ Secret, Mask string }
			c.Bind(&in)
			return csrf.MaskWith(in.Secret, in.Mask), nil
		},
		"unmask": func(c *vectors.Case) (any, error) {
			var in struct{ Token string }
			c.Bind(&in)
			return csrf.Unmask(in.Token), nil
		},
		"token_format": func(c *vectors.Case) (any, error) {
			var in struct{ Token string }
			c.Bind(&in)
			if problem := csrf.CheckFormat(in.Token); problem != "" {
				return problem, nil
			}
			return "ok", nil
		},
		"check_request": func(c *vectors.Case) (any, error) { return checkRequest(t, c) },
		"cookie_life":   func(c *vectors.Case) (any, error) { return cookieLife(t, c) },
	})
}

func checkRequest(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Method, Host                          string
		Cookie, Post, Header, Origin, Referer *string
		Port, XFP                             *string
		Secure, Exempt                        bool
		Session                               json.RawMessage
		St                                    settings
	}
	c.Bind(&in)
	var refused *csrf.Failure
	g := newRig(t, in.St, func(cfg *csrf.Config) {
		cfg.Exempt = func(*http.Request) bool { return in.Exempt }
		cfg.Failure = func(_ http.ResponseWriter, _ *http.Request, f *csrf.Failure) { refused = f }
	})

	body := ""
	if in.Post != nil {
		body = url.Values{csrf.FieldName: {*in.Post}}.Encode()
	}
	r := httptest.NewRequest("POST", "http://placeholder.example/form", strings.NewReader(body))
	r.Method, r.Host = in.Method, in.Host
	if in.Post != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if in.Secure {
		r.TLS = &tls.ConnectionState{}
	}
	if in.Cookie != nil {
		r.Header.Set("Cookie", "csrftoken="+*in.Cookie)
	}
	name := "X-CSRFToken"
	if meta, ok := strings.CutPrefix(in.St.HeaderName, "HTTP_"); ok {
		name = strings.ReplaceAll(meta, "_", "-")
	}
	for name, value := range map[string]*string{name: in.Header, "Origin": in.Origin, "Referer": in.Referer, "X-Forwarded-Port": in.XFP} {
		if value != nil {
			r.Header.Set(name, *value)
		}
	}
	info := &origin.Info{Scheme: "http", Host: in.Host, Secure: in.Secure}
	if in.Port != nil {
		port, _ := strconv.Atoi(*in.Port)
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
		info.Port = *in.Port
	}
	if string(in.Session) != "null" {
		g.begin(r, string(in.Session))
	}

	reached := false
	if strings.HasPrefix(in.Host, "@") { // the layer of origin answers 400; csrf alone is asked here
		refused = g.layer.Judge(r, info)
		reached = refused == nil
	} else {
		g.serve(r, func(http.ResponseWriter, *http.Request) { reached = true })
	}
	var out struct {
		Accepted bool    `json:"accepted"`
		Reason   *string `json:"reason"`
	}
	out.Accepted = reached
	if refused != nil {
		out.Reason = &refused.Reason
	}
	if reached == (refused != nil) {
		return nil, vectors.Differs("the app was reached: %v, and the failure is %v", reached, refused)
	}

	// On purpose: a good header is enough, whatever the body says, which is then not read.
	var django struct{ Reason string }
	c.BindOut(&django)
	if out.Accepted && strings.HasPrefix(django.Reason, "CSRF token from POST ") && csrf.CheckFormat(deref(in.Header)) == "" {
		return vectors.Deviation{Rule: "a good token in the header beside a bad one in the form", Ours: `{"accepted":true,"reason":null}`}, nil
	}
	return out, nil
}

const newSecretMark = "NEWnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

func cookieLife(t *testing.T, c *vectors.Case) (any, error) {
	var in struct {
		Cookie   *string
		View     string
		Session  json.RawMessage
		Settings settings
		Now      int64
	}
	c.Bind(&in)
	g := newRig(t, in.Settings, func(cfg *csrf.Config) {
		cfg.Now = func() time.Time { return time.Unix(in.Now, 0) }
	})
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	if in.Cookie != nil {
		name := in.Settings.CookieName
		if name == "" {
			name = "csrftoken"
		}
		r.Header.Set("Cookie", name+"="+*in.Cookie)
	}
	var key string
	if len(in.Session) > 2 {
		key = g.begin(r, string(in.Session))
	}
	content := map[string]any{}
	w := g.serve(r, func(w http.ResponseWriter, r *http.Request) {
		switch in.View {
		case "get_token":
			csrf.Token(r)
		case "rotate":
			csrf.Rotate(r)
		}
	})
	cookies := []string{}
	for _, line := range w.Header()["Set-Cookie"] {
		if strings.HasPrefix(line, "sessionid=") {
			key, _, _ = strings.Cut(strings.TrimPrefix(line, "sessionid="), ";")
			continue
		}
		cookies = append(cookies, line)
	}
	if key != "" {
		record, err := g.store.Load(context.Background(), key)
		if err != nil {
			t.Fatal(err)
		}
		for name, raw := range record.Data.All() {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			if s, ok := v.(string); ok && name == "_csrftoken" {
				v = markNew(s, string(in.Session))
			}
			content[name] = v
		}
	}

	var django struct {
		SetCookie []string `json:"set_cookie"`
		Vary      *string
		Session   map[string]any
	}
	c.BindOut(&django)
	sent := ""
	if in.Cookie != nil {
		sent = *in.Cookie
	}
	for i, line := range cookies {
		pair, rest, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		cookies[i] = name + "=" + markNew(value, sent) + ";" + rest
	}
	if !slices.EqualFunc(cookies, django.SetCookie, sameAttributes) {
		return nil, vectors.Differs("cookies\n got  %q\n want %q", cookies, django.SetCookie)
	}
	vary := w.Header().Get("Vary")
	if in.Settings.UseSessions { // the recorded run had no session middleware to say so
		vary = ""
	}
	if want := deref(django.Vary); vary != want {
		return nil, vectors.Differs("Vary is %q, want %q", vary, want)
	}
	got, _ := json.Marshal(content)
	want, _ := json.Marshal(django.Session)
	if string(got) != string(want) {
		return nil, vectors.Differs("session\n got  %s\n want %s", got, want)
	}
	return vectors.Same, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// markNew replaces a secret that was not there before by the mark of the recording.
func markNew(secret, before string) string {
	if csrf.CheckFormat(secret) == "" && len(secret) == 32 && !strings.Contains(before, secret) && !isUnmaskedOf(secret, before) {
		return newSecretMark
	}
	return secret
}

func isUnmaskedOf(secret, before string) bool {
	for i := 0; i+64 <= len(before); i++ {
		if token := before[i : i+64]; csrf.CheckFormat(token) == "" && csrf.Unmask(token) == secret {
			return true
		}
	}
	return false
}

// sameAttributes compares two Set-Cookie lines regardless of the order of their attributes.
func sameAttributes(a, b string) bool {
	x, y := strings.Split(a, "; "), strings.Split(b, "; ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
