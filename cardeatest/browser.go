package cardeatest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A Browser is one person's browser without a script engine: it keeps cookies, follows redirects, and fills and sends forms. A
// step that cannot be taken ends the test. Its methods return the Browser, so that steps chain.
type Browser struct {
	t      testing.TB
	client *http.Client
	base   *url.URL
	bearer string // of a program

	Status int         // of the last page
	Header http.Header // of the last page
	Body   string      // of the last page
	at     *url.URL
	form   url.Values // what was filled in
}

// NewBrowser starts a server for h, for as long as the test lasts, and opens a browser on it.
func NewBrowser(t testing.TB, h http.Handler) *Browser {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return Open(t, server.URL)
}

// Open opens a browser on a server that runs at address, such as "http://127.0.0.1:8000".
func Open(t testing.TB, address string) *Browser {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, base: base, client: &http.Client{Jar: jar}}
}

// Another is a second browser on the same server, with no cookies.
func (b *Browser) Another() *Browser {
	b.t.Helper()
	return Open(b.t, b.base.String())
}

// Client is the browser's HTTP client, for requests that no person makes.
func (b *Browser) Client() *http.Client { return b.client }

// URL is the full address of a path.
func (b *Browser) URL(path string) string {
	b.t.Helper()
	u, err := b.base.Parse(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return u.String()
}

// Cookie is the value of a cookie by the end of its name, prefixes aside; "" when there is none.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.client.Jar.Cookies(b.base) {
		if c.Name == name || strings.HasSuffix(c.Name, "-"+name) || strings.HasSuffix(c.Name, "_"+name) {
			return c.Value
		}
	}
	return ""
}

// Visit opens a page and follows its redirects, those of a page that moves on at once too.
func (b *Browser) Visit(path string) *Browser {
	b.t.Helper()
	return b.Send(http.MethodGet, path)
}

// Do sends a request with the browser's cookies and keeps the answer as the page it is at.
func (b *Browser) Do(req *http.Request) *Browser {
	b.t.Helper()
	if b.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+b.bearer)
		req.Header.Set("Accept", "application/json")
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		b.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	b.Status, b.Header, b.Body, b.at, b.form = resp.StatusCode, resp.Header, string(body), resp.Request.URL, url.Values{}
	if to, ok := strings.CutPrefix(resp.Header.Get("Refresh"), "0; url="); ok {
		next, err := b.at.Parse(to)
		if err != nil {
			b.t.Fatalf("%s leads to %q: %v", b.at, to, err)
		}
		return b.Visit(next.String())
	}
	return b
}

// Fill writes a value into a field of the page's form.
func (b *Browser) Fill(field, value string) *Browser {
	b.t.Helper()
	if b.form == nil {
		b.t.Fatal("Fill before Visit")
	}
	b.form.Set(field, value)
	return b
}

// Submit sends the form that has all the fields that were filled in, as a browser would: hidden fields and values of the page
// included.
func (b *Browser) Submit() *Browser {
	b.t.Helper()
	return b.submit(func(f *form) bool {
		for name := range b.form {
			if !f.names[name] {
				return false
			}
		}
		return len(f.names) > 0
	})
}

// Press sends the form whose button has that label.
func (b *Browser) Press(label string) *Browser {
	b.t.Helper()
	return b.submit(func(f *form) bool { return f.buttons[label] })
}

func (b *Browser) submit(match func(*form) bool) *Browser {
	b.t.Helper()
	forms := parseForms(b.Body)
	for i := len(forms) - 1; i >= 0; i-- {
		f := forms[i]
		if !match(f) {
			continue
		}
		values := f.values
		for name, value := range b.form {
			values[name] = value
		}
		target, err := b.at.Parse(f.action)
		if err != nil {
			b.t.Fatal(err)
		}
		if f.method != http.MethodPost {
			target.RawQuery = values.Encode()
			return b.Visit(target.String())
		}
		req, err := http.NewRequest(http.MethodPost, target.String(), strings.NewReader(values.Encode()))
		if err != nil {
			b.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
		req.Header.Set("Referer", b.at.String())
		return b.Do(req)
	}
	b.t.Fatalf("no such form at %s (status %d):\n%s", b.at, b.Status, b.Body)
	return b
}

// AtPath ends the test unless the browser is at that path.
func (b *Browser) AtPath(path string) *Browser {
	b.t.Helper()
	if b.at == nil || b.at.Path != path {
		b.t.Fatalf("at %v (status %d), want %s\n%s", b.at, b.Status, path, b.Body)
	}
	return b
}

// HasStatus ends the test unless the last page had that status.
func (b *Browser) HasStatus(status int) *Browser {
	b.t.Helper()
	if b.Status != status {
		b.t.Fatalf("status %d at %v, want %d\n%s", b.Status, b.at, status, b.Body)
	}
	return b
}

// Sees ends the test unless the page's text holds text.
func (b *Browser) Sees(text string) *Browser {
	b.t.Helper()
	if !strings.Contains(html.UnescapeString(b.Body), text) {
		b.t.Fatalf("%q is not on the page at %v (status %d):\n%s", text, b.at, b.Status, b.Body)
	}
	return b
}

// SeesNot ends the test if the page's text holds text.
func (b *Browser) SeesNot(text string) *Browser {
	b.t.Helper()
	if strings.Contains(html.UnescapeString(b.Body), text) {
		b.t.Fatalf("%q is on the page at %v (status %d):\n%s", text, b.at, b.Status, b.Body)
	}
	return b
}
