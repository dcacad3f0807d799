package csrf_test

import (
	"bytes"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-go/cardea/csrf"
)

var fieldValue = regexp.MustCompile(`name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})"`)

// TestLoginInAnotherTab opens a form, logs in in another tab, which rotates the secret, and sends the form: it is not sent on, but
// comes back filled, with a token that works.
func TestLoginInAnotherTab(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	get := func(cookie string, app http.HandlerFunc) (secret string) {
		r := httptest.NewRequest("GET", site+"/", nil)
		if cookie != "" {
			r.Header.Set("Cookie", "csrftoken="+cookie)
		}
		return g.serve(r, app).Result().Cookies()[0].Value
	}
	var token string
	before := get("", func(_ http.ResponseWriter, r *http.Request) { token = csrf.Token(r) })
	after := get(before, func(_ http.ResponseWriter, r *http.Request) { csrf.Rotate(r) }) // the log-in

	typed := url.Values{
		csrf.FieldName: {token}, "title": {`"quoted" <b>`}, "tags": {"a", "b"}, "text": {"\ntwo\nlines"}, "new_password1": {"hunter2"},
	}
	q := request{secret: after, form: typed, header: http.Header{"Origin": {site}}}
	reached, w := g.post(q.build())
	if reached || w.Code != http.StatusForbidden {
		t.Fatalf("the old form: reached the app: %v, status %d", reached, w.Code)
	}
	body := w.Body.String()
	for _, want := range []string{"&#34;quoted&#34; &lt;b&gt;", `type="password" name="new_password1"`, "<button>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, "hunter2") || strings.Contains(body, token) {
		t.Errorf("the page gives away the password or the old token:\n%s", body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}

	again := sendShown(body)
	q.secret, q.form = w.Result().Cookies()[0].Value, again
	var got url.Values
	g.serve(q.build(), func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r.PostForm
	})
	for name, want := range typed {
		if name == "new_password1" || name == csrf.FieldName {
			continue
		}
		if !slices.Equal(normal(got[name]), normal(want)) {
			t.Errorf("the form sent again has %s = %q, want %q", name, got[name], want)
		}
	}

	q = request{secret: after, form: typed, header: http.Header{"Origin": {"https://evil.example"}}} // the control: another site's form
	_, w = g.post(q.build())
	if body := w.Body.String(); strings.Contains(body, "quoted") || fieldValue.MatchString(body) {
		t.Errorf("another site's form is shown as if the visitor had typed it:\n%s", body)
	}
}

// sendShown is what a browser sends of the page's form.
func sendShown(body string) url.Values {
	form := url.Values{}
	if m := fieldValue.FindStringSubmatch(body); m != nil {
		form.Set(csrf.FieldName, m[1])
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea name="([^"]*)" hidden>\n(.*?)</textarea>`).FindAllStringSubmatch(body, -1) {
		form.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return form
}

func normal(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, strings.ReplaceAll(l, "\r\n", "\n"))
	}
	return out
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	var f *csrf.Failure
	g := newRig(t, settings{TrustedOrigins: []string{"https://other.example"}}, func(c *csrf.Config) {
		c.Failure = func(_ http.ResponseWriter, _ *http.Request, failure *csrf.Failure) { f = failure }
	})
	for name, test := range map[string]struct {
		header http.Header
		want   bool
	}{
		"own origin":                {http.Header{"Origin": {site}}, true},
		"fetch metadata":            {http.Header{"Referer": {site + "/"}, "Sec-Fetch-Site": {"same-origin"}}, true},
		"only the referer":          {http.Header{"Referer": {site + "/"}}, false},
		"same site":                 {http.Header{"Referer": {site + "/"}, "Sec-Fetch-Site": {"same-site"}}, false},
		"a trusted origin":          {http.Header{"Origin": {"https://other.example"}}, false},
		"another origin":            {http.Header{"Origin": {"https://evil.example"}}, false},
		"null":                      {http.Header{"Origin": {"null"}}, false},
		"two fetch metadata values": {http.Header{"Referer": {site + "/"}, "Sec-Fetch-Site": {"same-origin", "cross-site"}}, false},
	} {
		q := good()
		q.form.Del(csrf.FieldName)
		q.header = test.header
		f = nil
		g.post(q.build())
		if f == nil || f.SameOrigin != test.want {
			t.Errorf("%s: %+v, want SameOrigin %v", name, f, test.want)
		}
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	var inputs []csrf.Input
	var ok bool
	g := newRig(t, settings{}, func(c *csrf.Config) {
		c.Failure = func(w http.ResponseWriter, r *http.Request, f *csrf.Failure) { inputs, ok = f.Inputs(r) }
	})
	refuse := func(r *http.Request) {
		inputs, ok = nil, false
		if reached, _ := g.post(r); reached {
			t.Error("the app was reached")
		}
	}
	secret := csrf.NewSecret()
	r := upload(secret, "application/x-www-form-urlencoded",
		strings.NewReader("b=1&csrfmiddlewaretoken=old&a=%C3%A9&Password=p&api_token=t&client-secret=s&b=2&passphrase=x&empty="))
	refuse(r)
	want := []csrf.Input{
		{Name: "b", Value: "1"},
		{Name: "a", Value: "é"},
		{Name: "Password", Secret: true},
		{Name: "api_token", Secret: true},
		{Name: "client-secret", Secret: true},
		{Name: "b", Value: "2"},
		{Name: "passphrase", Secret: true},
		{Name: "empty"},
	}
	if !ok || !slices.Equal(inputs, want) {
		t.Errorf("the form\n got  %v %+v\n want %+v", ok, inputs, want)
	}

	body, kind := multipartBody(t, part{"a", "", "1"}, part{"f", "x.pdf", "the file"}, part{"password", "", "p"}, part{"csrfmiddlewaretoken", "", "old"})
	refuse(upload(secret, kind, bytes.NewReader(body)))
	want = []csrf.Input{{Name: "a", Value: "1"}, {Name: "f", File: true}, {Name: "password", Secret: true}}
	if !ok || !slices.Equal(inputs, want) {
		t.Errorf("the multipart form\n got  %v %+v\n want %+v", ok, inputs, want)
	}

	for name, r := range map[string]*http.Request{
		"too large":      upload(secret, "application/x-www-form-urlencoded", strings.NewReader("a="+strings.Repeat("x", 3*mib))),
		"broken escapes": upload(secret, "application/x-www-form-urlencoded", strings.NewReader("a=%zz")),
		"no form":        upload(secret, "application/json", strings.NewReader("{}")),
		"no body":        upload(secret, "application/x-www-form-urlencoded", http.NoBody),
	} {
		if refuse(r); ok && name != "no body" || len(inputs) > 0 {
			t.Errorf("%s: %v %+v", name, ok, inputs)
		}
	}
}

func TestFailureForPrograms(t *testing.T) {
	t.Parallel()
	g := newRig(t, settings{}, nil)
	r := httptest.NewRequest("POST", site+"/api", nil)
	r.Header.Set("Origin", site)
	w := g.serve(r, func(http.ResponseWriter, *http.Request) {})
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusForbidden || !strings.HasPrefix(got, "text/plain") {
		t.Errorf("status %d, %s", w.Code, got)
	}
}
